// SPDX-License-Identifier: GPL-2.0
#include <linux/console.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kstrtox.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <asm/console.h>
#include <asm/linnet_abi.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include <asm/smp.h>

extern char __heap_base[];

unsigned long init_stack[THREAD_SIZE / sizeof(unsigned long)] __aligned(THREAD_SIZE);
extern union thread_union init_thread_union __alias(init_stack);

/* What the runtime must know of the configuration. */
const u32 linnet_thread_size = THREAD_SIZE;
const u32 linnet_page_shift = PAGE_SHIFT;

static char command_line[COMMAND_LINE_SIZE];
static unsigned long ram_size __initdata;

unsigned int console_stream = 1;

/* linnet.console=N: what the console writes goes to the host's stream N. */
static int __init parse_console(char *value)
{
	return kstrtouint(value, 10, &console_stream);
}
early_param("linnet.console", parse_console);

/* Shows what happens before the console driver is up. The host's terminal is raw. */
static void early_console_write(struct console *console, const char *text, unsigned int length)
{
	static const char newline[] = "\r\n";

	while (length) {
		const char *end = memchr(text, '\n', length);
		unsigned int part = end ? end - text : length;

		host_stdio_write(console_stream, (unsigned long)text, part);
		if (end) {
			host_stdio_write(console_stream, (unsigned long)newline, strlen(newline));
			part++;
		}
		text += part;
		length -= part;
	}
}

static struct console early_console_linnet = {
	.name = "linnet",
	.write = early_console_write,
	.flags = CON_PRINTBUFFER | CON_BOOT | CON_ANYTIME,
	.index = -1,
};

unsigned long linnet_command_line(void)
{
	return (unsigned long)command_line;
}

void __init __noreturn linnet_boot(unsigned int ram, unsigned long initrd, unsigned int initrd_size)
{
	set_current(&init_task);
	ram_size = ram;
#ifdef CONFIG_BLK_DEV_INITRD
	phys_initrd_start = initrd;
	phys_initrd_size = initrd_size;
#endif
	start_kernel();
	unreachable();
}

void __init setup_arch(char **cmdline_p)
{
	setup_initial_init_mm(_stext, _etext, _edata, _end);
	strscpy(boot_command_line, command_line, COMMAND_LINE_SIZE);
	*cmdline_p = boot_command_line;

	parse_early_param();
	register_console(&early_console_linnet);
	add_preferred_console("hvc", 0, NULL);

	/* Also keeps the first 64 KiB, which the host never maps, out of use. */
	memblock_add(0, ram_size);
	memblock_reserve(0, (unsigned long)__heap_base);
	reserve_initrd_mem();

	min_low_pfn = 0;
	max_low_pfn = ram_size >> PAGE_SHIFT;
	max_pfn = max_low_pfn;
	high_memory = __va(ram_size);
	paging_init();
	smp_setup();
}

/* Exported, but declared in a header of kernel/rcu. */
void rcu_expedite_gp(void);

/*
 * A vCPU answers within microseconds and there are few of them: a grace period
 * is cheapest if nobody waits for ticks.
 */
static int __init expedite_rcu(void)
{
	rcu_expedite_gp();
	return 0;
}
early_initcall(expedite_rcu);

/* __delay() counts nanoseconds. */
void __init calibrate_delay(void)
{
	loops_per_jiffy = NSEC_PER_SEC / HZ;
}
