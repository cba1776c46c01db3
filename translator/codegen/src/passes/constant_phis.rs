//! Removes block parameters that are always the same value.
//!
//! The front end makes a parameter of each local that a loop uses, before it is known whether the loop
//! changes it. The code generator's own pass does not find those that are the same as another parameter,
//! as that of an inner loop is the same as that of the outer one. Each that stays takes a register, and
//! moves.

use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Block, Function, Inst, Value};

pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph) {
    let entry = func.layout.entry_block();
    let blocks: Vec<Block> = func
        .layout
        .blocks()
        .filter(|block| Some(*block) != entry && !func.dfg.block_params(*block).is_empty())
        .collect();
    let mut branches = Vec::new();
    let mut inputs = Vec::new();
    // One that is removed may make others the same.
    let mut is_changed = !blocks.is_empty();
    while is_changed {
        is_changed = false;
        for block in &blocks {
            branches.clear();
            branches.extend(cfg.pred_iter(*block).map(|predecessor| predecessor.inst));
            branches.dedup();
            is_changed |= simplify(func, *block, &branches, &mut inputs);
        }
    }
}

/// What a parameter gets from the branches that were looked at.
#[derive(Clone, Copy)]
enum Input {
    None,
    One(Value),
    Several,
}

/// Whether the block lost a parameter.
fn simplify(func: &mut Function, block: Block, branches: &[Inst], inputs: &mut Vec<Input>) -> bool {
    inputs.clear();
    inputs.resize(func.dfg.num_block_params(block), Input::None);
    let dfg = &func.dfg;
    let params = dfg.block_params(block);
    for branch in branches {
        let calls = dfg.insts[*branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        for call in calls.iter().filter(|call| call.block(&dfg.value_lists) == block) {
            for (number, argument) in call.args(&dfg.value_lists).enumerate() {
                let Some(argument) = argument.as_value() else {
                    inputs[number] = Input::Several;
                    continue;
                };
                let argument = dfg.resolve_aliases(argument);
                inputs[number] = match inputs[number] {
                    input if argument == params[number] => input,
                    Input::None => Input::One(argument),
                    Input::One(known) if known == argument => Input::One(known),
                    _ => Input::Several,
                };
            }
        }
    }
    let mut is_changed = false;
    for number in (0..inputs.len()).rev() {
        let Input::One(value) = inputs[number] else { continue };
        // An earlier one may have become the same as this one.
        let value = func.dfg.resolve_aliases(value);
        let param = func.dfg.block_params(block)[number];
        if value == param {
            continue;
        }
        func.dfg.remove_block_param(param);
        func.dfg.change_to_alias(param, value);
        for branch in branches {
            remove_argument(func, *branch, block, number);
        }
        is_changed = true;
    }
    is_changed
}

fn remove_argument(func: &mut Function, branch: Inst, block: Block, number: usize) {
    let dfg = &mut func.dfg;
    let calls =
        dfg.insts[branch].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
    for call in calls {
        if call.block(&dfg.value_lists) == block {
            call.remove(number, &mut dfg.value_lists);
        }
    }
}
