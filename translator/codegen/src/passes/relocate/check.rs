//! Whether the pass has done what it is for. Only debug builds ask.

use super::super::uses;
use super::kind::{Kind, kind, passed};
use super::{home, is_call};
use cranelift_codegen::Context;
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{Block, Inst, Value, ValueDef};

/// Whether no address is alive across a call: the reason why forks work.
pub(super) fn is_free(context: &Context) -> bool {
    let func = &context.func;
    let mut kinds: SecondaryMap<Value, Kind> = SecondaryMap::new();
    if let Some(first) = func.layout.entry_block().and_then(|b| func.dfg.block_params(b).first()) {
        kinds[*first] = Kind::Context;
    }
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for block in context.domtree.cfg_rpo() {
            for inst in func.layout.block_insts(*block) {
                let kind = kind(func, &kinds, inst);
                if kind != Kind::None {
                    kinds[func.dfg.first_result(inst)] = kind;
                }
                for (param, arg) in passed(func, inst) {
                    is_changed |= kinds[param] == Kind::None && kinds[arg] != Kind::None;
                    if kinds[arg] != Kind::None {
                        kinds[param] = kinds[arg];
                    }
                }
            }
        }
    }
    func.layout.blocks().all(|block| {
        func.layout.block_insts(block).all(|inst| {
            let mut is_free = true;
            uses::for_operands(func, inst, |value| {
                is_free &= kinds[value] == Kind::None || is_near(context, value, block, inst);
            });
            is_free
        })
    })
}

/// Whether no call is between what makes a value and one of its uses.
fn is_near(context: &Context, value: Value, block: Block, user: Inst) -> bool {
    let func = &context.func;
    let home = home(func, value);
    let made = match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => Some(inst),
        _ => None,
    };
    let mut seen = EntitySet::new();
    let mut todo = vec![(block, func.layout.prev_inst(user))];
    while let Some((block, mut at)) = todo.pop() {
        let is_made = loop {
            match at {
                None => break home == Some(block) && made.is_none(),
                Some(_) if at == made => break true,
                Some(inst) if is_call(func, inst) => return false,
                Some(inst) => at = func.layout.prev_inst(inst),
            }
        };
        if !is_made {
            let before = context.cfg.pred_iter(block).filter(|p| seen.insert(p.block));
            todo.extend(before.map(|p| (p.block, func.layout.last_inst(p.block))));
        }
    }
    true
}
