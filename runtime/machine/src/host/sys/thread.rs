//! Threads and how they wait for each other.

use super::time::Timespec;
use core::ffi::CStr;
use core::ptr;
use core::sync::atomic::AtomicU32;
use linnet_host::{nr, syscall};

const FUTEX_WAKE: usize = 1;
const FUTEX_WAIT_BITSET: usize = 9;
const FUTEX_PRIVATE: usize = 128;

/// Sleep while `word` is `expected`; at most until `deadline` on the monotonic clock.
pub fn futex_wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) {
    let time = deadline.map(Timespec::from_ns);
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    let op = FUTEX_WAIT_BITSET | FUTEX_PRIVATE;
    // SAFETY: the word and the time live through the call. Why it returned does not matter: every
    // caller looks at the word again.
    unsafe {
        syscall(nr::FUTEX, [word.as_ptr() as usize, op, expected as usize, time as usize, 0, !0]);
    }
}

/// Wake `count` sleepers on a word; returns how many there were.
pub fn futex_wake(word: &AtomicU32, count: u32) -> u32 {
    let op = FUTEX_WAKE | FUTEX_PRIVATE;
    // SAFETY: the word is only used as an address.
    unsafe { syscall(nr::FUTEX, [word.as_ptr() as usize, op, count as usize, 0, 0, 0]) as u32 }
}

/// Let another host thread run.
pub fn sched_yield() {
    // SAFETY: no arguments.
    unsafe { syscall(nr::SCHED_YIELD, [0; 6]) };
}

/// Wake from timed sleeps within a microsecond instead of 50.
pub fn precise_timers() {
    const PR_SET_TIMERSLACK: usize = 29;
    // SAFETY: only sets an attribute of this thread.
    unsafe { syscall(nr::PRCTL, [PR_SET_TIMERSLACK, 1, 0, 0, 0, 0]) };
}

/// Name this thread for tools of the host.
pub fn name_thread(name: &CStr) {
    const PR_SET_NAME: usize = 15;
    // SAFETY: the string lives through the call.
    unsafe { syscall(nr::PRCTL, [PR_SET_NAME, name.as_ptr() as usize, 0, 0, 0, 0]) };
}

/// Number of host CPUs that this process may use.
pub fn host_cpus() -> u32 {
    let mut mask = [0_u64; 128];
    // SAFETY: the mask lives through the call and has the size that is given.
    let bytes = unsafe {
        syscall(nr::SCHED_GETAFFINITY, [0, size_of_val(&mask), &raw mut mask as usize, 0, 0, 0])
    };
    if bytes <= 0 { 1 } else { mask.iter().map(|m| m.count_ones()).sum() }
}
