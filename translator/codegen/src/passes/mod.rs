//! Passes of our own over CLIF: three before Cranelift's optimizer, the others between it and instruction
//! selection.
//!
//! | file                | what it does                                                     |
//! |---------------------|------------------------------------------------------------------|
//! | [`accumulators`]    | keeps the sum of a loop in one register                          |
//! | [`address_mode`]    | adds parts of an index to the address as 64 bits                 |
//! | [`argument_copies`] | copies arguments that are also used elsewhere                    |
//! | [`constant_phis`]   | removes block parameters that are always the same value          |
//! | [`context_results`] | results that need more than registers go through the context     |
//! | [`depth`]           | which functions are too deep to be optimized                     |
//! | [`latch`]           | compares a loop's counter after its increment                    |
//! | [`live_ranges`]     | cuts live ranges where there are too many long ones              |
//! | [`redundant_masks`] | removes masks of bits that are clear already                     |
//! | [`relocate`]        | keeps host addresses from living across calls                    |
//! | [`rematerialize`]   | computes cheap values again at each use                          |
//! | [`spill`]           | keeps values that live long in stack slots                       |
//! | [`uses`]            | where values are used and defined                                |
//! | [`value_range`]     | upper bounds of values                                           |
//! | [`zext`]            | keeps addresses zero-extended                                    |
//!
//! What each gives is measured in `docs/src/reference/experiments-translator.md`.

mod accumulators;
mod address_mode;
mod argument_copies;
mod constant_phis;
mod context_results;
mod depth;
mod latch;
mod live_ranges;
mod redundant_masks;
mod relocate;
mod rematerialize;
mod spill;
mod uses;
mod value_range;
mod zext;

use crate::options::Options;
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
    if depth::is_deep(context) {
        context.loop_analysis.clear();
    } else {
        context.egraph_pass(isa, &mut ControlPlane::default())?;
        context.compute_loop_analysis();
    }
    finish(context, options)?;
    context.verify_if(isa)
}

/// Runs the passes before the optimizer. They leave aliases.
fn prepare(context: &mut Context, options: &Options) {
    if options.is_program() {
        context_results::run(&mut context.func);
    }
    context.compute_cfg();
    constant_phis::run(&mut context.func, &context.cfg);
    redundant_masks::run(&mut context.func, &context.cfg);
    let shape = address_mode::Shape {
        has_guard: !options.standalone,
        is_indexed: options.target.extends_words_for_free(),
    };
    address_mode::run(&mut context.func, &context.cfg, shape);
}

/// Runs the others. The control flow stays as it is.
fn finish(context: &mut Context, options: &Options) -> CodegenResult<()> {
    let target = options.target;
    remove_sequence_points(&mut context.func);
    latch::run(context);
    if target.extends_words_for_free() {
        let loops = &context.loop_analysis;
        let heads: Vec<_> = loops.loops().map(|found| loops.loop_header(found)).collect();
        accumulators::run(&mut context.func, &context.cfg, &heads);
        zext::run(&mut context.func, &context.cfg);
    }
    if options.is_program() {
        relocate::run(context)?;
    }
    let uses = uses::find(&context.func);
    if target.has_few_registers() {
        argument_copies::run(&mut context.func, &uses);
    }
    // A standalone module finds all its memory by the context, and a program finds that from its stack pointer.
    let has_slot = !options.standalone && !options.is_program();
    spill::run(context, &uses, target.has_few_registers() && has_slot);
    rematerialize::run(&mut context.func);
    live_ranges::run(context);
    Ok(())
}

/// The optimizer has run: nothing after it merges or reorders accesses of memory. A sequence point
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
