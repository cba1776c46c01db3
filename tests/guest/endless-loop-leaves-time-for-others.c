// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int forever = 1;

int main(void)
{
	pid_t children[8];
	for (int i = 0; i < 8; i++) {
		children[i] = fork();
		if (children[i] == 0) while (forever);
	}
	for (int i = 0; i < 10; i++) sleep_ms(1);
	for (int i = 0; i < 8; i++) {
		CHECK(kill(children[i], SIGTERM) == 0);
		CHECK(died_of(wait_for(children[i]), SIGTERM));
	}
}
