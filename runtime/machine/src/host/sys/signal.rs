//! Signals.

use linnet_host::{KernelSigaction, nr, syscall};

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
pub const SIGKILL: u32 = 9;
pub const SIGUSR1: u32 = 10;
pub const SIGSEGV: u32 = 11;
pub const SIGPIPE: u32 = 13;
pub const SIGTERM: u32 = 15;
pub const SIGCHLD: u32 = 17;
pub const SIGCONT: u32 = 18;
pub const SIGSTOP: u32 = 19;
pub const SIGTSTP: u32 = 20;
pub const SIGTTIN: u32 = 21;
pub const SIGTTOU: u32 = 22;
pub const SIGURG: u32 = 23;
pub const SIGXFSZ: u32 = 25;
pub const SIGWINCH: u32 = 28;

const SIG_DFL: usize = 0;
const SIG_IGN: usize = 1;

/// Run `handler` on the signal stack when `signal` comes, with the signals of `blocked` blocked and no others.
///
/// # Safety
/// The handler must be able to run at any point of the program.
pub unsafe fn sigaction(signal: u32, handler: usize, blocked: u64) -> isize {
    const SA_NOCLDWAIT: usize = 2;
    const SA_SIGINFO: usize = 4;
    const SA_ONSTACK: usize = 0x0800_0000;
    const SA_RESTART: usize = 0x1000_0000;
    const SA_NODEFER: usize = 0x4000_0000;
    let flags = SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
    let action = KernelSigaction::new(handler, flags).blocking(blocked);
    // SAFETY: the caller's promise; the structure lives through the call.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) }
}

/// Let `signal` do what it does to a program that cares for nothing.
pub fn set_default(signal: u32) {
    let action = KernelSigaction::new(SIG_DFL, 0);
    // SAFETY: no code of the program runs at the signal.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) };
}

/// Does this process ignore `signal`?
pub fn is_ignored(signal: u32) -> bool {
    let mut action = KernelSigaction::new(SIG_DFL, 0);
    // SAFETY: only asks; the structure lives through the call.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, 0, &raw mut action as usize, 8, 0, 0]) };
    action.handler() == SIG_IGN
}

fn sigprocmask(how: usize, mut signals: u64) -> u64 {
    let set = &raw mut signals as usize;
    // SAFETY: the set lives through the call, which puts the former one in its place.
    unsafe { syscall(nr::RT_SIGPROCMASK, [how, set, set, 8, 0, 0]) };
    signals
}

/// Block signals in this thread, bit n - 1 for signal n; what was blocked before.
pub fn block(signals: u64) -> u64 {
    sigprocmask(0, signals)
}

/// Let signals come to this thread.
pub fn unblock(signals: u64) {
    sigprocmask(1, signals);
}

/// Block these signals in this thread, and no others.
pub fn set_blocked(signals: u64) {
    sigprocmask(2, signals);
}

/// Send a signal to a process.
pub fn kill(process: u32, signal: u32) {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::KILL, [process as usize, signal as usize, 0, 0, 0, 0]) };
}

/// Leave no core if a signal ends this process.
pub fn forbid_core() {
    const PR_SET_DUMPABLE: usize = 4;
    // SAFETY: only sets an attribute of this process.
    unsafe { syscall(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0, 0]) };
}
