//! Arguments, environment, clocks, random numbers, and the end.

use crate::errno::{Errno, Result};
use crate::memory::{self, write_u32, write_u64};
use crate::sys::{self, nr};
use alloc::vec::Vec;
use linnet_embed::Lock;

/// Arguments and environment of the guest, each without the zero byte at its end.
pub static ARGUMENTS: Lock<Vec<Vec<u8>>> = Lock::new(Vec::new());
pub static ENVIRONMENT: Lock<Vec<Vec<u8>>> = Lock::new(Vec::new());

fn sizes(list: &[Vec<u8>], count: u32, size: u32) -> Result<()> {
    let bytes = list.iter().map(|text| text.len() + 1).sum::<usize>();
    write_u32(count, u32::try_from(list.len()).map_err(|_| Errno::OVERFLOW)?)?;
    write_u32(size, u32::try_from(bytes).map_err(|_| Errno::OVERFLOW)?)
}

fn texts(list: &[Vec<u8>], mut pointers: u32, mut place: u32) -> Result<()> {
    for text in list {
        write_u32(pointers, place)?;
        memory::write(place, text)?;
        place = place.checked_add(text.len() as u32).ok_or(Errno::FAULT)?;
        memory::write(place, &[0])?;
        place = place.checked_add(1).ok_or(Errno::FAULT)?;
        pointers = pointers.checked_add(4).ok_or(Errno::FAULT)?;
    }
    Ok(())
}

pub fn args_get(pointers: u32, place: u32) -> Result<()> {
    texts(&ARGUMENTS.lock(), pointers, place)
}

pub fn args_sizes_get(count: u32, size: u32) -> Result<()> {
    sizes(&ARGUMENTS.lock(), count, size)
}

pub fn environ_get(pointers: u32, place: u32) -> Result<()> {
    texts(&ENVIRONMENT.lock(), pointers, place)
}

pub fn environ_sizes_get(count: u32, size: u32) -> Result<()> {
    sizes(&ENVIRONMENT.lock(), count, size)
}

/// Real time, monotonic time, CPU time of the process and of the thread have the host's numbers.
pub fn clock_number(clock: u32) -> Result<usize> {
    if clock <= 3 { Ok(clock as usize) } else { Err(Errno::INVAL) }
}

pub fn clock_res_get(clock: u32, result: u32) -> Result<()> {
    write_u64(result, sys::clock(nr::CLOCK_GETRES, clock_number(clock)?)?)
}

pub fn clock_time_get(clock: u32, _precision: u64, result: u32) -> Result<()> {
    write_u64(result, sys::clock(nr::CLOCK_GETTIME, clock_number(clock)?)?)
}

pub fn random_get(at: u32, len: u32) -> Result<()> {
    let bytes = memory::bytes(at, len)?;
    let (mut place, end) = (bytes.address(), bytes.address() + bytes.len());
    while place < end {
        // SAFETY: writes to the guest's bytes only.
        place += unsafe { sys::call(nr::GETRANDOM, [place, end - place, 0, 0, 0, 0])? };
    }
    Ok(())
}

pub fn sched_yield() -> Result<()> {
    sys::plain(nr::SCHED_YIELD, [0; 4]).map(drop)
}

pub fn proc_exit(status: u32) -> ! {
    sys::exit(status)
}

pub fn proc_raise(signal: u32) -> Result<()> {
    /// The host's signals by their numbers in WASI.
    const SIGNALS: [u8; 31] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        26, 27, 28, 29, 30, 31,
    ];
    match SIGNALS.get(signal as usize) {
        None => Err(Errno::INVAL),
        Some(0) => Ok(()),
        Some(host) => {
            // Some of them would be looked at as traps.
            sys::set_default(usize::from(*host));
            sys::raise(usize::from(*host))
        }
    }
}
