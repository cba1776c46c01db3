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

static void __noreturn __printf(2, 3) die(const char *what, const char *format, ...)
{
	static unsigned int count;
	va_list arguments;

	oops_enter();
	spin_lock_irq(&die_lock);
	console_verbose();
	bust_spinlocks(1);
	va_start(arguments, format);
	vprintk(format, arguments);
	va_end(arguments);
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
	die("BUG", KERN_EMERG "kernel BUG at %s:%d in %s()!\n", file, line, function);
}
EXPORT_SYMBOL(__bug);

void linnet_kernel_fault(unsigned long address, unsigned int write)
{
	if (handle_kernel_fault(address, write))
		return;
	die(write ? "write" : "read",
	    KERN_EMERG "Unable to handle kernel %s at virtual address %08lx\n",
	    address < PAGE_SIZE ? "NULL pointer dereference" : "paging request", address);
}

void linnet_kernel_trap(unsigned int code)
{
	static const char * const messages[] = LINNET_TRAP_MESSAGES;
	const char *message = code < ARRAY_SIZE(messages) ? messages[code] : NULL;

	die("trap", KERN_EMERG "kernel trap: %s\n", message ?: "unknown");
}

void show_regs(struct pt_regs *regs)
{
	show_regs_print_info(KERN_DEFAULT);
	show_stack(NULL, NULL, KERN_DEFAULT);
}
