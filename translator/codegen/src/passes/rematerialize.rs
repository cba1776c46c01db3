//! Rematerializes cheap values: computes them again at each use.
//!
//! The optimizer computes the address of the function table once for all calls of a function, outside of
//! loops. It does the same with constants that are block arguments. Such a value then occupies a register,
//! a callee-saved one if there are calls, or a spill slot, although one instruction without operands
//! computes it.

use super::uses;
use cranelift_codegen::FxHashMap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Inst, Opcode, Value, ValueDef};

pub(super) fn run(func: &mut Function) {
    let mut pass = Pass { copies: FxHashMap::default(), used: Vec::new() };
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        pass.copies.clear();
        while let Some(inst) = cursor.next_inst() {
            pass.replace(&mut cursor, inst);
            let opcode = cursor.func.dfg.insts[inst].opcode();
            if is_cheap(opcode) {
                let value = cursor.func.dfg.first_result(inst);
                pass.copies.insert(value, value);
            }
            if opcode.is_call() {
                pass.copies.clear();
            }
        }
    }
}

fn is_cheap(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::SymbolValue | Opcode::FuncAddr | Opcode::Iconst)
}

/// The instruction that computes a value, if it is cheap.
pub(super) fn rematerializable(func: &Function, value: Value) -> Option<Inst> {
    match func.dfg.value_def(value) {
        ValueDef::Result(made, 0) if is_cheap(func.dfg.insts[made].opcode()) => Some(made),
        _ => None,
    }
}

struct Pass {
    /// The copy of each value since the last call in this block.
    copies: FxHashMap<Value, Value>,
    /// What the current instruction uses that may have to be replaced, and what it is to use.
    used: Vec<(Value, Value)>,
}

impl Pass {
    fn replace(&mut self, cursor: &mut FuncCursor, inst: Inst) {
        let func = &*cursor.func;
        let known =
            func.dfg.inst_values(inst).map(|value| (value, func.dfg.resolve_aliases(value)));
        self.used.clear();
        self.used.extend(
            known.filter(|(value, known)| {
                value != known || rematerializable(func, *known).is_some()
            }),
        );
        for i in 0..self.used.len() {
            let known = self.used[i].1;
            // An alias has no register.
            self.used[i].1 = self.copy(cursor, known).unwrap_or(known);
        }
        uses::replace(cursor.func, inst, &self.used);
    }

    /// The copy of a value to use here, if it is cheap.
    fn copy(&mut self, cursor: &mut FuncCursor, value: Value) -> Option<Value> {
        let made = rematerializable(cursor.func, value)?;
        if let Some(copy) = self.copies.get(&value) {
            return Some(*copy);
        }
        let copy = cursor.func.dfg.clone_inst(made);
        cursor.insert_inst(copy);
        let copy = cursor.func.dfg.first_result(copy);
        self.copies.insert(value, copy);
        Some(copy)
    }
}
