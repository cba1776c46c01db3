//! One thread watches the timers of all busy vCPUs; idle ones wait for their own.

use crate::cpu::vcpu;
use crate::host::{clock, sys};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Changes whenever the thread must look again.
static SEQUENCE: AtomicU32 = AtomicU32::new(0);
/// What the thread waits for. All ones while it looks: a deadline that is set behind its back
/// must make it look once more.
static TARGET: AtomicU64 = AtomicU64::new(u64::MAX);

/// A deadline was set, or became the thread's to watch.
pub fn watch(deadline: u64) {
    if deadline < TARGET.load(Ordering::SeqCst) {
        SEQUENCE.fetch_add(1, Ordering::SeqCst);
        sys::futex_wake(&SEQUENCE, 1);
    }
}

/// Start the thread.
pub fn init() {
    vcpu::spawn(main, 0);
}

extern "C" fn main(_: usize) -> ! {
    sys::name_thread(c"linnet-timer");
    sys::precise_timers();
    loop {
        round();
    }
}

/// Look at all deadlines once, and sleep until the next one.
pub fn round() {
    TARGET.store(u64::MAX, Ordering::SeqCst);
    let sequence = SEQUENCE.load(Ordering::SeqCst);
    let now = clock::monotonic();
    let mut next = u64::MAX;
    for vcpu in vcpu::all() {
        let deadline = vcpu.deadline.load(Ordering::SeqCst);
        if deadline <= now {
            if vcpu.expire(deadline) {
                vcpu.kick();
            }
        } else if !vcpu.is_idle() {
            next = next.min(deadline);
        }
    }
    TARGET.store(next, Ordering::SeqCst);
    if sequence == SEQUENCE.load(Ordering::SeqCst) {
        let until = (next != u64::MAX).then_some(clock::to_host(next));
        sys::futex_wait(&SEQUENCE, sequence, until);
    }
}
