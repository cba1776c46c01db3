//! Runs one translated module without a kernel, to test that its frames can be captured and rebuilt.
//!
//! ```text
//! host run                            run the module's `_start` to its end
//! host resume FILE                    go on with a snapshot
//! host damage FILE COUNT              look at so many damaged copies of a snapshot's record
//! host ... at EVENT FILE              write a snapshot at that event, and go on
//! host ... time EVENT                 tell how long a capture takes there, and go on
//! host ... quiet                      loop heads do not ask
//! ```
//!
//! An event is a call of the host or a loop head that asks. Standard output gets what the module noted,
//! the state at its end and the number of events: the same whether it was interrupted or not. The module
//! knows the host as the import `linux.syscall`, see [`guest`].
//!
//! A snapshot is: the length of the record in bytes, the state of the host, the globals, the record, the
//! memory.

#![no_std]

mod arch;
mod guest;
mod snapshot;
mod sys;
mod throw;

use core::fmt::Write;

/// Standard output, or standard error.
struct Out(usize);

impl Write for Out {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        sys::write(self.0, s.as_bytes());
        Ok(())
    }
}

/// Ends with a message.
fn fail(what: core::fmt::Arguments<'_>) -> ! {
    let _ = writeln!(Out(2), "error: {what}");
    sys::exit(1)
}

#[panic_handler]
#[cfg(not(test))]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"))
}

/// Entered from `_start` with the stack pointer that the process began with.
///
/// # Safety
/// `stack` must be that.
unsafe extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: the host laid out argc and argv there.
    let arguments = unsafe {
        let count = *stack;
        (1..count).map(move |i| {
            core::ffi::CStr::from_ptr((*stack.add(1 + i) as *const u8).cast())
                .to_str()
                .unwrap_or_default()
        })
    };
    guest::run(arguments)
}

/// Rust's library for x86-64 Linux names it in its unwind tables, which nobody reads here.
#[cfg(all(target_arch = "x86_64", not(test)))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
