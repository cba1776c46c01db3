//! Tables in the object: rows of the ABI with addresses for the linker.

use cranelift_module::{DataId, FuncId};
use std::mem::size_of;

/// Writes fields of a row by their names in the ABI.
macro_rules! fields {
    ($table:ident, $row:expr, $type:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $($table.put_u32($row + std::mem::offset_of!($type, $field), $value);)*
    };
}
pub(super) use fields;

/// Alignment of functions and tables in the object.
pub(super) const ALIGN: u64 = 16;

/// A table under construction: plain bytes of `T`s with addresses to be filled in by the linker.
pub(super) struct Table {
    pub(super) bytes: Vec<u8>,
    pub(super) align: u64,
    pub(super) addresses: Vec<(u32, Address)>,
}

#[derive(Clone, Copy)]
pub(super) enum Address {
    Function(FuncId),
    Data(DataId),
    /// So many bytes into it.
    Inside(DataId, i64),
}

impl Default for Table {
    fn default() -> Table {
        Table { bytes: Vec::new(), align: ALIGN, addresses: Vec::new() }
    }
}

impl Table {
    pub(super) fn new() -> Table {
        Table::default()
    }

    /// Appends a zeroed `T` and returns its offset.
    pub(super) fn row<T>(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.resize(at + size_of::<T>(), 0);
        at
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(super) fn put_u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    pub(super) fn put_address(&mut self, at: usize, address: Address) {
        self.addresses.push((at as u32, address));
    }
}
