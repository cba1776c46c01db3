// SPDX-License-Identifier: GPL-2.0
/* Return addresses are on native stacks, so that the host walks them. */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <asm/linnet_abi.h>
#include <asm/sections.h>

#define MAX_FRAMES	32

/* A pointer to a function is an index into the table of functions. */
bool arch_sprint_symbol(char *buffer, size_t size, unsigned long pointer)
{
	unsigned int function = host_table_function(pointer);
	unsigned int length;

	if (function == ~0U)
		return false;
	length = host_function_name(function, (unsigned long)buffer, size - 1);
	buffer[length] = '\0';
	return length;
}

struct frame {
	unsigned int function;
	unsigned int offset;
};

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
