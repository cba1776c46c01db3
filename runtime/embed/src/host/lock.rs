//! Locks, and threads that wait for each other.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};
use linnet_host::{nr, syscall};

const WAIT_BITSET: usize = 9;
const WAKE: usize = 1;
const PRIVATE: usize = 128;

/// Sleeps while `word` is `expected`, at most until `deadline` on the monotonic clock, in ns. May wake without a
/// reason.
pub(crate) fn sleep(word: &AtomicU32, expected: u32, deadline: Option<u64>) {
    let time = deadline.map(|ns| [ns / 1_000_000_000, ns % 1_000_000_000]);
    let time = time.as_ref().map_or(0, |time| time.as_ptr() as usize);
    let a = [word.as_ptr() as usize, WAIT_BITSET | PRIVATE, expected as usize, time, 0, !0];
    // SAFETY: word and time live through the call.
    unsafe { syscall(nr::FUTEX, a) };
}

/// Wakes so many that sleep at a word.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    let a = [word.as_ptr() as usize, WAKE | PRIVATE, count as usize, 0, 0, 0];
    // SAFETY: the word is only an address here.
    unsafe { syscall(nr::FUTEX, a) };
}

/// The monotonic clock in ns.
pub(crate) fn now() -> u64 {
    const MONOTONIC: usize = 1;
    let mut time = [0_u64; 2];
    // SAFETY: writes the two words.
    unsafe { syscall(nr::CLOCK_GETTIME, [MONOTONIC, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    time[0] * 1_000_000_000 + time[1]
}

const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and somebody may sleep.
const WANTED: u32 = 2;

/// A lock that is held for a short time.
#[derive(Debug)]
pub struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through a guard, and there is one guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Gives access to what a lock protects, until dropped.
#[derive(Debug)]
pub struct Guard<'a, T>(&'a Lock<T>);

impl<T> Lock<T> {
    /// Free.
    #[must_use]
    pub const fn new(value: T) -> Lock<T> {
        Lock { state: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Waits until it is free.
    pub fn lock(&self) -> Guard<'_, T> {
        let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
        if self.state.compare_exchange(FREE, TAKEN, acquire, relaxed).is_err() {
            while self.state.swap(WANTED, acquire) != FREE {
                sleep(&self.state, WANTED, None);
            }
        }
        Guard(self)
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.0.state.swap(FREE, Ordering::Release) == WANTED {
            wake(&self.0.state, 1);
        }
    }
}
