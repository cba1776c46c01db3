// SPDX-License-Identifier: MIT OR Apache-2.0
// A collector that takes its roots from the stack: what no word there points to is given back.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 400 };
struct cell { int value; };
static struct cell *cells[ROOM];
static int made, lost;
static char *bottom;

__attribute__((noinline)) static void collect(void)
{
	jmp_buf here;
	if (setjmp(here)) return;
	for (int i = 0; i < made; i++) {
		int found = 0;
		for (char *p = (char *)&here; p < bottom; p += sizeof p)
			if (*(struct cell *volatile *)p == cells[i]) found = 1;
		if (!found && cells[i]->value >= 0) {
			cells[i]->value = -1;
			lost++;
		}
	}
}

__attribute__((noinline)) static struct cell *make(int value)
{
	struct cell *cell = malloc(sizeof *cell);
	cell->value = value;
	return cells[made++] = cell;
}

// An operand that nobody has named, while others are made.
__attribute__((noinline)) static int sum(struct cell *a, struct cell *b) { return a->value + b->value; }

__attribute__((noinline)) static int level(int n)
{
	struct cell *mine = make(n);
	make(n);
	int below = 0;
	if (n) below = level(n - 1);
	else collect();
	int both = sum(make(n), (collect(), make(n)));
	return below + (mine->value != n) + (both != 2 * n);
}

int main(void)
{
	char here[16] __attribute__((aligned(16)));
	bottom = here;
	int wrong = level(60);
	printf("%d wrong, %s\n", wrong, lost > 60 ? "the others are gone" : "nothing is gone");
}
