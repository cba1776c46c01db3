// SPDX-License-Identifier: GPL-2.0
/*
 * A signal of the host asks the machine to end. The first process gets the same
 * one if it does something about it; its si_code is SI_KERNEL. Else the machine
 * ends at once.
 */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <asm/irq.h>
#include <asm/linnet_abi.h>

/* The kernel gives the first process no signal that it neither handles, blocks nor waits for. */
static bool init_takes(int signal)
{
	struct task_struct *init = init_pid_ns.child_reaper;

	return sigismember(&init->blocked, signal) || sigismember(&init->real_blocked, signal) ||
	       READ_ONCE(init->sighand->action[signal - 1].sa.sa_handler) != SIG_DFL;
}

static irqreturn_t shutdown_interrupt(int irq, void *data)
{
	unsigned int signal = host_shutdown_signal();

	if (!signal)
		return IRQ_NONE;
	if (!init_takes(signal))
		host_halt(128 + signal);
	kill_cad_pid(signal, 1);
	return IRQ_HANDLED;
}

static int __init shutdown_init(void)
{
	int err = request_irq(IRQ_OF_LINE(LINNET_IRQ_LINE_SHUTDOWN), shutdown_interrupt, 0,
			      "shutdown", NULL);

	/* From the first call on the host leaves it to us. */
	if (!err && host_shutdown_signal())
		host_halt(128 + SIGTERM);
	return err;
}
device_initcall(shutdown_init);
