// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/seq_file.h>

static int show_cpu(struct seq_file *file, void *v)
{
	unsigned int cpu = (unsigned long)v - 1;

	seq_printf(file, "processor\t: %u\n", cpu);
	seq_puts(file, "vendor_id\t: Linnet\n"
		       "model name\t: WebAssembly\n"
		       "flags\t\t: wasm32 atomics bulk-memory mutable-globals sign-ext simd128\n\n");
	return 0;
}

/* The position is that of a CPU plus 1, because NULL ends the walk. */
static void *find_cpu(loff_t *position)
{
	*position = cpumask_next(*position - 1, cpu_online_mask);
	return *position < nr_cpu_ids ? (void *)(unsigned long)(*position + 1) : NULL;
}

static void *start_cpus(struct seq_file *file, loff_t *position)
{
	return find_cpu(position);
}

static void *next_cpu(struct seq_file *file, void *v, loff_t *position)
{
	++*position;
	return find_cpu(position);
}

static void stop_cpus(struct seq_file *file, void *v)
{
}

const struct seq_operations cpuinfo_op = {
	.start = start_cpus,
	.next = next_cpu,
	.stop = stop_cpus,
	.show = show_cpu,
};
