// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --memory 160M
#include "test.h"
#include <sys/prctl.h>

static void greedy(void)
{
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	for (;;) {
		char *memory = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(memory != MAP_FAILED);
		memset(memory, 1, 1 << 20);
	}
}

int main(void)
{
	// It runs until it is told what happened to the other.
	pid_t modest = fork();
	if (modest == 0) {
		static volatile char memory[1 << 20];
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		for (unsigned i = 0;; i++) memory[i % sizeof memory]++;
	}
	for (int i = 0; i < 3; i++) {
		CHECK(died_of(status_of(greedy), SIGKILL));
		CHECK(waitpid(modest, 0, WNOHANG) == 0);
	}
	// What it had is free again.
	char *memory = malloc(32 << 20);
	CHECK(memory);
	memset(memory, 1, 32 << 20);
	CHECK(kill(modest, SIGKILL) == 0 && died_of(wait_for(modest), SIGKILL));
}
