/* Debugged by src/debugger.rs, which looks for the lines with comments. */
#include <stdio.h>
#include <unistd.h>

__attribute__((noinline)) static int inner(int n)
{
	printf("inner %d\n", n); /* stop */
	return n + 1; /* next */
}

__attribute__((always_inline)) static inline int folded(int n)
{
	return inner(n * 2); /* call of inner */
}

__attribute__((noinline)) int middle(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += folded(i); /* call of folded */
	return sum;
}

int main(void)
{
	volatile int sum = middle(3); /* call of middle */
	write(1, "written\n", 8); /* call of write */
	return sum == 0;
}
