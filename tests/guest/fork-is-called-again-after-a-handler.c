// SPDX-License-Identifier: MIT OR Apache-2.0
// A signal with a handler that comes while a process is being made: the call begins again after the handler,
// with the caller's frames, arguments and memory. A tracer sends the signal when the call has begun.
#include "test.h"
#include <sched.h>
#include <sys/ptrace.h>

static volatile int handled;

static int status_after(pid_t child)
{
	int status = wait_for(child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

// Makes a child itself, which leaves nothing of the call that was interrupted.
static void handler(int number)
{
	CHECK(number == SIGUSR1);
	if (++handled % 2) return;
	pid_t child = vfork();
	if (child == 0) _exit(3);
	CHECK(status_after(child) == 3);
}

static int called(void *argument)
{
	return *(int *)argument;
}

static void traced(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int local = 5;

	handle(SIGUSR1, handler, 0);
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	raise(SIGSTOP);
	for (int i = 0; i < 20; i++) {
		int mine = i * 10;
		pid_t child = vfork();
		if (child == 0) _exit(mine + local);
		CHECK(status_after(child) == mine + 5);

		child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (child == 0) _exit(mine + local);
		CHECK(status_after(child) == mine + 5);

		CHECK(status_after(clone(called, stack + sizeof stack, SIGCHLD, &mine)) == mine);
	}
	CHECK(handled >= 10);
}

int main(void)
{
	pid_t child = fork();
	if (child == 0) {
		traced();
		_exit(21);
	}
	CHECK(WIFSTOPPED(wait_for(child)));
	CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD) == 0);

	long signal = 0;
	int sent = 0, status;
	for (;;) {
		CHECK(ptrace(PTRACE_SYSCALL, child, 0, signal) == 0);
		status = wait_for(child);
		if (!WIFSTOPPED(status)) break;
		signal = WSTOPSIG(status);
		if (signal != (SIGTRAP | 0x80)) continue;
		signal = 0;
		struct __ptrace_syscall_info info;
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0);
		// Also when the call has begun again, and when the handler makes it.
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_clone && sent < 40) {
			CHECK(kill(child, SIGUSR1) == 0);
			sent++;
		}
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21);
}
