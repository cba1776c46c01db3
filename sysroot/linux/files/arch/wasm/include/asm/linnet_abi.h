/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Generated from runtime/abi; do not edit. */
#ifndef _ASM_WASM_LINNET_ABI_H
#define _ASM_WASM_LINNET_ABI_H

#define LINNET_ABI_VERSION 2

#define LINNET_IRQ_STRIDE 64
#define LINNET_IRQ_TIMER 1
#define LINNET_IRQ_RESCHEDULE 2
#define LINNET_IRQ_CALL 4
#define LINNET_IRQ_STOP 8
#define LINNET_IRQ_DEVICE_SHIFT 8
#define LINNET_IRQ_DEVICE_LINES 24
#define LINNET_IRQ_LINE_STDIO 0
#define LINNET_IRQ_LINE_VIRTIO 1
#define LINNET_IRQ_LINE_SHUTDOWN 23
#define LINNET_IRQ_LINE_FREEZE 22
#define LINNET_PROT_READ 1
#define LINNET_PROT_WRITE 2
#define LINNET_PROT_SAME 4
#define LINNET_NULL_GUARD 65536
#define LINNET_LARGE_PAGE 2097152
#define LINNET_EXEC_HEADER_OFFSET 32
#define LINNET_EXEC_IMAGE_ALIGN 16384
#define LINNET_EXEC_SECTION "linnet.exec"

#ifndef __ASSEMBLY__
#include <linux/types.h>

struct linnet_exec {
	u8 id[32];
	__le32 abi_version;	/* offset 32 */
	__le32 image_address;	/* offset 36 */
	__le32 image_offset;	/* offset 40 */
	__le32 image_size;	/* offset 44 */
	__le32 memory_end;	/* offset 48 */
	__le32 heap_base;	/* offset 52 */
	__le32 reserved[2];
};

struct linnet_clocks {
	u32 sequence;	/* offset 0 */
	u32 multiplier;	/* offset 4 */
	u32 shift;	/* offset 8 */
	u32 reserved;	/* offset 12 */
	u64 cycle_last;	/* offset 16 */
	u64 remainder;	/* offset 24 */
	u64 base[12];	/* offset 32 */
};

enum linnet_trap {
	LINNET_TRAP_Unreachable = 1,	/* unreachable executed */
	LINNET_TRAP_MemoryOutOfBounds = 2,	/* out of bounds memory access */
	LINNET_TRAP_TableOutOfBounds = 3,	/* undefined element */
	LINNET_TRAP_NullReference = 4,	/* uninitialized element */
	LINNET_TRAP_BadSignature = 5,	/* indirect call type mismatch */
	LINNET_TRAP_IntegerDivisionByZero = 6,	/* integer divide by zero */
	LINNET_TRAP_IntegerOverflow = 7,	/* integer overflow */
	LINNET_TRAP_BadConversionToInteger = 8,	/* invalid conversion to integer */
	LINNET_TRAP_UnalignedAtomic = 9,	/* unaligned atomic */
	LINNET_TRAP_StackOverflow = 10,	/* call stack exhausted */
	LINNET_TRAP_UncaughtException = 11,	/* uncaught exception */
};
#define LINNET_TRAP_MESSAGES { \
	[1] = "unreachable executed", \
	[2] = "out of bounds memory access", \
	[3] = "undefined element", \
	[4] = "uninitialized element", \
	[5] = "indirect call type mismatch", \
	[6] = "integer divide by zero", \
	[7] = "integer overflow", \
	[8] = "invalid conversion to integer", \
	[9] = "unaligned atomic", \
	[10] = "call stack exhausted", \
	[11] = "uncaught exception", \
}

#define __host_call(module, name) \
	__attribute__((import_module(module), import_name(name)))
#define __host_entry(name) __attribute__((export_name(name), used))

/* Host calls: kernel to runtime. */

/* Run `next` on this vCPU. Returns, when `prev` runs again, the task that it took over from. */
__host_call("linnet", "switch_to")
unsigned long host_switch_to(unsigned long prev, unsigned long next);

/* Make the native stacks of `task`, whose kernel shadow stack ends at `sp`. `user` is 1 if */
/* it is a copy of the calling task that returns to user mode in linear memory `mm`, else 0. */
/* 0; -EAGAIN if the machine has as many tasks as it can have; -ENOMEM if the host refuses the */
/* memory; -ENOSYS for a copy of a task whose user code has called something else, and so has */
/* left no frames for a child. */
__host_call("linnet", "task_new")
int host_task_new(unsigned long task, unsigned long sp, unsigned int mm, unsigned int user);

/* Give back the native stacks of a task that will never run again. */
__host_call("linnet", "task_free")
void host_task_free(unsigned long task);

/* Leave the kernel: run the calling task's user code. Does not return. */
__host_call("linnet", "user_enter")
void host_user_enter(void);

/* Replace the calling task's program. Takes effect when the kernel is left. A hold on it becomes */
/* the task's. */
__host_call("linnet", "user_exec")
void host_user_exec(unsigned int mm, unsigned int program, unsigned long sp);

/* Run a signal handler when the kernel is left: table entry `restorer` is called with the */
/* other four, with the shadow stack pointer at `sp`. */
__host_call("linnet", "user_signal")
void host_user_signal(unsigned long sp, unsigned long restorer, unsigned long handler, unsigned int signal, unsigned long info, unsigned long ucontext);

/* Make the calling task poll once it is back in user code. */
__host_call("linnet", "user_poll_again")
void host_user_poll_again(void);

/* Shadow stack pointer of the user code of `task` (0: the caller) when it entered the kernel. */
__host_call("linnet", "user_sp")
unsigned long host_user_sp(unsigned long task);

/* Number of the program of that 32-byte identity in this boot binary, or -ENOENT. */
__host_call("linnet", "program_find")
int host_program_find(unsigned long id);

/* Number of the program that is made of a WebAssembly module of `size` bytes, which is translated */
/* if need be. The caller has a hold on it until it drops or runs it. -ENOSYS if the machine */
/* has no translator, -EAGAIN if it has too many such programs in use, or another -errno. */
__host_call("linnet", "program_load")
int host_program_load(unsigned long module, unsigned int size);

/* 0 if such a program can be run, -EAGAIN if it is not translated yet. Any other -errno is */
/* final; `text` then becomes the reason, a string of less than `size` bytes. */
__host_call("linnet", "program_state")
int host_program_state(unsigned int program, unsigned long text, unsigned int size);

/* Writes the header of such a program, which can be run. No image is in a file. */
__host_call("linnet", "program_header")
void host_program_header(unsigned int program, unsigned long header);

/* Copies `size` bytes of its initial memory from `address` on. */
__host_call("linnet", "program_image")
void host_program_image(unsigned int program, unsigned long address, unsigned long buffer, unsigned int size);

/* Gives up the hold on such a program. */
__host_call("linnet", "program_drop")
void host_program_drop(unsigned int program);

/* Number of vCPUs. */
__host_call("linnet", "cpu_count")
unsigned int host_cpu_count(void);

/* Start vCPU `cpu` in `secondary_entry(idle)`, on the shadow stack that ends at `sp`. 0, -ENODEV */
/* if there is none of that number, or -EAGAIN. */
__host_call("linnet", "cpu_start")
int host_cpu_start(unsigned int cpu, unsigned long idle, unsigned long sp);

/* Stop the caller's vCPU, which is not the first, and end the caller, its idle task. Does not return. */
__host_call("linnet", "cpu_stop")
void host_cpu_stop(void);

/* Write a snapshot of the machine, of which no other vCPU may run, and end it then if `end` is */
/* not 0. 0: it goes on; 1: it was resumed from the snapshot; -EAGAIN: a task's frames cannot be */
/* written where it stands, but may be later; or another -errno. */
__host_call("linnet", "snapshot")
int host_snapshot(unsigned int end);

/* Sleep until the pending word of `cpu`, the caller's own, is not zero. */
__host_call("linnet", "cpu_idle")
void host_cpu_idle(unsigned int cpu);

/* One round of a spin loop. */
__host_call("linnet", "cpu_relax")
void host_cpu_relax(void);

/* Make `cpu` look at its pending word, in which the caller has set a bit. */
__host_call("linnet", "cpu_kick")
void host_cpu_kick(unsigned int cpu);

/* Nanoseconds since the machine started; never steps. */
__host_call("linnet", "clock_monotonic")
unsigned long long host_clock_monotonic(void);

/* Nanoseconds since 1970-01-01 00:00 UTC. */
__host_call("linnet", "clock_realtime")
unsigned long long host_clock_realtime(void);

/* Set the timer bit of `cpu` when `clock_monotonic` reaches `deadline`; all ones: never. */
__host_call("linnet", "timer_set")
void host_timer_set(unsigned int cpu, unsigned long long deadline);

/* Fill memory with random bytes of the host. */
__host_call("linnet", "random")
void host_random(unsigned long buffer, unsigned int size);

/* A new, empty linear memory, or 0 if there is no room for one. */
__host_call("linnet", "mm_new")
unsigned int host_mm_new(void);

/* Give it back. */
__host_call("linnet", "mm_free")
void host_mm_free(unsigned int mm);

/* Map `count` pages of memory `mm` from `address` to the guest-physical pages from `pfn`. */
/* `prot` is PROT_READ, perhaps with PROT_WRITE, perhaps with PROT_SAME. Memory 0 is the */
/* kernel's own, whose first pages are guest-physical memory for good: of those a fill maps a */
/* page to itself. */
__host_call("linnet", "tlb_fill")
void host_tlb_fill(unsigned int mm, unsigned long address, unsigned int pfn, unsigned int count, unsigned int prot);

/* Forget the mappings of `count` pages from `address`. */
__host_call("linnet", "tlb_flush")
void host_tlb_flush(unsigned int mm, unsigned long address, unsigned int count);

/* Make the mappings of `count` pages from `address` read-only, or forget them. */
__host_call("linnet", "tlb_protect")
void host_tlb_protect(unsigned int mm, unsigned long address, unsigned int count);

/* Give `count` free pages of guest memory from `pfn` back to the host; they read as zeros. */
__host_call("linnet", "ram_discard")
void host_ram_discard(unsigned int pfn, unsigned int count);

/* Much of the guest memory around `pfn` will be used: the host may keep it in a large page. */
__host_call("linnet", "ram_join")
void host_ram_join(unsigned int pfn);

/* Read from a standard stream of the host (0) without waiting: no more than `size` bytes are */
/* taken from it. Bytes read, 0 at its end, or -errno; after -EAGAIN the stdio interrupt line */
/* comes when that changes. */
__host_call("linnet", "stdio_read")
int host_stdio_read(unsigned int stream, unsigned long buffer, unsigned int size);

/* Write to a standard stream of the host (1 or 2, or 0 if that is a terminal) without waiting. */
/* Bytes written, or -errno; -EAGAIN as above. */
__host_call("linnet", "stdio_write")
int host_stdio_write(unsigned int stream, unsigned long buffer, unsigned int size);

/* Which of `events` of poll(2), and which errors, a standard stream of the host (0, 1 or 2) has. */
/* If that is 0, the stdio interrupt line comes when it changes. */
__host_call("linnet", "stdio_poll")
unsigned int host_stdio_poll(unsigned int stream, unsigned int events);

/* lseek(2) of a standard stream of the host (0, 1 or 2). The new position, or -errno. */
__host_call("linnet", "stdio_seek")
unsigned long long host_stdio_seek(unsigned int stream, unsigned long long offset, unsigned int whence);

/* A program waits for the terminal on standard input: take it from the programs of the host */
/* that it is shared with. 1 if it is the machine's now, 0 if not yet, or -errno. A machine in */
/* the background stops here, as every program does that reads there. */
__host_call("linnet", "terminal_take")
int host_terminal_take(void);

/* Size of the host's terminal: rows in the upper 16 bits, columns in the lower; 0 if none. */
__host_call("linnet", "terminal_size")
unsigned int host_terminal_size(void);

/* Read a device register of 1, 2 or 4 bytes. */
__host_call("linnet", "mmio_read")
unsigned int host_mmio_read(unsigned long address, unsigned int size);

/* Write one. */
__host_call("linnet", "mmio_write")
void host_mmio_write(unsigned long address, unsigned int size, unsigned int value);

/* The signal by which the host asks the machine to end (SIGHUP, SIGINT, SIGQUIT or SIGTERM), */
/* once; else 0. From the first call on the shutdown interrupt line tells of it; before, the */
/* machine ends at once. */
__host_call("linnet", "shutdown_signal")
unsigned int host_shutdown_signal(void);

/* End the machine; the process exits with `status`. */
__host_call("linnet", "halt")
void host_halt(unsigned int status);

/* Start the machine again from nothing. */
__host_call("linnet", "restart")
void host_restart(void);

/* Native frames of `task` (0: the caller), innermost first: words of function number and */
/* offset in its code. Returns the number of frames written, at most `count`; 0 if it runs. */
__host_call("linnet", "backtrace")
unsigned int host_backtrace(unsigned long task, unsigned long words, unsigned int count);

/* Name of a function of the kernel by its number. Returns its length, at most `size`. */
__host_call("linnet", "function_name")
unsigned int host_function_name(unsigned int function, unsigned long buffer, unsigned int size);

/* Number of the function in table entry `entry`, or all ones. */
__host_call("linnet", "table_function")
unsigned int host_table_function(unsigned int entry);

/* Orderings: no calls, see runtime/abi/src/calls.rs. */

__host_call("linnet", "smp_rmb")
void host_smp_rmb(void);

__host_call("linnet", "smp_wmb")
void host_smp_wmb(void);

__host_call("linnet", "smp_acquire")
void host_smp_acquire(void);

__host_call("linnet", "smp_release")
void host_smp_release(void);

/* Entries: runtime to kernel. */

/* Where the runtime puts the command line: COMMAND_LINE_SIZE (2048) bytes. */
__host_entry("command_line")
unsigned long linnet_command_line(void);

/* Start the kernel on vCPU 0 with `ram` bytes of memory. Does not return. */
__host_entry("boot")
void linnet_boot(unsigned int ram, unsigned long initrd, unsigned int initrd_size);

/* First function of a new task. Does not return. */
__host_entry("task_entry")
void linnet_task_entry(unsigned long task, unsigned long prev);

/* First function of a secondary vCPU, on its idle task. Does not return. */
__host_entry("secondary_entry")
void linnet_secondary_entry(unsigned long idle);

/* A system call. The result is what user code gets. */
__host_entry("syscall")
unsigned long long linnet_syscall(unsigned int nr, unsigned long pc, unsigned long long a0, unsigned long long a1, unsigned long long a2, unsigned long long a3, unsigned long long a4, unsigned long long a5);

/* A signal handler came back. The result is that of the system call it interrupted, if any. */
__host_entry("sigreturn")
unsigned long long linnet_sigreturn(unsigned long ucontext);

/* User code touched an address that is not in the TLB. */
__host_entry("page_fault")
void linnet_page_fault(unsigned long address, unsigned int write);

/* User code trapped. */
__host_entry("user_trap")
void linnet_user_trap(unsigned int signal, unsigned int code, unsigned long address);

/* User code polls. */
__host_entry("user_poll")
void linnet_user_poll(void);

/* The kernel itself touched an address that is not mapped. Returns if it may be retried. */
__host_entry("kernel_fault")
void linnet_kernel_fault(unsigned long address, unsigned int write);

/* The kernel itself trapped with a code of the trap table. Does not return. */
__host_entry("kernel_trap")
void linnet_kernel_trap(unsigned int code);

#endif
#endif
