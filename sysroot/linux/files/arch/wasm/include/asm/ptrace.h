/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_PTRACE_H
#define _ASM_WASM_PTRACE_H

#include <uapi/asm/ptrace.h>

#ifndef __ASSEMBLY__
/*
 * The border between a task's user code and the kernel, at the top of its
 * kernel shadow stack. There is one at a time: user code always enters the
 * kernel on an empty stack.
 */
struct pt_regs {
	unsigned long long args[6];
	unsigned long long ret;
	unsigned long nr;	/* NO_SYSCALL after a fault, a trap or a poll */
	unsigned long sp;	/* set where a signal or a tracer may look */
	unsigned long pc;	/* the place that syscall_cp was given, or 0 */
	bool user;
	bool in_handler;	/* a signal handler is to run when the kernel is left */
	bool in_fault;		/* an instruction was interrupted, and not a call */
};

#define NO_SYSCALL	(~0UL)

#define user_mode(regs)			((regs)->user)
#define instruction_pointer(regs)	((regs)->pc)
#define user_stack_pointer(regs)	((regs)->sp)
#define profile_pc(regs)		instruction_pointer(regs)
#define kernel_stack_pointer(regs)	((unsigned long)(regs))
#define regs_return_value(regs)		((long)(regs)->ret)
#define current_pt_regs()		task_pt_regs(current)
#define current_user_stack_pointer()	host_user_sp(0)

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long pc)
{
	regs->pc = pc;
}

static inline bool in_syscall(const struct pt_regs *regs)
{
	return regs->nr != NO_SYSCALL;
}
#endif

#endif
