// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static char stack[65536];
static volatile int on_it;

static void handler(int signal)
{
	char local;
	stack_t current;
	(void)signal;
	CHECK(sigaltstack(0, &current) == 0 && current.ss_flags == SS_ONSTACK);
	on_it = &local > stack && &local < stack + sizeof stack;
}

int main(void)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	CHECK(sigaltstack(&alternate, 0) == 0);
	handle(SIGUSR1, handler, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(on_it);
	handle(SIGUSR1, handler, 0);
	CHECK(sigaltstack(0, &alternate) == 0 && alternate.ss_flags == 0);
}
