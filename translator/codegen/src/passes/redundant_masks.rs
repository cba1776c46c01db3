//! Removes masks of bits that are clear already.
//!
//! A byte that C keeps in an `unsigned char` is an `i32` of WebAssembly, and its upper bits are cut off
//! where it is used. The code generator knows that they are clear after the load, but not where the byte
//! comes from another block, as in a loop that compares strings.

use super::value_range::{ANY, ValueRanges, constant, operands};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Function, Inst, Opcode, Value};

pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph) {
    let mut ranges = ValueRanges::new(cfg);
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            if let Some(value) = unmasked(cursor.func, &mut ranges, inst) {
                let result = cursor.func.dfg.first_result(inst);
                cursor.func.dfg.clear_results(inst);
                cursor.func.dfg.change_to_alias(result, value);
                cursor.remove_inst_and_step_back();
            }
        }
    }
}

/// What `inst` masks without changing it.
fn unmasked(func: &Function, ranges: &mut ValueRanges, inst: Inst) -> Option<Value> {
    if func.dfg.insts[inst].opcode() != Opcode::Band {
        return None;
    }
    let (value, mask) = operands(func, func.dfg.first_result(inst), Opcode::Band)?;
    if func.dfg.value_type(value) != I32 {
        return None;
    }
    let mask = constant(func, mask)?;
    // A mask of low bits keeps every number up to it.
    let is_low = mask < ANY && (mask + 1).is_power_of_two();
    (is_low && ranges.max_of(func, value) <= mask).then_some(value)
}
