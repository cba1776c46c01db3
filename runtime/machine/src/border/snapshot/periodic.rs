//! Snapshots that the machine makes by itself, all the time.

use crate::cpu::thread;
use crate::device::signals;
use crate::host::{clock, sys};
use core::sync::atomic::{AtomicU32, Ordering};

/// How many snapshots this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Make one whenever there was none for so many seconds.
pub fn start(seconds: u32) {
    thread::spawn(main, seconds as usize);
}

extern "C" fn main(seconds: usize) -> ! {
    thread::begin(c"linnet-freeze");
    loop {
        let made = MADE.load(Ordering::SeqCst);
        let deadline = clock::host_now() + seconds as u64 * 1_000_000_000;
        while MADE.load(Ordering::SeqCst) == made && clock::host_now() < deadline {
            sys::futex_wait(&MADE, made, Some(deadline));
        }
        if MADE.load(Ordering::SeqCst) == made {
            // A guest that is about to freeze has heard it already.
            signals::freeze();
        }
    }
}

/// There is a new one.
pub fn made() {
    MADE.fetch_add(1, Ordering::SeqCst);
    sys::futex_wake(&MADE, 1);
}
