// SPDX-License-Identifier: MIT OR Apache-2.0
// C11 7.17: atomic objects of any type. The compiler leaves those that no instruction takes to a library, whose
// names other compilers use as well.
#pragma clang diagnostic ignored "-Watomic-alignment"
#pragma clang diagnostic ignored "-Wunused-parameter"
#include <pthread.h>
#include <stdatomic.h>
#include "test.h"

struct three { int a, b, c; };
struct odd { char bytes[7]; };
struct large { long long words[5]; };

static _Atomic struct three three;
static _Atomic struct odd odd;
static _Atomic struct large large;
static _Atomic unsigned __int128 sixteen;
static _Atomic long double number;

typedef int unaligned __attribute__((aligned(1)));

enum { ROUNDS = 20000 };

// Adds to each word, so that they stay the same.
static void *adds(void *p)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct three old = atomic_load(&three), new;
		do {
			CHECK(old.a == old.b && old.b == old.c);
			new = (struct three){ old.a + 1, old.b + 1, old.c + 1 };
		} while (!atomic_compare_exchange_weak(&three, &old, new));
		sixteen += ((unsigned __int128)1 << 64) + 1;
	}
	return 0;
}

int main(void)
{
	struct odd o = { "seven7" }, p;
	atomic_store(&odd, o);
	p = atomic_exchange(&odd, (struct odd){ "other" });
	CHECK(!memcmp(&o, &p, 7));
	p = atomic_load(&odd);
	CHECK(!strcmp(p.bytes, "other"));
	struct large l = { { 1, 2, 3, 4, 5 } };
	atomic_store(&large, l);
	l.words[4] = 0;
	CHECK(!atomic_compare_exchange_strong(&large, &l, l) && l.words[4] == 5);
	CHECK(!atomic_is_lock_free(&large) && atomic_is_lock_free((_Atomic long long *)&l.words[0]));
	number = 1.5L;
	number *= 4;
	CHECK(number == 6);

	pthread_t threads[4];
	for (int i = 0; i < 4; i++) CHECK(!pthread_create(&threads[i], 0, adds, 0));
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(threads[i], 0));
	struct three got = atomic_load(&three);
	CHECK(got.b == 4 * ROUNDS);
	unsigned __int128 sum = sixteen;
	CHECK((unsigned long long)sum == 4 * ROUNDS && (unsigned long long)(sum >> 64) == 4 * ROUNDS);
	CHECK(atomic_fetch_xor(&sixteen, sum) == sum && sixteen == 0);

	// The library's functions for sizes that instructions take, and for what is not aligned.
	unsigned int __atomic_fetch_nand_4(volatile void *, unsigned int, int);
	unsigned long long __atomic_add_fetch_8(volatile void *, unsigned long long, int);
	unsigned int word = 0xf0;
	CHECK(__atomic_fetch_nand_4(&word, 0x3c, 5) == 0xf0 && word == ~0x30u);
	unsigned long long wide = 7;
	CHECK(__atomic_add_fetch_8(&wide, 1ull << 40, 5) == (1ull << 40) + 7);
	char bytes[9] = { 0 };
	int value = 0x01020304, back;
	__atomic_store_n((unaligned *)(bytes + 1), value, __ATOMIC_SEQ_CST);
	memcpy(&back, bytes + 1, 4);
	CHECK(back == value);
}
