/* No signal is taken between the test and the call: there is no poll point in between.
 * If one comes while the call sleeps, the handler sees __cp_begin as the pc of the ucontext; when it
 * has changed it, the call is not restarted but returns -EINTR, and __syscall_cp_c cancels. */
#include "pthread_impl.h"
#include "syscall.h"
/* libc compares: begin <= pc < end. The three must follow each other, which C does not promise. */
__asm__ (
	".section .rodata.__cp,\"\",@\n"
	".globl __cp_begin\n.hidden __cp_begin\n.type __cp_begin,@object\n"
	"__cp_begin:\n.int8 0\n.size __cp_begin, 1\n"
	".globl __cp_end\n.hidden __cp_end\n.type __cp_end,@object\n"
	"__cp_end:\n.int8 0\n.size __cp_end, 1\n"
	".globl __cp_cancel\n.hidden __cp_cancel\n.type __cp_cancel,@object\n"
	"__cp_cancel:\n.int8 0\n.size __cp_cancel, 1\n"
);
extern hidden const char __cp_begin[1];
hidden long __cancel();
hidden long __syscall_cp_asm(volatile void *cancel, syscall_arg_t nr,
	syscall_arg_t u, syscall_arg_t v, syscall_arg_t w,
	syscall_arg_t x, syscall_arg_t y, syscall_arg_t z)
{
	if (*(volatile int *)cancel) return __cancel();
	return __import_syscall_cp(__cp_begin, nr, u, v, w, x, y, z);
}
