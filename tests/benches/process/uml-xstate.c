// SPDX-License-Identifier: MIT OR Apache-2.0
// Preloaded into User-Mode Linux. Its versions up to 6.12 keep less register state than recent CPUs
// have (AMX alone has 8 KiB) and the host refuses to set a part of it. What they do not keep is not
// in use: it may as well be zero. Costs one copy, no system call.

#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

long ptrace(enum __ptrace_request request, ...)
{
	static char state[1 << 16];
	static size_t size;
	va_list list;
	va_start(list, request);
	pid_t task = va_arg(list, pid_t);
	void *address = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);

	struct iovec whole = { state, sizeof state };
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
		const struct iovec *part = data;
		if (!size && syscall(SYS_ptrace, PTRACE_GETREGSET, task, address, &whole) == 0) {
			size = whole.iov_len;
			memset(state, 0, size);
		}
		if (part->iov_len < size) {
			memcpy(state, part->iov_base, part->iov_len);
			whole.iov_len = size;
			data = &whole;
		}
	}
	// The system call returns what it peeks through a pointer, the function as its result.
	long peeked;
	int peeks = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
	long result = syscall(SYS_ptrace, request, task, address, peeks ? &peeked : data);
	return peeks && result == 0 ? peeked : result;
}
