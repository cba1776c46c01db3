//! Makes what is cheap to make anew where it is used.
//!
//! The optimizer makes the address of the function table once for all calls of a function, and outside
//! of loops, and so it does with constants that are arguments of blocks. Such a value then occupies a
//! register, a callee-saved one if there are calls, or a place on the stack, although one instruction
//! makes it from nothing.
//!
//! The context is alive in all of a function. It is needed at calls, where it moves to another register, and
//! at polls. Where there are few registers, a function that needs it behind a call keeps it in a stack slot, which
//! costs no more than to save the register that it would take; so does a large one that only polls.

use cranelift_codegen::FxHashMap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    Block, Function, Inst, InstBuilder, Opcode, StackSlot, StackSlotData, StackSlotKind, Value,
    ValueDef,
};

/// Instructions of a function that keeps the context in its register up to the first call. In a larger one
/// other values need it more.
const LARGE: usize = 300;

/// `has_slot`: whether the context may be kept in a stack slot.
pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph, has_slot: bool) {
    let entry = func.layout.entry_block().filter(|_| has_slot);
    let context = entry.and_then(|entry| func.dfg.block_params(entry).first().copied());
    let lost = context.map(|_| behind_calls(func, cfg)).unwrap_or_default();
    let mut pass = Pass { context, slot: None, copies: FxHashMap::default(), used: Vec::new() };
    let mut cursor = FuncCursor::new(func);
    while let Some(block) = cursor.next_block() {
        pass.copies.clear();
        if !lost.contains(block) {
            pass.copies.extend(context.map(|context| (context, context)));
        }
        while let Some(inst) = cursor.next_inst() {
            pass.replace(&mut cursor, inst);
            let opcode = cursor.func.dfg.insts[inst].opcode();
            if is_cheap(opcode) {
                let value = cursor.func.dfg.first_result(inst);
                pass.copies.insert(value, value);
            }
            if opcode.is_call() {
                pass.copies.clear();
            }
        }
    }
    if let (Some(context), Some(slot), Some(entry)) = (context, pass.slot, entry) {
        let mut cursor = FuncCursor::new(func).at_first_insertion_point(entry);
        cursor.ins().stack_store(I64, context, slot, 0);
    }
}

fn is_cheap(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::SymbolValue | Opcode::Iconst)
}

/// What makes a value, if it is cheap.
fn cheap(func: &Function, value: Value) -> Option<Inst> {
    match func.dfg.value_def(value) {
        ValueDef::Result(made, 0) if is_cheap(func.dfg.insts[made].opcode()) => Some(made),
        _ => None,
    }
}

/// Where the context is not in its register any more: blocks that a call may come before, but for the
/// calls of polls.
fn behind_calls(func: &Function, cfg: &ControlFlowGraph) -> EntitySet<Block> {
    let mut found = EntitySet::new();
    let mut pending = Vec::new();
    let mut count = 0;
    for block in func.layout.blocks().filter(|block| !func.layout.is_cold(*block)) {
        count += func.layout.block_insts(block).count();
        if func.layout.block_insts(block).any(|inst| func.dfg.insts[inst].opcode().is_call()) {
            pending.push(block);
        }
    }
    if count >= LARGE {
        found.extend(func.layout.blocks().skip(1));
        return found;
    }
    while let Some(block) = pending.pop() {
        pending.extend(cfg.succ_iter(block).filter(|next| found.insert(*next)));
    }
    found
}

struct Pass {
    context: Option<Value>,
    /// Where the context is, once it was needed.
    slot: Option<StackSlot>,
    /// What stands for a value since the last call in this block.
    copies: FxHashMap<Value, Value>,
    /// What the current instruction uses that may have to be replaced, and what it is to use.
    used: Vec<(Value, Value)>,
}

impl Pass {
    fn replace(&mut self, cursor: &mut FuncCursor, inst: Inst) {
        let func = &*cursor.func;
        let known =
            func.dfg.inst_values(inst).map(|value| (value, func.dfg.resolve_aliases(value)));
        self.used.clear();
        self.used.extend(known.filter(|(value, known)| {
            value != known || self.context == Some(*known) || cheap(func, *known).is_some()
        }));
        for i in 0..self.used.len() {
            let known = self.used[i].1;
            // An alias has no register.
            self.used[i].1 = self.copy(cursor, known).unwrap_or(known);
        }
        if self.used.iter().any(|(old, new)| old != new) {
            let used = &self.used;
            cursor.func.dfg.map_inst_values(inst, |value| {
                used.iter().find(|(old, _)| *old == value).map_or(value, |(_, new)| *new)
            });
        }
    }

    /// What stands for a value here, if it is cheap.
    fn copy(&mut self, cursor: &mut FuncCursor, value: Value) -> Option<Value> {
        let is_context = self.context == Some(value);
        let made = cheap(cursor.func, value);
        if !is_context && made.is_none() {
            return None;
        }
        if let Some(copy) = self.copies.get(&value) {
            return Some(*copy);
        }
        let copy = if let Some(made) = made {
            let copy = cursor.func.dfg.clone_inst(made);
            cursor.insert_inst(copy);
            cursor.func.dfg.first_result(copy)
        } else {
            let slot = *self.slot.get_or_insert_with(|| {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
                cursor.func.create_sized_stack_slot(data)
            });
            cursor.ins().stack_load(I64, I64, slot, 0)
        };
        self.copies.insert(value, copy);
        Some(copy)
    }
}
