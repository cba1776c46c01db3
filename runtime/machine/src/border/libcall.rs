//! Libcalls besides those in `arch`: what translated code does not do in place.

use crate::host::sys;
use core::sync::atomic::{AtomicU32, Ordering};
use linnet_abi::WASM_PAGE;
use linnet_abi::context::Context;
use linnet_abi::memory::MEMORY_SIZE;

/// A linear memory is 4 GiB from the start: what of it exists is the kernel's business.
#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_memory_size(_: *mut Context) -> u32 {
    (MEMORY_SIZE / WASM_PAGE) as u32
}

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_memory_grow(_: *mut Context, pages: u32) -> u32 {
    if pages == 0 { (MEMORY_SIZE / WASM_PAGE) as u32 } else { u32::MAX }
}

// Programs wait with futex(2), where the guest kernel sees them. The wasm instructions would park
// a vCPU in the host; they return as after a spurious wake-up, which their users expect.

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_atomic_wait32(
    _: *mut Context,
    address: u64,
    expected: u32,
    _timeout: u64,
) -> u32 {
    // SAFETY: the address lies in a linear memory's slot; the translator checked its alignment.
    let word = unsafe { AtomicU32::from_ptr(address as *mut u32) };
    sys::sched_yield();
    u32::from(word.load(Ordering::SeqCst) != expected)
}

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_atomic_wait64(
    _: *mut Context,
    address: u64,
    expected: u64,
    _timeout: u64,
) -> u32 {
    use core::sync::atomic::AtomicU64;
    // SAFETY: as above.
    let word = unsafe { AtomicU64::from_ptr(address as *mut u64) };
    sys::sched_yield();
    u32::from(word.load(Ordering::SeqCst) != expected)
}

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_atomic_notify(_: *mut Context, _address: u64, _count: u32) -> u32 {
    0
}
