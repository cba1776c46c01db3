//! The host's standard streams as a device of the guest.
//!
//! A vCPU never waits in the host for a stream: two threads do, each for one direction, and raise
//! the interrupt line when something changed. Input is read only when the guest wants it.

use crate::cpu::vcpu;
use crate::host::sys::{self, EAGAIN, POLLIN, POLLOUT, Timespec};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use linnet_abi::irq;

const LINE: u32 = 1 << (irq::DEVICE_SHIFT + irq::LINE_STDIO);

const RING: usize = 16 << 10;

/// Most that is written at once: a pipe with room takes that much without waiting.
const CHUNK: usize = 4096;

struct Input {
    ring: UnsafeCell<[u8; RING]>,
    /// Bytes ever put in and taken out; their difference is what lies in the ring.
    head: AtomicU32,
    tail: AtomicU32,
    ended: AtomicBool,
    /// Not zero: the guest found the ring empty.
    wanted: AtomicU32,
}

// SAFETY: the thread writes only the free part of the ring, the reader takes only the filled part,
// and head and tail hand it over. There is one reader at a time: the driver has a lock.
unsafe impl Sync for Input {}

static INPUT: Input = Input {
    ring: UnsafeCell::new([0; RING]),
    head: AtomicU32::new(0),
    tail: AtomicU32::new(0),
    ended: AtomicBool::new(false),
    wanted: AtomicU32::new(0),
};

/// Streams that the guest could not write to, as bits.
static BLOCKED: AtomicU32 = AtomicU32::new(0);

/// Start the threads.
pub fn init() {
    sys::ignore(sys::SIGPIPE);
    vcpu::spawn(reader, 0);
    vcpu::spawn(writer, 0);
}

fn raise() {
    vcpu::get(0).interrupt(LINE);
}

/// The terminal's size changed, or it may have.
pub fn terminal_changed() {
    raise();
}

/// Bytes that were read, 0 at the end of the input, -EAGAIN if there are none yet.
pub fn read(buffer: *mut u8, size: usize) -> i32 {
    let head = INPUT.head.load(Ordering::Acquire);
    let tail = INPUT.tail.load(Ordering::Relaxed);
    let n = (head.wrapping_sub(tail) as usize).min(size);
    if n == 0 {
        if INPUT.ended.load(Ordering::Acquire) && INPUT.head.load(Ordering::Acquire) == tail {
            return 0;
        }
        INPUT.wanted.store(1, Ordering::SeqCst);
        sys::futex_wake(&INPUT.wanted, 1);
        return EAGAIN;
    }
    let ring = INPUT.ring.get().cast::<u8>();
    for i in 0..n {
        // SAFETY: between tail and head the ring is the reader's; the buffer is guest memory.
        unsafe { buffer.add(i).write_volatile(*ring.add((tail as usize + i) % RING)) };
    }
    INPUT.tail.store(tail.wrapping_add(n as u32), Ordering::Release);
    n as i32
}

extern "C" fn reader(_: usize) -> ! {
    sys::name_thread(c"linnet-stdin");
    let ring = INPUT.ring.get().cast::<u8>();
    loop {
        while INPUT.wanted.swap(0, Ordering::SeqCst) == 0 {
            sys::futex_wait(&INPUT.wanted, 0, None);
        }
        let head = INPUT.head.load(Ordering::Relaxed);
        let used = head.wrapping_sub(INPUT.tail.load(Ordering::Acquire)) as usize;
        let at = head as usize % RING;
        let room = (RING - used).min(RING - at);
        if room != 0 && !INPUT.ended.load(Ordering::Relaxed) {
            // A stream that somebody else made non-blocking must not make this loop spin.
            sys::poll(0, POLLIN, None);
            // SAFETY: from head on the ring is this thread's, for `room` bytes.
            let n = unsafe { sys::read(0, ring.add(at), room) };
            if n > 0 {
                INPUT.head.store(head.wrapping_add(n as u32), Ordering::Release);
            } else if n == EAGAIN as isize || n == sys::EINTR {
                INPUT.wanted.store(1, Ordering::SeqCst);
                continue;
            } else {
                INPUT.ended.store(true, Ordering::Release);
            }
        }
        raise();
    }
}

/// Bytes that were written, or a negative errno; -EAGAIN if the stream takes none now.
pub fn write(stream: u32, buffer: *const u8, size: usize) -> i32 {
    let fd = stream as i32;
    let mut done = 0;
    while done < size {
        if sys::poll(fd, POLLOUT, Some(Timespec::default())) == 0 {
            if done == 0 {
                BLOCKED.fetch_or(1 << stream, Ordering::SeqCst);
                sys::futex_wake(&BLOCKED, 1);
                return EAGAIN;
            }
            break;
        }
        let n = (size - done).min(CHUNK);
        // SAFETY: the kernel passes a buffer of that size in its memory.
        let r = unsafe { sys::write(fd, buffer.add(done), n) };
        if r < 0 {
            return if done == 0 { r as i32 } else { done as i32 };
        }
        done += r as usize;
    }
    done as i32
}

extern "C" fn writer(_: usize) -> ! {
    sys::name_thread(c"linnet-stdout");
    loop {
        let blocked = BLOCKED.swap(0, Ordering::SeqCst);
        if blocked == 0 {
            sys::futex_wait(&BLOCKED, 0, None);
            continue;
        }
        for stream in [1, 2] {
            if blocked & (1 << stream) != 0 {
                sys::poll(stream, POLLOUT, None);
            }
        }
        raise();
    }
}
