//! Modules that a host program embeds.
//!
//! An instance has any number of memories and tables, its own or those of others, and its context leads to
//! them all: see `linnet_abi::instance`. Functions of other instances and of the host are called by
//! reference. An exception is an object, and a call has at most one handler, which compares tags.

use super::super::Translator;
use super::super::call::Callee;
use super::super::control::{Kind, block_args};
use super::super::exception::TryClauses;
use super::super::memory::memory_of;
use super::Environment;
use crate::error::Result;
use crate::libcall::Libcall;
use crate::module::types;
use crate::trap::{trap_code, trap_number};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{BlockArg, InstBuilder, Type, Value};
use linnet_abi::instance::MoreTrap;
use linnet_abi::trap::Trap;
use wasmparser::{BlockType, MemArg, Operator, RefType, TryTable};

pub(super) struct Embedded;

impl Environment for Embedded {
    fn check_reference(&self, ty: RefType) -> Result<()> {
        types::reference(ty).map(drop)
    }

    /// Hosts are told where in the module a trap happened.
    fn needs_locations(&self) -> bool {
        true
    }

    fn calls_exports(&self) -> bool {
        false
    }

    fn memory_faults_trap(&self) -> bool {
        true
    }

    /// Where no unmapped addresses lie behind the memory, the access is compared with its size.
    fn access_address(&self, t: &mut Translator, index: Value, memarg: &MemArg) -> Value {
        let memory = memory_of(memarg);
        let index = t.wide(index);
        if !t.sections().memory_type(memory).is_guarded() {
            // Every operator names its own width here: more is not valid.
            let bytes = 1u64 << memarg.max_align;
            match memarg.offset.checked_add(bytes) {
                Some(len) => {
                    let len = t.b.ins().iconst(I64, len as i64);
                    t.check_range(memory, index, len);
                }
                None => {
                    let always = t.b.ins().iconst(I32, 1);
                    t.b.ins().trapnz(always, trap_code(Trap::MemoryOutOfBounds));
                }
            }
        }
        let base = t.memory_base(memory);
        t.b.ins().iadd(base, index)
    }

    fn range(&self, t: &mut Translator, memory: u32, index: Value, len: Value) -> (Value, Value) {
        let len = t.wide(len);
        let index = t.wide(index);
        t.check_range(memory, index, len);
        let base = t.memory_base(memory);
        (t.b.ins().iadd(base, index), len)
    }

    fn memory_size(&self, t: &mut Translator, memory: u32) {
        let ty = t.sections().memory_type(memory);
        let bytes = t.memory_bytes(memory);
        let pages = t.b.ins().ushr_imm_u(bytes, i64::from(ty.page_log2));
        let pages = t.index_value(pages, ty.is_64 != 0);
        t.push(pages);
    }

    fn memory_grow(&self, t: &mut Translator, memory: u32) {
        let ty = t.sections().memory_type(memory);
        let pages = t.pop();
        let pages = t.wide(pages);
        let number = t.b.ins().iconst(I32, i64::from(memory));
        let context = t.context();
        let old = t.libcall(Libcall::instance_memory_grow, &[context, number, pages]);
        if let Some(old) = old {
            let old = t.index_value(old, ty.is_64 != 0);
            t.push(old);
        }
    }

    fn segment_len(&self, t: &mut Translator, segment: u32) -> Value {
        t.dropped_segment_len(segment)
    }

    fn drop_segment(&self, t: &mut Translator, segment: u32) {
        t.clear_segment(segment);
    }

    fn atomic_wait(&self, t: &mut Translator, ty: Type, memarg: &MemArg) {
        let libcall = if ty == I32 { Libcall::instance_wait32 } else { Libcall::instance_wait64 };
        let timeout = t.pop();
        let expected = t.pop();
        let address = waited_address(t, ty, memarg);
        if t.sections().memory_type(memory_of(memarg)).is_shared == 0 {
            t.b.ins().trap(trap_number(MoreTrap::NotShared as u8));
            let next = t.b.create_block();
            t.b.switch_to_block(next);
            t.b.seal_block(next);
        }
        let context = t.context();
        let result = t.libcall(libcall, &[context, address, expected, timeout]);
        t.stack.extend(result);
    }

    fn atomic_notify(&self, t: &mut Translator, memarg: &MemArg) {
        let count = t.pop();
        let address = waited_address(t, I32, memarg);
        let context = t.context();
        let woken = t.libcall(Libcall::instance_notify, &[context, address, count]);
        t.stack.extend(woken);
    }

    fn reference(&self, t: &mut Translator, operator: &Operator) -> Result<bool> {
        match operator {
            Operator::RefFunc { function_index } => {
                let reference = t.function_reference(*function_index);
                t.push(reference);
            }
            Operator::RefAsNonNull => {
                let reference = t.peek();
                t.trap_if_null(reference);
            }
            Operator::BrOnNull { relative_depth } => {
                let reference = t.pop();
                let (target, args) = t.branch_target(*relative_depth);
                let next = t.b.create_block();
                t.b.ins().brif(reference, next, &[], target, &block_args(&args));
                t.b.seal_block(next);
                t.b.switch_to_block(next);
                t.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                // The reference is the last of the operands that the branch takes along.
                let reference = t.peek();
                let (target, args) = t.branch_target(*relative_depth);
                let next = t.b.create_block();
                t.b.ins().brif(reference, target, &block_args(&args), next, &[]);
                t.b.seal_block(next);
                t.b.switch_to_block(next);
                t.pop();
            }
            Operator::TableGet { table } => t.table_get(*table),
            Operator::TableSet { table } => t.table_set(*table),
            Operator::TableSize { table } => t.table_size(*table),
            Operator::TableGrow { table } => t.table_grow(*table),
            Operator::TableFill { table } => t.table_fill(*table),
            Operator::TableCopy { dst_table, src_table } => t.table_copy(*dst_table, *src_table),
            Operator::TableInit { elem_index, table } => t.table_init(*elem_index, *table),
            Operator::ElemDrop { elem_index } => t.drop_elements(*elem_index),
            Operator::CallRef { type_index } => {
                let reference = t.pop();
                t.trap_if_null(reference);
                t.call_by_reference(reference, *type_index)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn call_reference(&self, t: &mut Translator, function: u32) -> Option<Value> {
        (function < t.module.imported()).then(|| t.function_reference(function))
    }

    fn call_indirect(&self, t: &mut Translator, ty: u32, table: u32) -> Result<()> {
        let index = t.pop();
        let callee = t.checked_reference(table, index, ty)?;
        t.call_by_reference(callee, ty)
    }

    fn return_call_indirect(&self, t: &mut Translator, ty: u32, table: u32) -> Result<()> {
        let index = t.pop();
        let callee = t.checked_reference(table, index, ty)?;
        t.return_call_by_reference(callee, ty)
    }

    fn emit_call(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value> {
        match t.dispatch() {
            None => t.plain_call(callee, args),
            // The block takes the exception as its parameter.
            Some(block) => t.try_call(callee, args, &[(None, block)], &[BlockArg::TryCallExn(0)]),
        }
    }

    /// None of them raises an exception, but one for which this function has no handler.
    fn emit_libcall(&self, t: &mut Translator, callee: Callee, args: &[Value]) -> Vec<Value> {
        t.plain_call(callee, args)
    }

    fn enter_try(&self, t: &mut Translator, ty: BlockType, clauses: TryClauses) -> Result<()> {
        t.enter_host_try(ty, clauses)
    }

    fn catch(&self, t: &mut Translator, _: Option<u32>) -> Result<()> {
        t.catch_host_exception()
    }

    fn enter_try_table(&self, t: &mut Translator, table: &TryTable) -> Result<()> {
        t.enter_host_try_table(table)
    }

    fn end_block(&self, t: &mut Translator) -> Result<()> {
        match t.top().kind {
            Kind::TryTable(_) => t.land_host_exceptions()?,
            Kind::Try(_) => t.end_host_try(),
            _ => {}
        }
        Ok(())
    }

    fn throw(&self, t: &mut Translator, tag: u32) -> Result<()> {
        t.throw_new(tag)
    }

    fn rethrow(&self, t: &mut Translator, depth: u32) -> Result<()> {
        t.rethrow_caught(depth)
    }

    fn throw_ref(&self, t: &mut Translator) {
        t.throw_reference();
    }
}

/// Host address of an atomic access by a libcall: the libcall may not be the one that faults.
fn waited_address(t: &mut Translator, ty: Type, memarg: &MemArg) -> Value {
    let address = t.atomic_address(ty, memarg);
    if t.sections().memory_type(memory_of(memarg)).is_guarded() {
        let flags = t.heap_flags();
        t.b.ins().load(ty, flags, address, 0);
    }
    address
}
