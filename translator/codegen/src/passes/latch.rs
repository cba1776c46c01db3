//! Compares a loop's counter after its increment.
//!
//! Code for WebAssembly often ends a loop by comparing the counter as it was before the increment, so
//! that the old and the new value are both alive at the branch: they need two registers, and a move
//! and a jump on the way back. For equality it makes no difference when both sides are incremented.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Block, Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};

/// Needs the control flow graph, the dominator tree and the loops.
pub(super) fn run(context: &mut Context) {
    let blocks: Vec<Block> = context.func.layout.blocks().collect();
    for block in blocks {
        if let Some(latch) = Latch::find(context, block) {
            latch.rewrite(&mut context.func);
        }
    }
}

/// The comparison at the end of a loop's round.
struct Latch {
    branch: Inst,
    cond: IntCC,
    /// The counter after its increment.
    next: Value,
    increment: i64,
    limit: Limit,
}

enum Limit {
    Constant(i64),
    /// A value that is known where the loop is entered: before this instruction.
    Value(Value, Inst),
}

impl Latch {
    fn find(context: &Context, block: Block) -> Option<Latch> {
        let func = &context.func;
        let dfg = &func.dfg;
        let branch = func.layout.last_inst(block)?;
        let InstructionData::Brif { arg, blocks, .. } = dfg.insts[branch] else { return None };
        let comparison = defining_inst(func, arg)?;
        let InstructionData::IntCompare { opcode: Opcode::Icmp, args, cond } =
            dfg.insts[comparison]
        else {
            return None;
        };
        if !matches!(cond, IntCC::Equal | IntCC::NotEqual) {
            return None;
        }
        let [counter, limit] = args.map(|value| dfg.resolve_aliases(value));
        for (counter, limit) in [(counter, limit), (limit, counter)] {
            let ValueDef::Param(head, number) = dfg.value_def(counter) else { continue };
            for call in blocks {
                if call.block(&dfg.value_lists) != head {
                    continue;
                }
                let next = call.args(&dfg.value_lists).nth(number)?.as_value()?;
                let next = dfg.resolve_aliases(next);
                let Some(increment) = increment_of(func, next, counter) else { continue };
                let Some(limit) = limit_of(context, head, limit) else { continue };
                return Some(Latch { branch, cond, next, increment, limit });
            }
        }
        None
    }

    fn rewrite(self, func: &mut Function) {
        let ty = func.dfg.value_type(self.next);
        let mut cursor = FuncCursor::new(func).at_inst(self.branch);
        let limit = match self.limit {
            Limit::Constant(number) => {
                let sum = number.wrapping_add(self.increment);
                // An immediate of 32 bits is that of an unsigned number.
                let sum = if ty == I32 { i64::from(sum as u32) } else { sum };
                cursor.ins().iconst(ty, sum)
            }
            Limit::Value(value, entry) => {
                let mut entry = FuncCursor::new(cursor.func).at_inst(entry);
                let sum = entry.ins().iadd_imm_s(value, self.increment);
                cursor = FuncCursor::new(func).at_inst(self.branch);
                sum
            }
        };
        let comparison = cursor.ins().icmp(self.cond, self.next, limit);
        cursor.func.dfg.inst_args_mut(self.branch)[0] = comparison;
    }
}

fn defining_inst(func: &Function, value: Value) -> Option<Inst> {
    match func.dfg.value_def(func.dfg.resolve_aliases(value)) {
        ValueDef::Result(inst, 0) => Some(inst),
        _ => None,
    }
}

fn constant(func: &Function, value: Value) -> Option<i64> {
    match func.dfg.insts[defining_inst(func, value)?] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
        _ => None,
    }
}

/// The constant that `next` is more than `counter`.
fn increment_of(func: &Function, next: Value, counter: Value) -> Option<i64> {
    let InstructionData::Binary { opcode: Opcode::Iadd, args } =
        func.dfg.insts[defining_inst(func, next)?]
    else {
        return None;
    };
    let [a, b] = args.map(|value| func.dfg.resolve_aliases(value));
    let increment = match (a == counter, b == counter) {
        (true, false) => constant(func, b)?,
        (false, true) => constant(func, a)?,
        _ => return None,
    };
    // As a signed number.
    match func.dfg.value_type(next) {
        I32 => Some(i64::from(increment as i32)),
        I64 => Some(increment),
        _ => None,
    }
}

/// `limit`, if it can be incremented before the loop.
fn limit_of(context: &Context, head: Block, limit: Value) -> Option<Limit> {
    let func = &context.func;
    if let Some(number) = constant(func, limit) {
        return Some(Limit::Constant(number));
    }
    let found = context.loop_analysis.innermost_loop(head)?;
    if context.loop_analysis.loop_header(found) != head {
        return None;
    }
    let defined_in = match func.dfg.value_def(limit) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst)?,
        ValueDef::Param(block, _) => block,
        ValueDef::Union(..) => return None,
    };
    if context.loop_analysis.is_in_loop(defined_in, found) {
        return None;
    }
    let mut entries = context
        .cfg
        .pred_iter(head)
        .filter(|pred| !context.loop_analysis.is_in_loop(pred.block, found));
    let entry = entries.next()?;
    let is_jump = func.dfg.insts[entry.inst].opcode() == Opcode::Jump;
    let dominates = context.domtree.block_dominates(defined_in, entry.block);
    (entries.next().is_none() && is_jump && dominates).then_some(Limit::Value(limit, entry.inst))
}
