// SPDX-License-Identifier: GPL-2.0
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <asm/entry.h>
#include <asm/irq_regs.h>
#include <asm/time.h>

#define DEVICE_LINES	GENMASK(LINNET_IRQ_DEVICE_SHIFT + LINNET_IRQ_DEVICE_LINES - 1, \
				LINNET_IRQ_DEVICE_SHIFT)

struct linnet_pending linnet_pending[NR_CPUS];

/* What an interrupt that comes in kernel code has interrupted. */
static struct pt_regs kernel_regs = { .nr = NO_SYSCALL };

static void handle_interrupts(unsigned long bits)
{
	unsigned long lines = bits & DEVICE_LINES;
	unsigned int irq;

	if (bits & LINNET_IRQ_TIMER)
		timer_interrupt();
	if (bits & LINNET_IRQ_RESCHEDULE)
		scheduler_ipi();
	if (bits & LINNET_IRQ_CALL)
		generic_smp_call_function_interrupt();
	if (bits & LINNET_IRQ_STOP)
		smp_stop_this_cpu();
	for_each_set_bit(irq, &lines, BITS_PER_LONG)
		generic_handle_irq(irq);
}

static void deliver(struct pt_regs *regs)
{
	struct pt_regs *interrupted = set_irq_regs(regs);
	unsigned long bits;

	irq_flag = ARCH_IRQ_DISABLED;
	trace_hardirqs_off();
	for (;;) {
		bits = __atomic_exchange_n(&linnet_pending[raw_smp_processor_id()].bits, 0,
					   __ATOMIC_SEQ_CST);
		if (!bits)
			break;
		irq_enter();
		handle_interrupts(bits);
		irq_exit();
	}
	trace_hardirqs_on();
	irq_flag = ARCH_IRQ_ENABLED;
	set_irq_regs(interrupted);
}

void irq_deliver(void)
{
	deliver(&kernel_regs);
}

void irq_deliver_user(struct pt_regs *regs)
{
	deliver(regs);
}

/* Lines are edges in a word: nothing to mask, and nothing to acknowledge. */
static void line_nop(struct irq_data *data)
{
}

static int line_retrigger(struct irq_data *data)
{
	__atomic_fetch_or(&linnet_pending[0].bits, BIT(data->irq), __ATOMIC_SEQ_CST);
	host_cpu_kick(0);
	return 1;
}

static struct irq_chip line_chip = {
	.name = "linnet",
	.irq_ack = line_nop,
	.irq_mask = line_nop,
	.irq_unmask = line_nop,
	.irq_retrigger = line_retrigger,
};

void __init init_IRQ(void)
{
	for (unsigned int line = 0; line < LINNET_IRQ_DEVICE_LINES; line++)
		irq_set_chip_and_handler(IRQ_OF_LINE(line), &line_chip, handle_edge_irq);
}

int arch_show_interrupts(struct seq_file *file, int precision)
{
	return 0;
}
