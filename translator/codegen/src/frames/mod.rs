//! Frames as data: which functions and capture points there are, and the tables of them.
//!
//! | file      | what it does                                                      |
//! |-----------|-------------------------------------------------------------------|
//! | [`capturable`] | which functions can be on the stack when frames are captured      |
//! | [`live`]  | which locals a frame still needs at a capture point                        |
//! | [`table`] | the tables in the object                                          |
//!
//! The code at a capture point is part of the function: see `func::capture point`. The contract with who captures and
//! rebuilds frames is `linnet_abi::frames`.

pub(crate) mod capturable;
pub(crate) mod live;

use crate::names::WIDE;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{StackSlotKey, Type};
use linnet_abi::frames::ValueType;

/// In an exception tag: it stands for the capture point of the number in its low bits.
pub(crate) const CAPTURE_TAG: u32 = 1 << 30;
/// In such a tag: the capture point is a poll.
pub(crate) const POLL_TAG: u32 = 1 << 29;
/// In such a tag: the capture point is one of a function that is there in place of a call, and its number counts
/// all of those that any function may have been replaced by.
pub(crate) const INLINED_TAG: u32 = 1 << 28;

/// Whether a tag stands for a place where frames are captured, and not for exceptions.
pub(crate) fn is_capture_point(tag: u32) -> bool {
    tag & (WIDE | CAPTURE_TAG) == CAPTURE_TAG
}

/// Of the stack slot that polls leave their values in.
pub(crate) fn poll_slot() -> StackSlotKey {
    StackSlotKey::new(1)
}

/// Values that the capture points of one function may have together. Only generated code comes near it; capture points
/// beyond cannot be captured.
pub(crate) const MAX_VALUES: usize = 1 << 19;

/// A capture point as all instruction sets have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CapturePoint {
    /// One of [`linnet_abi::frames::kind`].
    pub kind: u32,
    pub values: Vec<ValueType>,
    pub results: Vec<ValueType>,
}

/// A capture point in machine code, see [`linnet_abi::frames::NativePoint`].
#[derive(Debug)]
pub(crate) struct NativePoint {
    pub offset: u32,
    pub frame_size: u32,
    /// Wasm index of the function that has the capture point, and its number there. The code generator gives the
    /// number as tags have it; [`crate::func`] knows whose it is.
    pub function: u32,
    pub point: u32,
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
