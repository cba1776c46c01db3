//! The context: what translated code of one module needs of the task that runs it.
//!
//! Its address is the hidden first parameter of every translated function. It belongs to a task
//! and not to a vCPU, because a task may go to sleep on one vCPU and wake on another while its
//! native frames hold this address.

/// Size of the region that a stack of a program lies in. Regions are aligned to their size, and the context
/// lies at the start: a program's code finds it from its stack pointer.
pub const REGION_SIZE: u64 = 16 << 20;

/// Number of 64-bit slots for mutable globals. A `v128` global takes two.
pub const GLOBAL_SLOTS: usize = 24;

/// Number of 64-bit payload words of an exception in flight.
pub const EXCEPTION_WORDS: usize = 4;

/// Room behind a program's context for results of functions that registers have no room for: as many vectors as
/// WebAssembly allows results.
pub const RESULTS_SIZE: usize = 16 * 1000;

/// Layout of the block behind the context pointer; offsets are in bytes.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Host address of byte 0 of the linear memory. Constant while a function runs.
    pub heap_base: u64,
    /// Not zero: the next loop head must call the `poll` libcall.
    pub poll: u32,
    /// Target of the locked instruction that stands for a full fence on x86-64; always 0.
    pub fence: u32,
    /// Where a capture writes its next record, or a resume reads it.
    pub record: u64,
    /// Tag (index into the module's tags) of the exception in flight.
    pub exception_tag: u64,
    /// Its payload, one value per word; a `v128` takes two.
    pub exception: [u64; EXCEPTION_WORDS],
    /// Offset in the table of the entry that a call found with another type than its own. Read by the
    /// adapter that is called in the entry's place, before anything else.
    pub callee: u64,
    /// The mutable globals in index order.
    pub globals: [u64; GLOBAL_SLOTS],
}

/// Byte offsets of the fields above, for code that is emitted rather than compiled.
pub mod offset {
    use super::Context;
    use core::mem::offset_of;

    pub const HEAP_BASE: i32 = offset_of!(Context, heap_base) as i32;
    pub const POLL: i32 = offset_of!(Context, poll) as i32;
    pub const FENCE: i32 = offset_of!(Context, fence) as i32;
    pub const RECORD: i32 = offset_of!(Context, record) as i32;
    pub const EXCEPTION_TAG: i32 = offset_of!(Context, exception_tag) as i32;
    pub const EXCEPTION: i32 = offset_of!(Context, exception) as i32;
    pub const CALLEE: i32 = offset_of!(Context, callee) as i32;
    pub const GLOBALS: i32 = offset_of!(Context, globals) as i32;
    /// Behind it, see [`super::RESULTS_SIZE`].
    pub const RESULTS: i32 = size_of::<Context>() as i32;
}

impl Context {
    /// A context whose linear memory is not known yet.
    pub const EMPTY: Context = Context {
        heap_base: 0,
        poll: 0,
        fence: 0,
        record: 0,
        exception_tag: 0,
        exception: [0; EXCEPTION_WORDS],
        callee: 0,
        globals: [0; GLOBAL_SLOTS],
    };
}
