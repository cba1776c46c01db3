//! One thread watches the timers of all busy vCPUs; idle ones wait for their own.

use super::{deadline, thread, vcpu};
use crate::host::{clock, signals, sys};
use core::sync::atomic::Ordering;

/// Start the thread.
pub fn init() {
    thread::spawn(main, 0);
}

extern "C" fn main(_: usize) -> ! {
    thread::begin(c"linnet-timer");
    sys::precise_timers();
    loop {
        round();
    }
}

/// Look at all deadlines once, and sleep until the next one.
pub fn round() {
    deadline::wait(|| {
        let now = clock::monotonic();
        let mut next = signals::deadline();
        if next <= now {
            signals::end_late();
        }
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
        (next != u64::MAX).then_some(next)
    });
}
