//! Passes of our own over CLIF, between Cranelift's optimizer and its instruction selection.
//!
//! | file         | what it does                                                          |
//! |--------------|-----------------------------------------------------------------------|
//! | [`latch`]    | compares a loop's counter behind its increment                        |
//! | [`symbols`]  | makes addresses of data anew where they are used                      |
//! | [`widen`]    | keeps addresses zero-extended                                         |
//!
//! What each gives is measured in `docs/src/reference/benchmarks-translator.md`.

mod latch;
mod symbols;
mod widen;

use crate::target::Target;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Opcode};

/// Runs all passes. The control flow stays as it is.
pub(crate) fn run(context: &mut Context, target: Target) {
    remove_sequence_points(&mut context.func);
    context.compute_loop_analysis();
    latch::run(context);
    if target.extends_words_for_free() {
        widen::run(&mut context.func, &context.cfg);
    }
    symbols::run(&mut context.func);
}

/// The optimizer has run: nothing behind it merges or reorders accesses of memory. A sequence point
/// there only keeps a load from being an operand of the instruction that needs it.
fn remove_sequence_points(func: &mut Function) {
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            if cursor.func.dfg.insts[inst].opcode() == Opcode::SequencePoint {
                cursor.remove_inst_and_step_back();
            }
        }
    }
}
