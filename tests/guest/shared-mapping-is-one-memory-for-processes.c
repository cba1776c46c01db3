// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	volatile int *words = shared_page();
	pid_t child = fork();
	if (child == 0) {
		for (int i = 1; i <= 1000; i++) {
			while (words[0] != i);
			words[1] = i;
		}
		_exit(0);
	}
	for (int i = 1; i <= 1000; i++) {
		words[0] = i;
		while (words[1] != i);
	}
	CHECK(passed(wait_for(child)));
}
