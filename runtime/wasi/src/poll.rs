//! `poll_oneoff`: waits for one of several events.

use crate::descriptor::{self, Descriptor, filetype, rights};
use crate::errno::{Errno, Result};
use crate::memory::{self, write, write_u32};
use crate::process::clock_number;
use crate::sys::{self, nr};
use alloc::vec::Vec;

/// Sizes of a subscription and of an event.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;

/// Events of the host's `poll`.
const POLLIN: u16 = 1;
const POLLOUT: u16 = 4;
const POLLERR: u16 = 8;
const POLLHUP: u16 = 16;
const POLLNVAL: u16 = 32;

struct Subscription {
    user: [u8; 8],
    kind: u8,
    what: What,
}

enum What {
    /// Until that time of a clock of the host, in ns.
    Clock {
        clock: usize,
        until: u64,
    },
    /// Until the entry of that number in the list for the host has an event.
    Descriptor {
        descriptor: Descriptor,
        number: usize,
    },
    Wrong(Errno),
}

/// The host's `struct pollfd`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Poll {
    fd: i32,
    events: u16,
    returned: u16,
}

pub fn poll_oneoff(at: u32, events: u32, count: u32, result: u32) -> Result<()> {
    /// The host's own limit of what is open is far below.
    const MOST: u32 = 1 << 16;
    if count == 0 || count > MOST {
        return Err(Errno::INVAL);
    }
    memory::bytes(at, count * SUBSCRIPTION)?;
    memory::bytes(events, count * EVENT)?;
    memory::bytes(result, 4)?;
    let mut polls = Vec::new();
    let mut subscriptions = Vec::new();
    for number in 0..count {
        subscriptions.push(subscription(memory::read(at + number * SUBSCRIPTION)?, &mut polls)?);
    }
    let is_over = subscriptions.iter().any(|s| matches!(s.what, What::Wrong(_)));
    loop {
        let wait = if is_over { Some(0) } else { shortest(&subscriptions)? };
        let woken = wait_for(&mut polls, wait)?;
        let mut written = 0;
        for subscription in &subscriptions {
            if let Some(event) = event(subscription, &polls)? {
                write(events + written * EVENT, &event)?;
                written += 1;
            }
        }
        // A clock may not have come to its time yet, as the other one has it.
        if written > 0 || woken > 0 {
            return write_u32(result, written);
        }
    }
}

fn subscription(raw: [u8; SUBSCRIPTION as usize], polls: &mut Vec<Poll>) -> Result<Subscription> {
    const ABSOLUTE: u16 = 1;
    let word = |at: usize| raw[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    let user = raw[..8].try_into().map_err(|_| Errno::INVAL)?;
    let kind = raw[8];
    let what = match kind {
        CLOCK => match clock_number(word(16) as u32) {
            Ok(clock) => {
                let now = sys::clock(nr::CLOCK_GETTIME, clock)?;
                let is_absolute = u16::from_le_bytes([raw[40], raw[41]]) & ABSOLUTE != 0;
                let timeout = word(24);
                let until = if is_absolute { timeout } else { now.saturating_add(timeout) };
                What::Clock { clock, until }
            }
            Err(error) => What::Wrong(error),
        },
        FD_READ | FD_WRITE => match descriptor::with_rights(word(16) as u32, 0) {
            Ok(descriptor) if descriptor.is_directory() => What::Wrong(Errno::BADF),
            Ok(descriptor) => {
                let right = if kind == FD_READ { rights::FD_READ } else { rights::FD_WRITE };
                match descriptor.need(right) {
                    Err(_) => What::Wrong(Errno::NOTCAPABLE),
                    Ok(()) => {
                        let events = if kind == FD_READ { POLLIN } else { POLLOUT };
                        polls.push(Poll { fd: descriptor.host(), events, returned: 0 });
                        What::Descriptor { descriptor, number: polls.len() - 1 }
                    }
                }
            }
            Err(error) => What::Wrong(error),
        },
        _ => return Err(Errno::INVAL),
    };
    Ok(Subscription { user, kind, what })
}

/// How long until the first clock, in ns; none if there is no clock.
fn shortest(subscriptions: &[Subscription]) -> Result<Option<u64>> {
    let mut shortest: Option<u64> = None;
    for subscription in subscriptions {
        if let What::Clock { clock, until } = subscription.what {
            let left = until.saturating_sub(sys::clock(nr::CLOCK_GETTIME, clock)?);
            shortest = Some(shortest.map_or(left, |other| other.min(left)));
        }
    }
    Ok(shortest)
}

/// Waits for so many ns at most; how many descriptors have an event.
fn wait_for(polls: &mut [Poll], wait: Option<u64>) -> Result<usize> {
    /// The host takes no more seconds.
    const MOST: u64 = i64::MAX as u64;
    let time = wait.map(|ns| ns.min(MOST)).map(|ns| [ns / 1_000_000_000, ns % 1_000_000_000]);
    let time = time.as_ref().map_or(0, |time| time.as_ptr() as usize);
    let a = [polls.as_mut_ptr() as usize, polls.len(), time, 0, 0, 0];
    // SAFETY: writes to the list; the time lives through the call.
    match unsafe { sys::call(nr::PPOLL, a) } {
        Err(Errno::INTR) => Ok(0),
        done => done,
    }
}

fn event(subscription: &Subscription, polls: &[Poll]) -> Result<Option<[u8; EVENT as usize]>> {
    const HANGUP: u16 = 1;
    let mut event = [0; EVENT as usize];
    event[..8].copy_from_slice(&subscription.user);
    event[10] = subscription.kind;
    let error = match &subscription.what {
        What::Wrong(error) => error.0,
        What::Clock { clock, until } => {
            if sys::clock(nr::CLOCK_GETTIME, *clock)? < *until {
                return Ok(None);
            }
            0
        }
        What::Descriptor { descriptor, number } => {
            let returned = polls.get(*number).map_or(0, |poll| poll.returned);
            if returned == 0 {
                return Ok(None);
            }
            let bytes = if subscription.kind == FD_READ { readable(descriptor) } else { 1 };
            event[16..24].copy_from_slice(&bytes.to_le_bytes());
            if returned & (POLLHUP | POLLERR) != 0 {
                event[24..26].copy_from_slice(&HANGUP.to_le_bytes());
            }
            if returned & POLLNVAL != 0 { Errno::BADF.0 } else { 0 }
        }
    };
    event[8..10].copy_from_slice(&error.to_le_bytes());
    Ok(Some(event))
}

/// How many bytes can be read without waiting, as far as the host knows.
fn readable(descriptor: &Descriptor) -> u64 {
    const FIONREAD: usize = 0x541b;
    const SEEK_CUR: usize = 1;
    let file = descriptor.host();
    if descriptor.open().filetype == filetype::REGULAR_FILE {
        let size = sys::fstat(file).map_or(0, |stat| stat.size);
        let position = sys::plain(nr::LSEEK, [file as usize, 0, SEEK_CUR, 0]).unwrap_or(0);
        return size.saturating_sub(position as u64);
    }
    let mut bytes = 0_u32;
    let place = &raw mut bytes as usize;
    // SAFETY: writes the word.
    let asked = unsafe { sys::call(nr::IOCTL, [file as usize, FIONREAD, place, 0, 0, 0]) };
    asked.map_or(0, |_| u64::from(bytes))
}
