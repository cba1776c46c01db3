//! What differs between the two environments that translated code runs in.
//!
//! | file         | environment                                                        |
//! |--------------|--------------------------------------------------------------------|
//! | [`linux`]    | the kernel and programs of a boot binary, on Linnet's runtime      |
//! | [`embedded`] | modules that a host program embeds, with an instance for each use   |
//!
//! The translation of a function asks its environment how to get at memories, tables and functions that the
//! module does not define, and how exceptions travel. All else is the same in both.

mod embedded;
mod linux;

use super::Translator;
use super::call::Callee;
use super::exception::TryClauses;
use crate::error::Result;
use cranelift_codegen::ir::{Type, Value};
use wasmparser::{BlockType, MemArg, Operator, RefType, TryTable};

/// The operands of an operator are on the translator's stack, and its results go there, unless the method
/// takes or returns them.
pub(crate) trait Environment: Sync {
    /// Whether a reference of this type is supported.
    fn check_reference(&self, ty: RefType) -> Result<()>;

    /// Whether the code of every function is to be traced back to its operators, even without debug
    /// information.
    fn needs_locations(&self) -> bool;

    /// Whether the runtime calls exported functions as they are, without a thunk.
    fn calls_exports(&self) -> bool;

    /// Whether an access of memory that faults is a trap. Then none may be left out, even if nobody needs
    /// its result.
    fn memory_faults_trap(&self) -> bool;

    /// Host address of `index` in a memory, without the offset of the access, which is in bounds or faults.
    fn access_address(&self, t: &mut Translator, index: Value, memarg: &MemArg) -> Value;

    /// Host address of a range that is in bounds or faults, and its length as 64 bits.
    fn range(&self, t: &mut Translator, memory: u32, index: Value, len: Value) -> (Value, Value);

    fn memory_size(&self, t: &mut Translator, memory: u32);

    fn memory_grow(&self, t: &mut Translator, memory: u32);

    /// Bytes that `memory.init` may take from a data segment, as 64 bits.
    fn segment_len(&self, t: &mut Translator, segment: u32) -> Value;

    fn drop_segment(&self, t: &mut Translator, segment: u32);

    /// Waits for a value of this type in memory.
    fn atomic_wait(&self, t: &mut Translator, ty: Type, memarg: &MemArg);

    fn atomic_notify(&self, t: &mut Translator, memarg: &MemArg);

    /// Operators on tables and on references, but for null ones.
    fn reference(&self, t: &mut Translator, operator: &Operator) -> Result<bool>;

    /// The reference by which a function is called that the code cannot call directly.
    fn call_reference(&self, t: &mut Translator, function: u32) -> Option<Value>;

    fn call_indirect(&self, t: &mut Translator, ty: u32, table: u32) -> Result<()>;

    fn return_call_indirect(&self, t: &mut Translator, ty: u32, table: u32) -> Result<()>;

    /// A call in whose place an exception may be raised.
    fn emit_call(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value>;

    /// A call of the runtime.
    fn emit_libcall(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value>;

    /// Opens a legacy `try`.
    fn enter_try(&self, t: &mut Translator, ty: BlockType, clauses: TryClauses) -> Result<()>;

    /// Begins a clause of the innermost `try`, whose body or clause before has ended.
    fn catch(&self, t: &mut Translator, tag: Option<u32>) -> Result<()>;

    fn enter_try_table(&self, t: &mut Translator, table: &TryTable) -> Result<()>;

    /// Called when the body of the innermost block has ended, while the block is still open.
    fn end_block(&self, t: &mut Translator) -> Result<()>;

    fn throw(&self, t: &mut Translator, tag: u32) -> Result<()>;

    fn rethrow(&self, t: &mut Translator, depth: u32) -> Result<()>;

    fn throw_ref(&self, t: &mut Translator);
}

/// That of a module that a host program embeds, or of the kernel and programs.
pub(crate) fn of(is_embedded: bool) -> &'static dyn Environment {
    if is_embedded { &embedded::Embedded } else { &linux::Linux }
}
