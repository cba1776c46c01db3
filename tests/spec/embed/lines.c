/* A module whose lines a debugger shows. */
__attribute__((import_module("env"), import_name("call"))) int call(int);

__attribute__((noinline)) static int inner(int n)
{
	n += 1; /* stop */
	return call(n) + 1; /* call of the host */
}

__attribute__((export_name("outer"))) int outer(int n)
{
	return inner(n) * 2; /* call of inner */
}
