// SPDX-License-Identifier: MIT OR Apache-2.0
// No calling convention of C minds arguments that nobody looks at, and programs rely on it: threads
// are written `void *f()`, and free() is cast to a function of two arguments.
#include <pthread.h>
#include "test.h"

// The cast that compilers do not warn of.
typedef void (*any)(void);

static int ran, walked;

static void *thread()
{
	ran++;
	return &ran;
}

static int step(void) { return ++walked; }

static int noted;

static void note(int x)
{
	noted += x;
}

static double half(double x) { return x / 2; }

static void walk(void (*visit)(void *, void *))
{
	for (int i = 0; i < 3; i++)
		visit(malloc(16), &walked);
}

int main(void)
{
	pthread_t id;
	void *result;
	CHECK(!pthread_create(&id, 0, (void *(*)(void *))(any)thread, 0));
	CHECK(!pthread_join(id, &result));
	CHECK(ran == 1 && result == &ran);

	walk((void (*)(void *, void *))(any)free);
	walk((void (*)(void *, void *))(any)step);
	CHECK(walked == 3);

	double (*volatile wide)(double, int, long long, double) =
		(double (*)(double, int, long long, double))(any)half;
	CHECK(wide(3, 1, 2, 4) == 1.5);

	// Nobody looks at the result of a function that gives none.
	int (*volatile silent)(int, int) = (int (*)(int, int))(any)note;
	silent(1, 2);
	((int (*)(int, int))silent)(1, 2);
	CHECK(noted == 2);

	// More arguments than registers hold: the callee's own stay where they are.
	int (*volatile many)(const char *, int, int, int, int, int, int, int, int, int, int) =
		(int (*)(const char *, int, int, int, int, int, int, int, int, int, int))(any)strlen;
	CHECK(many("eleven", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 6);
}
