//! Types of what modules import and export.

use crate::value::{FuncType, ValType};
use alloc::string::ToString;
use core::fmt::{self, Display, Formatter};
use linnet_abi::instance::{MemoryType as RawMemoryType, TableType as RawTableType};

/// Type of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryType {
    /// Least size in pages.
    pub min: u64,
    /// Largest size in pages.
    pub max: Option<u64>,
    /// Whether addresses have 64 bits.
    pub is_64: bool,
    /// Whether instances of several threads may have it.
    pub is_shared: bool,
    /// log2 of the size of a page in bytes: 16, or 0.
    pub page_log2: u32,
}

impl MemoryType {
    /// Of pages of 64 KiB, with 32-bit addresses, for one thread.
    #[must_use]
    pub const fn new(min: u64, max: Option<u64>) -> MemoryType {
        MemoryType { min, max, is_64: false, is_shared: false, page_log2: 16 }
    }

    pub(crate) fn from_raw(raw: &RawMemoryType) -> MemoryType {
        MemoryType {
            min: raw.min,
            max: (raw.max != u64::MAX).then_some(raw.max),
            is_64: raw.is_64 != 0,
            is_shared: raw.is_shared != 0,
            page_log2: raw.page_log2,
        }
    }

    pub(crate) fn raw(self) -> RawMemoryType {
        RawMemoryType {
            min: self.min,
            max: self.max.unwrap_or(u64::MAX),
            page_log2: self.page_log2,
            is_64: u32::from(self.is_64),
            is_shared: u32::from(self.is_shared),
            reserved: 0,
        }
    }
}

/// Type of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableType {
    pub element: ValType,
    /// Least number of elements.
    pub min: u64,
    /// Largest number of elements.
    pub max: Option<u64>,
    /// Whether indices have 64 bits.
    pub is_64: bool,
}

impl TableType {
    /// With 32-bit indices.
    #[must_use]
    pub const fn new(element: ValType, min: u64, max: Option<u64>) -> TableType {
        TableType { element, min, max, is_64: false }
    }

    pub(crate) fn from_raw(raw: &RawTableType) -> TableType {
        TableType {
            element: ValType::from_raw(&raw.element),
            min: raw.min,
            max: (raw.max != u64::MAX).then_some(raw.max),
            is_64: raw.is_64 != 0,
        }
    }

    pub(crate) fn raw(self) -> RawTableType {
        RawTableType {
            element: self.element.raw(),
            min: self.min,
            max: self.max.unwrap_or(u64::MAX),
            is_64: u32::from(self.is_64),
            reserved: 0,
        }
    }
}

/// Type of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalType {
    pub value: ValType,
    pub is_mutable: bool,
}

/// Type of something that modules import and export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternType {
    Func(FuncType),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    /// The parameters are the types of the payload.
    Tag(FuncType),
}

fn limits(f: &mut Formatter<'_>, min: u64, max: Option<u64>) -> fmt::Result {
    match max {
        Some(max) => write!(f, "{min} to {max}"),
        None => write!(f, "{min} or more"),
    }
}

impl Display for ExternType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => write!(f, "a function {ty}"),
            ExternType::Table(ty) => {
                f.write_str(if ty.is_64 { "a 64-bit table of " } else { "a table of " })?;
                limits(f, ty.min, ty.max)?;
                write!(f, " {}", ty.element)
            }
            ExternType::Memory(ty) => {
                let shared = if ty.is_shared { "shared " } else { "" };
                let wide = if ty.is_64 { "64-bit " } else { "" };
                write!(f, "a {shared}{wide}memory of ")?;
                limits(f, ty.min, ty.max)?;
                f.write_str(if ty.page_log2 == 0 { " bytes" } else { " pages" })
            }
            ExternType::Global(ty) => {
                let mutable = if ty.is_mutable { "a mutable" } else { "a" };
                write!(f, "{mutable} global {}", ty.value)
            }
            ExternType::Tag(ty) => {
                let params: alloc::vec::Vec<_> =
                    ty.params.iter().map(ToString::to_string).collect();
                write!(f, "a tag ({})", params.join(", "))
            }
        }
    }
}
