#include <features.h>
#include "libc.h"
#include "crt_arch.h"

int __main_void(void);
void __wasm_call_ctors(void);
int __libc_start_main(int (*)(int, char **, char **), int, char **,
	void (*)(), void (*)(), void (*)());

hidden int __main_argc;
hidden char **__main_argv;

/* replaces libc's walk over .init_array, which wasm-ld turns into a function */
void __libc_start_init(void)
{
	__wasm_call_ctors();
}

static int run(int argc, char **argv, char **envp)
{
	return __main_void();
}

__attribute__((__noinline__)) void _start_c(long *p)
{
	__main_argc = p[0];
	__main_argv = (void *)(p+1);
	__libc_start_main(run, __main_argc, __main_argv, 0, 0, 0);
}
