/* What a program is started with. Words: --env=A=b --env=EMPTY= --env=A=c. Arguments: one, "", "two words". */
#include "wasi.h"

void _start(void)
{
	size_t count, size;
	char *list[8], buffer[256];

	ok(args_sizes_get(&count, &size));
	is(count, 4);
	ok(args_get(list, buffer));
	yes(is_same(list[1], "one", 4));
	yes(is_same(list[2], "", 1));
	yes(is_same(list[3], "two words", 10));
	is((size_t)(list[3] + 10 - buffer), size);

	ok(environ_sizes_get(&count, &size));
	is(count, 2);
	ok(environ_get(list, buffer));
	yes(is_same(list[0], "EMPTY=", 7));
	yes(is_same(list[1], "A=c", 4));

	/* Addresses outside of the memory. */
	is(args_sizes_get((size_t *)0xfffffffe, &size), FAULT);
	is(args_get((char **)0x7fffffff, buffer), FAULT);
	is(environ_get(list, (char *)0xffffffff), FAULT);
	proc_exit(0);
}
