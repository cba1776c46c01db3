//! The ends of the process that are not the guest's own: exit statuses, and what is said on the way.

/// The command line was wrong.
pub const USAGE: i32 = 2;
/// The host refused something that the machine needs.
pub const HOST: i32 = 70;
/// The runtime found a mistake of its own.
pub const BUG: i32 = 71;
/// The guest's kernel did what no kernel may do.
pub const KERNEL: i32 = 72;

/// A snapshot is damaged, or of another machine.
pub const SNAPSHOT: i32 = 73;

/// Restore the terminal, say what happened, and end the process: for what the runtime cannot go on from.
macro_rules! fatal {
    ($status:expr, $($arg:tt)*) => {{
        $crate::host::terminal::restore();
        $crate::host::print::eprintln!("error: {}", format_args!($($arg)*));
        $crate::host::sys::exit($status)
    }};
}

pub(crate) use fatal;

#[panic_handler]
#[cfg(panic = "abort")]
fn panic(info: &core::panic::PanicInfo) -> ! {
    fatal!(BUG, "fault in the runtime: {info}");
}

/// The compiled standard parts of Rust name it in their unwind tables; nothing ever unwinds.
#[unsafe(no_mangle)]
#[cfg(panic = "abort")]
extern "C" fn rust_eh_personality() {}

/// What unwinding goes on with, which the same parts call on x86-64.
#[unsafe(no_mangle)]
#[cfg(all(panic = "abort", target_arch = "x86_64"))]
extern "C" fn _Unwind_Resume() -> ! {
    fatal!(BUG, "fault in the runtime: nothing unwinds");
}
