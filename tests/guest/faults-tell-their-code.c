// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int got_signal, got_code;
static void *volatile got_address;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = signal;
	got_code = info->si_code;
	got_address = info->si_addr;
	siglongjmp(back, 1);
}

// The signal, code and address that `statement` gives.
#define FAULTS(statement, signal, code) \
	do { \
		got_signal = 0; \
		if (sigsetjmp(back, 1) == 0) { statement; } \
		CHECK(got_signal == (signal) && got_code == (code)); \
	} while (0)

#define FAULTS_AT(statement, signal, code, address) \
	do { \
		FAULTS(statement, signal, code); \
		CHECK((const char *)got_address == (const char *)(address)); \
	} while (0)

static volatile int one = 1, zero;
static volatile long long long_one = 1, long_zero;
static volatile int result;

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	for (int i = 0; i < 4; i++) CHECK(sigaction((int[]){ SIGSEGV, SIGBUS, SIGFPE, SIGILL }[i], &action, 0) == 0);
	size_t page = sysconf(_SC_PAGESIZE);

	char *memory = mmap(0, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	FAULTS_AT(result = *(volatile char *)(memory + 3), SIGSEGV, SEGV_ACCERR, memory + 3);
	FAULTS_AT(*(volatile int *)(memory + page) = 1, SIGSEGV, SEGV_ACCERR, memory + page);
	CHECK(mprotect(memory, page, PROT_READ) == 0);
	result = *(volatile char *)memory;
	FAULTS_AT(*(volatile char *)(memory + 7) = 1, SIGSEGV, SEGV_ACCERR, memory + 7);
	CHECK(munmap(memory, 2 * page) == 0);
	FAULTS_AT(result = *(volatile char *)(memory + 9), SIGSEGV, SEGV_MAPERR, memory + 9);
	FAULTS_AT(*(volatile char *)(uintptr_t)16 = 1, SIGSEGV, SEGV_MAPERR, 16);

	// Beyond the end of a file.
	int fd = memfd_create("short", 0);
	CHECK(fd >= 0 && ftruncate(fd, 100) == 0);
	char *file = mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(file != MAP_FAILED);
	file[99] = 1;
	FAULTS_AT(file[page + 5] = 1, SIGBUS, BUS_ADRERR, file + page + 5);

	FAULTS(result = one / zero, SIGFPE, FPE_INTDIV);
	FAULTS(result = one % zero, SIGFPE, FPE_INTDIV);
	FAULTS(result = long_one / long_zero, SIGFPE, FPE_INTDIV);
	FAULTS(__builtin_trap(), SIGILL, got_code);
	CHECK(got_code >= ILL_ILLOPC && got_code <= ILL_BADSTK);

	// Sent, not caused.
	FAULTS(raise(SIGSEGV), SIGSEGV, SI_TKILL);
	FAULTS(kill(getpid(), SIGFPE), SIGFPE, SI_USER);
}
