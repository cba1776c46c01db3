//! The parts of a request, as one stretch of bytes. The guest may be writing them.

use crate::memory::IoVec;
use core::ptr;

/// How many bytes they have.
pub fn len(parts: &[IoVec]) -> usize {
    parts.iter().map(|part| part.len).sum()
}

/// Leave away the first `n` bytes.
pub fn skip(parts: &mut &mut [IoVec], mut n: usize) {
    while let Some(first) = parts.first_mut() {
        if n < first.len {
            first.start = first.start.wrapping_add(n);
            first.len -= n;
            return;
        }
        n -= first.len;
        *parts = &mut core::mem::take(parts)[1..];
    }
}

/// Leave away what comes behind the first `n` bytes; how many there are.
pub fn cut(parts: &mut &mut [IoVec], n: usize) -> usize {
    let (mut left, mut count) = (n, 0);
    for part in parts.iter_mut() {
        if left == 0 {
            break;
        }
        part.len = part.len.min(left);
        left -= part.len;
        count += 1;
    }
    *parts = &mut core::mem::take(parts)[..count];
    n - left
}

/// Copy what they begin with, and leave it away; how many bytes there were.
pub fn take(parts: &mut &mut [IoVec], to: &mut [u8]) -> usize {
    let mut at = 0;
    while let Some(first) = parts.first().filter(|_| at < to.len()) {
        let n = first.len.min(to.len() - at);
        // SAFETY: the parts lie in guest memory.
        unsafe { ptr::copy_nonoverlapping(first.start, to[at..].as_mut_ptr(), n) };
        at += n;
        skip(parts, n);
    }
    at
}

/// Copy bytes to them; how many there was room for.
pub fn put(parts: &[IoVec], bytes: &[u8]) -> usize {
    let mut at = 0;
    for part in parts {
        let n = part.len.min(bytes.len() - at);
        // SAFETY: the parts lie in guest memory.
        unsafe { ptr::copy_nonoverlapping(bytes[at..].as_ptr(), part.start, n) };
        at += n;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_stretch_of_bytes() {
        let mut bytes = *b"0123456789abcdef";
        let at = bytes.as_mut_ptr();
        let part = |from: usize, len| IoVec { start: at.wrapping_add(from), len };
        let mut parts = [part(0, 3), part(3, 0), part(3, 7), part(10, 6)];
        let mut rest = &mut parts[..];
        assert_eq!(len(rest), 16);
        let mut first = [0; 5];
        assert_eq!((take(&mut rest, &mut first), first), (5, *b"01234"));
        skip(&mut rest, 5);
        assert_eq!((rest.len(), rest[0].start), (1, at.wrapping_add(10)));
        assert_eq!(cut(&mut rest, 100), 6);
        assert_eq!(cut(&mut rest, 4), 4);
        assert_eq!(put(rest, b"ABCDEF"), 4);
        assert_eq!(cut(&mut rest, 0), 0);
        assert!(rest.is_empty());
        assert_eq!(&bytes, b"0123456789ABCDef");
    }
}
