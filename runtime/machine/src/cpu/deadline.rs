//! The deadline that the timer's thread waits for.

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

/// Wait until the next deadline, which `look` finds, or until one is set before it.
pub fn wait(look: impl FnOnce() -> Option<u64>) {
    TARGET.store(u64::MAX, Ordering::SeqCst);
    let sequence = SEQUENCE.load(Ordering::SeqCst);
    let next = look();
    TARGET.store(next.unwrap_or(u64::MAX), Ordering::SeqCst);
    if sequence == SEQUENCE.load(Ordering::SeqCst) {
        sys::futex_wait(&SEQUENCE, sequence, next.map(clock::to_host));
    }
}
