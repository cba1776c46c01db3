//! Waiting for descriptors.

use super::{Errno, Fd, Result, call};
use linnet_host::nr;

pub const IN: u32 = 1;
pub const OUT: u32 = 4;
pub const ERR: u32 = 8;
pub const HUP: u32 = 16;
pub const RDHUP: u32 = 0x2000;
/// Only changes are told.
pub const EDGE: u32 = 1 << 31;

/// `struct epoll_event`
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub events: u32,
    pub token: u64,
}

impl Event {
    pub const NONE: Event = Event { events: 0, token: 0 };
}

/// A set of descriptors to wait for.
#[derive(Debug)]
pub struct Epoll(Fd);

impl Epoll {
    pub fn new() -> Result<Epoll> {
        const CLOEXEC: usize = 0o2000000;
        // SAFETY: touches no memory.
        let fd = unsafe { call(nr::EPOLL_CREATE1, [CLOEXEC, 0, 0, 0, 0, 0])? };
        Ok(Epoll(Fd::own(fd as i32)))
    }

    /// Wait for `events` of a descriptor too, until it is closed.
    pub fn add(&self, fd: i32, events: u32, token: u64) -> Result<()> {
        const ADD: usize = 1;
        let event = Event { events, token };
        let at = &raw const event as usize;
        // SAFETY: reads the event only.
        unsafe { call(nr::EPOLL_CTL, [self.0.raw(), ADD, fd as usize, at, 0, 0])? };
        Ok(())
    }

    /// Wait for it no more. Closing it is not enough where another process has it open as well.
    pub fn remove(&self, fd: i32) {
        const DELETE: usize = 2;
        // SAFETY: touches no memory.
        let _ = unsafe { call(nr::EPOLL_CTL, [self.0.raw(), DELETE, fd as usize, 0, 0, 0]) };
    }

    /// Which are ready, after at most so many milliseconds.
    pub fn wait<'a>(&self, events: &'a mut [Event], timeout: Option<u32>) -> &'a [Event] {
        let timeout = timeout.map_or(-1, |ms| ms.min(i32::MAX as u32) as isize) as usize;
        let at = events.as_mut_ptr() as usize;
        // SAFETY: writes to the events only.
        let n = unsafe { call(nr::EPOLL_PWAIT, [self.0.raw(), at, events.len(), timeout, 0, 8]) };
        &events[..n.unwrap_or(0)]
    }
}

/// A new counter that wakes who waits for it.
pub fn eventfd() -> Result<Fd> {
    const NONBLOCK: usize = 0o4000;
    // Without CLOEXEC: a machine that starts again keeps it.
    // SAFETY: touches no memory.
    let fd = unsafe { call(nr::EVENTFD2, [0, NONBLOCK, 0, 0, 0, 0])? };
    Ok(Fd::own(fd as i32))
}

/// Wake who waits for a counter.
pub fn signal(fd: &Fd) {
    // It can only be full, and then whoever waits is awake.
    let _: core::result::Result<usize, Errno> = super::write(fd, &1_u64.to_ne_bytes());
}
