/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SMP_H
#define _ASM_WASM_SMP_H

#include <linux/cpumask.h>

#define raw_smp_processor_id()	(current_thread_info()->cpu)

void smp_setup(void);
void smp_stop_this_cpu(void) __noreturn;
int __cpu_disable(void);
void __cpu_die(unsigned int cpu);
void arch_send_call_function_single_ipi(int cpu);
void arch_send_call_function_ipi_mask(const struct cpumask *mask);

#endif
