//! How a device process begins.

use crate::sys::{self, Errno, Fd};
use alloc::format;
use alloc::string::String;
use core::ffi::CStr;

const READY: u8 = 1;

/// Begin a process of that name, a copy of the calling one, which has one thread: the end of the stream on which it
/// speaks vhost-user. It calls `run` with the other end, and ends when that returns.
///
/// # Errors
/// What the host refuses.
pub fn begin(name: &CStr, run: impl FnOnce(&Fd)) -> sys::Result<Fd> {
    let [ours, theirs] = sys::pair()?;
    if sys::fork()? {
        drop(ours);
        sys::name(name);
        sys::ignore_signals();
        sys::close_others(&theirs);
        run(&theirs);
        sys::exit(0)
    }
    Ok(ours)
}

/// In the process: it can do what it is to do.
pub fn tell_ready(socket: &Fd) {
    let _ = sys::write(socket, &[READY]);
}

/// In the process: it cannot, and ends.
pub fn fail(text: &str) -> ! {
    sys::complain(&format!("error: {text}\n"));
    sys::exit(1)
}

/// Wait until the process at the other end can do what it is to do; false if it has ended, having said why.
#[must_use]
pub fn is_ready(socket: &Fd) -> bool {
    let mut byte = [0];
    loop {
        match sys::read(socket, &mut byte) {
            Err(Errno::INTR) => {}
            other => return other == Ok(1) && byte[0] == READY,
        }
    }
}

/// What an error is called.
#[must_use]
pub fn reason(errno: Errno) -> String {
    match errno {
        Errno(1) => "Operation not permitted".into(),
        Errno::NOENT => "No such file or directory".into(),
        Errno(13) => "Permission denied".into(),
        Errno(16) => "another program uses it".into(),
        Errno(20) => "Not a directory".into(),
        Errno(36) => "the name is too long".into(),
        Errno::ADDRINUSE => "another program uses it".into(),
        Errno::ADDRNOTAVAIL => "this host has no such address".into(),
        Errno(number) => format!("the host refuses it (errno {number})"),
    }
}
