// SPDX-License-Identifier: GPL-2.0
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <asm/entry.h>
#include <asm/linnet_abi.h>

int arch_dup_task_struct(struct task_struct *dst, struct task_struct *src)
{
	*dst = *src;
	dst->thread.on_host = false;
	return 0;
}

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct pt_regs *regs = task_pt_regs(p);

	if (args->fn) {
		memset(regs, 0, sizeof(*regs));
		regs->nr = NO_SYSCALL;
		p->thread.function = args->fn;
		p->thread.argument = args->fn_arg;
	} else {
		*regs = *current_pt_regs();
		regs->ret = 0;
		p->thread.function = NULL;
	}
	/* host_cpu_start() makes the stacks of a secondary vCPU's first task. */
	if (!args->idle) {
		int err = host_task_new((unsigned long)p, round_down((unsigned long)regs, 16),
					p->mm ? p->mm->context.host_mm : 0, !args->fn);

		if (err)
			return err;
	}
	p->thread.on_host = true;
	return 0;
}

void arch_release_task_struct(struct task_struct *task)
{
	if (task->thread.on_host)
		host_task_free((unsigned long)task);
	task->thread.on_host = false;
}

/*
 * Native stacks are free as soon as nothing runs on them, so that the next task
 * finds them in the cache; the task_struct lives on until a grace period ends.
 */
void linnet_release_dead(struct task_struct *prev)
{
	if (unlikely(READ_ONCE(prev->__state) == TASK_DEAD))
		arch_release_task_struct(prev);
}

void linnet_task_entry(unsigned long task, unsigned long prev)
{
	set_current((struct task_struct *)task);
	linnet_release_dead((struct task_struct *)prev);
	schedule_tail((struct task_struct *)prev);
	/* The function of a kernel thread returns if it has executed a program. */
	if (current->thread.function)
		current->thread.function(current->thread.argument);
	local_irq_enable();
	exit_to_user(current_pt_regs());
	host_user_enter();
}

void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp)
{
	regs->sp = sp;
	regs->pc = pc;
	regs->user = true;
}

void flush_thread(void)
{
}

unsigned long __get_wchan(struct task_struct *task)
{
	return 0;
}

void arch_cpu_idle(void)
{
	host_cpu_idle(raw_smp_processor_id());
}
