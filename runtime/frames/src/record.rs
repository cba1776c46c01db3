//! Reading a record that may be anything.

use crate::Error;
use core::mem::offset_of;
use linnet_abi::frames::{FrameHeader, HOST_FRAME, MAGIC, RecordHeader, VERSION};

/// A record whose frames lie within it. Nothing is known about what is in them.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    bytes: &'r [u8],
    count: u32,
}

/// A frame of a record.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'r> {
    /// Wasm index of the function, or nothing for a frame of the host.
    pub function: Option<u32>,
    /// Number of the capture point in the function, or the host's number.
    pub point: u32,
    bytes: &'r [u8],
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'r> Record<'r> {
    /// # Errors
    /// It is not a record, or of another module than the one with that identity, or damaged.
    pub fn new(bytes: &'r [u8], id: &[u8; 32]) -> Result<Record<'r>, Error> {
        let head = |at| word32(bytes, at).ok_or(Error::NotARecord);
        if head(offset_of!(RecordHeader, magic))? != MAGIC
            || head(offset_of!(RecordHeader, version))? != VERSION
        {
            return Err(Error::NotARecord);
        }
        let (size, count) =
            (head(offset_of!(RecordHeader, size))?, head(offset_of!(RecordHeader, frame_count))?);
        if bytes.get(offset_of!(RecordHeader, id)..).and_then(|b| b.get(..32)) != Some(id) {
            return Err(Error::OtherModule);
        }
        if size as usize != bytes.len() {
            return Err(Error::Length);
        }
        let record = Record { bytes, count };
        let mut seen = 0;
        let mut frames = record.frames();
        while frames.next().is_some() {
            seen += 1;
        }
        if seen != count || !frames.bytes.is_empty() {
            return Err(Error::Length);
        }
        Ok(record)
    }

    /// The frames, the outermost first.
    #[must_use]
    pub fn frames(&self) -> Frames<'r> {
        let bytes = self.bytes.get(size_of::<RecordHeader>()..).unwrap_or_default();
        Frames { bytes, left: self.count }
    }

    /// Number of frames.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }
}

/// The frames of a record.
#[derive(Debug, Clone)]
pub struct Frames<'r> {
    bytes: &'r [u8],
    left: u32,
}

impl<'r> Iterator for Frames<'r> {
    type Item = Frame<'r>;

    fn next(&mut self) -> Option<Frame<'r>> {
        self.left = self.left.checked_sub(1)?;
        let head = |at| word32(self.bytes, at);
        let function = head(offset_of!(FrameHeader, function))?;
        let point = head(offset_of!(FrameHeader, point))?;
        let words = head(offset_of!(FrameHeader, words))? as usize;
        if head(offset_of!(FrameHeader, reserved))? != 0 {
            return None;
        }
        let rest = self.bytes.get(size_of::<FrameHeader>()..)?;
        let (bytes, rest) = rest.split_at_checked(words.checked_mul(8)?)?;
        self.bytes = rest;
        Some(Frame { function: (function != HOST_FRAME).then_some(function), point, bytes })
    }
}

impl<'r> Frame<'r> {
    /// Its words.
    pub fn words(&self) -> impl ExactSizeIterator<Item = u64> + use<'r> {
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b));
        self.bytes.chunks_exact(8).map(word)
    }
}
