/* clang names main by its type: __main_void, __main_argc_argv, or plain main for any other.
 * crt1 calls the first; whichever the program does not define comes from this archive. */
#include <features.h>
extern hidden int __main_argc;
extern hidden char **__main_argv;
int __main_argc_argv(int, char **);
int __main_void(void)
{
	int (*function)(int, char **) = __main_argc_argv;
	/* A call through a pointer: the program's function may have no result. */
	__asm__ ("" : "+r"(function));
	return function(__main_argc, __main_argv);
}
