// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <asm/linnet_abi.h>

/* Exit status of the machine after a panic. */
#define HALT_STATUS_PANIC 99

void (*pm_power_off)(void);

/* The end of the machine is the end of a process: nobody wants to read of it. */
static int quiet_reboot(struct notifier_block *block, unsigned long action, void *data)
{
	console_loglevel = CONSOLE_LOGLEVEL_SILENT;
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = quiet_reboot,
};

static int __init reboot_init(void)
{
	return register_reboot_notifier(&reboot_notifier);
}
core_initcall(reboot_init);

static void __noreturn halt(unsigned int status)
{
	host_halt(status);
	unreachable();
}

/* reboot(LINUX_REBOOT_CMD_RESTART2, "exit=N") ends the machine with status N. */
void machine_restart(char *command)
{
	unsigned int status;

	if (atomic_read(&panic_cpu) != PANIC_CPU_INVALID)
		halt(HALT_STATUS_PANIC);
	if (command && str_has_prefix(command, "exit=") &&
	    !kstrtouint(command + strlen("exit="), 10, &status))
		halt(status);
	host_restart();
	unreachable();
}

void machine_halt(void)
{
	halt(0);
}

void machine_power_off(void)
{
	do_kernel_power_off();
	halt(0);
}
