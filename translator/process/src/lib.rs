//! Starts programs as the caller of this one would have started them.
//!
//! Before `main`, Rust ignores SIGPIPE and opens /dev/null in place of standard streams that are closed. Later, it
//! starts programs with SIGPIPE as it is by default, and with these streams. A caller that ignores SIGPIPE, or has
//! closed a stream, means the program that it asks for.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

const STANDARD_STREAMS: libc::c_int = 3;

static IGNORES_SIGPIPE: AtomicBool = AtomicBool::new(false);
/// A bit for each standard stream.
static CLOSED: AtomicU8 = AtomicU8::new(0);

// The C library calls what is in this section before it calls `main`, where Rust begins.
// SAFETY: an address of a function of the type that the section is for; it returns, and does not panic.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: for the C library, zeros are a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: changes nothing, and writes only to `action`.
    let found = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) };
    IGNORES_SIGPIPE.store(found == 0 && action.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
    // SAFETY: only asks.
    let is_closed = |stream: &libc::c_int| unsafe { libc::fcntl(*stream, libc::F_GETFD) } < 0;
    let closed = (0..STANDARD_STREAMS).filter(is_closed).fold(0, |set, stream| set | 1 << stream);
    CLOSED.store(closed, Ordering::Relaxed);
}

/// A program that gets SIGPIPE as this one got it.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    // What all other code is to call this function for.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new(program);
    if IGNORES_SIGPIPE.load(Ordering::Relaxed) {
        let ignore = || {
            // SAFETY: no handler is set. The call is async-signal-safe.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
            Ok(())
        };
        // SAFETY: between fork and exec, `ignore` does nothing but the call above.
        unsafe { command.pre_exec(ignore) };
    }
    command
}

/// Becomes a program of [`command`], with the standard streams that this one got. Returns only if that fails.
pub fn become_program(command: &mut Command) -> io::Error {
    let closed = CLOSED.load(Ordering::Relaxed);
    let close = move || {
        for stream in (0..STANDARD_STREAMS).filter(|stream| closed & 1 << stream != 0) {
            // SAFETY: in place of this stream Rust has opened a file that nothing else owns.
            unsafe { libc::close(stream) };
        }
        Ok(())
    };
    // SAFETY: `close` only makes calls that are async-signal-safe.
    unsafe { command.pre_exec(close) };
    command.exec()
}
