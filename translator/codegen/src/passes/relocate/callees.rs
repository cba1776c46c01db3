//! Functions of a program find their context from the stack pointer, from the beginning on: so nobody has to find
//! it for them only to pass it on.

use super::super::uses;
use super::own_context;
use crate::names::namespace;
use crate::passes::Callees;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{ExternalName, FuncRef, Function, Inst, InstBuilder, InstructionData};

/// Lets the function find its own context, and its calls pass zero.
pub(super) fn run(func: &mut Function, callees: Callees) {
    let Some(entry) = func.layout.entry_block() else { return };
    let Some(param) = func.dfg.block_params(entry).first().copied() else { return };
    let mut own = None;
    for block in func.layout.blocks().collect::<Vec<_>>() {
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            if let Some(at) = context_argument(func, inst, callees) {
                let zero = FuncCursor::new(func).at_inst(inst).ins().iconst(I64, 0);
                func.dfg.inst_args_mut(inst)[at] = zero;
            }
            let mut is_used = false;
            uses::for_operands(func, inst, |value| is_used |= value == param);
            if is_used {
                let own = *own.get_or_insert_with(|| {
                    own_context(&mut FuncCursor::new(func).at_first_insertion_point(entry))
                });
                uses::replace(func, inst, &[(param, own)]);
            }
        }
    }
}

/// The number of the argument that is the context, in a call of a function that finds its own.
fn context_argument(func: &Function, inst: Inst, callees: Callees) -> Option<usize> {
    match func.dfg.insts[inst] {
        InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
            finds_context(func, func_ref, callees).then_some(0)
        }
        // The first is what is called.
        InstructionData::CallIndirect { .. } | InstructionData::TryCallIndirect { .. } => {
            callees.is_table_own.then_some(1)
        }
        _ => None,
    }
}

fn finds_context(func: &Function, callee: FuncRef, callees: Callees) -> bool {
    let ExternalName::User(name) = func.dfg.ext_funcs[callee].name else { return false };
    let name = &func.params.user_named_funcs()[name];
    match name.namespace {
        namespace::FUNCTION => name.index >= callees.imported,
        namespace::TRAMPOLINE => true,
        _ => false,
    }
}
