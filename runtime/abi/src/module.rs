//! The tables that the translator emits beside the code of a module.
//!
//! Every module's object exports one symbol, `linnet_module_<prefix>`, of type [`Module`]; the
//! kernel's object also exports its wasm exports as `linnet_<prefix>_<export>`.

/// First word of a [`Module`]: "LNM1".
pub const MAGIC: u32 = u32::from_le_bytes(*b"LNM1");

/// Tag number of a handler that takes every exception.
pub const TAG_ANY: u32 = u32::MAX;

/// Set in [`SavedRegister::register`] for a floating-point or vector register.
pub const REGISTER_FLOAT: u32 = 0x80;

/// One translated module. Pointers are host addresses.
#[repr(C)]
#[derive(Debug)]
pub struct Module {
    pub magic: u32,
    pub abi_version: u32,
    /// SHA-256 of the WebAssembly file.
    pub id: [u8; 32],
    /// Sorted by address; covers the module's code without a gap that matters.
    pub functions: *const Function,
    pub function_count: u32,
    pub site_count: u32,
    pub sites: *const CallSite,
    pub handlers: *const Handler,
    pub saved: *const SavedRegister,
    pub traps: *const TrapSite,
    pub trap_count: u32,
    pub table_len: u32,
    /// Table 0, which is immutable.
    pub table: *const TableEntry,
    /// Initial values of the mutable globals, in context order.
    pub globals: *const u64,
    pub global_count: u32,
    pub segment_count: u32,
    /// The initial memory. Bytes not covered are zero.
    pub segments: *const Segment,
    /// Function names, not terminated; see [`Function::name_offset`].
    pub names: *const u8,
    pub name_size: u64,
    /// Numbers of the context slots that hold `__stack_pointer` and `__tls_base`, or `u32::MAX`.
    pub stack_pointer_slot: u32,
    pub tls_base_slot: u32,
    /// Entry `_start: fn(*mut Context)`, or null.
    pub start: *const u8,
    /// `fn(*mut Context, function: u32, argument: u32) -> u32`: calls a table entry of wasm type
    /// (i32) -> i32. Traps if it has another.
    pub call_thread: *const u8,
    /// `fn(*mut Context, restorer: u32, handler: u32, signal: u32, info: u32, ucontext: u32)`: calls
    /// table entry `restorer` with the other four, of wasm type (i32, i32, i32, i32) -> (). Traps if it
    /// has another.
    pub call_restorer: *const u8,
    /// `fn(*mut Context)`: called where an exception is thrown that nobody catches, or null. The program
    /// dies of the exception when it returns.
    pub uncaught: *const u8,
    /// What else a module has that a host program embeds, or null.
    pub standalone: *const crate::instance::Standalone,
    /// To capture and rebuild frames, or null if the module was translated without.
    pub frames: *const crate::frames::Frames,
}

/// One translated function.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub start: *const u8,
    /// Length of the code in bytes.
    pub len: u32,
    /// Index in the wasm function space.
    pub index: u32,
    pub name_offset: u32,
    pub name_len: u32,
    /// Range in [`Module::sites`], sorted by offset.
    pub first_site: u32,
    pub site_count: u32,
    /// Range in [`Module::saved`]; functions that save alike share one.
    pub first_saved: u32,
    pub saved_count: u32,
    /// Range in [`Module::traps`], sorted by offset.
    pub first_trap: u32,
    pub trap_count: u32,
    /// Offset of the function's body in the WebAssembly file.
    pub wasm_offset: u32,
    /// Row in [`Module::sites`] whose handlers take what comes out of any instruction at or behind
    /// its offset that is no call site itself; `u32::MAX` if there is none.
    pub wide_site: u32,
}

/// A call that an exception can come out of and that has a handler in this function.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CallSite {
    /// Return address, as an offset from the function's start.
    pub offset: u32,
    /// Frame pointer minus stack pointer while the call runs.
    pub frame_size: u32,
    /// Range in [`Module::handlers`]; the first that matches takes the exception.
    pub first_handler: u32,
    pub handler_count: u32,
}

/// Where an exception of one tag continues. The first payload register is undefined; the tag and
/// payload of the exception are in the context.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    /// Index of the tag in the module, or [`TAG_ANY`].
    pub tag: u32,
    /// Landing pad, as an offset from the function's start.
    pub offset: u32,
}

/// A callee-saved register that the function's prologue stored.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SavedRegister {
    /// The ISA's number of the register, or'ed with [`REGISTER_FLOAT`].
    pub register: u32,
    /// Where it lies, relative to the frame pointer.
    pub fp_offset: i32,
}

/// An instruction that can trap other than by touching memory.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TrapSite {
    /// Offset from the function's start.
    pub offset: u32,
    /// [`crate::trap::Trap`] as a number.
    pub code: u32,
}

/// An entry of the function table. A null entry is all zeros.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TableEntry {
    pub code: *const u8,
    /// Number of the function's type, unique in the module, never 0.
    pub signature: u64,
}

/// Bytes of the initial memory.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    pub bytes: *const u8,
    pub address: u32,
    pub len: u32,
}

/// The descriptor of the module translated under prefix `x` is the symbol `linnet_module_x`.
pub const SYMBOL_PREFIX: &str = "linnet_module_";
