// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	volatile unsigned *counter = shared_page();
	int status;
	pid_t child = fork();
	if (child == 0) for (;;) ++*counter;
	while (*counter < 1000) sleep_ms(1);
	CHECK(kill(child, SIGSTOP) == 0);
	CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	unsigned before = *counter;
	sleep_ms(20);
	CHECK(*counter == before);
	CHECK(kill(child, SIGCONT) == 0);
	while (*counter == before) sleep_ms(1);
	CHECK(kill(child, SIGKILL) == 0 && died_of(wait_for(child), SIGKILL));
}
