// SPDX-License-Identifier: GPL-2.0
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/pvclock_gtod.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/timekeeper_internal.h>
#include <linux/timekeeping.h>
#include <asm/linnet_abi.h>
#include <asm/time.h>

static u64 clocksource_read(struct clocksource *source)
{
	return host_clock_monotonic();
}

/* Cycles are nanoseconds. */
static struct clocksource clocksource_linnet = {
	.name = "linnet",
	.rating = 400,
	.read = clocksource_read,
	.mask = CLOCKSOURCE_MASK(64),
	.mult = 1 << 24,
	.shift = 24,
	.flags = CLOCK_SOURCE_IS_CONTINUOUS | CLOCK_SOURCE_VALID_FOR_HRES,
};

/* Otherwise the kernel would count ticks for as long as it boots. */
struct clocksource * __init clocksource_default_clock(void)
{
	return &clocksource_linnet;
}

u64 notrace sched_clock(void)
{
	return host_clock_monotonic();
}

/* Programs read their clocks from this, without a system call. */
struct linnet_clocks linnet_clocks;

static int update_clocks(struct notifier_block *block, unsigned long was_set, void *data)
{
	const struct timekeeper *tk = data;
	struct linnet_clocks *clocks = &linnet_clocks;
	u64 monotonic = tk->tkr_mono.base;
	u64 real = monotonic + tk->offs_real;
	u64 since = tk->tkr_mono.xtime_nsec >> tk->tkr_mono.shift;

	WRITE_ONCE(clocks->sequence, clocks->sequence + 1);
	smp_wmb();
	clocks->multiplier = tk->tkr_mono.mult;
	clocks->shift = tk->tkr_mono.shift;
	clocks->cycle_last = tk->tkr_mono.cycle_last;
	clocks->remainder = tk->tkr_mono.xtime_nsec;
	clocks->base[CLOCK_MONOTONIC] = monotonic;
	clocks->base[CLOCK_REALTIME] = real;
	clocks->base[CLOCK_BOOTTIME] = monotonic + tk->offs_boot;
	clocks->base[CLOCK_TAI] = monotonic + tk->offs_tai;
	clocks->base[CLOCK_MONOTONIC_COARSE] = monotonic + since;
	clocks->base[CLOCK_REALTIME_COARSE] = real + since;
	smp_wmb();
	WRITE_ONCE(clocks->sequence, clocks->sequence + 1);
	return NOTIFY_DONE;
}

static struct notifier_block clocks_notifier = {
	.notifier_call = update_clocks,
};

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(host_clock_realtime());
}

static DEFINE_PER_CPU(struct clock_event_device, clock_event);

static int clock_event_set(unsigned long delta, struct clock_event_device *event)
{
	host_timer_set(smp_processor_id(), host_clock_monotonic() + delta);
	return 0;
}

static int clock_event_shutdown(struct clock_event_device *event)
{
	host_timer_set(smp_processor_id(), U64_MAX);
	return 0;
}

void timer_interrupt(void)
{
	struct clock_event_device *event = this_cpu_ptr(&clock_event);

	event->event_handler(event);
}

void clock_event_setup(void)
{
	struct clock_event_device *event = this_cpu_ptr(&clock_event);

	event->name = "linnet";
	event->features = CLOCK_EVT_FEAT_ONESHOT;
	event->rating = 400;
	event->set_next_event = clock_event_set;
	event->set_state_shutdown = clock_event_shutdown;
	event->cpumask = cpumask_of(smp_processor_id());
	clockevents_config_and_register(event, NSEC_PER_SEC, 1000, S32_MAX);
}

void __init time_init(void)
{
	__clocksource_register(&clocksource_linnet);
	pvclock_gtod_register_notifier(&clocks_notifier);
	clock_event_setup();
}

void __delay(unsigned long nanoseconds)
{
	u64 end = host_clock_monotonic() + nanoseconds;

	while (host_clock_monotonic() < end)
		cpu_relax();
}
EXPORT_SYMBOL(__delay);

void __udelay(unsigned long microseconds)
{
	u64 end = host_clock_monotonic() + (u64)microseconds * NSEC_PER_USEC;

	while (host_clock_monotonic() < end)
		cpu_relax();
}
EXPORT_SYMBOL(__udelay);
