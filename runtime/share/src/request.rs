//! A request as it lies in guest memory, and room for its answer.

use crate::fuse::{ANSWER_HEADER_SIZE, HEADER_SIZE, operation};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ptr;
use linnet_device::sys::{Errno, Result};
use linnet_virtio::memory::IoVec;
use linnet_virtio::parts;

/// Most bytes of a request that are copied: an extended attribute and its name fit.
const BODY_MAX: usize = 128 << 10;
/// `struct fuse_write_in`; what comes behind it stays in guest memory.
const WRITE_SIZE: usize = 40;
/// Longest name, and longest text of a symbolic link.
const NAME_MAX: usize = 255;
pub const TARGET_MAX: usize = 4095;

pub const INVALID: Errno = Errno(22);
const TOO_LONG: Errno = Errno(36);
const TOO_BIG: Errno = Errno(7);

/// The name of a file in its directory: one component, which is neither `.` nor `..`.
#[derive(Debug, PartialEq, Eq)]
pub struct Name(CString);

impl Name {
    pub fn new(bytes: &[u8]) -> Result<Name> {
        match bytes {
            b"" | b"." | b".." => Err(INVALID),
            _ if bytes.len() > NAME_MAX => Err(TOO_LONG),
            _ if bytes.contains(&b'/') => Err(INVALID),
            _ => CString::new(bytes).map(Name).map_err(|_| INVALID),
        }
    }

    pub fn as_ptr(&self) -> usize {
        self.0.as_ptr() as usize
    }
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    pub operation: u32,
    pub unique: u64,
    pub node: u64,
    pub user: u32,
    pub group: u32,
}

/// What comes behind the head, from the front to the end.
#[derive(Debug)]
pub struct Arguments<'a>(&'a [u8]);

impl<'a> Arguments<'a> {
    #[cfg(test)]
    pub fn new(bytes: &'a [u8]) -> Self {
        Arguments(bytes)
    }

    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(len).ok_or(INVALID)?;
        self.0 = rest;
        Ok(first)
    }

    pub fn skip(&mut self, len: usize) -> Result<()> {
        self.bytes(len).map(drop)
    }

    pub fn u32(&mut self) -> Result<u32> {
        let bytes = self.bytes(4)?.try_into().map_err(|_| INVALID)?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub fn u64(&mut self) -> Result<u64> {
        let bytes = self.bytes(8)?.try_into().map_err(|_| INVALID)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Text that ends with a NUL.
    fn text(&mut self) -> Result<&'a [u8]> {
        let len = self.0.iter().position(|byte| *byte == 0).ok_or(INVALID)?;
        let text = self.bytes(len)?;
        self.skip(1)?;
        Ok(text)
    }

    pub fn name(&mut self) -> Result<Name> {
        Name::new(self.text()?)
    }

    /// The text of a symbolic link, or the name of an attribute.
    pub fn string(&mut self, most: usize) -> Result<CString> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(Errno::NOENT);
        }
        if text.len() > most {
            return Err(TOO_LONG);
        }
        CString::new(text).map_err(|_| INVALID)
    }
}

/// A request that was copied out of guest memory, all but the contents of a file that it may have.
#[derive(Debug, Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// Copy a request: its head; `None` if it has none, so that nobody waits for an answer. The parts are left with what
    /// was not copied.
    pub fn fill(
        &mut self,
        parts: &mut &mut [IoVec],
    ) -> Option<core::result::Result<Header, (Header, Errno)>> {
        let total = parts::len(parts);
        if total < HEADER_SIZE {
            return None;
        }
        self.copy(parts, HEADER_SIZE);
        let mut head = Arguments(&self.0);
        let (_, operation) = (head.u32().ok()?, head.u32().ok()?);
        let (unique, node) = (head.u64().ok()?, head.u64().ok()?);
        let (user, group) = (head.u32().ok()?, head.u32().ok()?);
        let header = Header { operation, unique, node, user, group };
        let rest = total - HEADER_SIZE;
        let copied = if operation == operation::WRITE { rest.min(WRITE_SIZE) } else { rest };
        if copied > BODY_MAX {
            return Some(Err((header, TOO_BIG)));
        }
        self.copy(parts, copied);
        Some(Ok(header))
    }

    pub fn arguments(&self) -> Arguments<'_> {
        Arguments(&self.0)
    }

    /// Copy the first `len` bytes.
    fn copy(&mut self, parts: &mut &mut [IoVec], len: usize) {
        self.0.resize(len, 0);
        let n = parts::take(parts, &mut self.0);
        self.0.truncate(n);
    }
}

/// Room in guest memory for an answer, and its bytes that are not there yet.
#[derive(Debug)]
pub struct Answer<'p> {
    /// Room behind the head.
    pub parts: &'p mut [IoVec],
    head: [IoVec; HEAD_PARTS],
    pub bytes: Vec<u8>,
    /// Bytes behind the head that were written already.
    pub written: usize,
    pub room: usize,
}

/// Most parts that the head of an answer lies in.
const HEAD_PARTS: usize = 2;

impl<'p> Answer<'p> {
    /// `None` if there is no room.
    pub fn new(mut parts: &'p mut [IoVec], mut bytes: Vec<u8>) -> Option<Answer<'p>> {
        bytes.clear();
        let total = parts::len(parts);
        let room = total.checked_sub(ANSWER_HEADER_SIZE)?;
        let nothing = IoVec { start: ptr::null_mut(), len: 0 };
        let mut head = [nothing; HEAD_PARTS];
        let mut left = ANSWER_HEADER_SIZE;
        for (to, part) in head.iter_mut().zip(parts.iter()) {
            *to = IoVec { start: part.start, len: part.len.min(left) };
            left -= to.len;
        }
        if left != 0 {
            return None;
        }
        parts::skip(&mut parts, ANSWER_HEADER_SIZE);
        Some(Answer { parts, head, bytes, written: 0, room })
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Write it: how many bytes it has. The buffer can be used again.
    pub fn finish(mut self, unique: u64, result: Result<()>) -> (u32, Vec<u8>) {
        let mut error = result.err().map_or(0, |errno| -errno.0);
        if error == 0 && self.bytes.len() > self.room {
            error = -TOO_BIG.0;
        }
        if error != 0 {
            self.bytes.clear();
            self.written = 0;
        }
        parts::put(self.parts, &self.bytes);
        let len = ANSWER_HEADER_SIZE + self.bytes.len() + self.written;
        let mut head = [0; ANSWER_HEADER_SIZE];
        head[..4].copy_from_slice(&(len as u32).to_le_bytes());
        head[4..8].copy_from_slice(&error.to_le_bytes());
        head[8..].copy_from_slice(&unique.to_le_bytes());
        parts::put(&self.head, &head);
        (len as u32, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component() {
        for name in ["", ".", "..", "a/b", "/", "/etc", "../x"] {
            assert_eq!(Name::new(name.as_bytes()), Err(INVALID), "{name}");
        }
        assert_eq!(Name::new(b"a\0b"), Err(INVALID));
        assert_eq!(Name::new(&[b'a'; 256]), Err(TOO_LONG));
        for name in [&b"a"[..], b"...", b".a", b"\xff", &[b'a'; 255]] {
            assert!(Name::new(name).is_ok());
        }
    }

    #[test]
    fn arguments_end_where_the_request_ends() {
        let mut arguments = Arguments::new(b"\x01\0\0\0name\0rest");
        assert_eq!(arguments.u32(), Ok(1));
        assert!(arguments.name().is_ok());
        assert_eq!(arguments.u64(), Err(INVALID));
        assert_eq!(arguments.name(), Err(INVALID));
        assert_eq!(arguments.bytes(4), Ok(&b"rest"[..]));
        assert_eq!(arguments.u32(), Err(INVALID));
    }

    fn part(bytes: &mut [u8]) -> IoVec {
        IoVec { start: bytes.as_mut_ptr(), len: bytes.len() }
    }

    #[test]
    fn a_request_may_lie_in_any_parts() {
        let mut bytes = [0; HEADER_SIZE + 6];
        bytes[4] = operation::LOOKUP as u8;
        bytes[16] = 7;
        bytes[HEADER_SIZE..].copy_from_slice(b"hello\0");
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at_mut(at);
            let mut parts = [part(first), part(second)];
            let mut body = Body::default();
            let header = body.fill(&mut &mut parts[..]).unwrap().unwrap();
            assert_eq!((header.operation, header.node), (operation::LOOKUP, 7));
            assert_eq!(body.arguments().bytes(6), Ok(&b"hello\0"[..]));
        }
        let mut parts = [part(&mut bytes[..HEADER_SIZE - 1])];
        assert!(Body::default().fill(&mut &mut parts[..]).is_none());
    }

    #[test]
    fn an_answer_may_lie_in_any_parts() {
        for at in 1..20 {
            let mut bytes = [0; 20];
            let (first, second) = bytes.split_at_mut(at);
            let mut parts = [part(first), part(second)];
            let mut answer = Answer::new(&mut parts, Vec::new()).unwrap();
            assert_eq!(answer.room, 4);
            answer.u32(9);
            assert_eq!(answer.finish(5, Ok(())).0, 20);
            assert_eq!((bytes[0], bytes[8], bytes[16]), (20, 5, 9));
        }
        let mut bytes = [0; 20];
        let mut parts = [part(&mut bytes)];
        let mut answer = Answer::new(&mut parts, Vec::new()).unwrap();
        answer.u64(9);
        assert_eq!(answer.finish(5, Ok(())).0, 16);
        assert_eq!(i32::from_le_bytes(bytes[4..8].try_into().unwrap()), -TOO_BIG.0);
        assert!(Answer::new(&mut [part(&mut bytes[..15])], Vec::new()).is_none());
    }
}
