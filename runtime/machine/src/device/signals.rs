//! What signals of the host do to the machine.
//!
//! What the process was started to ignore stays ignored, and the guest's command ignores it as well: so
//! work `nohup`, and a shell's jobs in the background. What it was started to block stays blocked. Of the
//! rest:
//!
//! | signals              | what they do                                                                |
//! |----------------------|-----------------------------------------------------------------------------|
//! | HUP, INT, QUIT, TERM | ask the guest to end in order, see [`signals`]                              |
//! | others that end      | do so once the terminal is restored; process 1 lives on, as any would       |
//! | PIPE, XFSZ           | nothing: whoever writes in the guest gets them, see the kernel's stdio.c    |
//! | USR1                 | freezes a machine that has a file for snapshots, or another one to go to    |
//! | TSTP                 | stops the process once the terminal is restored                             |
//! | CONT, WINCH          | make the machine look at the terminal again                                 |
//! | faults               | see `border::fault`                                                         |
//!
//! No signal is ignored but those that were at the start: what is ignored stays so after a restart.

use crate::cpu::{deadline, vcpu};
use crate::device::console;
use crate::host::signals::{self, bit};
use crate::host::{sys, terminal};
use core::sync::atomic::{AtomicU32, Ordering};
use linnet_abi::irq;

const LINE: u32 = 1 << (irq::DEVICE_SHIFT + irq::LINE_SHUTDOWN);

const FREEZE_LINE: u32 = 1 << (irq::DEVICE_SHIFT + irq::LINE_FREEZE);

/// What SIGUSR1 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRequest {
    /// What it does to any program.
    End,
    /// The guest freezes.
    Freeze,
    /// Who waits for it is woken.
    Wake,
}

/// Has SIGUSR1 come that nobody has waited for?
static REQUESTED: AtomicU32 = AtomicU32::new(0);

/// Take over the signals.
pub fn init(on_request: OnRequest) {
    signals::init();
    let is_first_process = signals::is_first_process();
    for signal in (1..=signals::LAST).filter(|signal| signals::ignored() & bit(*signal) == 0) {
        if let Some(handler) = handler(signal, is_first_process) {
            // SAFETY: the handlers make system calls and use atomics, nothing else.
            unsafe { sys::sigaction(signal, handler as *const () as usize, signals::sent()) };
        }
    }
    if on_request != OnRequest::End {
        let handler: extern "C" fn(u32) =
            if on_request == OnRequest::Wake { on_wake } else { on_freeze };
        // SAFETY: as above.
        unsafe { sys::sigaction(sys::SIGUSR1, handler as *const () as usize, signals::sent()) };
        sys::unblock(bit(sys::SIGUSR1));
    }
    // These are about what the process shares with others, and were not blocked for the program that it is.
    sys::unblock(bit(sys::SIGCONT) | bit(sys::SIGWINCH));
}

fn handler(signal: u32, is_first_process: bool) -> Option<extern "C" fn(u32)> {
    match signal {
        sys::SIGHUP | sys::SIGINT | sys::SIGQUIT | sys::SIGTERM => Some(on_request),
        sys::SIGCONT | sys::SIGWINCH => Some(on_change),
        sys::SIGTSTP => Some(on_stop),
        sys::SIGPIPE | sys::SIGXFSZ => Some(on_nothing),
        // Orphans become the first process's children, and leave nothing behind so.
        sys::SIGCHLD => is_first_process.then_some(on_nothing as extern "C" fn(u32)),
        sys::SIGILL | sys::SIGTRAP | sys::SIGBUS | sys::SIGFPE | sys::SIGSEGV => None,
        sys::SIGKILL | sys::SIGSTOP | sys::SIGTTIN | sys::SIGTTOU | sys::SIGURG => None,
        _ => (!is_first_process).then_some(on_end as extern "C" fn(u32)),
    }
}

extern "C" fn on_request(signal: u32) {
    deadline::watch(signals::request(signal));
    vcpu::first().interrupt(LINE);
}

extern "C" fn on_freeze(_: u32) {
    freeze();
}

/// Ask the guest to freeze.
pub fn freeze() {
    vcpu::first().interrupt(FREEZE_LINE);
}

extern "C" fn on_wake(_: u32) {
    REQUESTED.store(1, Ordering::SeqCst);
    sys::futex_wake(&REQUESTED, 1);
}

/// Wait until SIGUSR1 comes.
pub fn wait_for_request() {
    while REQUESTED.swap(0, Ordering::SeqCst) == 0 {
        sys::futex_wait(&REQUESTED, 0, None);
    }
}

extern "C" fn on_end(signal: u32) {
    signals::die(signal)
}

extern "C" fn on_stop(_: u32) {
    terminal::restore();
    signals::kill_self(sys::SIGSTOP);
    // Also where the host does not stop the process, since it is the first one.
    terminal::look_again();
}

extern "C" fn on_change(signal: u32) {
    if signal == sys::SIGCONT {
        terminal::look_again();
    }
    console::terminal_changed();
}

extern "C" fn on_nothing(_: u32) {}
