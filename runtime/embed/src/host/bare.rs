//! Threads and signals of a process without a C library. Its program makes the threads; each says with
//! [`adopt`] where its block is, before it calls anything else here.
#![cfg_attr(
    feature = "std",
    allow(dead_code, reason = "it compiles beside the other, for tools that build all")
)]

#[cfg(not(feature = "std"))]
use super::lock::Lock;
use super::{Handler, SIGNALS, Thread};
use core::arch::asm;
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_host::{KernelSigaction, nr, syscall};

/// What a thread's register for thread-local storage points to.
#[repr(C)]
#[derive(Debug)]
pub struct Block {
    /// Its own address: the register itself cannot be read on x86-64.
    this: Cell<*const Block>,
    thread: Thread,
}

impl Block {
    /// With the lowest address that the thread's stack may reach.
    #[must_use]
    pub const fn new(stack_limit: u64) -> Block {
        Block { this: Cell::new(ptr::null()), thread: Thread::new(stack_limit) }
    }
}

/// Makes `block` the calling thread's, and handles its signals on `signal_stack`.
///
/// # Safety
/// Once for a thread. The block and the memory of the stack must be the thread's own as long as it lives.
pub unsafe fn adopt(block: &'static Block, signal_stack: *mut [u8]) {
    block.this.set(block);
    let address = ptr::from_ref(block) as usize;
    // SAFETY: nothing else in this process uses the register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            const ARCH_SET_FS: usize = 0x1002;
            syscall(nr::ARCH_PRCTL, [ARCH_SET_FS, address, 0, 0, 0, 0]);
        }
        #[cfg(target_arch = "aarch64")]
        asm!("msr tpidr_el0, {}", in(reg) address, options(nomem, nostack));
        #[cfg(target_arch = "riscv64")]
        asm!("mv tp, {}", in(reg) address, options(nomem, nostack));
    }
    let stack = [signal_stack as *mut u8 as usize, 0, signal_stack.len()];
    // SAFETY: the caller's promise; the structure (base, flags, size) lives through the call.
    unsafe { syscall(nr::SIGALTSTACK, [stack.as_ptr() as usize, 0, 0, 0, 0, 0]) };
}

/// Asks the calling thread.
pub(crate) fn thread<R>(ask: impl FnOnce(&Thread) -> R) -> R {
    let block: *const Block;
    // SAFETY: reads the register that `adopt` has set, or what it points to.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {}, fs:[0]", out(reg) block, options(nostack, readonly));
        #[cfg(target_arch = "aarch64")]
        asm!("mrs {}, tpidr_el0", out(reg) block, options(nomem, nostack));
        #[cfg(target_arch = "riscv64")]
        asm!("mv {}, tp", out(reg) block, options(nomem, nostack));
    }
    // SAFETY: every thread has adopted a block, which lives as long as the thread.
    ask(unsafe { &(*block).thread })
}

/// All is there since [`adopt`].
pub(crate) fn prepare_thread(_: &Thread) {}

const SA_SIGINFO: usize = 4;
const SA_ONSTACK: usize = 0x0800_0000;
const SA_NODEFER: usize = 0x4000_0000;

fn set(signal: i32, handler: usize, flags: usize) {
    let action = KernelSigaction::new(handler, flags);
    let a = [signal as usize, &raw const action as usize, 0, 8, 0, 0];
    // SAFETY: the structure lives through the call; the handler may run at any point.
    unsafe { syscall(nr::RT_SIGACTION, a) };
}

static mut HANDLER: Option<Handler> = None;

/// Has signals handled, once for the process.
pub(crate) fn install(handler: Handler) {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Relaxed) || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the first call is the first thread's, before there are others.
    unsafe { HANDLER = Some(handler) };
    for signal in SIGNALS {
        set(signal, on_signal as *const () as usize, SA_SIGINFO | SA_ONSTACK | SA_NODEFER);
    }
}

extern "C" fn on_signal(signal: i32, info: usize, uc: usize) {
    // SAFETY: `si_addr` of the host's siginfo; for other signals nobody looks at it.
    let address = unsafe { *((info + 16) as *const u64) };
    // SAFETY: written before the handler could run.
    if !unsafe { HANDLER }.is_some_and(|handler| handler(signal, address, uc)) {
        // The instruction runs again and ends the process.
        set(signal, 0, 0);
    }
}

/// What a program needs that has neither a C library nor Rust's own.
#[cfg(not(feature = "std"))]
mod program {
    use super::Lock;
    use crate::host::memory;
    use core::alloc::{GlobalAlloc, Layout};
    use core::fmt::Write as _;
    use dlmalloc::Dlmalloc;
    use linnet_host::{nr, syscall};

    /// Memory for the allocator, a mapping at a time.
    struct Pages;

    // SAFETY: mappings are nobody else's, zeroed, and as large as is said.
    unsafe impl dlmalloc::Allocator for Pages {
        fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
            let mapped = memory::reserve(size as u64).ok();
            // SAFETY: mapped just now.
            let mapped = mapped.filter(|at| unsafe { memory::open(*at, size as u64) }.is_ok());
            mapped.map_or((core::ptr::null_mut(), 0, 0), |at| (at as *mut u8, size, 0))
        }

        fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
            core::ptr::null_mut()
        }

        fn free_part(&self, at: *mut u8, old: usize, new: usize) -> bool {
            // SAFETY: the allocator gives back what it got.
            unsafe { memory::release(at as u64 + new as u64, (old - new) as u64) };
            true
        }

        fn free(&self, at: *mut u8, size: usize) -> bool {
            // SAFETY: as above.
            unsafe { memory::release(at as u64, size as u64) };
            true
        }

        fn can_release_part(&self, _: u32) -> bool {
            true
        }

        fn allocates_zeros(&self) -> bool {
            true
        }

        fn page_size(&self) -> usize {
            64 << 10
        }
    }

    struct Heap(Lock<Dlmalloc<Pages>>);

    #[global_allocator]
    static HEAP: Heap = Heap(Lock::new(Dlmalloc::new_with_allocator(Pages)));

    // SAFETY: the allocator's own promises, one thread at a time.
    unsafe impl GlobalAlloc for Heap {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { self.0.lock().malloc(layout.size(), layout.align()) }
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.0.lock().free(at, layout.size(), layout.align()) }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { self.0.lock().calloc(layout.size(), layout.align()) }
        }

        unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { self.0.lock().realloc(at, layout.size(), layout.align(), size) }
        }
    }

    struct Stderr;

    impl core::fmt::Write for Stderr {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            // SAFETY: reads the text only.
            unsafe { syscall(nr::WRITE, [2, text.as_ptr() as usize, text.len(), 0, 0, 0]) };
            Ok(())
        }
    }

    /// A mistake of the runtime's own.
    #[panic_handler]
    fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
        const STATUS: usize = 71;
        let _ = writeln!(Stderr, "error: {info}");
        loop {
            // SAFETY: does not return.
            unsafe { syscall(nr::EXIT_GROUP, [STATUS, 0, 0, 0, 0, 0]) };
        }
    }

    /// Rust's library for x86-64 Linux names it in its unwind tables, which nobody reads here.
    #[cfg(target_arch = "x86_64")]
    #[unsafe(no_mangle)]
    extern "C" fn rust_eh_personality() {}

    /// What unwinding goes on with. Nothing unwinds here: a panic ends the process.
    #[cfg(target_arch = "x86_64")]
    #[unsafe(no_mangle)]
    extern "C" fn _Unwind_Resume() -> ! {
        unreachable!("nothing unwinds")
    }
}

// What the compiler calls by these names. Rust's library has them for targets without a system only.
#[cfg(all(not(feature = "std"), target_arch = "x86_64"))]
core::arch::global_asm!(
    ".globl memcpy",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    ".globl memmove",
    "memmove:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "mov r8, rdi",
    "sub r8, rsi",
    "cmp r8, rdx",
    "jb 2f", // `to` lies inside the source: backwards
    "rep movsb",
    "ret",
    "2:",
    "lea rdi, [rdi + rdx - 1]",
    "lea rsi, [rsi + rdx - 1]",
    "3:",
    "cmp rcx, 8",
    "jb 4f",
    "mov r8, [rsi - 7]",
    "mov [rdi - 7], r8",
    "sub rsi, 8",
    "sub rdi, 8",
    "sub rcx, 8",
    "jmp 3b",
    "4:",
    "test rcx, rcx",
    "jz 5f",
    "mov r8b, [rsi]",
    "mov [rdi], r8b",
    "dec rsi",
    "dec rdi",
    "dec rcx",
    "jmp 4b",
    "5:",
    "ret",
    ".globl memset",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    ".globl strlen",
    "strlen:",
    "xor eax, eax",
    "2:",
    "cmp byte ptr [rdi + rax], 0",
    "je 3f",
    "inc rax",
    "jmp 2b",
    "3:",
    "ret",
    ".globl bcmp",
    ".globl memcmp",
    "bcmp:",
    "memcmp:",
    "mov rcx, rdx",
    "xor eax, eax",
    "cmp rax, rax", // equal, if there is nothing to compare
    "repe cmpsb",
    "je 2f",
    "movzx eax, byte ptr [rdi - 1]",
    "movzx ecx, byte ptr [rsi - 1]",
    "sub eax, ecx",
    "2:",
    "ret",
);
