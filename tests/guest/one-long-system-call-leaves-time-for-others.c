// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
#include "test.h"
#include <sys/uio.h>

enum { PIECES = 1000, PIECE = 2 << 20 };

static long milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(void)
{
	volatile long *rounds = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(rounds != MAP_FAILED);
	pid_t other = fork();
	CHECK(other >= 0);
	while (other == 0) {
		usleep(1000);
		++*rounds;
	}

	static char piece[PIECE];
	struct iovec pieces[PIECES];
	for (int i = 0; i < PIECES; i++) pieces[i] = (struct iovec){ piece, PIECE };
	int zero = open("/dev/zero", O_RDONLY);
	CHECK(zero >= 0);
	while (*rounds < 3) usleep(1000);

	long before = *rounds, start = milliseconds();
	CHECK(readv(zero, pieces, PIECES) == (ssize_t)PIECES * PIECE);
	long took = milliseconds() - start;
	printf("%ld rounds in %ld ms\n", *rounds - before, took);
	CHECK(*rounds - before >= 1 + took / 50);
	CHECK(kill(other, SIGKILL) == 0);
	wait_for(other);
}
