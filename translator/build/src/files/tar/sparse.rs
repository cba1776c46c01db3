//! Files with holes in the four forms of GNU ("Storing Sparse Files" in its manual): a map tells where
//! the pieces belong that the archive has; all else is zeros.

use super::BLOCK;
use super::header::number;
use super::pax::{Records, decimal};
use crate::error::{Error, Result};

/// Where the pieces of a file belong.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// Offset and length.
    pub(super) pieces: Vec<(u64, u64)>,
    /// Of the whole file.
    pub(super) size: u64,
}

/// Bytes of an offset or a length in GNU's header.
const FIELD: usize = 12;

fn wrong() -> Error {
    Error::new("a map of holes that makes no sense")
}

impl Map {
    /// Adds the pieces of a header, up to the first that is blank.
    pub(super) fn read_fields(&mut self, fields: &[u8]) -> Result<()> {
        for piece in fields.chunks_exact(2 * FIELD) {
            let (offset, length) = piece.split_at(FIELD);
            if length[0] == 0 {
                break;
            }
            let field = |field| number(field).and_then(|value| u64::try_from(value).ok());
            self.pieces.push((field(offset).ok_or_else(wrong)?, field(length).ok_or_else(wrong)?));
        }
        Ok(())
    }

    /// That of an extended header, if it has one: versions 0.0 and 0.1.
    pub(super) fn of_records(records: &Records) -> Result<Option<Self>> {
        let none = Records::default();
        let flat = match records.get(&none, "GNU.sparse.map") {
            Some(list) => {
                let numbers = list.split(|byte| *byte == b',').map(decimal);
                numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?
            }
            None => records.pieces.clone(),
        };
        let size = records.number(&none, "GNU.sparse.size")?;
        let size = match size {
            None if flat.is_empty() => return Ok(None),
            None => records.number(&none, "GNU.sparse.realsize")?,
            size => size,
        };
        let size = size.and_then(|size| u64::try_from(size).ok()).ok_or_else(wrong)?;
        Ok(Some(Self { pieces: pairs(&flat)?, size }))
    }

    /// Version 1.0: numbers in lines before the contents, how many pieces there are and then each. Also
    /// gives how many bytes of the contents that takes.
    pub(super) fn of_contents(contents: &[u8], size: u64) -> Result<(Self, usize)> {
        let mut at = 0;
        let mut next = || {
            let rest = contents.get(at..).unwrap_or_default();
            let line =
                rest.iter().take(FIELD * 2).position(|byte| *byte == b'\n').ok_or_else(wrong)?;
            at += line + 1;
            decimal(&rest[..line]).ok_or_else(wrong)
        };
        let count = next()?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            pieces.push((next()?, next()?));
        }
        Ok((Self { pieces, size }, at.next_multiple_of(BLOCK)))
    }

    /// Puts the pieces where they belong.
    pub(super) fn expand(&self, contents: &[u8]) -> Result<Vec<u8>> {
        let size = usize::try_from(self.size).map_err(|_| wrong())?;
        // First all is checked, as the size may be a lie.
        let (mut end, mut total) = (0_u64, 0_u64);
        for (offset, length) in &self.pieces {
            if *offset < end {
                return Err(wrong());
            }
            end = offset.checked_add(*length).ok_or_else(wrong)?;
            total += length;
        }
        if end > self.size || total != contents.len() as u64 {
            return Err(wrong());
        }
        let mut whole = vec![0; size];
        let mut rest = contents;
        for (offset, length) in &self.pieces {
            // Both lie within the sizes that were checked.
            let (piece, behind) = rest.split_at(*length as usize);
            whole[*offset as usize..][..piece.len()].copy_from_slice(piece);
            rest = behind;
        }
        Ok(whole)
    }
}

fn pairs(flat: &[u64]) -> Result<Vec<(u64, u64)>> {
    match flat.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[offset, length]| (*offset, *length)).collect()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_where_they_belong() {
        let map = Map { pieces: vec![(1, 2), (5, 1), (8, 0)], size: 8 };
        assert_eq!(map.expand(b"abc").expect("a file"), b"\0ab\0\0c\0\0");
    }

    #[test]
    fn maps_that_make_no_sense_are_refused() {
        for (pieces, size) in [
            (vec![(0, 4)], 8),
            (vec![(0, 2)], 8),
            (vec![(2, 2), (1, 1)], 8),
            (vec![(0, 2), (1, 1)], 8),
            (vec![(6, 3)], 8),
            (vec![(u64::MAX, 3)], u64::MAX),
            (vec![(1, u64::MAX), (1, 4)], 8),
        ] {
            Map { pieces, size }.expand(b"abc").expect_err("no map");
        }
        Map::of_contents(b"2\n0\n1\n", 3).expect_err("cut");
        Map::of_contents(b"99999999999999999999\n", 3).expect_err("too many");
    }
}
