//! Frames as data: what the translator, who captures native frames and who rebuilds them agree on.
//!
//! A *capture point* is a place in a function where a frame of it can be captured: a call that may come to
//! a capture, or a poll at a loop head. A capture point, and what is recorded there, are the same on every
//! instruction set, because both follow from the WebAssembly code alone: the operands, the locals that are
//! used later, the exceptions that open clauses have caught, and, in a function that `setjmp` returns to,
//! what that return needs. A [`NativePoint`] says where the capture point is in the machine code, and how
//! its values are read.
//!
//! # The record
//!
//! A stack as data is a [`RecordHeader`] and then its frames, from the outermost to the innermost. Each
//! is a [`FrameHeader`] and its words. All of it is little-endian. A host frame stands for native code
//! between frames of the module, or for what the innermost one waits for; its words are the host's own.
//!
//! A value takes one word, a `v128` two, the low one first. The high half of the word of an `i32` or
//! `f32` is zero.
//!
//! # Rebuilding
//!
//! Each function that has a capture point is there a second time, as `fn(*mut Context) -> results`, which begins
//! where a frame was captured. It takes its values from the [`Node`] that `Context::record` points to,
//! lets that point to the node of the next inner frame, and calls the code of that one in place of the
//! call that the captured frame was in.

/// First word of a [`Frames`] and of a record: "LNFR".
pub const MAGIC: u32 = u32::from_le_bytes(*b"LNFR");

/// Version of the tables and of the record.
pub const VERSION: u32 = 2;

/// What a capture point waits for.
pub mod kind {
    /// A function of the module, or of a type that the module has: another frame of the module, or of
    /// the host's if a host function is called through the table.
    pub const CALL: u32 = 0;
    /// The host: a call of an imported function or of a libcall that waits.
    pub const HOST: u32 = 1;
    /// The host, which was asked whether it wants something at a loop head.
    pub const POLL: u32 = 2;
}

/// A type of value, as a byte in [`Frames::types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueType {
    I32 = 0,
    I64 = 1,
    F32 = 2,
    F64 = 3,
    V128 = 4,
}

impl ValueType {
    /// The type of that code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<ValueType> {
        Some(match code {
            0 => ValueType::I32,
            1 => ValueType::I64,
            2 => ValueType::F32,
            3 => ValueType::F64,
            4 => ValueType::V128,
            _ => return None,
        })
    }

    /// Words of 8 bytes that a value takes.
    #[must_use]
    pub const fn words(self) -> usize {
        match self {
            ValueType::V128 => 2,
            _ => 1,
        }
    }

    /// Whether only the low half of its word may be set.
    #[must_use]
    pub const fn is_half(self) -> bool {
        matches!(self, ValueType::I32 | ValueType::F32)
    }
}

/// The tables of a module. Pointers are host addresses.
#[repr(C)]
#[derive(Debug)]
pub struct Frames {
    pub magic: u32,
    pub version: u32,
    /// Rows of `functions`: the functions that the module defines.
    pub function_count: u32,
    /// Wasm index of the first of them.
    pub first_function: u32,
    pub functions: *const Function,
    pub points: *const CapturePoint,
    /// Value types, one byte each.
    pub types: *const u8,
    pub native_points: *const NativePoint,
    /// One row for each row of [`crate::module::Module::functions`].
    pub code: *const Code,
    pub point_count: u32,
    pub type_count: u32,
    pub native_point_count: u32,
    pub code_count: u32,
    /// Bytes of the largest frame that has a capture point, without its return address.
    pub largest_frame: u32,
    /// Words of the values of the capture point with the most of them.
    pub most_words: u32,
    /// 1 if the module's functions have the convention of tail calls, in which the context may be in
    /// another register, and 0 if they have the C convention.
    pub tail_calls: u32,
    pub reserved: u32,
}

/// A function that the module defines.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Where a captured frame goes on: `fn(*mut Context) -> results`; null if it has no capture point.
    pub resume: *const u8,
    /// Bytes of native stack that its frame takes then.
    pub frame_size: u32,
    /// Range in [`Frames::points`].
    pub first_point: u32,
    pub point_count: u32,
    /// Range in [`Frames::types`]: what it gives.
    pub first_result: u32,
    pub result_count: u32,
    pub reserved: u32,
}

/// Where a frame can be captured. Its number in a record counts from the function's first.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CapturePoint {
    /// One of [`kind`].
    pub kind: u32,
    /// Range in [`Frames::types`]: the values of the frame.
    pub first_value: u32,
    pub value_count: u32,
    /// Range in [`Frames::types`]: what the call gives.
    pub first_result: u32,
    pub result_count: u32,
    /// Words that the values take.
    pub words: u32,
}

/// Range in [`Frames::native_points`] of a function's code, sorted by offset.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Code {
    pub first_native_point: u32,
    pub native_point_count: u32,
}

/// A capture point in machine code. Where a function is inlined, several frames share one native frame: their
/// points at a call have the same offset, the innermost frame's first.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NativePoint {
    /// Return address, as an offset from the function's start.
    pub offset: u32,
    /// Frame pointer minus stack pointer while the call runs.
    pub frame_size: u32,
    /// Row in [`Frames::points`].
    pub point: u32,
    /// With [`IN_SLOT`]: where in the frame its values are, above the stack pointer. Else: code that
    /// writes them, as an offset from the function's start. It is entered with the frame's registers as
    /// an exception handler is, takes the address of the first word in the first payload register, and
    /// ends in a call of [`CAPTURED`] with that address.
    pub entry: u32,
}

/// In [`NativePoint::entry`]: the values are in the native frame.
pub const IN_SLOT: u32 = 1 << 31;

/// `linnet_frames_captured(first_word) -> !`: the end of a landing pad.
pub const CAPTURED: &str = "linnet_frames_captured";

/// A frame to be rebuilt. Its values follow.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// Number of the capture point in its function.
    pub point: u64,
    /// Code of the next inner frame.
    pub code: *const u8,
    /// Its node.
    pub next: *const Node,
}

/// What a record begins with.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RecordHeader {
    /// [`MAGIC`] and [`VERSION`].
    pub magic: u32,
    pub version: u32,
    /// SHA-256 of the module.
    pub id: [u8; 32],
    pub frame_count: u32,
    /// Bytes of the whole record.
    pub size: u32,
}

/// [`FrameHeader::function`] of a host frame.
pub const HOST_FRAME: u32 = u32::MAX;

/// What a frame of a record begins with. Its words follow.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FrameHeader {
    /// Wasm index of the function, or [`HOST_FRAME`].
    pub function: u32,
    /// Number of the capture point in the function; in a host frame, what the host likes.
    pub point: u32,
    /// Words of 8 bytes.
    pub words: u32,
    /// Zero.
    pub reserved: u32,
}
