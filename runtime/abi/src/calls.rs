//! Every call that crosses a border, with its signature.
//!
//! In these tables `u32` and `i32` are wasm `i32`, `u64` is wasm `i64`, and `ptr` is an address in
//! the caller's linear memory (wasm `i32`).
//!
//! The kernel is not trusted. A host call whose arguments name what is not there or is not the kernel's
//! to name (a memory, a task that is not suspended, pages that do not exist) ends the machine with a
//! message, and nothing else happens.

/// Import module of host calls: kernel to runtime. A call `x` is the symbol `linnet_host_x`, whose
/// first argument is the caller's context.
pub const HOST_MODULE: &str = "linnet";

/// Import module of a user program. A call `x` is the symbol `linnet_user_x`.
pub const USER_MODULE: &str = "linux";

/// Exports of a user program that the runtime calls, of type () -> (): where it begins, and what is called where an
/// exception is thrown that nobody catches, if there is one.
pub const START: &str = "_start";
pub const UNCAUGHT: &str = "__linnet_uncaught";

/// Export of a user program that looks for pointers on its stack: values of 32 bits that a function needs behind
/// a call lie there.
pub const SPILL_POINTERS: &str = "__linnet_spill_pointers";

/// Prefix under which the kernel is translated: its exports are `linnet_kernel_<name>`.
pub const KERNEL_PREFIX: &str = "kernel";

/// Calls `$m!` with every host call.
#[macro_export]
macro_rules! for_each_host_call {
    ($m:ident) => {
        $m! {
            /// Run `next` on this vCPU. Returns, when `prev` runs again, the task that it took over from.
            switch_to(prev: ptr, next: ptr) -> ptr;
            /// Make the native stacks of `task`, whose kernel shadow stack ends at `sp`. `user` is 1 if
            /// it is a copy of the calling task that returns to user mode in linear memory `mm`, else 0.
            /// 0; -EAGAIN if the machine has as many tasks as it can have; -ENOMEM if the host refuses the
            /// memory; -ENOSYS for a copy of a task whose user code has called something else, and so has
            /// left no frames for a child.
            task_new(task: ptr, sp: ptr, mm: u32, user: u32) -> i32;
            /// Give back the native stacks of a task that will never run again.
            task_free(task: ptr);
            /// Leave the kernel: run the calling task's user code. Does not return.
            user_enter();
            /// Replace the calling task's program. Takes effect when the kernel is left. A hold on it becomes
            /// the task's.
            user_exec(mm: u32, program: u32, sp: ptr);
            /// Run a signal handler when the kernel is left: table entry `restorer` is called with the
            /// other four, with the shadow stack pointer at `sp`.
            user_signal(sp: ptr, restorer: ptr, handler: ptr, signal: u32, info: ptr, ucontext: ptr);
            /// Make the calling task poll once it is back in user code.
            user_poll_again();
            /// Shadow stack pointer of the user code of `task` (0: the caller) when it entered the kernel.
            user_sp(task: ptr) -> ptr;
            /// Number of the program of that 32-byte identity in this boot binary, or -ENOENT.
            program_find(id: ptr) -> i32;
            /// Number of the program that is made of a WebAssembly module of `size` bytes, which is translated
            /// if need be. The caller has a hold on it until it drops or runs it. -ENOSYS if the machine
            /// has no translator, -EAGAIN if it has too many such programs in use, or another -errno.
            program_load(module: ptr, size: u32) -> i32;
            /// 0 if such a program can be run, -EAGAIN if it is not translated yet. Any other -errno is
            /// final; `text` then becomes the reason, a string of less than `size` bytes.
            program_state(program: u32, text: ptr, size: u32) -> i32;
            /// Writes the header of such a program, which can be run. No image is in a file.
            program_header(program: u32, header: ptr);
            /// Copies `size` bytes of its initial memory from `address` on.
            program_image(program: u32, address: ptr, buffer: ptr, size: u32);
            /// Gives up the hold on such a program.
            program_drop(program: u32);

            /// Number of vCPUs.
            cpu_count() -> u32;
            /// Start vCPU `cpu` in `secondary_entry(idle)`, on the shadow stack that ends at `sp`. 0, -ENODEV
            /// if there is none of that number, or -EAGAIN.
            cpu_start(cpu: u32, idle: ptr, sp: ptr) -> i32;
            /// Stop the caller's vCPU, which is not the first, and end the caller, its idle task. Does not return.
            cpu_stop();
            /// Write a snapshot of the machine, of which no other vCPU may run, and end it then if `end` is
            /// not 0. 0: it goes on; 1: it was resumed from the snapshot; -EAGAIN: a task's frames cannot be
            /// written where it stands, but may be later; or another -errno.
            snapshot(end: u32) -> i32;
            /// Sleep until the pending word of `cpu`, the caller's own, is not zero.
            cpu_idle(cpu: u32);
            /// One round of a spin loop.
            cpu_relax();
            /// Make `cpu` look at its pending word, in which the caller has set a bit.
            cpu_kick(cpu: u32);

            /// Nanoseconds since the machine started; never steps.
            clock_monotonic() -> u64;
            /// Nanoseconds since 1970-01-01 00:00 UTC.
            clock_realtime() -> u64;
            /// Set the timer bit of `cpu` when `clock_monotonic` reaches `deadline`; all ones: never.
            timer_set(cpu: u32, deadline: u64);
            /// Fill memory with random bytes of the host.
            random(buffer: ptr, size: u32);

            /// A new, empty linear memory, or 0 if there is no room for one.
            mm_new() -> u32;
            /// Give it back.
            mm_free(mm: u32);
            /// Map `count` pages of memory `mm` from `address` to the guest-physical pages from `pfn`.
            /// `prot` is PROT_READ, perhaps with PROT_WRITE, perhaps with PROT_SAME. Memory 0 is the
            /// kernel's own, whose first pages are guest-physical memory for good: of those a fill maps a
            /// page to itself.
            tlb_fill(mm: u32, address: ptr, pfn: u32, count: u32, prot: u32);
            /// Forget the mappings of `count` pages from `address`.
            tlb_flush(mm: u32, address: ptr, count: u32);

            /// Make the mappings of `count` pages from `address` read-only, or forget them.
            tlb_protect(mm: u32, address: ptr, count: u32);
            /// Give `count` free pages of guest memory from `pfn` back to the host; they read as zeros.
            ram_discard(pfn: u32, count: u32);
            /// Much of the guest memory around `pfn` will be used: the host may keep it in a large page.
            ram_join(pfn: u32);

            /// Read from a standard stream of the host (0) without waiting: no more than `size` bytes are
            /// taken from it. Bytes read, 0 at its end, or -errno; after -EAGAIN the stdio interrupt line
            /// comes when that changes.
            stdio_read(stream: u32, buffer: ptr, size: u32) -> i32;
            /// Write to a standard stream of the host (1 or 2, or 0 if that is a terminal) without waiting.
            /// Bytes written, or -errno; -EAGAIN as above.
            stdio_write(stream: u32, buffer: ptr, size: u32) -> i32;
            /// Which of `events` of poll(2), and which errors, a standard stream of the host (0, 1 or 2) has.
            /// If that is 0, the stdio interrupt line comes when it changes.
            stdio_poll(stream: u32, events: u32) -> u32;
            /// lseek(2) of a standard stream of the host (0, 1 or 2). The new position, or -errno.
            stdio_seek(stream: u32, offset: u64, whence: u32) -> u64;
            /// A program waits for the terminal on standard input: take it from the programs of the host
            /// that it is shared with. 1 if it is the machine's now, 0 if not yet, or -errno. A machine in
            /// the background stops here, as every program does that reads there.
            terminal_take() -> i32;
            /// Size of the host's terminal: rows in the upper 16 bits, columns in the lower; 0 if none.
            terminal_size() -> u32;

            /// Read a device register of 1, 2 or 4 bytes.
            mmio_read(address: ptr, size: u32) -> u32;
            /// Write one.
            mmio_write(address: ptr, size: u32, value: u32);

            /// The signal by which the host asks the machine to end (SIGHUP, SIGINT, SIGQUIT or SIGTERM),
            /// once; else 0. From the first call on the shutdown interrupt line tells of it; before, the
            /// machine ends at once.
            shutdown_signal() -> u32;
            /// End the machine; the process exits with `status`.
            halt(status: u32);
            /// Start the machine again from nothing.
            restart();
            /// Native frames of `task` (0: the caller), innermost first: words of function number and
            /// offset in its code. Returns the number of frames written, at most `count`; 0 if it runs.
            backtrace(task: ptr, words: ptr, count: u32) -> u32;
            /// Name of a function of the kernel by its number. Returns its length, at most `size`.
            function_name(function: u32, buffer: ptr, size: u32) -> u32;
            /// Number of the function in table entry `entry`, or all ones.
            table_function(entry: u32) -> u32;
        }
    };
}

/// Calls `$m!` with every function that the kernel exports for the runtime.
#[macro_export]
macro_rules! for_each_kernel_entry {
    ($m:ident) => {
        $m! {
            /// Where the runtime puts the command line: COMMAND_LINE_SIZE (2048) bytes.
            command_line() -> ptr;
            /// Start the kernel on vCPU 0 with `ram` bytes of memory. Does not return.
            boot(ram: u32, initrd: ptr, initrd_size: u32);
            /// First function of a new task. Does not return.
            task_entry(task: ptr, prev: ptr);
            /// First function of a secondary vCPU, on its idle task. Does not return.
            secondary_entry(idle: ptr);
            /// A system call. The result is what user code gets.
            syscall(nr: u32, pc: ptr, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> u64;
            /// A signal handler came back. The result is that of the system call it interrupted, if any.
            sigreturn(ucontext: ptr) -> u64;
            /// User code touched an address that is not in the TLB.
            page_fault(address: ptr, write: u32);
            /// User code trapped.
            user_trap(signal: u32, code: u32, address: ptr);
            /// User code polls.
            user_poll();
            /// The kernel itself touched an address that is not mapped. Returns if it may be retried.
            kernel_fault(address: ptr, write: u32);
            /// The kernel itself trapped with a code of the trap table. Does not return.
            kernel_trap(code: u32);
        }
    };
}

/// Calls `$m!` with every datum that the kernel exports: an immutable global that holds the
/// address of a symbol. In the object it is the 64-bit word `linnet_kernel_<name>`.
#[macro_export]
macro_rules! for_each_kernel_symbol {
    ($m:ident) => {
        $m! {
            /// The first task.
            init_task;
            /// Its shadow stack (lowest address).
            init_stack;
            /// The pending words, see [`crate::irq`].
            linnet_pending;
            /// Size of `init_stack` in bytes (a u32 in kernel memory).
            linnet_thread_size;
            /// Base-2 logarithm of the guest's page size (a u32 in kernel memory).
            linnet_page_shift;
            /// What the clocks are read from, see [`crate::clock`].
            linnet_clocks;
        }
    };
}

/// Calls `$m!` with every import of a user program. `call_handler` is not here: the translator
/// emits it in place, see [`CALL_HANDLER`].
#[macro_export]
macro_rules! for_each_user_call {
    ($m:ident) => {
        $m! {
            /// A system call; unused arguments are 0.
            syscall(nr: u32, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> u64;
            /// The same; a signal that interrupts it sees `pc` in its ucontext.
            syscall_cp(pc: ptr, nr: u32, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> u64;
            /// Returns twice: 0 in a child with a copy of the memory.
            fork() -> u32;
            /// Returns twice: 0 in a child that shares the memory; the parent waits.
            vfork() -> u32;
            /// A child that runs table entry `function`, of type (i32) -> i32, on an empty native stack.
            clone(function: ptr, argument: ptr, stack: ptr, flags: u32, ptid: ptr, tls: ptr, ctid: ptr) -> u32;
            /// What clock `id` of clock_gettime(2) says: seconds above the lower 30 bits, nanoseconds in
            /// them. All ones if only the kernel knows. Does not enter the kernel.
            clock(id: u32) -> u64;
            /// Keeps the native frames as those of context `from`, unless it is 0, and goes on in context
            /// `to`, or if that is 0 by table entry `function`, of type (i32) -> i32, on an empty native
            /// stack and the shadow stack that ends at `stack`, or if that is 0 here. A context is named by
            /// any number but 0; it belongs to its thread. 0, EINVAL or ENOMEM; 0 where a context that was
            /// kept goes on.
            context_swap(from: ptr, to: ptr, function: ptr, argument: ptr, stack: ptr) -> u32;
            /// Drops the frames of a context, if any are kept.
            context_drop(which: ptr);
        }
    };
}

/// Host calls during which frames are captured: the task is switched away from, or freezes the machine.
pub const HOST_CAPTURES: &[&str] = &["switch_to", "snapshot"];

/// User calls during which frames are never captured, since they do not enter the kernel.
pub const USER_CAPTURES_NOT: &[&str] = &["clock", "context_drop"];

/// User import `call_handler(function, signal, info, ucontext: i32)`: calls the table entry with as
/// many of the last three as its type takes, and drops a result.
pub const CALL_HANDLER: &str = "call_handler";

/// Host imports that are not calls: the translator emits an ordering in place of each.
///
/// | name         | orders                                         | x86-64          |
/// |--------------|------------------------------------------------|-----------------|
/// | `smp_rmb`    | loads before it with loads after it            | nothing         |
/// | `smp_wmb`    | stores before it with stores after it          | nothing         |
/// | `smp_acquire`| loads before it with everything after it       | nothing         |
/// | `smp_release`| everything before it with stores after it      | nothing         |
pub const BARRIERS: &[&str] = &["smp_rmb", "smp_wmb", "smp_acquire", "smp_release"];

/// Calls `$m!` with every libcall: translated code to runtime. A call `x` is the symbol
/// `linnet_libcall_x`. Here `addr` is a host address and `ctx` the caller's context.
#[macro_export]
macro_rules! for_each_libcall {
    ($m:ident) => {
        $m! {
            /// `memory.copy`; the ranges may overlap.
            memory_copy(to: addr, from: addr, size: u64);
            /// `memory.fill` with the low byte of `value`.
            memory_fill(to: addr, value: u32, size: u64);
            /// `memory.grow` by `pages`; the old size in pages, or all ones.
            memory_grow(context: ctx, pages: u32) -> u32;
            /// `memory.size` in pages.
            memory_size(context: ctx) -> u32;
            /// `memory.atomic.wait32`; `timeout` in ns, negative: none. 0 woken, 1 not equal, 2 timed out.
            atomic_wait32(context: ctx, address: addr, expected: u32, timeout: u64) -> u32;
            /// `memory.atomic.wait64`.
            atomic_wait64(context: ctx, address: addr, expected: u64, timeout: u64) -> u32;
            /// `memory.atomic.notify`; number of waiters woken.
            atomic_notify(context: ctx, address: addr, count: u32) -> u32;
            /// Raise the exception whose tag and payload are in the context. Does not return.
            throw(context: ctx);

            // The rest is for standalone modules, see `crate::instance`. What returns a truth value has
            // done nothing if that is 1: a range was out of bounds.

            /// Grow memory number `memory` by `pages`; its old size in pages, or all ones.
            instance_memory_grow(instance: ctx, memory: u32, pages: u64) -> u64;
            /// Grow table number `table` by `count` elements of `value`; its old length, or all ones.
            instance_table_grow(instance: ctx, table: u32, value: u64, count: u64) -> u64;
            /// `table.init`
            instance_table_init(instance: ctx, table: u32, segment: u32, to: u64, from: u64, count: u64) -> u32;
            /// `table.copy`
            instance_table_copy(instance: ctx, target: u32, source: u32, to: u64, from: u64, count: u64) -> u32;
            /// `table.fill`
            instance_table_fill(instance: ctx, table: u32, at: u64, value: u64, count: u64) -> u32;
            /// `memory.atomic.wait32` of an address in a shared memory.
            instance_wait32(instance: ctx, address: addr, expected: u32, timeout: u64) -> u32;
            /// `memory.atomic.wait64` of an address in a shared memory.
            instance_wait64(instance: ctx, address: addr, expected: u64, timeout: u64) -> u32;
            /// `memory.atomic.notify`
            instance_notify(instance: ctx, address: addr, count: u32) -> u32;
            /// A new exception of the tag at `tag`, whose payload is to be filled in.
            instance_exception_new(instance: ctx, tag: addr) -> u64;
            /// Raise the exception. Does not return.
            instance_throw(instance: ctx, exception: addr);
            /// An exception was caught and is needed no more, unless it escaped.
            instance_exception_free(instance: ctx, exception: addr);
        }
    };
}

/// The libcall of a loop head that found [`crate::context::Context::poll`] set:
/// `linnet_libcall_poll(context)`, which preserves every register.
pub const POLL: &str = "linnet_libcall_poll";

/// Prefixes of the symbols of each table.
pub const HOST_PREFIX: &str = "linnet_host_";
pub const USER_PREFIX: &str = "linnet_user_";
pub const LIBCALL_PREFIX: &str = "linnet_libcall_";

/// A value of a signature in the tables above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// wasm `i32`
    I32,
    /// wasm `i64`, and host addresses
    I64,
}

/// A row of one of the tables above.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub name: &'static str,
    /// Names and C types of the parameters, without the context.
    pub params: &'static [(&'static str, &'static str)],
    /// C type of the result, if it has one.
    pub result: Option<&'static str>,
    pub doc: &'static [&'static str],
}

/// The wasm type of a type name of the tables.
#[must_use]
pub fn type_of(name: &str) -> Type {
    match name {
        "u32" | "i32" | "ptr" => Type::I32,
        _ => Type::I64,
    }
}

impl Call {
    /// Parameter types, without the context.
    pub fn param_types(&self) -> impl Iterator<Item = Type> {
        self.params.iter().map(|(_, t)| type_of(t))
    }

    /// Result type.
    #[must_use]
    pub fn result_type(&self) -> Option<Type> {
        self.result.map(type_of)
    }
}

macro_rules! rows {
    ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ident),*) $(-> $ret:ident)?;)*) => {
        &[$(Call {
            name: stringify!($name),
            params: &[$((stringify!($arg), stringify!($ty)),)*],
            result: rows!(@ret $($ret)?),
            doc: &[$($doc),*],
        },)*]
    };
    (@ret) => { None };
    (@ret $ret:ident) => { Some(stringify!($ret)) };
}

/// [`for_each_host_call`] as data.
pub const HOST_CALLS: &[Call] = for_each_host_call!(rows);
/// [`for_each_kernel_entry`] as data.
pub const KERNEL_ENTRIES: &[Call] = for_each_kernel_entry!(rows);
/// [`for_each_user_call`] as data.
pub const USER_CALLS: &[Call] = for_each_user_call!(rows);
/// [`for_each_libcall`] as data.
pub const LIBCALLS: &[Call] = for_each_libcall!(rows);
