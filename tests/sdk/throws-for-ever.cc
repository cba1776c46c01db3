// SPDX-License-Identifier: MIT OR Apache-2.0
// Loops whose only way back is an exception: each lets a signal in, and ends when it is killed.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

static volatile std::sig_atomic_t rang;
static volatile bool always = true;

[[gnu::noinline]] static void thrower(int depth)
{
	if (depth == 0) throw std::runtime_error("again");
	thrower(depth - 1);
	if (!always) std::puts("never");
}

static void in_one_function()
{
	while (always) {
		try { throw 1; }
		catch (int) { }
	}
}

static void through_frames()
{
again:
	try { thrower(20); }
	catch (const std::exception &) { goto again; }
}

static void thrown_on()
{
	while (always) {
		try {
			try { thrower(3); }
			catch (...) { throw; }
		} catch (const std::runtime_error &) { }
	}
}

static void in_destructor()
{
	struct Last {
		~Last()
		{
			try { thrower(1); }
			catch (...) { }
		}
	};
	while (always) Last last;
}

int main()
{
	void (*loops[])() = { in_one_function, through_frames, thrown_on, in_destructor };
	for (auto loop : loops) {
		int ends[2];
		char byte;
		if (pipe(ends)) return 2;
		pid_t child = fork();
		if (child == 0) {
			static int out = ends[1];
			std::signal(SIGALRM, [](int) { rang = rang + 1; if (write(out, "a", 1) != 1) _exit(4); });
			ualarm(20000, 0);
			loop();
			_exit(3);
		}
		if (read(ends[0], &byte, 1) != 1) return 3;
		int status;
		if (kill(child, SIGKILL) || waitpid(child, &status, 0) != child) return 4;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return 5;
	}
	std::puts("all were interrupted");
}
