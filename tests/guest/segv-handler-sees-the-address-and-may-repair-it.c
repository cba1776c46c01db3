// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static char *page;
static volatile int faults;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(signal == SIGSEGV && (char *)info->si_addr == page + 10 && info->si_code == SEGV_ACCERR);
	faults++;
	CHECK(mprotect(page, 65536, PROT_READ | PROT_WRITE) == 0);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	CHECK(sigaction(SIGSEGV, &action, 0) == 0);
	page = mmap(0, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	page[10] = 5;
	CHECK(faults == 1 && page[10] == 5);
}
