//! Upper ranges of 32-bit values.

use cranelift_codegen::FxHashMap;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::condcodes::{CondCode as _, IntCC};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value, ValueDef};

/// What a value may be if nothing is known.
pub(super) const ANY: u64 = u32::MAX as u64;

/// Most instructions that are followed back from a value.
const DEPTH: u32 = 8;

/// Upper bounds of a function's values, computed on demand.
pub(super) struct ValueRanges<'c> {
    cfg: &'c ControlFlowGraph,
    /// Of block parameters.
    known: FxHashMap<Value, u64>,
}

/// A block parameter that a branch back to its block increments.
struct Step {
    increment: u64,
    /// Whether the branch compares the parameter after its increment, and not as it was.
    is_next: bool,
    /// The branch is taken while this holds.
    cond: IntCC,
    limit: u64,
}

impl<'c> ValueRanges<'c> {
    pub(super) fn new(cfg: &'c ControlFlowGraph) -> Self {
        ValueRanges { cfg, known: FxHashMap::default() }
    }

    /// The greatest unsigned number that a value of 32 bits may be.
    pub(super) fn max_of(&mut self, func: &Function, value: Value) -> u64 {
        self.find(func, value, DEPTH)
    }

    fn find(&mut self, func: &Function, value: Value, depth: u32) -> u64 {
        if depth == 0 {
            return ANY;
        }
        let value = func.dfg.resolve_aliases(value);
        match func.dfg.value_def(value) {
            ValueDef::Result(inst, 0) => self.result(func, inst, depth - 1),
            ValueDef::Param(block, number) => {
                if let Some(known) = self.known.get(&value) {
                    return *known;
                }
                // As long as it is not known better: it may depend on itself.
                self.known.insert(value, ANY);
                let found = self.parameter(func, block, number, value, depth - 1).unwrap_or(ANY);
                self.known.insert(value, found);
                found
            }
            _ => ANY,
        }
    }

    fn result(&mut self, func: &Function, inst: Inst, depth: u32) -> u64 {
        let bits = |number: u64| (number + 1).next_power_of_two() - 1;
        let most = match func.dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                u64::from(imm.bits() as u32)
            }
            InstructionData::Load { opcode: Opcode::Uload8, .. } => 0xff,
            InstructionData::Load { opcode: Opcode::Uload16, .. } => 0xffff,
            InstructionData::Unary { opcode: Opcode::Uextend, arg } => {
                let width = func.dfg.value_type(arg).bits();
                if width < 32 { (1 << width) - 1 } else { ANY }
            }
            InstructionData::Binary { opcode, args: [a, b] } => {
                let number = constant(func, b);
                match (opcode, number) {
                    (Opcode::Band, _) => self.find(func, a, depth).min(self.find(func, b, depth)),
                    (Opcode::Bor | Opcode::Bxor, _) => {
                        bits(self.find(func, a, depth).max(self.find(func, b, depth)))
                    }
                    (Opcode::Iadd, _) => self.find(func, a, depth) + self.find(func, b, depth),
                    (Opcode::Ishl, Some(count)) => self.find(func, a, depth) << (count % 32),
                    (Opcode::Ushr, Some(count)) => self.find(func, a, depth) >> (count % 32),
                    (Opcode::Urem, Some(number)) if number > 0 => number - 1,
                    (Opcode::Udiv, Some(number)) if number > 0 => {
                        self.find(func, a, depth) / number
                    }
                    (Opcode::Imul, Some(number)) => self.find(func, a, depth) * number,
                    _ => ANY,
                }
            }
            InstructionData::Ternary { opcode: Opcode::Select, args: [_, a, b] } => {
                self.find(func, a, depth).max(self.find(func, b, depth))
            }
            _ => ANY,
        };
        // What may have wrapped around may be anything.
        most.min(ANY)
    }

    /// What comes from all branches to the block.
    fn parameter(
        &mut self,
        func: &Function,
        block: Block,
        number: usize,
        value: Value,
        depth: u32,
    ) -> Option<u64> {
        if func.layout.entry_block() == Some(block) || func.dfg.value_type(value) != I32 {
            return None;
        }
        let mut initial = Vec::new();
        let mut steps = Vec::new();
        for predecessor in self.cfg.pred_iter(block) {
            let branch = &func.dfg.insts[predecessor.inst];
            let calls =
                branch.branch_destination(&func.dfg.jump_tables, &func.dfg.exception_tables);
            for (at, call) in calls.iter().enumerate() {
                if call.block(&func.dfg.value_lists) != block {
                    continue;
                }
                let argument = call.args(&func.dfg.value_lists).nth(number)?.as_value()?;
                let argument = func.dfg.resolve_aliases(argument);
                if argument == value {
                    continue;
                }
                match increment(func, argument, value) {
                    Some(increment) => {
                        steps.push(step(func, predecessor.inst, at, argument, value, increment)?);
                    }
                    None => initial.push(argument),
                }
            }
        }
        let mut most = 0;
        for initial in &initial {
            most = most.max(self.find(func, *initial, depth));
        }
        let start = most;
        // With several ones, the parameter may pass over the limit of another.
        if steps.len() > 1 {
            return None;
        }
        if let Some(step) = steps.pop() {
            let Step { increment, limit, .. } = step;
            let passed = match step.cond {
                IntCC::UnsignedLessThan if limit > 0 => limit - 1,
                // All that is added up is positive.
                IntCC::SignedLessThan
                    if limit > 0 && limit.max(start) + 2 * increment < 1 << 31 =>
                {
                    limit - 1
                }
                IntCC::NotEqual => {
                    let hits = |start: Option<u64>| {
                        start.is_some_and(|s| s < limit && (limit - s) % increment == 0)
                    };
                    if !initial.iter().all(|i| hits(constant(func, *i))) {
                        return None;
                    }
                    limit - increment
                }
                _ => return None,
            };
            most = most.max(if step.is_next { passed } else { passed + increment });
        }
        Some(most.min(ANY))
    }
}

/// A constant as an unsigned number.
pub(super) fn constant(func: &Function, value: Value) -> Option<u64> {
    match func.dfg.value_def(func.dfg.resolve_aliases(value)) {
        ValueDef::Result(inst, 0) => match func.dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                Some(u64::from(imm.bits() as u32))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Both operands of the instruction that gives a value, if it is that one.
pub(super) fn operands(func: &Function, value: Value, of: Opcode) -> Option<(Value, Value)> {
    match func.dfg.value_def(func.dfg.resolve_aliases(value)) {
        ValueDef::Result(inst, 0) => match func.dfg.insts[inst] {
            InstructionData::Binary { opcode, args: [a, b] } if opcode == of => Some((a, b)),
            _ => None,
        },
        _ => None,
    }
}

/// The positive constant that `next` is more than `value`.
fn increment(func: &Function, next: Value, value: Value) -> Option<u64> {
    let (a, b) = operands(func, next, Opcode::Iadd)?;
    let is_value = |v| func.dfg.resolve_aliases(v) == value;
    let increment = match (is_value(a), is_value(b)) {
        (true, false) => constant(func, b)?,
        (false, true) => constant(func, a)?,
        _ => return None,
    };
    (increment > 0 && increment < 1 << 30).then_some(increment)
}

/// The step that destination `at` of a branch makes, if that depends on a comparison with a constant.
fn step(
    func: &Function,
    branch: Inst,
    at: usize,
    next: Value,
    value: Value,
    increment: u64,
) -> Option<Step> {
    let InstructionData::Brif { arg, .. } = func.dfg.insts[branch] else { return None };
    let (a, b, mut cond) = comparison(func, arg)?;
    if at == 1 {
        cond = cond.complement();
    }
    let (a, b) = (func.dfg.resolve_aliases(a), func.dfg.resolve_aliases(b));
    let (compared, limit) = match constant(func, b) {
        Some(limit) => (a, limit),
        None => {
            cond = cond.swap_args();
            (b, constant(func, a)?)
        }
    };
    let is_next = compared == next;
    (is_next || compared == value).then_some(Step { increment, is_next, cond, limit })
}

/// What a condition of 32 bits compares.
fn comparison(func: &Function, condition: Value) -> Option<(Value, Value, IntCC)> {
    let mut value = condition;
    let mut is_negated = false;
    for _ in 0..DEPTH {
        let ValueDef::Result(inst, 0) = func.dfg.value_def(func.dfg.resolve_aliases(value)) else {
            return None;
        };
        match func.dfg.insts[inst] {
            InstructionData::Unary { opcode: Opcode::Uextend, arg } => value = arg,
            InstructionData::IntCompare { args: [a, b], cond, .. } => {
                // `i32.eqz` of a comparison.
                if cond == IntCC::Equal && constant(func, b) == Some(0) && comparison_like(func, a)
                {
                    is_negated = !is_negated;
                    value = a;
                    continue;
                }
                let width = func.dfg.value_type(a);
                let cond = if is_negated { cond.complement() } else { cond };
                return (width == I32).then_some((a, b, cond));
            }
            _ => return None,
        }
    }
    None
}

/// Whether a value is that of a comparison, 0 or 1.
fn comparison_like(func: &Function, value: Value) -> bool {
    match func.dfg.value_def(func.dfg.resolve_aliases(value)) {
        ValueDef::Result(inst, 0) => matches!(
            func.dfg.insts[inst],
            InstructionData::Unary { opcode: Opcode::Uextend, .. }
                | InstructionData::IntCompare { .. }
        ),
        _ => false,
    }
}
