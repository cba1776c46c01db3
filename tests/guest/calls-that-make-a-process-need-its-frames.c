// SPDX-License-Identifier: MIT OR Apache-2.0
// A handler may change which system call begins again after it, and a tracer any call. A call that makes a
// process fails where the program that called something else has no frames for the child.
#include "test.h"
#include <sys/ptrace.h>
#include <elf.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

#ifdef __wasm__
static void handler(int number, siginfo_t *info, void *context)
{
	CHECK(number == SIGALRM && info->si_signo == number);
	mcontext_t *call = &((ucontext_t *)context)->uc_mcontext;
	call->__nr = SYS_clone;
	call->__ret = -513; // ERESTARTNOINTR: the kernel's mark for a call that begins again
	call->__args[0] = SIGCHLD;
	for (int i = 1; i < 6; i++) call->__args[i] = 0;
}

static void forged(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	int ends[2];
	char byte;

	CHECK(sigaction(SIGALRM, &action, 0) == 0);
	CHECK(pipe(ends) == 0);
	alarm(1);
	CHECK(read(ends[0], &byte, 1) == -1 && errno == ENOSYS);
}
static void child_work(void)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	raise(SIGSTOP);
	CHECK(syscall(SYS_getpgid, SIGCHLD, 0, 0, 0, 0) == -1 && errno == ENOSYS);
	_exit(21);
}

static void traced(void)
{
	pid_t child = fork();
	if (child == 0) child_work();
	CHECK(WIFSTOPPED(wait_for(child)));
	CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD) == 0);
	int status, turned = 0;
	for (;;) {
		CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0L) == 0);
		status = wait_for(child);
		if (!WIFSTOPPED(status)) break;
		struct user_regs_struct registers;
		struct iovec all = { &registers, sizeof registers };
		CHECK(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &all) == 0);
		if (registers.nr != SYS_getpgid) continue;
		registers.nr = SYS_clone;
		CHECK(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &all) == 0);
		turned = 1;
	}
	CHECK(turned && WIFEXITED(status) && WEXITSTATUS(status) == 21);
}
#else
static void forged(void) { }
static void traced(void) { }
#endif

int main(void)
{
	CHECK(passed(status_of(forged)));
	CHECK(passed(status_of(traced)));
}
