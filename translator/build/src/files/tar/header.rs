//! The block of 512 bytes before each entry: that of Unix V7, of POSIX (ustar) and of GNU.

use super::BLOCK;

/// What the fields mean behind those that all forms share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    V7,
    Posix,
    Gnu,
}

#[derive(Debug, Clone)]
pub(super) struct Header(pub(super) [u8; BLOCK]);

/// Where fields are.
const SUM: std::ops::Range<usize> = 148..156;
const MAGIC: std::ops::Range<usize> = 257..265;

impl Header {
    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Whether the header's own sum is right. Some old writers added up signed bytes.
    pub(super) fn is_whole(&self) -> bool {
        let wanted = number(&self.0[SUM]);
        let byte = |(at, byte): (usize, &u8)| if SUM.contains(&at) { b' ' } else { *byte };
        let bytes = || self.0.iter().enumerate().map(byte);
        let unsigned: i128 = bytes().map(i128::from).sum();
        let signed: i128 = bytes().map(|byte| i128::from(byte.cast_signed())).sum();
        wanted == Some(unsigned) || wanted == Some(signed)
    }

    pub(super) fn form(&self) -> Form {
        match &self.0[MAGIC] {
            b"ustar  \0" => Form::Gnu,
            [b'u', b's', b't', b'a', b'r', 0, ..] => Form::Posix,
            _ => Form::V7,
        }
    }

    pub(super) fn kind(&self) -> u8 {
        self.0[156]
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        // What star writes has times at the end of the prefix.
        let prefix = match (self.form(), &self.0[508..512]) {
            (Form::Posix, b"tar\0") => text(&self.0[345..476]),
            (Form::Posix, _) => text(&self.0[345..500]),
            _ => b"",
        };
        match prefix {
            b"" => name.to_vec(),
            _ => [prefix, b"/", name].concat(),
        }
    }

    pub(super) fn link(&self) -> &[u8] {
        text(&self.0[157..257])
    }

    pub(super) fn mode(&self) -> Option<i128> {
        number(&self.0[100..108])
    }

    pub(super) fn uid(&self) -> Option<i128> {
        number(&self.0[108..116])
    }

    pub(super) fn gid(&self) -> Option<i128> {
        number(&self.0[116..124])
    }

    pub(super) fn size(&self) -> Option<i128> {
        number(&self.0[124..136])
    }

    pub(super) fn time(&self) -> Option<i128> {
        number(&self.0[136..148])
    }

    pub(super) fn device(&self) -> Option<(i128, i128)> {
        Some((number(&self.0[329..337])?, number(&self.0[337..345])?))
    }

    /// Of a sparse file of GNU: up to four pieces, whether more blocks of them follow, and the size.
    pub(super) fn sparse(&self) -> (&[u8], bool, Option<i128>) {
        (&self.0[386..482], self.0[482] != 0, number(&self.0[483..495]))
    }
}

/// Up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits between spaces and NULs, or a number of base 256 if the first bit is set, as GNU writes what
/// is too large or negative. A blank field is 0.
pub(super) fn number(field: &[u8]) -> Option<i128> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Seven bits of two's complement, and all of the others.
        let first = i128::from((first << 1).cast_signed() >> 1);
        return Some(rest.iter().fold(first, |value, byte| value << 8 | i128::from(*byte)));
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(is_blank).unwrap_or(digits.len());
    let (digits, behind) = digits.split_at(end);
    if !behind.iter().all(is_blank) {
        return None;
    }
    digits.iter().try_fold(0, |value, byte| match byte {
        b'0'..=b'7' => Some(value << 3 | i128::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (field, value) in [
            (b"0000644\0".as_slice(), Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"77777777", Some(0o77_777_777)),
            (b"        ", Some(0)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"644x\0\0\0\0", None),
            (b"644 7\0\0\0", None),
            (b"-1\0\0\0\0\0\0", None),
            (b"\x80\0\0\0\0\x2d\xc6\xc0", Some(3_000_000)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\0\x02\0\0\0\0\0\0\0", Some(2 << 56)),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
