// SPDX-License-Identifier: GPL-2.0
/*
 * From user code into the kernel and back. Every entry starts on an empty
 * kernel stack, and what user code does next is decided by the host calls made
 * before the entry returns (user_exec, user_signal), or else by its result.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/seccomp.h>
#include <asm/entry.h>
#include <asm/fault.h>
#include <asm/linnet_abi.h>
#include <asm/older.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#define SIGNAL_WORK	(_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL)
#define EXIT_WORK	(_TIF_NEED_RESCHED | _TIF_NOTIFY_RESUME | SIGNAL_WORK)
#define TRACE_WORK	(_TIF_SYSCALL_TRACE | _TIF_SECCOMP)

static __always_inline unsigned long thread_flags(void)
{
	return READ_ONCE(current_thread_info()->flags);
}

static bool has_signal(void)
{
	sigset_t set;

	sigorsets(&set, &current->pending.signal, &current->signal->shared_pending.signal);
	sigandnsets(&set, &set, &current->blocked);
	return !sigisemptyset(&set) || (current->jobctl & JOBCTL_PENDING_MASK) ||
	       test_thread_flag(TIF_NOTIFY_SIGNAL);
}

/*
 * Nothing is lost between the last look at the flags and user code: whoever
 * sets one from another vCPU kicks this one, and then user code polls.
 */
bool exit_to_user(struct pt_regs *regs)
{
	unsigned long work;

	for (;;) {
		if (irq_is_pending())
			irq_deliver();
		work = thread_flags() & EXIT_WORK;
		/* The host takes one handler at a time. */
		if (regs->in_handler)
			work &= ~SIGNAL_WORK;
		if (likely(!work))
			break;
		if (work & _TIF_NEED_RESCHED)
			schedule();
		/*
		 * The host cannot capture the frame of an instruction that has
		 * faulted: a task that is to freeze does so at its next poll.
		 */
		if ((work & SIGNAL_WORK) && regs->in_fault && !has_signal()) {
			host_user_poll_again();
			if (!(work & _TIF_NOTIFY_RESUME))
				break;
		} else if (work & SIGNAL_WORK) {
			deliver_signal(regs);
		}
		if (work & _TIF_NOTIFY_RESUME)
			resume_user_mode_work(regs);
	}
	if (likely(!regs->in_handler))
		return false;
	regs->in_handler = false;
	if (thread_flags() & SIGNAL_WORK)
		host_user_poll_again();
	return true;
}

static __always_inline void call_syscall(struct pt_regs *regs)
{
	if (likely(regs->nr < NR_syscalls))
		regs->ret = sys_call_table[regs->nr](regs);
	else
		regs->ret = -ENOSYS;
}

/* A tracer may change the call; what stops it has set a result. */
static noinline void call_traced_syscall(struct pt_regs *regs)
{
	bool call = true;

	regs->sp = host_user_sp(0);
	regs->ret = -ENOSYS;
	if (test_thread_flag(TIF_SYSCALL_TRACE))
		call = ptrace_report_syscall_permit_entry(regs);
	if (call && seccomp_permit_syscall() && in_syscall(regs))
		call_syscall(regs);
	if (test_thread_flag(TIF_SYSCALL_TRACE))
		ptrace_report_syscall_exit(regs, 0);
}

static __always_inline void do_syscall(struct pt_regs *regs)
{
	if (unlikely(thread_flags() & TRACE_WORK))
		call_traced_syscall(regs);
	else
		call_syscall(regs);
}

/*
 * Leaves a system call. If a signal without a handler interrupted it, it is
 * called again; with a handler, that is left to linnet_sigreturn().
 */
static __always_inline u64 leave_syscall(struct pt_regs *regs)
{
	while (!exit_to_user(regs) && unlikely(regs->ret == -ERESTARTNOINTR) && in_syscall(regs))
		do_syscall(regs);
	return regs->ret;
}

u64 linnet_syscall(unsigned int nr, unsigned long pc, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct pt_regs *regs = current_pt_regs();

	regs->args[0] = a0;
	regs->args[1] = a1;
	regs->args[2] = a2;
	regs->args[3] = a3;
	regs->args[4] = a4;
	regs->args[5] = a5;
	regs->nr = nr;
	regs->pc = pc;
	do_syscall(regs);
	return leave_syscall(regs);
}

u64 linnet_sigreturn(unsigned long ucontext)
{
	struct pt_regs *regs = current_pt_regs();

	current->restart_block.fn = do_no_restart_syscall;
	if (!restore_sigframe(regs, ucontext)) {
		regs->nr = NO_SYSCALL;
		force_sig(SIGSEGV);
	}
	return leave_syscall(regs);
}

/* Every other way in. */
static struct pt_regs *enter_from_code(void)
{
	struct pt_regs *regs = current_pt_regs();

	regs->nr = NO_SYSCALL;
	regs->pc = 0;
	return regs;
}

static void leave_fault(struct pt_regs *regs)
{
	regs->in_fault = true;
	exit_to_user(regs);
	regs->in_fault = false;
}

void linnet_page_fault(unsigned long address, unsigned int write)
{
	struct pt_regs *regs = enter_from_code();

	handle_user_fault(address, write, regs);
	leave_fault(regs);
}

void linnet_user_trap(unsigned int signal, unsigned int code, unsigned long address)
{
	struct pt_regs *regs = enter_from_code();

	if (code)
		force_sig_fault(signal, code, (void __user *)address);
	else
		force_sig(signal);
	leave_fault(regs);
}

void linnet_user_poll(void)
{
	struct pt_regs *regs = enter_from_code();

	if (irq_is_pending())
		irq_deliver_user(regs);
	exit_to_user(regs);
}
