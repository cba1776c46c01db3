//! Instances of standalone modules: what their code and the support library (`linnet-embed`) share.
//!
//! A standalone module is one that a host program embeds, in contrast to the kernel and to programs of
//! a boot binary. Its functions take the address of an [`Instance`] where those take a
//! [`crate::context::Context`]; the first fields are the same. Behind the header lie arrays whose
//! lengths are the module's, at the offsets that [`Layout::of`] computes for both sides.
//!
//! Values of reference types are 64-bit words, null is 0. A `funcref` is the address of a [`FuncRef`],
//! an `exnref` that of an [`Exception`], an `externref` whatever the host likes.

use core::mem::{offset_of, size_of};

/// What a function reference points to.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FuncRef {
    /// `fn(context, parameters...) -> results`, in the platform's C convention. Several results are
    /// returned as the code generator likes: hosts call through [`FuncType::enter`].
    pub code: *const u8,
    pub ty: *const FuncType,
    /// The function's first argument: its instance, or what a host function wants.
    pub context: *mut u8,
    /// The same function for `return_call`, in a convention in which the caller's frame is reused; null
    /// if its module makes no such calls.
    pub tail: *const u8,
}

/// A function type. There is one in a process for each type: every object has it as a weak symbol whose
/// name spells the type, so that the linker merges them and comparing addresses compares types.
#[repr(C)]
#[derive(Debug)]
pub struct FuncType {
    pub param_count: u32,
    pub result_count: u32,
    /// The parameters, then the results.
    pub types: *const ValueType,
    /// `fn(context, code, values: *mut Slot)`: calls `code` with the parameters in `values` and leaves
    /// the results there.
    pub enter: *const u8,
    /// [`FuncRef::code`] of a host function whose [`FuncRef::context`] is the address of a
    /// [`HostFunction`].
    pub host: *const u8,
}

/// Begins the symbol of a function type.
pub const TYPE_PREFIX: &str = "linnet.type.";

/// A wasm value in memory: the little-endian bits of its type.
#[repr(C, align(16))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slot(pub [u64; 2]);

/// The head of a function of the host.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HostFunction {
    /// Called with the parameters in `values`; leaves the results there.
    pub call: unsafe extern "C" fn(context: *mut HostFunction, values: *mut Slot),
}

/// A value type.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ValueType {
    /// One of [`kind`].
    pub kind: u32,
    /// Whether null is a value of a reference type.
    pub nullable: u32,
    /// Type of the functions that a `kind::FUNC` refers to, or null for all.
    pub concrete: *const FuncType,
}

/// Numbers of the value types.
pub mod kind {
    pub const I32: u32 = 0;
    pub const I64: u32 = 1;
    pub const F32: u32 = 2;
    pub const F64: u32 = 3;
    pub const V128: u32 = 4;
    pub const FUNC: u32 = 5;
    pub const EXTERN: u32 = 6;
    pub const EXN: u32 = 7;
    /// The bottoms: no value but null.
    pub const NO_FUNC: u32 = 8;
    pub const NO_EXTERN: u32 = 9;
    pub const NO_EXN: u32 = 10;
}

/// A linear memory.
#[repr(C)]
#[derive(Debug)]
pub struct Memory {
    /// Host address of byte 0; never changes.
    pub base: u64,
    /// Size in bytes; only grows.
    pub size: u64,
    /// Size in bytes that it may grow to.
    pub max: u64,
    pub ty: MemoryType,
}

/// Type of a memory.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MemoryType {
    /// Least size in pages.
    pub min: u64,
    /// Largest size in pages, or all ones.
    pub max: u64,
    /// log2 of the page size in bytes.
    pub page_log2: u32,
    /// Whether indices have 64 bits.
    pub is_64: u32,
    pub is_shared: u32,
    pub reserved: u32,
}

impl MemoryType {
    /// Whether accesses rely on the unmapped addresses around the memory instead of a comparison with
    /// its size: those with 32-bit indices and the usual page size.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        self.is_64 == 0 && self.page_log2 == 16
    }
}

/// A table.
#[repr(C)]
#[derive(Debug)]
pub struct Table {
    pub elements: *mut u64,
    pub len: u64,
    pub ty: TableType,
}

/// Type of a table.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TableType {
    pub element: ValueType,
    pub min: u64,
    /// Largest number of elements, or all ones.
    pub max: u64,
    /// Whether indices have 64 bits.
    pub is_64: u32,
    pub reserved: u32,
}

/// Type of a global.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct GlobalType {
    pub value: ValueType,
    pub is_mutable: u32,
    pub reserved: u32,
}

/// An exception tag. Its address is its identity.
#[repr(C)]
#[derive(Debug)]
pub struct Tag {
    pub ty: *const FuncType,
}

/// An exception. Its payload follows, one [`Slot`] for each parameter of the tag.
#[repr(C, align(16))]
#[derive(Debug)]
pub struct Exception {
    pub tag: *const Tag,
    /// Not 0: an `exnref` may exist, so it is kept when it has been caught.
    pub escaped: u64,
}

/// Offset of the payload of an [`Exception`].
pub const PAYLOAD: usize = size_of::<Exception>();

/// Head of an instance. The fields up to `record` are those of [`crate::context::Context`].
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Instance {
    /// Address of byte 0 of memory 0.
    pub heap_base: u64,
    pub poll: u32,
    pub fence: u32,
    pub record: u64,
    pub module: *const crate::module::Module,
    /// The support library's.
    pub host: *mut u8,
    pub reserved: [u64; 3],
}

/// What an instance knows of a memory.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct MemorySlot {
    pub base: u64,
    pub memory: *mut Memory,
}

/// What an instance knows of an element segment. A dropped one is empty.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ElementSlot {
    pub len: u64,
}

/// How many of each an instance has, imported ones included.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub functions: u32,
    pub memories: u32,
    pub tables: u32,
    pub globals: u32,
    pub tags: u32,
    pub data: u32,
    pub elements: u32,
    /// Elements of those segments that are not lists of functions, all together.
    pub values: u32,
}

/// Byte offsets of the arrays behind the head of an instance.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// [`Slot`]s. That of an imported mutable global holds the address of its exporter's.
    pub globals: u32,
    /// [`MemorySlot`]s.
    pub memories: u32,
    /// `*mut Table`.
    pub tables: u32,
    /// `*const Tag`.
    pub tags: u32,
    /// Lengths of the data segments in bytes (`u64`); 0 when dropped.
    pub data: u32,
    /// [`ElementSlot`]s.
    pub elements: u32,
    /// Values of element segments.
    pub values: u32,
    /// [`FuncRef`]s.
    pub functions: u32,
    /// Size of it all.
    pub size: u32,
}

impl Layout {
    /// `None` if it exceeds 1 GiB.
    #[must_use]
    pub fn of(counts: &Counts) -> Option<Layout> {
        let mut next = size_of::<Instance>() as u64;
        let mut place = |count: u32, size: usize| {
            let at = next;
            next += u64::from(count) * size as u64;
            at as u32
        };
        let layout = Layout {
            globals: place(counts.globals, size_of::<Slot>()),
            memories: place(counts.memories, size_of::<MemorySlot>()),
            tables: place(counts.tables, 8),
            tags: place(counts.tags, 8),
            data: place(counts.data, 8),
            elements: place(counts.elements, size_of::<ElementSlot>()),
            values: place(counts.values, 8),
            functions: place(counts.functions, size_of::<FuncRef>()),
            size: place(0, 0),
        };
        (next <= 1 << 30).then_some(layout)
    }
}

/// What a standalone module's [`crate::module::Module::standalone`] points to.
#[repr(C)]
#[derive(Debug)]
pub struct Standalone {
    pub counts: Counts,
    pub import_count: u32,
    pub export_count: u32,
    /// Imports in order; those of one kind come first in its index space.
    pub imports: *const Import,
    pub exports: *const Export,
    /// One for each function.
    pub functions: *const FunctionInfo,
    pub memories: *const MemoryType,
    pub tables: *const TableType,
    pub globals: *const GlobalType,
    /// Types of the tags.
    pub tags: *const *const FuncType,
    /// Lengths of the data segments (`u64`).
    pub data: *const u64,
    pub elements: *const ElementInfo,
    /// `fn(instance)`: initialises globals, tables and memories and runs the start function.
    pub initialize: *const u8,
    /// For each of [`crate::module::Module::functions`] the number of its first place; one more follows.
    pub first_places: *const u32,
    pub places: *const Place,
}

/// Where code comes from: from `offset` in the function on, up to the next place of the function, it is
/// that of the operator at `wasm_offset` in the WebAssembly file. Sorted by `offset`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub offset: u32,
    pub wasm_offset: u32,
}

/// A name in the object; not terminated, UTF-8.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    pub bytes: *const u8,
    pub len: u64,
}

/// Kinds of imports and exports.
pub mod external {
    pub const FUNCTION: u32 = 0;
    pub const TABLE: u32 = 1;
    pub const MEMORY: u32 = 2;
    pub const GLOBAL: u32 = 3;
    pub const TAG: u32 = 4;
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Import {
    pub module: Text,
    pub name: Text,
    /// One of [`external`].
    pub kind: u32,
    pub index: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Export {
    pub name: Text,
    /// One of [`external`].
    pub kind: u32,
    pub index: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FunctionInfo {
    pub ty: *const FuncType,
    /// See [`FuncRef::code`]; null if imported.
    pub code: *const u8,
    /// See [`FuncRef::tail`].
    pub tail: *const u8,
}

/// An element segment.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ElementInfo {
    /// Function numbers, `u32::MAX` for null; or null if the elements are values of the instance.
    pub functions: *const u32,
    pub len: u32,
    /// Number of the first one in the instance's values.
    pub first_value: u32,
}

/// Why code of standalone modules stops, besides [`crate::trap::Trap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MoreTrap {
    /// A table index or range.
    TableAccess = 64,
    /// A reference that must not be null.
    NullReference = 65,
    /// A thread waits in a memory that is not shared.
    NotShared = 66,
    /// The host wants the call to end.
    Interrupted = 67,
    /// The budget that the host has set is used up.
    BudgetUsedUp = 68,
}

/// The words of the WebAssembly test suite for a trap code, ours or [`crate::trap::Trap`]'s.
#[must_use]
pub const fn trap_message(code: u8) -> &'static str {
    match code {
        64 => "out of bounds table access",
        65 => "null reference",
        66 => "expected shared memory",
        67 => "interrupted",
        68 => "budget used up",
        _ => match crate::trap::Trap::from_code(code) {
            Some(trap) => trap.message(),
            None => "unknown trap",
        },
    }
}

/// Byte offsets of fields, for code that is emitted rather than compiled.
pub mod offset {
    use super::{
        ElementSlot, Exception, FuncRef, HostFunction, Memory, MemorySlot, Table, offset_of,
    };

    pub const FUNC_CODE: i32 = offset_of!(FuncRef, code) as i32;
    pub const FUNC_TYPE: i32 = offset_of!(FuncRef, ty) as i32;
    pub const FUNC_CONTEXT: i32 = offset_of!(FuncRef, context) as i32;
    pub const FUNC_TAIL: i32 = offset_of!(FuncRef, tail) as i32;
    pub const HOST_CALL: i32 = offset_of!(HostFunction, call) as i32;
    pub const MEMORY_SIZE: i32 = offset_of!(Memory, size) as i32;
    pub const SLOT_BASE: i32 = offset_of!(MemorySlot, base) as i32;
    pub const SLOT_MEMORY: i32 = offset_of!(MemorySlot, memory) as i32;
    pub const TABLE_ELEMENTS: i32 = offset_of!(Table, elements) as i32;
    pub const TABLE_LEN: i32 = offset_of!(Table, len) as i32;
    pub const ELEMENT_LEN: i32 = offset_of!(ElementSlot, len) as i32;
    pub const EXCEPTION_TAG: i32 = offset_of!(Exception, tag) as i32;
    pub const EXCEPTION_ESCAPED: i32 = offset_of!(Exception, escaped) as i32;
}

#[cfg(test)]
mod tests {
    use super::Instance;
    use crate::context::{Context, offset};
    use core::mem::offset_of;

    #[test]
    fn instances_begin_like_contexts() {
        assert_eq!(offset_of!(Instance, heap_base), offset_of!(Context, heap_base));
        assert_eq!(offset_of!(Instance, poll) as i32, offset::POLL);
        assert_eq!(offset_of!(Instance, fence) as i32, offset::FENCE);
        assert_eq!(offset_of!(Instance, record) as i32, offset::RECORD);
    }
}
