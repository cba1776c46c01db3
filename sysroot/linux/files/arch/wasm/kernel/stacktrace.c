// SPDX-License-Identifier: GPL-2.0
/* Return addresses are on native stacks, so that the host walks them. */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/stacktrace.h>
#include <asm/linnet_abi.h>
#include <asm/sections.h>

#define MAX_FRAMES	32

/*
 * What stands for a return address: a function in the upper half and a place in
 * it in the lower one. A pointer to a function is less than any of these, being
 * an index into the table of functions.
 */
#define PLACE_BITS	16

struct frame {
	unsigned int function;
	unsigned int offset;
};

bool arch_sprint_symbol(char *buffer, size_t size, unsigned long pointer)
{
	unsigned int function = pointer >> PLACE_BITS ?: host_table_function(pointer);
	unsigned int length;

	if (function == ~0U)
		return false;
	length = host_function_name(function, (unsigned long)buffer, size - 1);
	if (length && pointer >> PLACE_BITS)
		length += scnprintf(buffer + length, size - length, "+0x%lx",
				    pointer & (BIT(PLACE_BITS) - 1));
	buffer[length] = '\0';
	return length;
}

#ifdef CONFIG_STACKTRACE
/* regs: not NULL after a fault of the kernel. What was called since is left out. */
void arch_stack_walk(stack_trace_consume_fn consume, void *cookie, struct task_struct *task,
		     struct pt_regs *regs)
{
	struct frame frames[MAX_FRAMES];
	unsigned int count, first = 0;

	if (task == current)
		task = NULL;
	count = host_backtrace((unsigned long)task, (unsigned long)frames, MAX_FRAMES);
	if (regs) {
		unsigned int fault = host_table_function((unsigned long)linnet_kernel_fault);

		while (first < count && frames[first++].function != fault)
			;
	}
	for (unsigned int i = first; i < count; i++) {
		unsigned long place = min(frames[i].offset, BIT(PLACE_BITS) - 1);

		if (!consume(cookie, frames[i].function << PLACE_BITS | place))
			break;
	}
}
#endif

void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	struct frame frames[MAX_FRAMES];
	char name[64];
	unsigned int count;

	if (task == current)
		task = NULL;
	count = host_backtrace((unsigned long)task, (unsigned long)frames, MAX_FRAMES);
	printk("%sCall Trace:\n", loglvl);
	for (unsigned int i = 0; i < count; i++) {
		unsigned int length = host_function_name(frames[i].function, (unsigned long)name,
							 sizeof(name));

		printk("%s %.*s+0x%x\n", loglvl, (int)length, name, frames[i].offset);
	}
}
