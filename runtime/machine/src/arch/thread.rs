//! How clone(2) makes a thread.

/// VM | FS | FILES | SIGHAND | THREAD | SYSVSEM.
pub const THREAD_FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;

/// Start a host thread in `f(argument)` on the stack that ends at `top`. Negative errno on failure.
///
/// # Safety
/// The stack must stay the thread's own; `f` must not return.
pub unsafe fn spawn(top: usize, f: extern "C" fn(usize) -> !, argument: usize) -> isize {
    // SAFETY: the caller's promise; no word is cleared.
    unsafe { linnet_host::spawn(THREAD_FLAGS, top, f, argument, 0) }
}
