//! The host's clocks, read through its vDSO so that a reading takes nanoseconds.

use crate::host::sys::{self, CLOCK_MONOTONIC, CLOCK_REALTIME, Timespec};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use linnet_host::nr;

static GETTIME: AtomicUsize = AtomicUsize::new(0);
static START: AtomicU64 = AtomicU64::new(0);

/// Remember the start of the machine, and the vDSO at `vdso` (0: there is none).
pub fn init(vdso: usize) {
    if vdso != 0 {
        // SAFETY: the host kernel maps a complete ELF image there.
        GETTIME.store(unsafe { find_symbol(vdso, b"__vdso_clock_gettime") }, Ordering::Relaxed);
    }
    START.store(read(CLOCK_MONOTONIC), Ordering::Relaxed);
}

fn read(clock: usize) -> u64 {
    let mut time = Timespec::default();
    let function = GETTIME.load(Ordering::Relaxed);
    if function == 0 {
        // SAFETY: the time lives through the call.
        unsafe { sys::syscall(nr::CLOCK_GETTIME, [clock, &raw mut time as usize, 0, 0, 0, 0]) };
    } else {
        // SAFETY: the vDSO's function of that name has this type.
        unsafe {
            let function: extern "C" fn(i32, *mut Timespec) -> i32 = core::mem::transmute(function);
            function(clock as i32, &raw mut time);
        }
    }
    time.ns()
}

/// The host's monotonic clock in nanoseconds.
pub fn host_now() -> u64 {
    read(CLOCK_MONOTONIC)
}

/// The machine goes on at that time of its monotonic clock. Before anybody reads it.
pub fn set_monotonic(now: u64) {
    START.store(host_now().wrapping_sub(now), Ordering::Relaxed);
}

/// Nanoseconds since the machine started, on whatever host.
pub fn monotonic() -> u64 {
    host_now().wrapping_sub(START.load(Ordering::Relaxed))
}

/// A time of the guest's monotonic clock on the host's. A machine may be older than its host.
pub fn to_host(guest: u64) -> u64 {
    guest.saturating_add_signed(START.load(Ordering::Relaxed) as i64)
}

/// Nanoseconds since 1970.
pub fn realtime() -> u64 {
    read(CLOCK_REALTIME)
}

/// Address of a dynamic symbol of the ELF image at `image`, or 0.
///
/// # Safety
/// A complete ELF64 image must be mapped there.
unsafe fn find_symbol(image: usize, name: &[u8]) -> usize {
    const PT_LOAD: u32 = 1;
    const PT_DYNAMIC: u32 = 2;
    const DT_HASH: u64 = 4;
    const DT_STRTAB: u64 = 5;
    const DT_SYMTAB: u64 = 6;
    // SAFETY: offsets as in the ELF64 specification, inside an image that the caller vouches for.
    unsafe {
        let half = |at: usize| *((image + at) as *const u16) as usize;
        let word = |at: usize| *(at as *const u32);
        let quad = |at: usize| *(at as *const u64);
        let (headers, entry, count) = (quad(image + 32) as usize, half(54), half(56));
        let (mut load, mut dynamic) = (0, 0);
        for i in 0..count {
            let header = image + headers + i * entry;
            let (offset, address) = (quad(header + 8) as usize, quad(header + 16) as usize);
            match word(header) {
                PT_LOAD if load == 0 => load = image + offset - address,
                PT_DYNAMIC => dynamic = image + offset,
                _ => {}
            }
        }
        if dynamic == 0 {
            return 0;
        }
        let (mut hash, mut strings, mut symbols) = (0, 0, 0);
        while quad(dynamic) != 0 {
            let value = load + quad(dynamic + 8) as usize;
            match quad(dynamic) {
                DT_HASH => hash = value,
                DT_STRTAB => strings = value,
                DT_SYMTAB => symbols = value,
                _ => {}
            }
            dynamic += 16;
        }
        if hash == 0 || strings == 0 || symbols == 0 {
            return 0;
        }
        for i in 0..word(hash + 4) as usize {
            let symbol = symbols + i * 24;
            let text = (strings + word(symbol) as usize) as *const u8;
            let same = name.iter().enumerate().all(|(i, c)| *text.add(i) == *c);
            if same && *text.add(name.len()) == 0 {
                return load + quad(symbol + 8) as usize;
            }
        }
        0
    }
}
