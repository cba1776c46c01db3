//! Keeps the sum that a loop accumulates in one register.
//!
//! An instruction of x86 overwrites its first operand. If the sum so far is the second one, each round
//! ends with a move to where the next one wants it, and with a jump around that move.

use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value, ValueDef};

/// Most instructions from a round's sum to the next one's.
const LENGTH: usize = 32;

pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph, heads: &[Block]) {
    let mut swapped = Vec::new();
    for head in heads {
        for (number, param) in func.dfg.block_params(*head).iter().enumerate() {
            for predecessor in cfg.pred_iter(*head) {
                let dfg = &func.dfg;
                let branch = &dfg.insts[predecessor.inst];
                for call in branch.branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
                    if call.block(&dfg.value_lists) != *head {
                        continue;
                    }
                    let argument = call.args(&dfg.value_lists).nth(number);
                    if let Some(argument) = argument.and_then(|argument| argument.as_value()) {
                        swapped.extend(chain(func, argument, *param));
                    }
                }
            }
        }
    }
    for inst in swapped {
        func.dfg.inst_args_mut(inst).swap(0, 1);
    }
}

/// The instructions between `param` and `end` that have the way to `param` as their second operand.
fn chain(func: &Function, end: Value, param: Value) -> Vec<Inst> {
    let mut found = Vec::new();
    let mut value = func.dfg.resolve_aliases(end);
    for _ in 0..LENGTH {
        if value == param {
            return found;
        }
        let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { break };
        let InstructionData::Binary { opcode, args } = func.dfg.insts[inst] else { break };
        let [a, b] = args.map(|value| func.dfg.resolve_aliases(value));
        if !is_commutative(opcode) || depends_on(func, a, param) {
            value = a;
        } else if depends_on(func, b, param) {
            found.push(inst);
            value = b;
        } else {
            break;
        }
    }
    Vec::new()
}

/// Whether a value is `param` or made of it by instructions of the same kind.
fn depends_on(func: &Function, value: Value, param: Value) -> bool {
    let mut pending = vec![value];
    for _ in 0..LENGTH {
        let Some(value) = pending.pop() else { return false };
        let value = func.dfg.resolve_aliases(value);
        if value == param {
            return true;
        }
        let ValueDef::Result(inst, 0) = func.dfg.value_def(value) else { continue };
        if let InstructionData::Binary { opcode, args } = func.dfg.insts[inst]
            && is_commutative(opcode)
        {
            pending.extend(args);
        }
    }
    false
}

/// Those that overwrite an operand and may have them the other way round.
fn is_commutative(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Fadd | Opcode::Fmul | Opcode::Imul | Opcode::Band | Opcode::Bor | Opcode::Bxor
    )
}
