/*
 * A module that plays the kernel and is no friend of the machine: it makes host
 * calls with any arguments, in any order, from every entry, on every vCPU. What
 * it does to itself does not matter. It goes on until it has made `calls` calls,
 * says so, and ends the machine with status 0. It begins when it reads something
 * and ends when it reads the end, so that somebody may look at the machine before
 * and after.
 *
 * The command line is `seed=N calls=N wild=PERCENT restarts=0-OR-1` or `rule=N`: do one thing
 * that the machine must not let pass.
 */
#include "linnet_abi.h"

#define PAGE_SHIFT 14
#define PAGE (1u << PAGE_SHIFT)
#define STACK 16384u
#define TASKS 48
#define MEMORIES 24
#define VCPUS 64
/* The player's own data and stacks lie below; what calls may write to lies above. */
#define OWN (4u << 20)

#define LENGTH(a) (sizeof(a) / sizeof *(a))

struct task { u8 bytes[64]; } __attribute__((aligned(64)));

struct task init_task;
u8 init_stack[STACK] __attribute__((aligned(STACK)));
struct { u32 bits; u8 rest[60]; } linnet_pending[VCPUS] __attribute__((aligned(64)));
const u32 linnet_thread_size = STACK;
const u32 linnet_page_shift = PAGE_SHIFT;
struct linnet_clocks linnet_clocks;

static struct task tasks[TASKS];
static u8 stacks[TASKS][STACK] __attribute__((aligned(STACK)));
/* What is thought to exist; the machine may know better. */
static u8 is_task[TASKS];
static u32 memory_of[TASKS];
static u32 memories[MEMORIES];
static char command_line[2048];

static u32 ram;
static u64 seed = 1;
static u32 limit = 1000, made, wild = 30;
static u32 random_lock;
static _Bool over, restarts;

/* --- Little that a program needs --------------------------------------------------------- */

static void say(const char *text)
{
	u32 length = 0;

	while (text[length])
		length++;
	while (length) {
		int n = host_stdio_write(1, (unsigned long)text, length);

		if (n > 0) {
			text += n;
			length -= n;
		}
	}
}

static void say_number(u64 number)
{
	char digits[24];
	u32 at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = '0' + number % 10;
	while (number /= 10);
	say(digits + at);
}

/* Some bytes of input; 0: its end. */
static u32 wait_for_input(void)
{
	char bytes[16];
	int n;

	while ((n = host_stdio_read(0, (unsigned long)bytes, sizeof(bytes))) == -11)
		host_cpu_relax();
	return n < 0 ? 0 : n;
}

static u64 next(void)
{
	u64 value;

	while (__atomic_exchange_n(&random_lock, 1, __ATOMIC_ACQUIRE))
		;
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	value = seed * 0x2545f4914f6cdd1dull;
	__atomic_store_n(&random_lock, 0, __ATOMIC_RELEASE);
	return value >> 16;
}

static u32 below(u32 n)
{
	return (u32)next() % n;
}

static _Bool chance(u32 percent)
{
	return below(100) < percent;
}

static u64 option(const char *name, u64 otherwise)
{
	for (const char *at = command_line; *at; at++) {
		u32 i = 0;
		u64 value = 0;

		while (name[i] && at[i] == name[i])
			i++;
		if (name[i] || at[i] != '=')
			continue;
		for (at += i + 1; *at >= '0' && *at <= '9'; at++)
			value = value * 10 + (*at - '0');
		return value;
	}
	return otherwise;
}

/* --- Arguments --------------------------------------------------------------------------- */

static u32 junk(void)
{
	static const u32 words[] = {
		0, 1, 2, 3, 4, 7, 8, 63, 64, 65, 100, 255, 256, 4095, 4096, 11999, 12000, 12001, 12288, 12289, 65535, 65536,
		65537, 77777, 0x7fffffff, 0x80000000, 0xc0000000, 0xefffffff, 0xf0000000, 0xf0000200,
		0xffff0000, 0xffffc000, 0xfffffff0, 0xfffffffe, 0xffffffff,
	};
	switch (below(4)) {
	case 0:
		return words[below(LENGTH(words))];
	case 1:
		return ram + (int)below(5) - 2;
	case 2:
		return 1u << below(32);
	default:
		return next();
	}
}

/* An address that is not one of the player's own data. */
static u32 foreign(u32 address)
{
	return address >= 0x10000 && address < OWN ? address + OWN : address;
}

static u32 free_address(void)
{
	return OWN + below(ram - OWN - (1 << 20));
}

static u32 vmalloc_address(void)
{
	return ram + (1 << 20) + below(0xff000000 - ram);
}

static u32 buffer(void)
{
	if (chance(wild))
		return foreign(junk());
	return chance(80) ? free_address() : vmalloc_address();
}

/* What is large leaves the memory: to fill all of it takes long. */
static u32 size(void)
{
	return chance(wild) ? junk() | 0xffff0000 : below(5000);
}

static u32 number_of(unsigned long id)
{
	u32 number = (id - (unsigned long)tasks) / sizeof(struct task);

	return number < TASKS ? number : 0;
}

static u32 task(void)
{
	if (chance(wild))
		return chance(50) ? junk() : (unsigned long)&tasks[below(TASKS)] + below(65);
	for (u32 tries = 0; tries < 20; tries++) {
		u32 n = below(TASKS);

		if (is_task[n])
			return (unsigned long)&tasks[n];
	}
	return (unsigned long)&init_task;
}

static u32 memory(void)
{
	return chance(wild) ? junk() : memories[below(MEMORIES)];
}

static u32 page(void)
{
	/* A kernel that loses the pages that it runs on does not go on for long. */
	return foreign(chance(wild) ? junk() : PAGE * below(1 << (32 - PAGE_SHIFT)));
}

static u32 count(void)
{
	return chance(wild) ? junk() : below(20);
}

static u32 pfn(void)
{
	u32 n = chance(wild) ? junk() : below(ram >> PAGE_SHIFT);

	return n < OWN >> PAGE_SHIFT ? n + (OWN >> PAGE_SHIFT) : n;
}

static u32 vcpu(void)
{
	return chance(wild) ? junk() : below(host_cpu_count());
}

static u32 program(void)
{
	return chance(wild) ? junk() : 0;
}

/* The task whose stack this is. */
static u32 current(void)
{
	unsigned long sp = (unsigned long)__builtin_frame_address(0);
	u32 n = (sp - (unsigned long)stacks) / STACK;

	return n < TASKS ? n : TASKS;
}

/* --- Tasks and memories ------------------------------------------------------------------ */

static u32 stack_of(u32 n)
{
	return (unsigned long)stacks[n] + STACK;
}

/* Not every pair of a task and a stack pointer makes sense: a stack pointer among the own data does not. */
static void new_task(_Bool user, u32 mm)
{
	u32 n = below(TASKS), sp = stack_of(n);

	if (is_task[n] && !chance(wild))
		return;
	if (host_task_new((unsigned long)&tasks[n], sp, mm, user))
		return;
	memory_of[n] = mm;
	is_task[n] = 1;
}

static void new_memory(void)
{
	u32 n = below(MEMORIES);

	if (memories[n] && chance(80))
		return;
	memories[n] = host_mm_new();
}

static void free_memory(void)
{
	u32 n = below(MEMORIES), mm = memories[n];

	if (chance(wild))
		mm = junk();
	host_mm_free(mm);
	if (chance(70))
		memories[n] = 0;
}

static void free_task(void)
{
	u32 id = task();

	host_task_free(id);
	if (id == (unsigned long)&tasks[number_of(id)])
		is_task[number_of(id)] = 0;
}

/* --- Disks and the network --------------------------------------------------------------- */

#define DEVICES 0xf0000000u
#define DEVICE_SIZE 0x200
#define NETWORK 8
#define DRIVER_FEATURES 0x20
#define DRIVER_FEATURES_SELECT 0x24
#define QUEUE_SELECT 0x30
#define QUEUE_SIZE 0x38
#define QUEUE_READY 0x44
#define QUEUE_NOTIFY 0x50
#define DEVICE_STATUS 0x70
#define DRIVER_IS_READY 15
#define QUEUE_DESCRIPTORS 0x80
#define QUEUE_AVAILABLE 0x90
#define QUEUE_USED 0xa0

struct descriptor { u64 address; u32 length; unsigned short flags, next; };

/* Tells a device of a queue at `base`: descriptors, and rings a page behind each other. */
static void set_queue(u32 device, u32 base, u32 entries)
{
	host_mmio_write(device + QUEUE_SIZE, 4, chance(90) ? entries : junk());
	host_mmio_write(device + QUEUE_DESCRIPTORS, 4, chance(95) ? base : foreign(junk()));
	host_mmio_write(device + QUEUE_AVAILABLE, 4, chance(95) ? base + 4096 : foreign(junk()));
	host_mmio_write(device + QUEUE_USED, 4, chance(95) ? base + 8192 : foreign(junk()));
	host_mmio_write(device + QUEUE_READY, 4, 1);
}

static void make_wrong(struct descriptor *descriptor, u32 entries)
{
	descriptor->address = chance(50) ? foreign(junk()) : next();
	descriptor->length = junk();
	descriptor->flags = junk();
	descriptor->next = chance(50) ? below(entries + 1) : junk();
}

/* A register of any device, or of none. */
static u32 register_of_device(void)
{
	return chance(wild) ? junk() : DEVICES + DEVICE_SIZE * below(NETWORK + 2) + below(DEVICE_SIZE);
}

/* A queue with requests, each of which may be wrong in any way. */
static void disk(void)
{
	u32 base = free_address() & ~4095u, entries = 1u << below(8);
	struct descriptor *table = (void *)base;
	unsigned short *available = (void *)(base + 4096);
	u32 device = DEVICES + DEVICE_SIZE * below(NETWORK);

	host_mmio_write(device + DEVICE_STATUS, 4, 0);
	for (u32 n = 0; n < entries && n < 128; n++) {
		u32 header = free_address() & ~15u;

		((u32 *)header)[0] = chance(wild) ? junk() : below(9);
		((u64 *)header)[1] = chance(wild) ? next() : below(64);
		table[n].address = n % 3 == 0 ? header : buffer();
		table[n].length = n % 3 == 0 ? 16 : n % 3 == 2 ? 1 : 512 * below(9);
		table[n].flags = (n % 3 != 2) | (n % 3 == 1 ? 2 * below(2) : n % 3 == 2 ? 2 : 0);
		table[n].next = n + 1;
		if (chance(wild) && chance(20))
			make_wrong(&table[n], entries);
	}
	available[0] = chance(wild) ? junk() : 0;
	available[1] = chance(wild) ? junk() : below(9);
	for (u32 n = 0; n < entries; n++)
		available[2 + n] = chance(wild) ? junk() : 3 * below(3);
	set_queue(device, base, entries);
	for (u32 n = 0; n <= below(3); n++) {
		host_mmio_write(device + QUEUE_NOTIFY, 4, below(2));
		available[1] += below(4);
	}
}

/* Both queues of the network device, with frames or room for them. What serves them is another process. */
static void network(void)
{
	u32 device = DEVICES + DEVICE_SIZE * NETWORK;

	host_mmio_write(device + DEVICE_STATUS, 4, 0);
	for (u32 half = 0; half < 2; half++) {
		host_mmio_write(device + DRIVER_FEATURES_SELECT, 4, half);
		host_mmio_write(device + DRIVER_FEATURES, 4, junk());
	}
	for (u32 queue = 0; queue < 2; queue++) {
		u32 base = free_address() & ~4095u, entries = 1u << below(8);
		struct descriptor *table = (void *)base;
		unsigned short *available = (void *)(base + 4096);

		for (u32 n = 0; n < entries; n++) {
			u32 at = buffer();

			if (queue == 1 && at >= OWN && at < ram)
				*(u64 *)(at & ~7u) = chance(50) ? 0 : next();
			table[n].address = at;
			table[n].length = below(chance(80) ? 2000 : 70000);
			table[n].flags = (queue == 0 ? 2 : 0) | chance(30);
			table[n].next = below(entries);
			if (chance(wild) && chance(20))
				make_wrong(&table[n], entries);
			available[2 + n] = chance(wild) ? junk() : n;
		}
		available[0] = chance(wild) ? junk() : 0;
		available[1] = chance(wild) ? junk() : below(entries + 1);
		host_mmio_write(device + QUEUE_SELECT, 4, chance(95) ? queue : junk());
		set_queue(device, base, entries);
	}
	host_mmio_write(device + DEVICE_STATUS, 4, chance(95) ? DRIVER_IS_READY : junk());
	for (u32 n = 0; n <= below(3); n++)
		host_mmio_write(device + QUEUE_NOTIFY, 4, below(3));
}

/* --- Calls ------------------------------------------------------------------------------- */

static void finish(void)
{
	if (__atomic_exchange_n(&over, 1, __ATOMIC_SEQ_CST))
		for (;;)
			host_cpu_relax();
	say("done after ");
	say_number(limit);
	say(" calls\n");
	while (wait_for_input())
		;
	host_halt(0);
}

/* An idle vCPU must not sleep for good. */
static void idle(void)
{
	u32 cpu = vcpu();

	for (u32 n = 0; n < host_cpu_count(); n++)
		host_timer_set(n, host_clock_monotonic() + 1000);
	host_cpu_idle(cpu);
	if (cpu < VCPUS)
		__atomic_store_n(&linnet_pending[cpu].bits, 0, __ATOMIC_SEQ_CST);
}

static void program_call(void)
{
	u32 number = chance(wild) ? junk() : 0x100000 + below(3);

	switch (below(6)) {
	case 0:
		return (void)host_program_find(buffer());
	case 1:
		return (void)host_program_load(buffer(), below(5000));
	case 2:
		return (void)host_program_state(number, buffer(), below(200));
	case 3:
		return host_program_header(number, buffer());
	case 4:
		return host_program_image(number, junk(), buffer(), below(5000));
	default:
		return host_program_drop(number);
	}
}

static void call(void)
{
	switch (below(47)) {
	case 0 ... 2:
		return (void)host_switch_to(junk(), task());
	case 3:
		return new_task(0, 0);
	case 4:
		return new_task(chance(wild) ? junk() : below(2), memory());
	case 5:
		return free_task();
	case 6:
		/* Only who has a program goes on elsewhere. */
		host_user_exec(memory(), program(), chance(wild) ? junk() : free_address());
		if (chance(10) && current() < TASKS)
			host_user_enter();
		return;
	case 7:
		if (chance(5) && current() < TASKS)
			host_user_enter();
		return;
	case 8:
		return host_user_signal(free_address(), below(8), below(8), junk(), junk(), junk());
	case 9:
		return host_user_poll_again();
	case 10:
		return (void)host_user_sp(chance(20) ? 0 : task());
	case 11:
		return program_call();
	case 12:
		return (void)host_cpu_count();
	case 13:
		if (chance(wild))
			host_cpu_start(vcpu(), task(), free_address());
		else if (!below(500))
			host_cpu_stop();
		else if (!below(500))
			host_snapshot(0);
		return;
	case 14:
		return idle();
	case 15:
		return host_cpu_relax();
	case 16:
		return host_cpu_kick(vcpu());
	case 17:
		return (void)host_clock_monotonic();
	case 18:
		return (void)host_clock_realtime();
	case 19:
		return host_timer_set(vcpu(), chance(50) ? next() : host_clock_monotonic() + below(1 << 20));
	case 20:
		return host_random(buffer(), size());
	case 21:
		return new_memory();
	case 22:
		return free_memory();
	case 23 ... 25:
		return host_tlb_fill(memory(), page(), pfn(), count(), junk());
	case 26: {
		u32 address = vmalloc_address() & -PAGE;

		return host_tlb_fill(0, chance(wild) ? foreign(junk()) : address, pfn(), count(), junk());
	}
	case 27:
		return host_tlb_flush(memory(), page(), count());
	case 28: {
		u32 address = vmalloc_address() & -PAGE;

		return host_tlb_flush(0, address, chance(wild) ? junk() : count());
	}
	case 29:
		return host_tlb_protect(memory(), page(), count());
	case 30:
		return host_ram_discard(pfn(), count());
	case 31:
		return host_ram_join(pfn());
	case 32:
		return (void)host_stdio_read(chance(wild) ? junk() : 0, buffer(), size());
	case 33:
		/* Standard error only: what comes out there is not looked at. */
		return (void)host_stdio_write(chance(wild) ? junk() | 4 : 2, buffer(), below(30));
	case 34:
		return (void)host_terminal_size();
	case 35:
		return (void)host_mmio_read(register_of_device(), below(5));
	case 36:
		return host_mmio_write(register_of_device(), below(5), foreign(junk()));
	case 37:
		return disk();
	case 38:
		return (void)host_backtrace(chance(30) ? 0 : task(), buffer(), chance(wild) ? junk() : below(40));
	case 39:
		return (void)host_function_name(chance(wild) ? junk() : below(100), buffer(), size());
	case 40:
		return (void)host_table_function(chance(wild) ? junk() : below(10));
	case 41:
		return (void)host_stdio_poll(chance(wild) ? junk() : below(3), junk());
	case 42:
		return (void)host_stdio_seek(chance(wild) ? junk() : below(3), next(), chance(wild) ? junk() : below(3));
	case 43:
		return (void)host_terminal_take();
	case 44: {
		/* Seldom the machine starts again, and the player with it, which then does not come here anew. */
		static u32 number;

		host_random((unsigned long)&number, 4);
		if (restarts && number % (limit / 15 + 1) == 0)
			host_restart();
		return (void)host_shutdown_signal();
	}
	case 45:
		return network();
	case 46: {
		/* What faults comes back filled. */
		volatile u32 *word = (u32 *)(vmalloc_address() & ~3u);

		*word += 1;
		return;
	}
	}
}

static void play(u32 calls)
{
	while (calls--) {
		if (__atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST) >= limit)
			finish();
		call();
	}
}

/* --- One rule ---------------------------------------------------------------------------- */

static void fresh_task(u32 n)
{
	host_task_new((unsigned long)&tasks[n], stack_of(n), 0, 0);
}

/* On the native stack: nothing of it lies in memory. */
__attribute__((noinline)) static u32 deeper(u32 n)
{
	return n == 0xffffffff ? 0 : deeper(n + 1) * 3 ^ n;
}

#define RULES \
	RULE(host_tlb_fill(77777, 0x100000, 300, 1, 3)) \
	RULE(host_tlb_fill(12000, 0x100000, 300, 1, 3)) \
	RULE(host_tlb_fill(0xffffffff, 0x100000, 300, 1, 3)) \
	RULE(host_tlb_fill(5, 0x100000, 300, 1, 3)) \
	RULE(host_tlb_fill(host_mm_new(), 0x100000, ram >> PAGE_SHIFT, 1, 3)) \
	RULE(host_tlb_fill(host_mm_new(), 0x100000, 0xffffffff, 0xffffffff, 3)) \
	RULE(host_tlb_fill(host_mm_new(), 0x100000, 300, 0x7fffffff, 3)) \
	RULE(host_tlb_fill(host_mm_new(), 0xffffc000, 300, 2, 3)) \
	RULE(host_tlb_fill(host_mm_new(), 0x100001, 300, 1, 3)) \
	RULE(host_tlb_fill(0, 0x100000, 300, 1, 3)) \
	RULE(host_tlb_fill(0, (unsigned long)linnet_pending & -PAGE, (unsigned long)linnet_pending >> PAGE_SHIFT, 1, 1)) \
	RULE(host_tlb_flush(77777, 0x100000, 1)) \
	RULE(host_tlb_flush(host_mm_new(), 0x100001, 1)) \
	RULE(host_tlb_flush(0, (unsigned long)linnet_pending & -PAGE, 1)) \
	RULE(host_tlb_flush(0, 0, 0xffffffff)) \
	RULE(host_tlb_protect(77777, 0x100000, 1)) \
	RULE(host_tlb_protect(host_mm_new(), 0xffffc000, 0x7fffffff)) \
	RULE(host_mm_free(0)) \
	RULE(host_mm_free(77777)) \
	RULE(host_mm_free(5)) \
	RULE({ u32 mm = host_mm_new(); host_mm_free(mm); host_mm_free(mm); }) \
	RULE(host_switch_to(0, 0)) \
	RULE(host_switch_to(0, 0x123440)) \
	RULE(host_switch_to(0, (unsigned long)&init_task)) \
	RULE(host_switch_to(0, (unsigned long)&init_task + 8)) \
	RULE({ fresh_task(1); host_task_free((unsigned long)&tasks[1]); host_switch_to(0, (unsigned long)&tasks[1]); }) \
	RULE({ fresh_task(1); fresh_task(1); }) \
	RULE(host_task_new(0, stack_of(1), 0, 0)) \
	RULE(host_task_new(0xfffffff0, stack_of(1), 0, 0)) \
	RULE(host_task_new((unsigned long)&tasks[1] + 4, stack_of(1), 0, 0)) \
	RULE(host_task_new((unsigned long)&tasks[1], stack_of(1), 77777, 1)) \
	RULE(host_task_new((unsigned long)&tasks[1], stack_of(1), 0, 1)) \
	RULE(host_task_free((unsigned long)&init_task)) \
	RULE(host_task_free((unsigned long)&tasks[1])) \
	RULE({ fresh_task(1); host_task_free((unsigned long)&tasks[1]); host_task_free((unsigned long)&tasks[1]); }) \
	RULE(host_user_enter()) \
	RULE(host_user_exec(0, 0, 0x100000)) \
	RULE(host_user_exec(77777, 0, 0x100000)) \
	RULE(host_user_exec(host_mm_new(), 1000, 0x100000)) \
	RULE(host_user_exec(host_mm_new(), 0xffffffff, 0x100000)) \
	RULE(host_program_find(0xfffffff0)) \
	RULE(host_program_find(0)) \
	RULE(host_program_load(0xfffffff0, 0x1000)) \
	RULE(host_program_state(0, 0x200000, 8)) \
	RULE(host_program_state(0x100000, 0x200000, 8)) \
	RULE(host_program_header(0x100001, 0x200000)) \
	RULE(host_program_image(0xffffffff, 0, 0x200000, 8)) \
	RULE(host_program_drop(0x100000)) \
	RULE(host_user_exec(host_mm_new(), 0x100000, 0x100000)) \
	RULE(host_cpu_start(0, (unsigned long)&tasks[1], stack_of(1))) \
	RULE(host_cpu_stop()) \
	RULE(host_cpu_idle(64)) \
	RULE(host_cpu_idle(1)) \
	RULE(host_cpu_kick(64)) \
	RULE(host_cpu_kick(0xffffffff)) \
	RULE(host_timer_set(64, 0)) \
	RULE(host_random(0xffffff00, 0x1000)) \
	RULE(host_random(0, 16)) \
	RULE(host_random(0x100000, 0xffffffff)) \
	RULE(host_ram_discard(ram >> PAGE_SHIFT, 1)) \
	RULE(host_ram_discard(0, 1)) \
	RULE(host_ram_discard(0xffffffff, 0xffffffff)) \
	RULE(host_ram_join(0xffffffff)) \
	RULE(host_stdio_write(1, 0xffffff00, 0x1000)) \
	RULE(host_stdio_read(0, 0xffffff00, 0x1000)) \
	RULE(host_backtrace(0, 0xfffffff0, 0x20000000)) \
	RULE(host_backtrace(0x123440, 0x200000, 8)) \
	RULE(host_function_name(0, 0xfffffff0, 0xffff)) \
	RULE(host_user_sp(0x123440)) \
	RULE(deeper(0))

#define RULE(call) if (rule-- == 0) { say(#call); say("\n"); call; say("went on\n"); host_halt(0); }

static void break_rule(u64 rule)
{
	RULES
	say("no such rule\n");
	host_halt(3);
}

/* --- Entries ----------------------------------------------------------------------------- */

unsigned long linnet_command_line(void)
{
	return (unsigned long)command_line;
}

void linnet_boot(unsigned int ram_size, unsigned long initrd, unsigned int initrd_size)
{
	u64 rule = option("rule", ~0ull);

	ram = ram_size;
	if (rule != ~0ull)
		break_rule(rule);
	seed = option("seed", 1) * 0x9e3779b97f4a7c15ull | 1;
	limit = option("calls", 1000);
	wild = option("wild", 30);
	restarts = option("restarts", 0);
	say("ready\n");
	wait_for_input();
	for (u32 n = 0; n < 4; n++)
		memories[n] = host_mm_new();
	for (u32 cpu = 1; cpu < host_cpu_count() && cpu < 8; cpu++) {
		is_task[cpu] = 1;
		host_cpu_start(cpu, (unsigned long)&tasks[cpu], stack_of(cpu));
	}
	for (;;)
		play(1000);
}

void linnet_secondary_entry(unsigned long idle)
{
	for (;;)
		play(1000);
}

void linnet_task_entry(unsigned long id, unsigned long previous)
{
	u32 n = number_of(id), mm = memory_of[n];

	if (mm && chance(70)) {
		host_user_exec(mm, 0, 0x100000);
		host_user_enter();
	}
	/* A child of user code goes on there. */
	if (mm && chance(70))
		host_user_enter();
	for (;;)
		play(1000);
}

u64 linnet_syscall(unsigned int nr, unsigned long pc, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	if (nr == 220) {
		u32 mm = chance(50) ? host_mm_new() : memory();

		new_task(1, mm);
	}
	play(below(6));
	return next();
}

u64 linnet_sigreturn(unsigned long ucontext)
{
	play(below(3));
	return next();
}

void linnet_page_fault(unsigned long address, unsigned int write)
{
	u32 n = current(), mm = n < TASKS ? memory_of[n] : 0;
	u32 frame = (OWN >> PAGE_SHIFT) + below((ram - OWN) >> PAGE_SHIFT);

	play(below(3));
	if (mm && address >= 0x10000)
		host_tlb_fill(mm, address & -PAGE, frame, 1, LINNET_PROT_READ | LINNET_PROT_WRITE);
	else
		/* This task is stuck: let others run, or start it anew. */
		host_switch_to(0, task());
}

void linnet_user_trap(unsigned int signal, unsigned int code, unsigned long address)
{
	u32 n = current();

	play(below(3));
	/* Its stack is full: it must not go on. */
	while (signal == 9)
		play(1000);
	/* A program that trapped begins anew. */
	host_user_exec(n < TASKS ? memory_of[n] : memory(), 0, 0x100000);
}

void linnet_user_poll(void)
{
	play(below(3));
}

void linnet_kernel_fault(unsigned long address, unsigned int write)
{
	u32 frame = (OWN >> PAGE_SHIFT) + below((ram - OWN) >> PAGE_SHIFT);

	if (address >= ram)
		return host_tlb_fill(0, address & -PAGE, frame, 1, LINNET_PROT_READ | LINNET_PROT_WRITE);
	if (address >= 0x10000)
		return host_tlb_fill(0, address & -PAGE, address >> PAGE_SHIFT, 1,
				     LINNET_PROT_READ | LINNET_PROT_WRITE);
	say("the player lost its mind\n");
	host_halt(4);
}

void linnet_kernel_trap(unsigned int code)
{
	say("the player trapped\n");
	host_halt(5);
}
