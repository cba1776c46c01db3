// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hostin, /dev/hostout and /dev/hosterr: the host's standard streams as
 * plain bytes, without a terminal in between. Nothing is read that no program
 * has asked for, since what is left belongs to the host's next program. Errors
 * are those of the host, with the signals that go with them.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/irq.h>
#include <asm/linnet_abi.h>

static DECLARE_WAIT_QUEUE_HEAD(stdio_wait);

static unsigned int stream_of(const struct file *file)
{
	return (unsigned long)file->private_data;
}

static int wait_for(struct file *file, unsigned int events)
{
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(stdio_wait, host_stdio_poll(stream_of(file), events));
}

/* Reads what is there, and waits only if that is nothing. */
static ssize_t read_into(struct file *file, char __user *user, size_t count, void *page)
{
	size_t done = 0;
	int n = 0;

	while (done < count) {
		size_t part = min(count - done, PAGE_SIZE);
		size_t bad = fault_in_safe_writeable(user + done, part);

		/* What has been read and cannot be handed over would be lost. */
		if (bad == part)
			return done ?: -EFAULT;
		part -= bad;
		n = host_stdio_read(stream_of(file), (unsigned long)page, part);
		if (n == -EAGAIN && !done) {
			n = wait_for(file, EPOLLIN);
			if (n)
				break;
			continue;
		}
		if (n <= 0)
			break;
		if (copy_to_user(user + done, page, n))
			return done ?: -EFAULT;
		done += n;
		if (n < part || signal_pending(current))
			break;
	}
	return done ?: n;
}

static ssize_t write_from(struct file *file, const char __user *user, size_t count, void *page)
{
	size_t done = 0;
	int n = 0;

	while (done < count) {
		size_t part = min(count - done, PAGE_SIZE);

		if (copy_from_user(page, user + done, part))
			return done ?: -EFAULT;
		n = host_stdio_write(stream_of(file), (unsigned long)page, part);
		if (n == -EAGAIN) {
			n = wait_for(file, EPOLLOUT);
			if (n)
				break;
			continue;
		}
		if (n <= 0)
			break;
		done += n;
		if (signal_pending(current))
			break;
	}
	/* The host has sent these to the machine, which is not the one that writes. */
	if (n == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	if (n == -EFBIG)
		send_sig(SIGXFSZ, current, 0);
	return done ?: n;
}

static ssize_t stdio_read(struct file *file, char __user *user, size_t count, loff_t *position)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	ssize_t n;

	if (!page)
		return -ENOMEM;
	n = read_into(file, user, count, page);
	free_page((unsigned long)page);
	return n;
}

static ssize_t stdio_write(struct file *file, const char __user *user, size_t count, loff_t *position)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	ssize_t n;

	if (!page)
		return -ENOMEM;
	n = write_from(file, user, count, page);
	free_page((unsigned long)page);
	return n;
}

/* A host's file has a position, and its other users go on from there. */
static loff_t stdio_llseek(struct file *file, loff_t offset, int whence)
{
	return host_stdio_seek(stream_of(file), offset, whence);
}

static __poll_t stdio_poll(struct file *file, poll_table *table)
{
	__poll_t wanted = poll_requested_events(table), mask;
	unsigned int events = 0, ready;

	if (wanted & (EPOLLIN | EPOLLRDNORM))
		events |= EPOLLIN;
	if (wanted & (EPOLLOUT | EPOLLWRNORM))
		events |= EPOLLOUT;
	poll_wait(file, &stdio_wait, table);
	ready = host_stdio_poll(stream_of(file), events);
	mask = ready & (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
	if (ready & EPOLLIN)
		mask |= EPOLLRDNORM;
	if (ready & EPOLLOUT)
		mask |= EPOLLWRNORM;
	return mask;
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
	.llseek = stdio_llseek,
};

static const struct file_operations output_operations = {
	.owner = THIS_MODULE,
	.open = stdio_open,
	.write = stdio_write,
	.poll = stdio_poll,
	.llseek = stdio_llseek,
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
	/* The position is the host's, not the file's. */
	file->f_mode &= ~(FMODE_PREAD | FMODE_PWRITE);
	return 0;
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
