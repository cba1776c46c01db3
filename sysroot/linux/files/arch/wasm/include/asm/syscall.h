/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SYSCALL_H
#define _ASM_WASM_SYSCALL_H

#include <linux/err.h>
#include <linux/sched.h>
#include <uapi/linux/audit.h>
#include <asm/elf.h>
#include <asm/ptrace.h>

typedef long (*sys_call_ptr_t)(const struct pt_regs *);
extern const sys_call_ptr_t sys_call_table[];

static inline int syscall_get_nr(struct task_struct *task, struct pt_regs *regs)
{
	return regs->nr;
}

static inline void syscall_set_nr(struct task_struct *task, struct pt_regs *regs, int nr)
{
	regs->nr = nr;
}

static inline void syscall_rollback(struct task_struct *task, struct pt_regs *regs)
{
	regs->ret = regs->nr;
}

static inline long syscall_get_error(struct task_struct *task, struct pt_regs *regs)
{
	long ret = regs->ret;

	return IS_ERR_VALUE(ret) ? ret : 0;
}

static inline long syscall_get_return_value(struct task_struct *task, struct pt_regs *regs)
{
	return regs->ret;
}

static inline void syscall_set_return_value(struct task_struct *task, struct pt_regs *regs,
					    int error, long value)
{
	regs->ret = error ?: value;
}

static inline void syscall_get_arguments(struct task_struct *task, struct pt_regs *regs,
					 unsigned long *args)
{
	for (int i = 0; i < 6; i++)
		args[i] = regs->args[i];
}

static inline void syscall_set_arguments(struct task_struct *task, struct pt_regs *regs,
					 const unsigned long *args)
{
	for (int i = 0; i < 6; i++)
		regs->args[i] = args[i];
}

static inline int syscall_get_arch(struct task_struct *task)
{
	return EM_WASM | __AUDIT_ARCH_LE;
}

#endif
