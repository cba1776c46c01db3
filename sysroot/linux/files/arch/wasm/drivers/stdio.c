// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hostin, /dev/hostout and /dev/hosterr: the host's standard streams as
 * plain bytes, without a terminal in between.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/irq.h>
#include <asm/linnet_abi.h>

static DECLARE_WAIT_QUEUE_HEAD(stdio_wait);

/* What was read from the host and not yet by a program. */
static DEFINE_MUTEX(input_lock);
static u8 input[4096];
static unsigned int input_start, input_end;
static bool input_over;

/* Called with the lock held. Returns false if there is nothing to read yet. */
static bool fill_input(void)
{
	int n;

	if (input_start < input_end || input_over)
		return true;
	n = host_stdio_read(0, (unsigned long)input, sizeof(input));
	if (n == -EAGAIN)
		return false;
	input_start = 0;
	input_end = max(n, 0);
	input_over = n <= 0;
	return true;
}

static bool input_ready(void)
{
	guard(mutex)(&input_lock);
	return fill_input();
}

static ssize_t take_input(char __user *buffer, size_t count)
{
	guard(mutex)(&input_lock);
	if (!fill_input())
		return -EAGAIN;
	count = min(count, input_end - input_start);
	if (copy_to_user(buffer, input + input_start, count))
		return -EFAULT;
	input_start += count;
	return count;
}

static ssize_t stdio_read(struct file *file, char __user *buffer, size_t count, loff_t *position)
{
	ssize_t n;

	for (;;) {
		n = take_input(buffer, count);
		if (n != -EAGAIN || file->f_flags & O_NONBLOCK)
			return n;
		if (wait_event_interruptible(stdio_wait, input_ready()))
			return -ERESTARTSYS;
	}
}

static unsigned int stream_of(const struct file *file)
{
	return (unsigned long)file->private_data;
}

static ssize_t stdio_write(struct file *file, const char __user *user, size_t count, loff_t *position)
{
	u8 buffer[512];
	size_t done = 0;

	while (done < count) {
		size_t part = min(count - done, sizeof(buffer));
		int n;

		if (copy_from_user(buffer, user + done, part))
			return done ?: -EFAULT;
		n = host_stdio_write(stream_of(file), (unsigned long)buffer, part);
		if (n > 0)
			done += n;
		else if (n == -EAGAIN && !(file->f_flags & O_NONBLOCK) && !signal_pending(current))
			wait_event_interruptible_timeout(stdio_wait, false, 1);
		else
			return done ?: n == -EAGAIN && signal_pending(current) ? -ERESTARTSYS : n;
	}
	return done;
}

static __poll_t stdio_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &stdio_wait, table);
	if (stream_of(file))
		return EPOLLOUT | EPOLLWRNORM;
	return input_ready() ? EPOLLIN | EPOLLRDNORM : 0;
}

static irqreturn_t stdio_interrupt(int irq, void *data)
{
	wake_up_interruptible(&stdio_wait);
	return IRQ_HANDLED;
}

static int stdio_open(struct inode *inode, struct file *file);

static const struct file_operations input_operations = {
	.owner = THIS_MODULE,
	.open = stdio_open,
	.read = stdio_read,
	.poll = stdio_poll,
	.llseek = noop_llseek,
};

static const struct file_operations output_operations = {
	.owner = THIS_MODULE,
	.open = stdio_open,
	.write = stdio_write,
	.poll = stdio_poll,
	.llseek = noop_llseek,
};

/* By number of the stream. */
static struct miscdevice devices[] = {
	{ .minor = MISC_DYNAMIC_MINOR, .name = "hostin", .fops = &input_operations },
	{ .minor = MISC_DYNAMIC_MINOR, .name = "hostout", .fops = &output_operations },
	{ .minor = MISC_DYNAMIC_MINOR, .name = "hosterr", .fops = &output_operations },
};

/* misc_open() has left the device here. */
static int stdio_open(struct inode *inode, struct file *file)
{
	struct miscdevice *device = file->private_data;

	file->private_data = (void *)(unsigned long)(device - devices);
	return stream_open(inode, file);
}

static int __init stdio_init(void)
{
	for (unsigned int stream = 0; stream < ARRAY_SIZE(devices); stream++) {
		int err = misc_register(&devices[stream]);

		if (err)
			return err;
	}
	return request_irq(IRQ_OF_LINE(LINNET_IRQ_LINE_STDIO), stdio_interrupt, IRQF_SHARED,
			   "stdio", devices);
}
device_initcall(stdio_init);
