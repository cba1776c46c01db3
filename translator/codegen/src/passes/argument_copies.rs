//! Copies arguments that are also used elsewhere, so that the value itself is not tied to the register of the
//! argument.
//!
//! The register allocator ties a value to the register in which a call takes it. A value that calls take and
//! that lives across them can lie in no such register, and is tied to it all the same: after a few tries to
//! split its life the allocator keeps it in memory and loads it wherever it is used. A copy for each call, by the
//! move that is there anyway, leaves the value itself free.

use super::rematerialize::rematerializable;
use super::uses::{Uses, strip_ireduce};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Function, InstBuilder, Value};

pub(super) fn run(func: &mut Function, uses: &SecondaryMap<Value, Uses>) {
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            if !cursor.func.dfg.insts[inst].opcode().is_call() {
                continue;
            }
            for at in 0..cursor.func.dfg.inst_args(inst).len() {
                let value = cursor.func.dfg.inst_args(inst)[at];
                if is_needed_elsewhere(cursor.func, uses, value) {
                    // A half that was cut off is not known to be extended, so this is a move.
                    let moved = cursor.ins().uextend(I64, value);
                    cursor.func.dfg.inst_args_mut(inst)[at] = cursor.ins().ireduce(I32, moved);
                }
            }
        }
    }
}

fn is_needed_elsewhere(func: &Function, uses: &SecondaryMap<Value, Uses>, value: Value) -> bool {
    func.dfg.value_type(value) == I32
        && uses[strip_ireduce(func, value)].operands > 1
        && rematerializable(func, value).is_none()
}
