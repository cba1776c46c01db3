// SPDX-License-Identifier: GPL-2.0
/* /dev/hvc0: the host's terminal. */
#include <linux/console.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/string.h>
#include <asm/console.h>
#include <asm/irq.h>
#include <asm/linnet_abi.h>
#include "hvc_console.h"

#define VTERM		0
#define OUTPUT_BUFFER	1024

static struct hvc_struct *console;
bool console_has_input = true;

/* linnet.stdin=pipe: standard input is no terminal, and belongs to /dev/hostin alone. */
static int __init parse_stdin(char *value)
{
	console_has_input = strcmp(value, "pipe") != 0;
	return 0;
}
early_param("linnet.stdin", parse_stdin);

/* Whether a program waits for input. The caller has the terminal. */
static bool is_awaited(void)
{
	struct tty_struct *tty = tty_port_tty_get(&console->port);
	bool awaited = tty && waitqueue_active(&tty->read_wait);

	tty_kref_put(tty);
	return awaited;
}

/*
 * Reads until there is no more: only then does the host say when more has come.
 * A host's terminal that belongs to other programs, too, is not read before a
 * program waits for it; nobody tells us when that is, so that the host asks now
 * and then by an interrupt.
 */
static ssize_t get_chars(u32 vtermno, u8 *buffer, size_t count)
{
	size_t done = 0;
	bool taken = false;

	while (console_has_input && done < count) {
		int n = host_stdio_read(0, (unsigned long)(buffer + done), count - done);

		if (n == -EAGAIN) {
			if (done || taken || !is_awaited())
				break;
			n = host_terminal_take();
			if (!n)
				break;
			taken = n > 0;
			if (taken)
				continue;
		}
		if (n <= 0)
			return done ?: -EPIPE;	/* the terminal is gone: hang up */
		done += n;
	}
	return done;
}

static ssize_t put_chars(u32 vtermno, const u8 *buffer, size_t count)
{
	return host_stdio_write(console_stream, (unsigned long)buffer, count);
}

static void set_size(struct hvc_struct *hp, unsigned int size)
{
	hvc_resize(hp, (struct winsize) { .ws_row = size >> 16, .ws_col = size & 0xffff });
}

/*
 * At the first open: the terminal exists only from now on. The interrupt is
 * requested once for all; say that nobody needs to poll.
 */
static int notifier_add(struct hvc_struct *hp, int data)
{
	hp->irq_requested = 1;
	set_size(hp, host_terminal_size());
	return 0;
}

static void notifier_del(struct hvc_struct *hp, int data)
{
	hp->irq_requested = 0;
}

static const struct hv_ops ops = {
	.get_chars = get_chars,
	.put_chars = put_chars,
	.notifier_add = notifier_add,
	.notifier_del = notifier_del,
	.notifier_hangup = notifier_del,
};

static void update_size(void)
{
	static unsigned int known;
	unsigned int size = host_terminal_size();

	if (!size || size == known)
		return;
	known = size;
	set_size(console, size);
}

static irqreturn_t stdio_interrupt(int irq, void *data)
{
	update_size();
	if (hvc_poll(console))
		hvc_kick();
	return IRQ_HANDLED;
}

static int __init console_init_early(void)
{
	return hvc_instantiate(VTERM, 0, &ops);
}
console_initcall(console_init_early);

static int __init console_init_tty(void)
{
	int irq = IRQ_OF_LINE(LINNET_IRQ_LINE_STDIO);

	console = hvc_alloc(VTERM, irq, &ops, OUTPUT_BUFFER);
	if (IS_ERR(console))
		return PTR_ERR(console);
	update_size();
	return request_irq(irq, stdio_interrupt, IRQF_SHARED, "console", &console);
}
device_initcall(console_init_tty);
