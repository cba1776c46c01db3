// SPDX-License-Identifier: GPL-2.0
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/entry.h>
#include <asm/linnet_abi.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>

/* Leaf functions use memory below the stack pointer without moving it. */
#define RED_ZONE	128

struct rt_sigframe {
	struct siginfo info;
	struct ucontext uc;
	/* The rest is private to the kernel. */
	unsigned long syscall_pc;
	unsigned long visible_pc;
};

static unsigned long frame_address(struct ksignal *ksig, unsigned long sp)
{
	unsigned long top = sigsp(sp, ksig);
	unsigned long frame;

	if (top == sp)
		top -= RED_ZONE;
	frame = round_down(top - sizeof(struct rt_sigframe), 16);
	/* An alternate stack that overflows must not run into what is below it. */
	if (on_sig_stack(sp) && !on_sig_stack(frame))
		return 0;
	return frame;
}

/*
 * What the interrupted system call will do when the handler comes back: return
 * its result, or, marked by ERESTARTNOINTR, be called again.
 */
static void decide_restart(struct pt_regs *regs, const struct ksignal *ksig)
{
	switch (regs->ret) {
	case -ERESTART_RESTARTBLOCK:
	case -ERESTARTNOHAND:
		regs->ret = -EINTR;
		break;
	case -ERESTARTSYS:
		regs->ret = ksig->ka.sa.sa_flags & SA_RESTART ? -ERESTARTNOINTR : -EINTR;
		break;
	}
}

static int setup_frame(struct ksignal *ksig, struct pt_regs *regs)
{
	struct rt_sigframe frame = { };
	struct sigcontext *mc = &frame.uc.uc_mcontext;
	unsigned long address = frame_address(ksig, regs->sp);
	struct rt_sigframe __user *user = (void __user *)address;

	if (!address || !(ksig->ka.sa.sa_flags & SA_RESTORER))
		return -EFAULT;

	if (in_syscall(regs)) {
		decide_restart(regs, ksig);
		if (regs->ret == -ERESTARTNOINTR || regs->ret == -EINTR)
			frame.visible_pc = regs->pc;
	}
	frame.syscall_pc = regs->pc;

	memcpy(&frame.info, &ksig->info, sizeof(ksig->info));
	frame.uc.uc_stack.ss_sp = (void __user *)current->sas_ss_sp;
	frame.uc.uc_stack.ss_flags = current->sas_ss_flags | sas_ss_flags(regs->sp);
	frame.uc.uc_stack.ss_size = current->sas_ss_size;
	frame.uc.uc_sigmask = *sigmask_to_save();
	memcpy(mc->args, regs->args, sizeof(mc->args));
	mc->ret = regs->ret;
	mc->nr = regs->nr;
	mc->sp = regs->sp;
	mc->pc = frame.visible_pc;
	mc->oldmask = frame.uc.uc_sigmask.sig[0];

	if (copy_to_user(user, &frame, sizeof(frame)))
		return -EFAULT;
	host_user_signal(address, (unsigned long)ksig->ka.sa.sa_restorer,
			 (unsigned long)ksig->ka.sa.sa_handler, ksig->sig,
			 (unsigned long)&user->info, (unsigned long)&user->uc);
	regs->in_handler = true;
	return 0;
}

void deliver_signal(struct pt_regs *regs)
{
	struct ksignal ksig;

	regs->sp = host_user_sp(0);
	if (get_signal(&ksig)) {
		signal_setup_done(setup_frame(&ksig, regs), &ksig, 0);
		return;
	}
	if (in_syscall(regs)) {
		switch (regs->ret) {
		case -ERESTART_RESTARTBLOCK:
			regs->nr = __NR_restart_syscall;
			fallthrough;
		case -ERESTARTNOHAND:
		case -ERESTARTSYS:
			regs->ret = -ERESTARTNOINTR;
			break;
		}
	}
	restore_saved_sigmask();
}

bool restore_sigframe(struct pt_regs *regs, unsigned long ucontext)
{
	struct rt_sigframe __user *user =
		container_of((struct ucontext __user *)ucontext, struct rt_sigframe, uc);
	struct rt_sigframe frame;
	const struct sigcontext *mc = &frame.uc.uc_mcontext;

	if (copy_from_user(&frame, user, sizeof(frame)))
		return false;
	set_current_blocked(&frame.uc.uc_sigmask);
	if (restore_altstack(&user->uc.uc_stack))
		return false;
	memcpy(regs->args, mc->args, sizeof(regs->args));
	regs->ret = mc->ret;
	regs->nr = mc->nr;
	regs->pc = frame.syscall_pc;
	/* A handler that moves the program counter wants the call to end. */
	if (in_syscall(regs) && mc->pc != frame.visible_pc)
		regs->ret = -EINTR;
	return true;
}
