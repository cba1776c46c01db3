// SPDX-License-Identifier: GPL-2.0
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/sched/hotplug.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <asm/linnet_abi.h>
#include <asm/time.h>

void cpu_relax(void)
{
	if (irq_flag && irq_is_pending())
		irq_deliver();
	host_cpu_relax();
	barrier();
}
EXPORT_SYMBOL(cpu_relax);

void arch_spin_lock_contended(arch_spinlock_t *lock)
{
	do {
		while (arch_spin_is_locked(lock))
			cpu_relax();
	} while (!arch_spin_trylock(lock));
}
EXPORT_SYMBOL(arch_spin_lock_contended);

static void request(int cpu, unsigned int bit)
{
	/* If another request is still pending, its author kicks. */
	if (!__atomic_fetch_or(&linnet_pending[cpu].bits, bit, __ATOMIC_SEQ_CST))
		host_cpu_kick(cpu);
}

void arch_smp_send_reschedule(int cpu)
{
	request(cpu, LINNET_IRQ_RESCHEDULE);
}

void arch_send_call_function_single_ipi(int cpu)
{
	request(cpu, LINNET_IRQ_CALL);
}

void arch_send_call_function_ipi_mask(const struct cpumask *mask)
{
	int cpu;

	for_each_cpu(cpu, mask)
		request(cpu, LINNET_IRQ_CALL);
}

void smp_send_stop(void)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			request(cpu, LINNET_IRQ_STOP);
}

void __noreturn smp_stop_this_cpu(void)
{
	int cpu = smp_processor_id();

	set_cpu_online(cpu, false);
	local_irq_disable();
	for (;;) {
		host_cpu_idle(cpu);
		linnet_pending[cpu].bits = 0;
	}
}

void __init smp_setup(void)
{
	unsigned int count = min(host_cpu_count(), nr_cpu_ids);

	for (unsigned int cpu = 0; cpu < count; cpu++)
		set_cpu_possible(cpu, true);
}

void __init smp_prepare_boot_cpu(void)
{
}

void __init smp_prepare_cpus(unsigned int max_cpus)
{
	init_cpu_present(cpu_possible_mask);
}

void __init smp_cpus_done(unsigned int max_cpus)
{
}

int __cpu_up(unsigned int cpu, struct task_struct *idle)
{
	int err;

	task_thread_info(idle)->cpu = cpu;
	err = host_cpu_start(cpu, (unsigned long)idle,
			     round_down((unsigned long)task_pt_regs(idle), 16));
	if (err)
		return err;
	while (!cpu_online(cpu))
		cpu_relax();
	return 0;
}

int __cpu_disable(void)
{
	set_cpu_online(smp_processor_id(), false);
	return 0;
}

void __cpu_die(unsigned int cpu)
{
}

/* The vCPU takes no more interrupts; its idle task starts anew with it. */
void __noreturn arch_cpu_idle_dead(void)
{
	unsigned int cpu = smp_processor_id();

	idle_task_exit();
	linnet_pending[cpu].bits = 0;
	cpuhp_ap_report_dead();
	host_cpu_stop();
	unreachable();
}

void linnet_secondary_entry(unsigned long idle)
{
	unsigned int cpu;

	set_current((struct task_struct *)idle);
	cpu = smp_processor_id();
	mmgrab(&init_mm);
	current->active_mm = &init_mm;
	notify_cpu_starting(cpu);
	clock_event_setup();
	set_cpu_online(cpu, true);
	local_irq_enable();
	cpu_startup_entry(CPUHP_AP_ONLINE_IDLE);
}
