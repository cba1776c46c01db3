//! Adds parts of an index to the address as 64 bits.
//!
//! An index into linear memory has 32 bits and its sums wrap around, so that each sum takes an
//! instruction of its own before the index is added to the heap base. Where wrapping around is excluded,
//! or makes no difference, a constant goes into the offset of the access, which then shares its address
//! with its neighbours, and a scaled index into the addressing mode.
//!
//! It makes no difference where the access faults in either case. In a program or kernel the first
//! [`NULL_GUARD`] bytes of a memory are never mapped, and nothing behind the memory is. If a part, the
//! offset and the width are together no more than these bytes, a sum that wraps around is below them,
//! and without wrapping around it is behind the memory. (Root may map the first page of a process: there a
//! pointer to the very end of the address space, where nothing is ever mapped, faults instead of reaching
//! that page.)
//!
//! It runs before the optimizer, which makes one of equal addresses and takes them out of loops.

use super::value_range::{ANY, ValueRanges, constant, operands};
use crate::names::HEAP;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};
use linnet_abi::memory::NULL_GUARD;

/// Bytes of the widest access.
const WIDEST: u64 = 16;

/// Most parts of an index.
const PARTS: usize = 4;

/// Where memories are, and what addresses look like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Whether the first bytes of a memory are unmapped.
    pub(super) has_guard: bool,
    /// Whether an address may have a second, scaled register.
    pub(super) is_indexed: bool,
}

pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph, shape: Shape) {
    let mut ranges = ValueRanges::new(cfg);
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            if let Some((address, offset)) = heap_access(cursor.func, inst)
                && let Some((base, index)) = indexed(cursor.func, address)
                && let Some(parts) = Parts::of(cursor.func, &mut ranges, index, offset, shape)
            {
                rewrite(&mut cursor, inst, base, &parts, &mut ranges);
            }
        }
    }
}

/// Address and offset of an access of a linear memory.
fn heap_access(func: &Function, inst: Inst) -> Option<(Value, u64)> {
    let (address, flags, offset) = match func.dfg.insts[inst] {
        InstructionData::Load { arg, flags, offset, .. } => (arg, flags, offset),
        InstructionData::Store { args: [_, address], flags, offset, .. } => {
            (address, flags, offset)
        }
        _ => return None,
    };
    let region = func.dfg.mem_flags[flags].alias_region()?;
    let is_heap = func.dfg.alias_regions[region].user_id == HEAP;
    Some((address, u64::try_from(i32::from(offset)).ok()?)).filter(|_| is_heap)
}

/// The two sides of an address: 64 bits, and an index of 32.
fn indexed(func: &Function, address: Value) -> Option<(Value, Value)> {
    let (base, extended) = operands(func, address, Opcode::Iadd)?;
    let ValueDef::Result(inst, 0) = func.dfg.value_def(func.dfg.resolve_aliases(extended)) else {
        return None;
    };
    match func.dfg.insts[inst] {
        InstructionData::Unary { opcode: Opcode::Uextend, arg }
            if func.dfg.value_type(arg) == I32 =>
        {
            Some((base, arg))
        }
        _ => None,
    }
}

/// An index that is the sum of all this without wrapping around, or whose access faults.
struct Parts {
    index: Value,
    /// Added to the index as 64 bits.
    more: Option<Value>,
    offset: u64,
}

impl Parts {
    /// Takes an index apart, if that makes the access shorter.
    fn of(
        func: &Function,
        ranges: &mut ValueRanges,
        index: Value,
        offset: u64,
        shape: Shape,
    ) -> Option<Parts> {
        let mut parts = Parts { index, more: None, offset };
        // What parts may still be without a difference.
        let guard = if shape.has_guard { NULL_GUARD } else { 0 };
        let mut room = guard.saturating_sub(offset + WIDEST);
        for _ in 0..PARTS {
            let Some((a, b)) = operands(func, parts.index, Opcode::Iadd) else { break };
            let (a_most, b_most) = (ranges.max_of(func, a), ranges.max_of(func, b));
            let (rest, part, most) = if a_most < b_most { (b, a, a_most) } else { (a, b, b_most) };
            let is_exact = a_most + b_most <= ANY;
            if !is_exact && most > room {
                break;
            }
            match (constant(func, part), constant(func, rest)) {
                (Some(number), _) if parts.offset + number <= i32::MAX as u64 => {
                    parts.offset += number;
                    parts.index = rest;
                }
                (None, Some(number)) if is_exact && parts.offset + number <= i32::MAX as u64 => {
                    parts.offset += number;
                    parts.index = part;
                }
                (None, None) if parts.more.is_none() && shape.is_indexed => {
                    parts.more = Some(part);
                    parts.index = rest;
                }
                _ => break,
            }
            room = room.saturating_sub(most);
        }
        let is_scaled = shape.is_indexed && scaled(func, ranges, parts.index).is_some();
        (parts.index != index || is_scaled).then_some(parts)
    }
}

fn rewrite(
    cursor: &mut FuncCursor,
    access: Inst,
    base: Value,
    parts: &Parts,
    ranges: &mut ValueRanges,
) {
    let location = cursor.func.srcloc(access);
    cursor.set_srcloc(location);
    // An addressing mode adds a scaled part last. Otherwise that is the part with the lower bound: the
    // loop's counter, while the other is a pointer that is the same in all rounds.
    let (first, last) = match parts.more {
        Some(more)
            if scaled(cursor.func, ranges, more).is_none()
                && scaled(cursor.func, ranges, parts.index).is_some() =>
        {
            (Some(more), parts.index)
        }
        Some(more) => (Some(parts.index), more),
        None => (None, parts.index),
    };
    let mut address = base;
    for part in first.into_iter().chain([last]) {
        let part = widened(cursor, part, ranges);
        address = cursor.ins().iadd(address, part);
    }
    match &mut cursor.func.dfg.insts[access] {
        InstructionData::Load { arg, offset, .. } => {
            *arg = address;
            *offset = (parts.offset as i32).into();
        }
        InstructionData::Store { args, offset, .. } => {
            args[1] = address;
            *offset = (parts.offset as i32).into();
        }
        _ => {}
    }
}

/// A shift that can be done after the extension, by as much as addressing modes can.
fn scaled(func: &Function, ranges: &mut ValueRanges, value: Value) -> Option<(Value, i64)> {
    let (shifted, count) = operands(func, value, Opcode::Ishl)?;
    let count = constant(func, count).filter(|count| *count <= 3)?;
    (ranges.max_of(func, shifted) << count <= ANY).then_some((shifted, count as i64))
}

/// A value of 32 bits as 64, in a form that addressing modes know.
fn widened(cursor: &mut FuncCursor, value: Value, ranges: &mut ValueRanges) -> Value {
    match scaled(cursor.func, ranges, value) {
        Some((shifted, count)) => {
            let wide = cursor.ins().uextend(I64, shifted);
            cursor.ins().ishl_imm_u(wide, count)
        }
        None => cursor.ins().uextend(I64, value),
    }
}
