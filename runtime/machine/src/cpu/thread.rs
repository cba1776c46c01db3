//! Host threads of the runtime's own. All are started before the guest runs, so that what the host refuses
//! shows at once.
//!
//! Below each stack, and below each stack for host signals, is a hole: see `layout::map_own`.

use crate::arch;
use crate::host::exit::{self, fatal};
use crate::host::sys;
use crate::memory::layout;
use core::ffi::CStr;
use core::hint;

/// Size of a thread's own stack and of its host-signal stack. Stacks lie at multiples of it.
const STACK: usize = 64 << 10;

/// The end of a host-signal stack that the host does not know of. Frames begin below it, and may be
/// read past their end without harm: an emulator leaves their optional parts out.
const SIGNAL_STACK_END: usize = 1024;

/// Lies at the end of a thread's stack.
#[repr(C, align(16))]
struct Own {
    signal_stack: usize,
}

/// Base and size of a stack for host signals.
pub type SignalStack = (usize, usize);

fn new_stack() -> usize {
    match layout::map_own(STACK, STACK, sys::PROT_READ | sys::PROT_WRITE) {
        Ok(stack) => stack,
        Err(errno) => {
            fatal!(exit::HOST, "the host has no memory for another thread (errno {errno})")
        }
    }
}

/// Give the calling thread, which is the process's first one, a stack for host signals.
pub fn begin_first() -> SignalStack {
    set_signal_stack(new_stack())
}

/// The same for one that [`spawn`] has started, and a name.
pub fn begin(name: &CStr) -> SignalStack {
    sys::name_thread(name);
    let here = 0_u8;
    let end = (&raw const here).addr() / STACK * STACK + STACK;
    // SAFETY: `spawn` has left it there.
    let own = unsafe { &*((end - size_of::<Own>()) as *const Own) };
    set_signal_stack(own.signal_stack)
}

/// For tests: start a thread that needs more stack than it has, and wait for what comes of it.
pub fn overflow() -> ! {
    extern "C" fn main(_: usize) -> ! {
        begin(c"linnet-test");
        deeper(0);
        unreachable!("its stack is not so large");
    }
    #[inline(never)]
    fn deeper(n: usize) -> usize {
        let frame = hint::black_box([n; 64]);
        if n > 1 << 20 { n } else { deeper(n + 1) + hint::black_box(frame)[n % 64] }
    }
    spawn(main, 0);
    loop {
        sys::sched_yield();
    }
}

fn set_signal_stack(base: usize) -> SignalStack {
    let size = STACK - SIGNAL_STACK_END;
    // SAFETY: the stack is new and stays this thread's.
    unsafe { sys::sigaltstack(base, size) };
    (base, size)
}

/// Start a thread, which begins with [`begin`].
pub fn spawn(main: extern "C" fn(usize) -> !, argument: usize) {
    let own = new_stack() + STACK - size_of::<Own>();
    // SAFETY: the stack is new.
    let r = unsafe {
        (own as *mut Own).write(Own { signal_stack: new_stack() });
        arch::spawn(own, main, argument)
    };
    if r < 0 {
        fatal!(
            exit::HOST,
            "the host refuses another thread (errno {})\nhint: give the machine fewer vCPUs with --cpus, or this user more processes (ulimit -u)",
            -r
        );
    }
}
