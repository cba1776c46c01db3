//! Text to the host's standard error, without allocation, for messages of the runtime itself.

use super::sys;
use core::fmt::{self, Write};

/// Collects a message and writes it in one call, so that lines of two threads do not mix.
pub struct Message {
    buffer: [u8; 1024],
    len: usize,
}

impl Message {
    pub const fn new() -> Self {
        Message { buffer: [0; 1024], len: 0 }
    }

    /// Write what was collected.
    pub fn send(&self) {
        // SAFETY: the first `len` bytes of the buffer are valid.
        unsafe { sys::write(2, self.buffer.as_ptr(), self.len) };
    }
}

impl Write for Message {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.buffer.len() - self.len;
        let n = s.len().min(room);
        self.buffer[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

/// Print a line on standard error.
macro_rules! eprintln {
    ($($arg:tt)*) => {{
        use core::fmt::Write as _;
        let mut message = $crate::host::print::Message::new();
        let _ = writeln!(message, $($arg)*);
        message.send();
    }};
}

pub(crate) use eprintln;
