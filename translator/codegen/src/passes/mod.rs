//! Passes of our own over CLIF: three before Cranelift's optimizer, the others between it and instruction
//! selection.
//!
//! | file          | what it does                                                          |
//! |---------------|-----------------------------------------------------------------------|
//! | [`address`]   | adds parts of an index to the address as 64 bits                      |
//! | [`anew`]      | makes what is cheap to make anew where it is used                     |
//! | [`arguments`] | copies arguments that are needed elsewhere too                        |
//! | [`bounds`]    | upper bounds of values                                                |
//! | [`chains`]    | lets a sum over a loop's rounds stay in one register                  |
//! | [`latch`]     | compares a loop's counter behind its increment                        |
//! | [`masks`]     | removes masks of bits that are clear already                          |
//! | [`phis`]      | removes block parameters that are always the same value               |
//! | [`relocate`]  | keeps host addresses from being alive across calls                    |
//! | [`slots`]     | keeps values that live long in stack slots                            |
//! | [`users`]     | where values are needed, and where they come from                     |
//! | [`widen`]     | keeps addresses zero-extended                                         |
//!
//! What each gives is measured in `docs/src/reference/benchmarks-translator.md`.

mod address;
mod anew;
mod arguments;
mod bounds;
mod chains;
mod latch;
mod masks;
mod phis;
mod relocate;
mod slots;
mod users;
mod widen;

use crate::Options;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Opcode};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenResult, Context};

/// Runs all passes and the optimizer.
pub(crate) fn optimize(
    context: &mut Context,
    isa: &dyn TargetIsa,
    options: &Options,
) -> CodegenResult<()> {
    prepare(context, options);
    // The steps of `Context::optimize`. The control flow graph is known, and block parameters that are always
    // the same value are gone, but for those of loops that a captured frame goes on in.
    if isa.flags().enable_nan_canonicalization() {
        context.canonicalize_nans(isa)?;
    }
    context.verify_if(isa)?;
    context.compute_domtree();
    context.eliminate_unreachable_code(isa)?;
    if options.frames {
        context.remove_constant_phis(isa)?;
    }
    context.func.dfg.resolve_all_aliases();
    context.egraph_pass(isa, &mut ControlPlane::default())?;
    finish(context, options)?;
    context.verify_if(isa)
}

/// Runs the passes before the optimizer. They leave aliases.
fn prepare(context: &mut Context, options: &Options) {
    context.compute_cfg();
    phis::run(&mut context.func, &context.cfg);
    masks::run(&mut context.func, &context.cfg);
    let shape = address::Shape {
        has_guard: !options.standalone,
        is_indexed: options.target.extends_words_for_free(),
    };
    address::run(&mut context.func, &context.cfg, shape);
}

/// Runs the others. The control flow stays as it is.
fn finish(context: &mut Context, options: &Options) -> CodegenResult<()> {
    let target = options.target;
    remove_sequence_points(&mut context.func);
    context.compute_loop_analysis();
    latch::run(context);
    if target.extends_words_for_free() {
        let loops = &context.loop_analysis;
        let heads: Vec<_> = loops.loops().map(|found| loops.loop_header(found)).collect();
        chains::run(&mut context.func, &context.cfg, &heads);
        widen::run(&mut context.func, &context.cfg);
    }
    if options.is_program() {
        relocate::run(context)?;
    }
    let users = users::find(&context.func);
    if target.has_few_registers() {
        arguments::run(&mut context.func, &users);
    }
    slots::run(context, &users);
    anew::run(&mut context.func);
    Ok(())
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
