//! Keeps 32-bit values that serve as addresses zero-extended.
//!
//! An access of linear memory extends its index to 64 bits. An instruction that gives 32 bits clears
//! the others, so that the extension costs nothing right after it. A value that comes from another
//! block, from memory or from a call is not known to be extended: it needs a move at each access, and
//! both forms occupy registers. This makes block parameters and loads that are extended somewhere 64
//! bits wide, extends arguments of the function and results of calls where they come from, and cuts what
//! uses them as 32 bits off again, which costs nothing.

use super::uses::after_def;
use cranelift_codegen::FxHashMap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Block, BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};

pub(super) fn run(func: &mut Function, cfg: &ControlFlowGraph) {
    let extensions = extensions(func);
    let mut pass = Pass { func, wide: FxHashMap::default() };
    let mut parameters = Vec::new();
    let mut pending: Vec<Value> = extensions.iter().map(|(_, value)| *value).collect();
    while let Some(value) = pending.pop() {
        if pass.wide.contains_key(&value) {
            continue;
        }
        match pass.func.dfg.value_def(value) {
            ValueDef::Result(inst, _) if pass.func.dfg.insts[inst].opcode().is_call() => {
                let narrow = pass.func.dfg.replace_result(value, I32);
                pass.extend(narrow, value);
            }
            ValueDef::Result(inst, 0) => pass.widen_load(inst, value),
            ValueDef::Param(block, number) => {
                if let Some(inputs) = inputs(pass.func, cfg, block, number) {
                    let wide = pass.func.dfg.replace_block_param(value, I64);
                    pass.cut(wide, value);
                    parameters.push((block, number));
                    pending.extend(inputs);
                } else {
                    let narrow = pass.func.dfg.replace_block_param(value, I32);
                    pass.extend(narrow, value);
                }
            }
            _ => {}
        }
    }
    for (block, number) in parameters {
        for predecessor in cfg.pred_iter(block) {
            pass.widen_argument(predecessor.inst, block, number);
        }
    }
    if pass.wide.is_empty() {
        return;
    }
    for (inst, value) in extensions {
        if let Some(wide) = pass.wide.get(&value).copied() {
            let extended = pass.func.dfg.first_result(inst);
            pass.func.dfg.clear_results(inst);
            pass.func.dfg.change_to_alias(extended, wide);
            pass.func.layout.remove_inst(inst);
        }
    }
}

/// All extensions with what they extend.
fn extensions(func: &Function) -> Vec<(Inst, Value)> {
    let mut found = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if let InstructionData::Unary { opcode: Opcode::Uextend, arg } = func.dfg.insts[inst]
                && func.dfg.value_type(func.dfg.first_result(inst)) == I64
                && func.dfg.value_type(arg) == I32
            {
                found.push((inst, func.dfg.resolve_aliases(arg)));
            }
        }
    }
    found
}

/// What a block parameter may be, unless it comes from somewhere that is no branch's argument.
fn inputs(
    func: &Function,
    cfg: &ControlFlowGraph,
    block: Block,
    number: usize,
) -> Option<Vec<Value>> {
    let dfg = &func.dfg;
    if func.layout.entry_block() == Some(block) {
        return None;
    }
    let mut inputs = Vec::new();
    for predecessor in cfg.pred_iter(block) {
        let branch = &dfg.insts[predecessor.inst];
        for call in branch.branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
            if call.block(&dfg.value_lists) == block {
                let argument = call.args(&dfg.value_lists).nth(number)?;
                inputs.push(dfg.resolve_aliases(argument.as_value()?));
            }
        }
    }
    Some(inputs)
}

struct Pass<'f> {
    func: &'f mut Function,
    /// The 64-bit form of values that have one.
    wide: FxHashMap<Value, Value>,
}

impl Pass<'_> {
    /// Extends what stands for a value, an argument of the function or a call's result, where it comes from:
    /// the move out of the register in which it comes does that.
    fn extend(&mut self, narrow: Value, value: Value) {
        let wide = after_def(self.func, narrow).ins().uextend(I64, narrow);
        self.cut(wide, value);
    }

    /// Makes a value the lower half of a wide one.
    fn cut(&mut self, wide: Value, value: Value) {
        after_def(self.func, wide).ins().with_result(value).ireduce(I32, wide);
        self.wide.insert(value, wide);
    }

    fn widen_load(&mut self, inst: Inst, value: Value) {
        let InstructionData::Load { opcode, arg, flags, offset } = self.func.dfg.insts[inst] else {
            return;
        };
        if !matches!(opcode, Opcode::Load | Opcode::Uload8 | Opcode::Uload16) {
            return;
        }
        let flags = self.func.dfg.mem_flags[flags];
        self.func.dfg.clear_results(inst);
        let mut cursor = FuncCursor::new(self.func).at_inst(inst);
        let location = cursor.func.srcloc(inst);
        cursor.set_srcloc(location);
        let wide = match opcode {
            Opcode::Uload8 => cursor.ins().uload8(I64, flags, arg, offset),
            Opcode::Uload16 => cursor.ins().uload16(I64, flags, arg, offset),
            _ => cursor.ins().uload32(flags, arg, offset),
        };
        cursor.ins().with_result(value).ireduce(I32, wide);
        cursor.remove_inst();
        self.wide.insert(value, wide);
    }

    /// Passes the 64-bit form to a parameter that was widened.
    fn widen_argument(&mut self, branch: Inst, block: Block, number: usize) {
        let dfg = &self.func.dfg;
        let calls = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        for at in 0..calls.len() {
            let dfg = &self.func.dfg;
            let calls =
                dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
            let call = calls[at];
            if call.block(&dfg.value_lists) != block {
                continue;
            }
            let argument = call.args(&dfg.value_lists).nth(number).and_then(|a| a.as_value());
            let Some(argument) = argument.map(|value| dfg.resolve_aliases(value)) else { continue };
            if dfg.value_type(argument) == I64 {
                continue;
            }
            let wide = self.wide_form(argument, branch);
            let dfg = &mut self.func.dfg;
            let calls = dfg.insts[branch]
                .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
            let mut position = 0;
            calls[at].update_args(&mut dfg.value_lists, |old| {
                position += 1;
                if position - 1 == number { BlockArg::Value(wide) } else { old }
            });
        }
    }

    fn wide_form(&mut self, value: Value, branch: Inst) -> Value {
        if let ValueDef::Result(inst, 0) = self.func.dfg.value_def(value)
            && !self.wide.contains_key(&value)
        {
            self.widen_load(inst, value);
        }
        if let Some(wide) = self.wide.get(&value) {
            return *wide;
        }
        let constant = match self.func.dfg.value_def(value) {
            ValueDef::Result(inst, _) => match self.func.dfg.insts[inst] {
                InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
                _ => None,
            },
            _ => None,
        };
        let mut cursor = FuncCursor::new(self.func).at_inst(branch);
        match constant {
            Some(number) => cursor.ins().iconst(I64, i64::from(number as u32)),
            None => cursor.ins().uextend(I64, value),
        }
    }
}
