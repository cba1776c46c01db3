//! Threads and signals of a process that has a C library.

use super::{Handler, SIGNALS, Thread};
use crate::arch;
use std::ptr;
use std::sync::Once;

std::thread_local! {
    static THREAD: Thread = const { Thread::new(0) };
}

/// Asks the calling thread.
pub(crate) fn thread<R>(ask: impl FnOnce(&Thread) -> R) -> R {
    THREAD.with(ask)
}

/// Gives the thread a stack for signals, and finds out where its own ends.
pub(crate) fn prepare_thread(thread: &Thread) {
    if thread.stack_limit.get() == 0 {
        ensure_signal_stack();
        thread.stack_limit.set(stack_limit().max(1));
    }
}

/// A handler that runs on the exhausted stack would fault itself.
fn ensure_signal_stack() {
    // SAFETY: queries and sets this thread's signal stack; a new one is never unmapped.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(ptr::null(), &raw mut current) == 0
            && current.ss_flags & libc::SS_DISABLE == 0
            && current.ss_size >= SIGNAL_STACK / 4
        {
            return;
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let stack = libc::mmap(ptr::null_mut(), SIGNAL_STACK, protection, flags, -1, 0);
        if stack == libc::MAP_FAILED {
            return;
        }
        let new = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: SIGNAL_STACK };
        libc::sigaltstack(&raw const new, ptr::null_mut());
    }
}

const SIGNAL_STACK: usize = 64 << 10;

/// Lowest address of this thread's stack.
fn stack_limit() -> u64 {
    // SAFETY: plain queries.
    let is_main = unsafe { libc::getpid() == libc::syscall(libc::SYS_gettid) as i32 };
    if is_main {
        // The first thread's stack grows: what is mapped of it now says nothing.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Field 28 (proc(5)); the second one, in parentheses, may hold spaces.
        let start = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(25));
        let start = start.and_then(|s| s.parse::<u64>().ok()).filter(|s| *s != 0);
        let start = start.unwrap_or_else(arch::stack_pointer);
        // SAFETY: fills a structure.
        let limit = unsafe {
            let mut limit: libc::rlimit = std::mem::zeroed();
            libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit);
            limit.rlim_cur
        };
        // Without a limit the kernel leaves room for some, and other things lie below.
        return start.saturating_sub((limit as u64).min(8 << 20));
    }
    // SAFETY: queries this thread's attributes and frees them.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return 0;
        }
        let (mut address, mut size) = (ptr::null_mut(), 0);
        libc::pthread_attr_getstack(&raw const attributes, &raw mut address, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        address as u64
    }
}

/// What handled the signals before.
static mut OLD: [Option<libc::sigaction>; SIGNALS.len()] = [None; SIGNALS.len()];

/// Who handles them now.
static mut HANDLER: Option<Handler> = None;

/// Has signals handled, once for the process.
pub(crate) fn install(handler: Handler) {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // SAFETY: nobody reads it before the signals have a handler.
        unsafe { HANDLER = Some(handler) };
        install_all();
    });
}

fn install_all() {
    for (i, signal) in SIGNALS.into_iter().enumerate() {
        // SAFETY: the handler may run at any point; `OLD` is written once, before it can be read.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut old: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&raw mut action.sa_mask);
            if libc::sigaction(signal, ptr::null(), &raw mut old) == 0 {
                OLD[i] = Some(old);
            }
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
}

extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, uc: *mut libc::c_void) {
    // SAFETY: the host passed it; for other signals the field is not looked at.
    let address = unsafe { (*info).si_addr() } as u64;
    // SAFETY: written before the handler could run.
    if !unsafe { HANDLER }.is_some_and(|handler| handler(signal, address, uc as usize)) {
        pass_on(signal, info, uc);
    }
}

/// Not ours: whoever handled the signal before gets it, or it ends the process.
fn pass_on(signal: i32, info: *mut libc::siginfo_t, uc: *mut libc::c_void) {
    let number = SIGNALS.iter().position(|s| *s == signal);
    // SAFETY: `OLD` was written before the handler could run.
    let old = number.and_then(|n| unsafe { OLD[n] });
    // SAFETY: calls what the process had installed, the way it asked for.
    unsafe {
        match old {
            Some(old) if old.sa_sigaction > libc::SIG_IGN => {
                if old.sa_flags & libc::SA_SIGINFO != 0 {
                    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
                        std::mem::transmute(old.sa_sigaction);
                    handler(signal, info, uc);
                } else {
                    let handler: extern "C" fn(i32) = std::mem::transmute(old.sa_sigaction);
                    handler(signal);
                }
            }
            _ => {
                // The instruction runs again and ends the process.
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}
