// SPDX-License-Identifier: GPL-2.0
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>

static void read_regs(struct user_regs_struct *user, const struct pt_regs *regs)
{
	*user = (struct user_regs_struct) {
		.ret = regs->ret,
		.nr = regs->nr,
		.sp = regs->sp,
		.pc = regs->pc,
	};
	memcpy(user->args, regs->args, sizeof(user->args));
}

static int gpr_get(struct task_struct *task, const struct user_regset *regset, struct membuf to)
{
	struct user_regs_struct user;

	read_regs(&user, task_pt_regs(task));
	return membuf_write(&to, &user, sizeof(user));
}

/* A tracer can change the call and its result; there is nothing else to set. */
static int gpr_set(struct task_struct *task, const struct user_regset *regset, unsigned int pos,
		   unsigned int count, const void *kbuf, const void __user *ubuf)
{
	struct pt_regs *regs = task_pt_regs(task);
	struct user_regs_struct user;
	int err;

	read_regs(&user, regs);
	err = user_regset_copyin(&pos, &count, &kbuf, &ubuf, &user, 0, sizeof(user));
	if (err)
		return err;
	memcpy(regs->args, user.args, sizeof(regs->args));
	regs->ret = user.ret;
	regs->nr = user.nr;
	return 0;
}

static const struct user_regset regsets[] = {
	{
		.core_note_type = NT_PRSTATUS,
		.n = ELF_NGREG,
		.size = sizeof(elf_greg_t),
		.align = sizeof(elf_greg_t),
		.regset_get = gpr_get,
		.set = gpr_set,
	},
};

static const struct user_regset_view view = {
	.name = "wasm32",
	.e_machine = EM_WASM,
	.regsets = regsets,
	.n = ARRAY_SIZE(regsets),
};

const struct user_regset_view *task_user_regset_view(struct task_struct *task)
{
	return &view;
}

void ptrace_disable(struct task_struct *child)
{
}

long arch_ptrace(struct task_struct *child, long request, unsigned long addr, unsigned long data)
{
	return ptrace_request(child, request, addr, data);
}
