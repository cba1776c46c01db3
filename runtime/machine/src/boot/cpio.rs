//! A second initramfs archive, made at boot: what only this run knows.
//!
//! The kernel unpacks archives that follow each other (Documentation/driver-api/early-userspace/
//! buffer-format.rst). Ours holds `/linnet/command` (the command's words, each ended by a NUL),
//! `/linnet/environment` (`NAME=value`, each ended by a NUL), and `/linnet/shares` (where each shared folder is to be,
//! and `rw` or `ro`, each ended by a NUL).

use core::fmt::{self, Write};

/// Writes newc entries into a buffer; counts on even when the buffer is full.
pub struct Archive<'a> {
    buffer: &'a mut [u8],
    pub len: usize,
    inode: u32,
}

impl<'a> Archive<'a> {
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Archive { buffer, len: 0, inode: 1_000_000 }
    }

    /// Append a file of `size` bytes or, without, a directory; the caller appends the bytes.
    pub fn entry(&mut self, name: &str, mode: u32, size: usize) {
        self.inode += 1;
        let (inode, name_size) = (self.inode, name.len() + 1);
        // Fields: ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
        // namesize check.
        let _ = write!(self, "070701{inode:08x}{mode:08x}{:016x}{:08x}{:08x}{size:08x}", 0, 1, 0);
        let _ = write!(self, "{:032x}{name_size:08x}{:08x}{name}\0", 0, 0);
        self.align();
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        if let Some(to) = self.buffer.get_mut(self.len..self.len + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }

    /// Headers and contents start at multiples of 4.
    pub fn align(&mut self) {
        while !self.len.is_multiple_of(4) {
            self.bytes(&[0]);
        }
    }

    pub fn end(&mut self) {
        self.entry("TRAILER!!!", 0, 0);
    }

    pub fn fits(&self) -> bool {
        self.len <= self.buffer.len()
    }
}

impl Write for Archive<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.bytes(s.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_of_newc() {
        let mut buffer = [0xff; 1024];
        let mut archive = Archive::new(&mut buffer);
        archive.entry("linnet", 0o040_755, 0);
        archive.entry("linnet/command", 0o100_644, 5);
        archive.bytes(b"echo\0");
        archive.align();
        archive.end();
        assert!(archive.fits());
        let len = archive.len;
        let text = |from: usize, len| std::str::from_utf8(&buffer[from..from + len]).unwrap();
        assert_eq!(text(0, 6), "070701");
        assert_eq!([text(14, 8), text(54, 8), text(94, 8)], ["000041ed", "00000000", "00000007"]);
        assert_eq!(text(110, 7), "linnet\0");
        // Header and name end at a multiple of 4, and so do contents.
        let second = (110_usize + 7).next_multiple_of(4);
        assert_eq!([text(second, 6), text(second + 54, 8)], ["070701", "00000005"]);
        let contents = (second + 110 + 15).next_multiple_of(4);
        assert_eq!(&buffer[contents..contents + 8], b"echo\0\0\0\0");
        let last = contents + 8;
        assert_eq!(text(last + 110, 11), "TRAILER!!!\0");
        assert_eq!(len, (last + 110 + 11).next_multiple_of(4));
        assert!(buffer[len..].iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn a_full_buffer_is_counted_on_and_not_overrun() {
        let mut long = [0; 1024];
        let mut archive = Archive::new(&mut long);
        archive.entry("name", 0o100_644, 1);
        let len = archive.len;
        let mut short = [0; 100];
        let mut archive = Archive::new(&mut short);
        archive.entry("name", 0o100_644, 1);
        assert_eq!((archive.len, archive.fits()), (len, false));
    }
}
