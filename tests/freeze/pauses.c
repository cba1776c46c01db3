/*
 * Uses memory, and tells for how long it stood still.
 *
 *	pauses MIB RATE SECONDS		so much memory, of which RATE MB are written anew each second
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* What nothing makes shorter, not even a compiler that sees that nobody reads it. */
static void fill(volatile uint64_t *page, uint64_t seed)
{
	for (int n = 0; n < PAGE / 8; n++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		page[n] = seed;
	}
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	size_t size = strtoul(argv[1], 0, 10) << 20, at = 0;
	int64_t rate = strtol(argv[2], 0, 10), seconds = strtol(argv[3], 0, 10);
	char *memory = malloc(size + PAGE);
	uint64_t round = 1;

	if (!memory)
		return 1;
	for (size_t n = 0; n < size; n += PAGE)
		fill((volatile uint64_t *)(memory + n), round++);
	puts("ready");
	fflush(stdout);

	int64_t start = now(CLOCK_MONOTONIC), written = 0, most = 0;
	int64_t last = now(CLOCK_REALTIME);

	while (now(CLOCK_MONOTONIC) - start < seconds * 1000000000) {
		int64_t due = (now(CLOCK_MONOTONIC) - start) / 1000 * rate;
		/* Not what would have been written while it stood still. */
		if (due - written > 10000000)
			written = due;
		for (; size && written < due; written += PAGE) {
			fill((volatile uint64_t *)(memory + at), round++);
			at = (at + PAGE) % size;
		}
		usleep(500);
		int64_t time = now(CLOCK_REALTIME);
		if (time - last > most)
			most = time - last;
		last = time;
	}
	printf("%lld\n", (long long)most / 1000);
	return 0;
}
