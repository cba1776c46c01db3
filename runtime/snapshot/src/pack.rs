//! Bytes of guest memory, made smaller.

use crate::RUN;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

/// Room for a run that has been packed.
pub const PACKED: usize = get_maximum_output_size(RUN);

/// The bytes as they are stored: in the buffer, of [`PACKED`] bytes, if that makes them smaller.
#[must_use]
pub fn pack<'b>(bytes: &'b [u8], buffer: &'b mut [u8]) -> &'b [u8] {
    if bytes.iter().all(|byte| *byte == 0) {
        return &[];
    }
    match compress_into_with_table(bytes, buffer, &mut CompressTable::large()) {
        Ok(size) if size < bytes.len() => &buffer[..size],
        _ => bytes,
    }
}
