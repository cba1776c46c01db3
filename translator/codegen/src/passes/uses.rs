//! Where the values of a function are used and defined.

use cranelift_codegen::FxHashMap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::entity::packed_option::PackedOption;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value, ValueDef};

/// How often a value, or its lower half, is used.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) operands: u32,
    /// Blocks that are not cold.
    pub(super) blocks: u32,
    last: PackedOption<Block>,
}

/// By the value as [`strip_ireduce`] gives it.
pub(super) fn find(func: &Function) -> SecondaryMap<Value, Uses> {
    let mut found = SecondaryMap::with_capacity(func.dfg.num_values());
    for block in func.layout.blocks() {
        let is_cold = func.layout.is_cold(block);
        for inst in func.layout.block_insts(block) {
            if func.dfg.insts[inst].opcode() == Opcode::Ireduce {
                continue;
            }
            for_operands(func, inst, |value| {
                let uses: &mut Uses = &mut found[strip_ireduce(func, value)];
                uses.operands += 1;
                if !is_cold && uses.last != Some(block).into() {
                    uses.last = Some(block).into();
                    uses.blocks += 1;
                }
            });
        }
    }
    found
}

/// All that an instruction takes. What is no branch has arguments alone, which are faster to go through.
pub(super) fn for_operands(func: &Function, inst: Inst, mut each: impl FnMut(Value)) {
    if func.dfg.insts[inst].opcode().is_terminator() {
        func.dfg.inst_values(inst).for_each(each);
    } else {
        func.dfg.inst_args(inst).iter().for_each(|value| each(*value));
    }
}

/// So many operands are looked through one after the other.
const SEVERAL: usize = 32;

/// Replaces operands, each by what stands beside it.
pub(super) fn replace(func: &mut Function, inst: Inst, operands: &[(Value, Value)]) {
    if operands.iter().all(|(old, new)| old == new) {
        return;
    }
    if operands.len() > SEVERAL {
        let known: FxHashMap<Value, Value> = operands.iter().rev().copied().collect();
        func.dfg.map_inst_values(inst, |value| known.get(&value).copied().unwrap_or(value));
    } else {
        func.dfg.map_inst_values(inst, |value| {
            operands.iter().find(|(old, _)| *old == value).map_or(value, |(_, new)| *new)
        });
    }
}

/// A cursor after the definition of a value.
pub(super) fn after_def(func: &mut Function, value: Value) -> FuncCursor<'_> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => FuncCursor::new(func).after_inst(inst),
        ValueDef::Param(block, _) => FuncCursor::new(func).at_first_insertion_point(block),
        ValueDef::Union(..) => unreachable!("the optimizer has chosen one of them"),
    }
}

/// What a value was before its upper half was cut off, which costs nothing.
pub(super) fn strip_ireduce(func: &Function, value: Value) -> Value {
    let mut value = func.dfg.resolve_aliases(value);
    while let ValueDef::Result(inst, _) = func.dfg.value_def(value)
        && let InstructionData::Unary { opcode: Opcode::Ireduce, arg } = func.dfg.insts[inst]
    {
        value = func.dfg.resolve_aliases(arg);
    }
    value
}
