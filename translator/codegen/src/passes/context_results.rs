//! Results that registers have no room for go through the context.
//!
//! The calling conventions put them on the caller's stack, and the called function keeps the address of that
//! place until it returns, in a register or slot that nobody knows. It would be an address that is alive across
//! calls, which [`super::relocate`] allows nowhere. Here the called function stores its results behind the context
//! right before it returns, and the caller loads them right after the call: nothing runs in between.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    BlockArg, BlockCall, Function, Inst, InstBuilder, InstructionData, MemFlagsData, Opcode,
    SigRef, Signature, Type, Value,
};
use linnet_abi::context::offset;

/// Registers for results of one kind that each target has.
const REGISTERS: u32 = 2;

/// Changes the function's own signature and those of its calls. `context` is its first parameter.
pub(super) fn run(func: &mut Function) {
    let own = take(&mut func.signature);
    let signatures: Vec<SigRef> = func.dfg.signatures.keys().collect();
    let taken: Vec<_> = signatures.iter().map(|s| take(&mut func.dfg.signatures[*s])).collect();
    if own.is_none() && taken.iter().all(Option::is_none) {
        return;
    }
    let Some(context) = func.layout.entry_block().map(|entry| func.dfg.block_params(entry)[0])
    else {
        return;
    };
    let blocks: Vec<_> = func.layout.blocks().collect();
    for block in blocks {
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            if func.dfg.insts[inst].opcode() == Opcode::Return && own.is_some() {
                store(func, inst, context);
            } else if let Some(signature) = called(func, inst)
                && let Some(types) = &taken[signature.as_u32() as usize]
            {
                load(func, inst, context, types);
            }
        }
    }
}

/// The types of a signature's results, taken out of it if they are too many for registers.
fn take(signature: &mut Signature) -> Option<Vec<Type>> {
    let words = signature.returns.iter().map(|result| result.value_type.bytes().div_ceil(8));
    if words.sum::<u32>() <= REGISTERS {
        return None;
    }
    Some(signature.returns.drain(..).map(|result| result.value_type).collect())
}

/// The signature of a call that comes back.
fn called(func: &Function, inst: Inst) -> Option<SigRef> {
    let dfg = &func.dfg;
    match dfg.insts[inst] {
        InstructionData::Call { opcode: Opcode::Call, func_ref, .. } => {
            Some(dfg.ext_funcs[func_ref].signature)
        }
        InstructionData::CallIndirect { opcode: Opcode::CallIndirect, sig_ref, .. } => {
            Some(sig_ref)
        }
        InstructionData::TryCall { exception, .. }
        | InstructionData::TryCallIndirect { exception, .. } => {
            Some(dfg.exception_tables[exception].signature())
        }
        _ => None,
    }
}

/// Where each result lies.
fn places(types: &[Type]) -> impl Iterator<Item = i32> {
    types.iter().scan(offset::RESULTS, |next, ty| {
        let at = *next;
        *next += ty.bytes().next_multiple_of(8) as i32;
        Some(at)
    })
}

fn store(func: &mut Function, inst: Inst, context: Value) {
    let values = func.dfg.inst_args(inst).to_vec();
    let types: Vec<Type> = values.iter().map(|value| func.dfg.value_type(*value)).collect();
    let mut cursor = FuncCursor::new(func).at_inst(inst);
    for (value, at) in values.into_iter().zip(places(&types)) {
        cursor.ins().store(MemFlagsData::trusted(), value, context, at);
    }
    func.replace(inst).return_(&[]);
}

fn load(func: &mut Function, inst: Inst, context: Value, types: &[Type]) {
    let exception = match func.dfg.insts[inst] {
        InstructionData::TryCall { exception, .. }
        | InstructionData::TryCallIndirect { exception, .. } => exception,
        _ => {
            let results = func.dfg.inst_results(inst).to_vec();
            func.dfg.detach_inst_results(inst);
            let mut cursor = FuncCursor::new(func).after_inst(inst);
            let flags = MemFlagsData::trusted();
            for ((result, ty), at) in results.into_iter().zip(types).zip(places(types)) {
                let value = cursor.ins().load(*ty, flags, context, at);
                cursor.func.dfg.change_to_alias(result, value);
            }
            return;
        }
    };
    // Such a call ends its block: the results are loaded in one of their own, on the way to the next.
    let Some(block) = func.layout.inst_block(inst) else { return };
    let between = func.dfg.make_block();
    let normal = *func.dfg.exception_tables[exception].normal_return();
    func.layout.insert_block_after(between, block);
    let mut cursor = FuncCursor::new(func).at_bottom(between);
    let flags = MemFlagsData::trusted();
    let values: Vec<Value> = types
        .iter()
        .zip(places(types))
        .map(|(ty, at)| cursor.ins().load(*ty, flags, context, at))
        .collect();
    let pool = &cursor.func.dfg.value_lists;
    let args: Vec<_> = normal
        .args(pool)
        .map(|arg| match arg {
            BlockArg::TryCallRet(n) => values[n as usize].into(),
            other => other,
        })
        .collect();
    let next = normal.block(pool);
    cursor.ins().jump(next, &args);
    let pool = &mut func.dfg.value_lists;
    let to_between = BlockCall::new(between, std::iter::empty(), pool);
    *func.dfg.exception_tables[exception].normal_return_mut() = to_between;
}
