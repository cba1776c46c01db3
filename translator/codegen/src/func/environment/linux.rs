//! The kernel and programs of a boot binary.
//!
//! Each has one memory, which lies in a range of the host's addresses that takes any index and offset: an
//! access needs no check, and a fault is a page fault of the guest. The function table is constant. The
//! runtime does what takes more than a few instructions. Exceptions are put into the context, and the
//! runtime looks for the handler.

use super::super::Translator;
use super::super::call::Callee;
use super::super::exception::TryClauses;
use super::Environment;
use crate::error::{Error, Result};
use crate::libcall::Libcall;
use crate::module;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use linnet_abi::frames::kind;
use wasmparser::{BlockType, MemArg, Operator, RefType, TryTable, ValType};

pub(super) struct Linux;

impl Environment for Linux {
    fn check_reference(&self, ty: RefType) -> Result<()> {
        module::check_value(ValType::Ref(ty))
    }

    fn needs_locations(&self) -> bool {
        false
    }

    fn calls_exports(&self) -> bool {
        true
    }

    fn memory_faults_trap(&self) -> bool {
        false
    }

    fn access_address(&self, t: &mut Translator, index: Value, _: &MemArg) -> Value {
        t.heap_address(index)
    }

    fn range(&self, t: &mut Translator, _: u32, index: Value, len: Value) -> (Value, Value) {
        let len = t.wide(len);
        (t.heap_address(index), len)
    }

    fn memory_size(&self, t: &mut Translator, _: u32) {
        let context = t.context();
        let size = t.libcall(Libcall::memory_size, &[context]);
        t.stack.extend(size);
    }

    fn memory_grow(&self, t: &mut Translator, _: u32) {
        let pages = t.pop();
        let context = t.context();
        let old = t.libcall(Libcall::memory_grow, &[context, pages]);
        t.stack.extend(old);
    }

    fn segment_len(&self, t: &mut Translator, segment: u32) -> Value {
        let len = t.module.segments[segment as usize].passive_len();
        t.b.ins().iconst(I64, len as i64)
    }

    /// Only a permission to free the segment. It is never used: the segments are read-only data.
    fn drop_segment(&self, _: &mut Translator, _: u32) {}

    fn atomic_wait(&self, t: &mut Translator, ty: Type, memarg: &MemArg) {
        let libcall = if ty == I32 { Libcall::atomic_wait32 } else { Libcall::atomic_wait64 };
        let timeout = t.pop();
        let expected = t.pop();
        let address = t.atomic_address(ty, memarg);
        let context = t.context();
        t.announce_capture_point(kind::HOST);
        let result = t.libcall(libcall, &[context, address, expected, timeout]);
        t.stack.extend(result);
    }

    fn atomic_notify(&self, t: &mut Translator, memarg: &MemArg) {
        let count = t.pop();
        let address = t.atomic_address(I32, memarg);
        let context = t.context();
        let woken = t.libcall(Libcall::atomic_notify, &[context, address, count]);
        t.stack.extend(woken);
    }

    /// A module has references to exceptions only. The validator takes these operators for them.
    fn reference(&self, _: &mut Translator, operator: &Operator) -> Result<bool> {
        match operator {
            Operator::RefFunc { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableSize { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. } => Err(Error::unsupported("reference types")),
            _ => Ok(false),
        }
    }

    fn call_reference(&self, _: &mut Translator, _: u32) -> Option<Value> {
        None
    }

    fn call_indirect(&self, t: &mut Translator, ty: u32, _: u32) -> Result<()> {
        t.call_entry_of_type(ty)
    }

    fn return_call_indirect(&self, t: &mut Translator, ty: u32, _: u32) -> Result<()> {
        t.return_call_entry(ty)
    }

    fn emit_call(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value> {
        let handlers = t.tagged_handlers();
        t.emit_call_with(callee, args, &handlers)
    }

    fn emit_libcall(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value> {
        self.emit_call(t, callee, args)
    }

    fn enter_try(&self, t: &mut Translator, ty: BlockType, clauses: TryClauses) -> Result<()> {
        t.enter_context_try(ty, clauses)
    }

    fn catch(&self, t: &mut Translator, tag: Option<u32>) -> Result<()> {
        t.catch_from_context(tag)
    }

    fn enter_try_table(&self, t: &mut Translator, table: &TryTable) -> Result<()> {
        t.enter_context_try_table(table)
    }

    fn end_block(&self, _: &mut Translator) -> Result<()> {
        Ok(())
    }

    fn throw(&self, t: &mut Translator, tag: u32) -> Result<()> {
        t.throw_by_context(tag)
    }

    fn rethrow(&self, t: &mut Translator, depth: u32) -> Result<()> {
        t.rethrow_by_context(depth)
    }

    fn throw_ref(&self, t: &mut Translator) {
        t.throw_packed();
    }
}
