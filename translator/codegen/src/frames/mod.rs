//! Frames as data: which functions and sites there are, and the tables of them.
//!
//! | file      | what it does                                                      |
//! |-----------|-------------------------------------------------------------------|
//! | [`reach`] | which functions can be on the stack when frames are captured      |
//! | [`live`]  | which locals a frame still needs at a site                        |
//! | [`table`] | the tables in the object                                          |
//!
//! The code at a site is part of the function: see `func::site`. The contract with who captures and
//! rebuilds frames is `linnet_abi::frames`.

pub(crate) mod live;
pub(crate) mod reach;
pub(crate) mod table;

use crate::compile::WIDE;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{StackSlotKey, Type};
use linnet_abi::frames::ValueType;

/// In an exception tag: it stands for the site of the number in its low bits.
pub(crate) const SITE_TAG: u32 = 1 << 30;
/// In such a tag: the site is a poll.
pub(crate) const POLL_TAG: u32 = 1 << 29;
/// In such a tag: the site is one of a function that is there in place of a call, and its number counts
/// all of those that any function may have been replaced by.
pub(crate) const INLINED_TAG: u32 = 1 << 28;

/// Whether a tag stands for a place where frames are captured, and not for exceptions.
pub(crate) fn is_site(tag: u32) -> bool {
    tag & (WIDE | SITE_TAG) == SITE_TAG
}

/// Of the stack slot that polls leave their values in.
pub(crate) fn poll_slot() -> StackSlotKey {
    StackSlotKey::new(1)
}

/// Values that the sites of one function may have together. Only generated code comes near it; sites
/// beyond cannot be captured.
pub(crate) const MAX_VALUES: usize = 1 << 19;

/// A site as all instruction sets have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// One of [`linnet_abi::frames::kind`].
    pub kind: u32,
    pub values: Vec<ValueType>,
    pub results: Vec<ValueType>,
}

/// A site in machine code, see [`linnet_abi::frames::Place`].
#[derive(Debug)]
pub(crate) struct Place {
    pub offset: u32,
    pub frame_size: u32,
    /// Wasm index of the function that has the site, and its number there. The code generator gives the
    /// number as tags have it; [`crate::func`] knows whose it is.
    pub function: u32,
    pub site: u32,
    pub entry: u32,
}

pub(crate) fn value_type(ty: Type) -> ValueType {
    match ty {
        I32 => ValueType::I32,
        I64 => ValueType::I64,
        F32 => ValueType::F32,
        F64 => ValueType::F64,
        _ => ValueType::V128,
    }
}
