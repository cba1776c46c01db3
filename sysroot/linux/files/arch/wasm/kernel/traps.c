// SPDX-License-Identifier: GPL-2.0
/* When the kernel itself goes wrong. */
#include <linux/bug.h>
#include <linux/console.h>
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/fault.h>
#include <asm/linnet_abi.h>

static DEFINE_SPINLOCK(die_lock);

/* The caller has printed what is wrong. */
static void __noreturn die(const char *what)
{
	static unsigned int count;

	oops_enter();
	spin_lock_irq(&die_lock);
	console_verbose();
	bust_spinlocks(1);
	pr_emerg("Oops: %s [#%u]\n", what, ++count);
	show_regs_print_info(KERN_EMERG);
	show_stack(NULL, NULL, KERN_EMERG);
	bust_spinlocks(0);
	add_taint(TAINT_DIE, LOCKDEP_NOW_UNRELIABLE);
	spin_unlock_irq(&die_lock);
	oops_exit();

	if (in_interrupt())
		panic("Fatal exception in interrupt");
	if (panic_on_oops)
		panic("Fatal exception");
	make_task_dead(SIGSEGV);
}

void __bug(const char *file, int line, const char *function)
{
	pr_emerg("kernel BUG at %s:%d in %s()!\n", file, line, function);
	die("BUG");
}
EXPORT_SYMBOL(__bug);

void linnet_kernel_fault(unsigned long address, unsigned int write)
{
	if (handle_kernel_fault(address, write))
		return;
	pr_emerg("Unable to handle kernel %s at virtual address %08lx\n",
		 address < PAGE_SIZE ? "NULL pointer dereference" : "paging request", address);
	die(write ? "write" : "read");
}

void linnet_kernel_trap(unsigned int code)
{
	static const char * const messages[] = LINNET_TRAP_MESSAGES;
	const char *message = code < ARRAY_SIZE(messages) ? messages[code] : NULL;

	pr_emerg("kernel trap: %s\n", message ?: "unknown");
	die("trap");
}

void show_regs(struct pt_regs *regs)
{
	show_regs_print_info(KERN_DEFAULT);
	show_stack(NULL, NULL, KERN_DEFAULT);
}
