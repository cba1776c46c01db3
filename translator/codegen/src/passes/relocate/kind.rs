//! Which values are host addresses.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Function, Inst, InstructionData, Opcode, Value, ValueDef};
use cranelift_codegen::{CodegenError, CodegenResult, Context};
use linnet_abi::context::offset;

/// What kind of address a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    None,
    Context,
    Base,
    /// A place in the memory.
    Heap,
    /// Computed from something else, such as a slot of the stack.
    Other,
}

/// What kind of address each value is.
pub(super) fn find(context: &Context) -> CodegenResult<SecondaryMap<Value, Kind>> {
    let func = &context.func;
    let mut kinds: SecondaryMap<Value, Kind> = SecondaryMap::new();
    if let Some(first) = func.layout.entry_block().and_then(|b| func.dfg.block_params(b).first()) {
        kinds[*first] = Kind::Context;
    }
    for block in context.domtree.cfg_rpo() {
        for inst in func.layout.block_insts(*block) {
            let kind = kind(func, &kinds, inst);
            if kind != Kind::None {
                kinds[func.dfg.first_result(inst)] = kind;
            }
            if passed(func, inst).any(|(_, value)| kinds[value] != Kind::None) {
                // Nothing makes one: see `func`, where addresses are neither locals nor operands.
                let message = "an address as a parameter of a block".to_owned();
                return Err(CodegenError::Unsupported(message));
            }
        }
    }
    Ok(kinds)
}

/// Parameters of blocks, with what a branch gives them.
pub(super) fn passed(func: &Function, inst: Inst) -> impl Iterator<Item = (Value, Value)> {
    let dfg = &func.dfg;
    let calls = dfg.insts[inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    calls.iter().flat_map(|call| {
        let params = dfg.block_params(call.block(&dfg.value_lists)).iter().copied();
        let args = call.args(&dfg.value_lists);
        params.zip(args).filter_map(|(param, arg)| Some((param, arg.as_value()?)))
    })
}

pub(super) fn kind(func: &Function, kinds: &SecondaryMap<Value, Kind>, inst: Inst) -> Kind {
    let data = &func.dfg.insts[inst];
    let opcode = data.opcode();
    match *data {
        InstructionData::Load { opcode: Opcode::Load, arg, offset: at, .. }
            if kinds[arg] == Kind::Context && i32::from(at) == offset::HEAP_BASE =>
        {
            Kind::Base
        }
        InstructionData::StackAddr { .. } => Kind::Other,
        InstructionData::Binary { opcode: Opcode::Band, args }
            if args.iter().any(|arg| is_stack_pointer(func, *arg)) =>
        {
            Kind::Context
        }
        // A distance.
        InstructionData::Binary { opcode: Opcode::Isub, args }
            if args.iter().all(|arg| kinds[*arg] != Kind::None) =>
        {
            Kind::None
        }
        _ => {
            let is_pure = !opcode.can_load()
                && !opcode.can_store()
                && !opcode.other_side_effects()
                && !opcode.is_call()
                && !opcode.is_terminator();
            let results = func.dfg.inst_results(inst);
            if !is_pure || results.len() != 1 || func.dfg.value_type(results[0]) != I64 {
                return Kind::None;
            }
            let mut found = Kind::None;
            for arg in func.dfg.inst_args(inst) {
                found = match (found, kinds[*arg]) {
                    (found, Kind::None) => found,
                    (Kind::None | Kind::Heap, Kind::Base | Kind::Heap) => Kind::Heap,
                    _ => Kind::Other,
                };
            }
            found
        }
    }
}

fn is_stack_pointer(func: &Function, value: Value) -> bool {
    let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { return false };
    func.dfg.insts[inst].opcode() == Opcode::GetStackPointer
}
