// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/ptrace.h>
#include <sys/uio.h>

static long word = 0x12345678, other = 7;
static const char text[] = "/no/such/file";

static void child_work(void)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	raise(SIGSTOP);
	int fd = syscall(SYS_openat, AT_FDCWD, text, O_RDONLY, 0);
	CHECK(fd == -1 && errno == ENOENT);
	CHECK(other == 99);
	kill(getpid(), SIGUSR1);
	_exit(21);
}

// Waits for the next stop; its signal.
static int stop(pid_t child)
{
	int status = wait_for(child);
	CHECK(WIFSTOPPED(status));
	return status >> 8;
}

static long peek(pid_t child, const void *address)
{
	errno = 0;
	long value = ptrace(PTRACE_PEEKDATA, child, address, 0);
	CHECK(errno == 0);
	return value;
}

int main(void)
{
	pid_t child = fork();
	if (child == 0) child_work();
	CHECK(stop(child) == SIGSTOP);
	CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT) == 0);

	struct __ptrace_syscall_info info;
	int seen = 0, signals = 0, exits = 0, status;
	for (;;) {
		CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0L) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		if (!WIFSTOPPED(status)) break;
		if (status >> 8 == SIGUSR1) {
			siginfo_t cause;
			CHECK(ptrace(PTRACE_GETSIGINFO, child, 0, &cause) == 0);
			CHECK(cause.si_signo == SIGUSR1 && cause.si_pid == child);
			// It is not delivered, and the child lives.
			signals++;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			unsigned long code;
			CHECK(ptrace(PTRACE_GETEVENTMSG, child, 0, &code) == 0 && code == 21 << 8);
			exits++;
			continue;
		}
		CHECK(status >> 8 == (SIGTRAP | 0x80));
		CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_openat) {
			CHECK((const char *)(uintptr_t)info.entry.args[1] == text);
			// Words of the path, as strace reads them.
			char path[sizeof text + sizeof(long)] = "";
			for (size_t i = 0; i < sizeof text; i += sizeof(long)) {
				long value = peek(child, text + i);
				memcpy(path + i, &value, sizeof value);
			}
			CHECK(strcmp(path, text) == 0);
			struct iovec here = { path, sizeof text }, there = { (void *)text, sizeof text };
			memset(path, 0, sizeof path);
			CHECK(process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof text && strcmp(path, text) == 0);
			CHECK(peek(child, &word) == 0x12345678);
			CHECK(ptrace(PTRACE_POKEDATA, child, &other, 99L) == 0);
			CHECK(other == 7);
			seen |= 1;
		} else if (seen == 1 && info.op == PTRACE_SYSCALL_INFO_EXIT) {
			CHECK(info.exit.rval == -ENOENT && info.exit.is_error);
			seen |= 2;
		}
	}
	CHECK(seen == 3 && signals == 1 && exits == 1);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 21);
}
