//! The few calls of the host's kernel.

use crate::arch::{nr, syscall};
use crate::fail;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::{ptr, slice};
use linnet_abi::context::{Context, REGION_SIZE};

/// Ends the process.
pub fn exit(status: usize) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall(nr::EXIT_GROUP, [status, 0, 0, 0, 0, 0]) };
    }
}

/// Writes all of it.
pub fn write(file: usize, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let a = [file, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: reads the bytes only.
        let n = unsafe { syscall(nr::WRITE, a) };
        match usize::try_from(n) {
            Ok(n) if n > 0 => bytes = bytes.get(n..).unwrap_or_default(),
            _ => exit(3),
        }
    }
}

/// Zeroed memory for good.
pub fn memory(size: usize) -> &'static mut [u8] {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS: usize = 0x22;
    // SAFETY: a new mapping wherever there is room.
    let at = unsafe { syscall(nr::MMAP, [0, size, READ_WRITE, PRIVATE_ANONYMOUS, usize::MAX, 0]) };
    if at < 0 {
        fail(format_args!("no memory"));
    }
    // SAFETY: mapped just now, for nobody else.
    unsafe { slice::from_raw_parts_mut(at as *mut u8, size) }
}

/// A stack as the code of programs expects it, by its end: in a region that begins with a context.
pub extern "C" fn stack() -> usize {
    const SIZE: usize = REGION_SIZE as usize;
    let bytes = memory(2 * SIZE);
    let region = bytes.as_ptr().addr().next_multiple_of(SIZE);
    REGION.store(region, Ordering::Relaxed);
    region + SIZE
}

/// Where that context lies.
pub fn context() -> *mut Context {
    ptr::with_exposed_provenance_mut(REGION.load(Ordering::Relaxed))
}

static REGION: AtomicUsize = AtomicUsize::new(0);

/// Zeroed memory for good, in words.
pub fn words(count: usize) -> &'static mut [u64] {
    let bytes = memory(8 * count);
    // SAFETY: mappings are aligned to pages.
    unsafe { slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), count) }
}

fn open(path: &str, flags: usize) -> usize {
    const AT_FDCWD: usize = -100_isize as usize;
    // The arguments end with a zero byte, as those of every process do.
    let a = [AT_FDCWD, path.as_ptr() as usize, flags, 0o644, 0, 0];
    // SAFETY: reads the path only.
    let file = unsafe { syscall(nr::OPENAT, a) };
    usize::try_from(file).unwrap_or_else(|_| fail(format_args!("{path}: error {file}")))
}

/// A file to write.
pub fn create(path: &str) -> usize {
    const WRITE_CREATE_TRUNCATE: usize = 0o1 | 0o100 | 0o1000;
    open(path, WRITE_CREATE_TRUNCATE)
}

pub fn close(file: usize) {
    // SAFETY: nobody uses it any more.
    unsafe { syscall(nr::CLOSE, [file, 0, 0, 0, 0, 0]) };
}

/// What a file holds.
pub fn read(path: &str) -> &'static [u8] {
    const MOST: usize = 64 << 20;
    let (file, bytes) = (open(path, 0), memory(MOST));
    let mut len = 0;
    loop {
        let a = [file, bytes.as_mut_ptr() as usize + len, MOST - len, 0, 0, 0];
        // SAFETY: writes into the rest of the mapping only.
        match usize::try_from(unsafe { syscall(nr::READ, a) }) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(_) => fail(format_args!("{path} cannot be read")),
        }
    }
    close(file);
    bytes.get(..len).unwrap_or_default()
}

/// A clock that never goes back, in ns.
pub fn now() -> u64 {
    const MONOTONIC: usize = 1;
    let mut time = [0_u64; 2];
    // SAFETY: writes the two words.
    unsafe { syscall(nr::CLOCK_GETTIME, [MONOTONIC, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    time[0] * 1_000_000_000 + time[1]
}
