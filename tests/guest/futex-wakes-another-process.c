// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <linux/futex.h>

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

static long futex(int *word, int operation, int value)
{
	return syscall(SYS_futex, word, operation, value, (void *)0, (void *)0, 0);
}

int main(void)
{
	int *word = shared_page();
	CHECK(futex(word, FUTEX_WAIT, 1) == -1 && errno == EAGAIN);
	pid_t child = fork();
	if (child == 0) {
		while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
			if (futex(word, FUTEX_WAIT, 0)) CHECK(errno == EAGAIN || errno == EINTR);
		_exit(0);
	}
	sleep_ms(5);
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	futex(word, FUTEX_WAKE, 1);
	CHECK(passed(wait_for(child)));
}
