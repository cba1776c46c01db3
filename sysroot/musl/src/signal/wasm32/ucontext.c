/* The runtime keeps the native frames of contexts that do not run, by the address of the ucontext_t.
 * What is here is the rest: the signal mask, and what makecontext is given. */
#include <ucontext.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <errno.h>
#include "atomic.h"
#include "syscall.h"

/* uc_flags */
enum { KEPT = 1, MADE };

/* At the end of a made context's stack, where its frames in memory begin. */
struct start {
	void (*function)();
	ucontext_t *self, *link;
	int argc, args[];
};

static int run(void *argument)
{
	struct start *s = argument;
	int *a = s->args;
	switch (s->argc) {
	case 0: s->function(); break;
	case 1: s->function(a[0]); break;
	case 2: s->function(a[0], a[1]); break;
	case 3: s->function(a[0], a[1], a[2]); break;
	case 4: s->function(a[0], a[1], a[2], a[3]); break;
	case 5: s->function(a[0], a[1], a[2], a[3], a[4]); break;
	case 6: s->function(a[0], a[1], a[2], a[3], a[4], a[5]); break;
	case 7: s->function(a[0], a[1], a[2], a[3], a[4], a[5], a[6]); break;
	case 8: s->function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]); break;
	default: a_crash();
	}
	__import_context_drop(s->self);
	if (s->link) {
		setcontext(s->link);
		a_crash();
	}
	pthread_exit(0);
}

static int go(ucontext_t *from, const ucontext_t *to)
{
	if (to->uc_flags != MADE) return __import_context_swap(from, to, 0, 0, 0);
	void *start = (void *)to->uc_mcontext.__sp;
	return __import_context_swap(from, 0, run, start, start);
}

/* Without variables in memory: when it returns for the second time, others may be there. */
int getcontext(ucontext_t *uc)
{
	uc->uc_flags = KEPT;
	__syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, &uc->uc_sigmask, _NSIG / 8);
	return __syscall_ret(-__import_context_swap(uc, 0, 0, 0, 0));
}

int setcontext(const ucontext_t *uc)
{
	sigset_t mask;
	__syscall(SYS_rt_sigprocmask, SIG_SETMASK, &uc->uc_sigmask, &mask, _NSIG / 8);
	int error = go(0, uc);
	__syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, _NSIG / 8);
	errno = error;
	return -1;
}

int swapcontext(ucontext_t *restrict from, const ucontext_t *restrict to)
{
	from->uc_flags = KEPT;
	__syscall(SYS_rt_sigprocmask, SIG_SETMASK, &to->uc_sigmask, &from->uc_sigmask, _NSIG / 8);
	int error = go(from, to);
	if (!error) return 0;
	__syscall(SYS_rt_sigprocmask, SIG_SETMASK, &from->uc_sigmask, 0, _NSIG / 8);
	errno = error;
	return -1;
}

void makecontext(ucontext_t *uc, void (*function)(), int argc, ...)
{
	uintptr_t end = (uintptr_t)uc->uc_stack.ss_sp + uc->uc_stack.ss_size;
	struct start *s = (void *)((end - sizeof *s - argc * sizeof(int)) & -16);
	va_list arguments;
	*s = (struct start){ function, uc, uc->uc_link, argc };
	va_start(arguments, argc);
	for (int i = 0; i < argc; i++) s->args[i] = va_arg(arguments, int);
	va_end(arguments);
	__import_context_drop(uc);
	uc->uc_flags = MADE;
	uc->uc_mcontext.__sp = (uintptr_t)s;
}
