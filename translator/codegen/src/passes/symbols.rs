//! Makes addresses of data anew where they are used.
//!
//! The optimizer makes the address of the function table once for all calls of a function, and outside
//! of loops. It then occupies a register, a callee-saved one if there are calls, although one
//! instruction makes it from nothing.

use cranelift_codegen::FxHashMap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Inst, Opcode, Value};

pub(super) fn run(func: &mut Function) {
    let symbols = symbols(func);
    if symbols.is_empty() {
        return;
    }
    // What stands for a symbol since the last call in this block.
    let mut copies: FxHashMap<Value, Value> = FxHashMap::default();
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        copies.clear();
        while let Some(inst) = cursor.next_inst() {
            let used: Vec<Value> = cursor.func.dfg.inst_values(inst).collect();
            let mut replaced = Vec::new();
            for value in used {
                let value = cursor.func.dfg.resolve_aliases(value);
                let Some(symbol) = symbols.get(&value) else { continue };
                let copy = *copies.entry(value).or_insert_with(|| {
                    let copy = cursor.func.dfg.clone_inst(*symbol);
                    cursor.insert_inst(copy);
                    cursor.func.dfg.first_result(copy)
                });
                replaced.push((value, copy));
            }
            if !replaced.is_empty() {
                let dfg = &mut cursor.func.dfg;
                dfg.map_inst_values(inst, |value| {
                    replaced.iter().find(|(old, _)| *old == value).map_or(value, |(_, new)| *new)
                });
            }
            if cursor.func.dfg.insts[inst].opcode().is_call() {
                copies.clear();
            }
        }
    }
    for inst in symbols.into_values() {
        cursor.func.layout.remove_inst(inst);
    }
}

/// Addresses of data, with the instructions that make them.
fn symbols(func: &Function) -> FxHashMap<Value, Inst> {
    let mut found = FxHashMap::default();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if func.dfg.insts[inst].opcode() == Opcode::SymbolValue {
                found.insert(func.dfg.first_result(inst), inst);
            }
        }
    }
    found
}
