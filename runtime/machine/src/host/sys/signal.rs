//! Signals.

use super::syscall;
use crate::arch::KernelSigaction;
use linnet_host::nr;

/// Give this thread a stack for host signals.
///
/// # Safety
/// The range must be mapped, and used for nothing else, as long as the thread lives.
pub unsafe fn sigaltstack(base: usize, size: usize) -> isize {
    let stack = SignalStack { base, flags: 0, size };
    // SAFETY: the caller's promise; the structure lives through the call.
    unsafe { syscall(nr::SIGALTSTACK, [&raw const stack as usize, 0, 0, 0, 0, 0]) }
}

/// `stack_t`.
#[repr(C)]
#[derive(Debug)]
pub struct SignalStack {
    pub base: usize,
    pub flags: i32,
    pub size: usize,
}

pub const SIGHUP: u32 = 1;
pub const SIGINT: u32 = 2;
pub const SIGQUIT: u32 = 3;
pub const SIGILL: u32 = 4;
pub const SIGTRAP: u32 = 5;
pub const SIGBUS: u32 = 7;
pub const SIGFPE: u32 = 8;
pub const SIGSEGV: u32 = 11;
pub const SIGPIPE: u32 = 13;
pub const SIGTERM: u32 = 15;
pub const SIGCONT: u32 = 18;
pub const SIGWINCH: u32 = 28;

/// Run `handler` on the signal stack when `signal` comes. Nothing is blocked meanwhile.
///
/// # Safety
/// The handler must be able to run at any point of the program.
pub unsafe fn sigaction(signal: u32, handler: usize) -> isize {
    const SA_SIGINFO: usize = 4;
    const SA_ONSTACK: usize = 0x0800_0000;
    const SA_RESTART: usize = 0x1000_0000;
    const SA_NODEFER: usize = 0x4000_0000;
    let flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
    let action = KernelSigaction::new(handler, flags);
    // SAFETY: the caller's promise; the structure lives through the call.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) }
}

/// Ignore a signal.
pub fn ignore(signal: u32) {
    const SIG_IGN: usize = 1;
    let action = KernelSigaction::new(SIG_IGN, 0);
    // SAFETY: ignoring a signal runs no code.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) };
}
