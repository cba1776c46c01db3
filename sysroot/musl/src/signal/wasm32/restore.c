/* Called by the runtime on top of the interrupted frames, on the stack chosen by the kernel; when it
 * returns the runtime makes the rt_sigreturn call. Handlers of any of the usual types work. */
#include <signal.h>
#include "pthread_impl.h"
#include "ksigaction.h"
#include "syscall.h"

weak hidden long __cancel(void);

void __restore(void *handler, int sig, void *info, void *uc)
{
	__import_call_handler(handler, sig, info, uc);
}
void __restore_rt(void *handler, int sig, void *info, void *ctx)
{
	ucontext_t *uc = ctx;
	unsigned long pc = uc->uc_mcontext.__pc;
	__import_call_handler(handler, sig, info, uc);
	/* asynchronous cancellation: there is no place to go to, so do it here */
	if (!pc && uc->uc_mcontext.__pc && __cancel) {
		pthread_sigmask(SIG_SETMASK, &uc->uc_sigmask, 0);
		__cancel();
	}
}
