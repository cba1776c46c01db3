// SPDX-License-Identifier: GPL-2.0
/*
 * Freezing the machine: Linux suspends itself, and where other machines lose
 * power the host writes a snapshot. Who resumes it goes on from the same call.
 */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/oom.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <asm/irq.h>
#include <asm/linnet_abi.h>

/* A task that has just faulted has no frames that the host could write. */
#define MAX_TRIES 20

/* Under system_transition_mutex. */
static bool ends_then;
static int result;

static void forget_block(struct page *page, unsigned int order)
{
	if (PageReported(page))
		return;
	/* What was never used is a hole already, and small blocks lie beside what is used. */
	if (order >= get_order(SZ_64K)) {
		host_ram_discard(page_to_pfn(page), 1 << order);
		return;
	}
	for (int i = 0; i < 1 << order; i++)
		clear_highpage(page + i);
}

/* A snapshot has no pages of zeros, and what was in a free page is nobody's any more. */
static void forget_free_pages(void)
{
	struct zone *zone;
	struct page *page;
	unsigned int order, type;
	unsigned long flags;

	for_each_populated_zone(zone) {
		spin_lock_irqsave(&zone->lock, flags);
		for_each_migratetype_order(order, type)
			list_for_each_entry(page, &zone->free_area[order].free_list[type], buddy_list)
				forget_block(page, order);
		spin_unlock_irqrestore(&zone->lock, flags);
	}
}

static int freeze_enter(suspend_state_t state)
{
	forget_free_pages();
	result = host_snapshot(ends_then);
	return min(result, 0);
}

/* The machine may have been resumed twice: before any program runs, random numbers become its own. */
static void freeze_finish(void)
{
	u8 id[16];

	if (result <= 0)
		return;
	host_random((unsigned long)id, sizeof(id));
	add_vmfork_randomness(id, sizeof(id));
}

static const struct platform_suspend_ops freeze_operations = {
	.valid = suspend_valid_only_mem,
	.enter = freeze_enter,
	.finish = freeze_finish,
};

/* Code that a translator has made on exec is in no boot binary that could go on with it. */
static bool has_loaded_programs(void)
{
	struct task_struct *process, *task;
	bool found = false;

	rcu_read_lock();
	for_each_process(process) {
		task = find_lock_task_mm(process);
		if (!task)
			continue;
		if (task->mm->context.is_loaded) {
			pr_err("freeze: %s (%d) was translated when it was started, and cannot be frozen\n",
			       task->comm, task_tgid_nr(task));
			found = true;
		}
		task_unlock(task);
	}
	rcu_read_unlock();
	return found;
}

static int freeze(bool end)
{
	int err;

	if (has_loaded_programs())
		return -EBUSY;
	for (int try = 0; try < MAX_TRIES; try++) {
		drain_all_pages(NULL);
		ends_then = end;
		result = 0;
		err = pm_suspend(PM_SUSPEND_MEM);
		if (err != -EAGAIN)
			break;
	}
	return err;
}

static void freeze_work(struct work_struct *work)
{
	int err = freeze(false);

	if (err)
		pr_warn("freeze: error %d\n", err);
}

static struct workqueue_struct *freeze_queue;
static DECLARE_WORK(freeze_request, freeze_work);

static irqreturn_t freeze_interrupt(int irq, void *data)
{
	queue_work(freeze_queue, &freeze_request);
	return IRQ_HANDLED;
}

static ssize_t freeze_write(struct file *file, const char __user *user, size_t count, loff_t *position)
{
	char word[8] = { };
	int err;

	if (!count || count >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, user, count))
		return -EFAULT;
	if (sysfs_streq(word, "stay"))
		err = freeze(false);
	else if (sysfs_streq(word, "end"))
		err = freeze(true);
	else
		return -EINVAL;
	return err ?: count;
}

static const struct file_operations freeze_file = {
	.owner = THIS_MODULE,
	.write = freeze_write,
	.llseek = noop_llseek,
};

static struct miscdevice freeze_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "freeze",
	.mode = 0600,
	.fops = &freeze_file,
};

static int __init freeze_init(void)
{
	freeze_queue = alloc_ordered_workqueue("freeze", 0);
	if (!freeze_queue)
		return -ENOMEM;
	suspend_set_ops(&freeze_operations);
	return misc_register(&freeze_device) ?:
	       request_irq(IRQ_OF_LINE(LINNET_IRQ_LINE_FREEZE), freeze_interrupt, IRQF_NO_SUSPEND,
			   "freeze", NULL);
}
device_initcall(freeze_init);
