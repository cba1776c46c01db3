//! Code between translated functions and hosts, which pass values in memory.

use super::Trampoline;
use crate::compile::Code;
use crate::error::Result;
use crate::func::{self, Abi, Env, adapter, initialize};
use crate::module::Module;
use crate::module::embedded::Sections;
use crate::names::namespace;
use crate::names::thunk::{INITIALIZE, enter_number, host_number};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use linnet_abi::instance::{Slot, offset};
use wasmparser::{FuncType, ValType};

/// Number of the thunk for a function, see [`wrapper`].
pub(crate) fn wrapper_number(module: &Module, function: u32) -> u32 {
    INITIALIZE + 1 + 2 * module.types.len() as u32 + function
}

/// Compiles what a standalone module needs besides its functions.
pub(crate) fn compile_all(env: &Env, sections: &Sections) -> Result<Vec<Trampoline>> {
    let module = env.module;
    let initialize = initialize::compile(env, sections)?;
    let mut thunks =
        vec![Trampoline { number: INITIALIZE, name: "linnet.initialize".into(), code: initialize }];
    for (i, ty) in (0..).zip(&module.types) {
        if module.canonical[i as usize] != i {
            continue;
        }
        let name = &module.type_names[i as usize];
        let (number, code) = (enter_number(i), enter(env, ty)?);
        thunks.push(Trampoline { number, name: format!("linnet.enter.{name}").into(), code });
        let (number, code) = (host_number(i), host(env, ty)?);
        thunks.push(Trampoline { number, name: format!("linnet.host.{name}").into(), code });
    }
    if env.tail_calls {
        for function in module.imported()..module.functions.len() as u32 {
            thunks.push(wrapper(env, function, Abi::CrossModule)?);
        }
    }
    Ok(thunks)
}

fn words(count: usize) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(vec![AbiParam::new(I64); count]);
    signature
}

fn slot_offset(number: usize) -> i32 {
    (number * size_of::<Slot>()) as i32
}

fn load_all(
    env: &Env,
    b: &mut FunctionBuilder,
    types: &[ValType],
    from: Value,
) -> Result<Vec<Value>> {
    let flags = MemFlagsData::trusted();
    let load = |(i, ty): (usize, &ValType)| {
        Ok(b.ins().load(env.clif_type(*ty)?, flags, from, slot_offset(i)))
    };
    types.iter().enumerate().map(load).collect()
}

fn store_all(b: &mut FunctionBuilder, values: &[Value], to: Value) {
    for (i, value) in values.iter().enumerate() {
        b.ins().store(MemFlagsData::trusted(), *value, to, slot_offset(i));
    }
}

/// `fn(context, code, values)`
fn enter(env: &Env, ty: &FuncType) -> Result<Code> {
    let callee = env.signature(ty, Abi::CrossModule)?;
    adapter::build(env, words(3), |b, params| {
        let mut args = vec![params[0]];
        args.extend(load_all(env, b, ty.params(), params[2])?);
        let callee = b.import_signature(callee);
        let call = b.ins().call_indirect(callee, params[1], &args);
        let results = b.inst_results(call).to_vec();
        store_all(b, &results, params[2]);
        b.ins().return_(&[]);
        Ok(())
    })
}

/// A function of that type that calls its context's `HostFunction::call`.
fn host(env: &Env, ty: &FuncType) -> Result<Code> {
    adapter::build(env, env.signature(ty, Abi::CrossModule)?, |b, params| {
        let count = ty.params().len().max(ty.results().len()).max(1);
        let size = (count * size_of::<Slot>()) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let slot = b.create_sized_stack_slot(slot);
        let values = b.ins().stack_addr(I64, slot, 0);
        store_all(b, &params[1..], values);
        let flags = MemFlagsData::trusted();
        let code = b.ins().load(I64, flags, params[0], offset::HOST_CALL);
        let callee = b.import_signature(words(2));
        b.ins().call_indirect(callee, code, &[params[0], values]);
        let results = load_all(env, b, ty.results(), values)?;
        b.ins().return_(&results);
        Ok(())
    })
}

/// In a module with tail calls, standalone or not, a function in the convention of those that call it from the
/// other side of `abi`. One that is imported has that convention, and is called from inside.
pub(crate) fn wrapper(env: &Env, function: u32, abi: Abi) -> Result<Trampoline> {
    let is_own = function >= env.module.imported();
    let (here, there) = if is_own { (abi, Abi::Internal) } else { (Abi::Internal, abi) };
    let ty = env.module.function_type(function);
    let there = env.signature(ty, there)?;
    let code = adapter::build(env, env.signature(ty, here)?, |b, params| {
        let callee = func::import_function(b.func, namespace::FUNCTION, function, there);
        let call = b.ins().call(callee, params);
        let results = b.inst_results(call).to_vec();
        b.ins().return_(&results);
        Ok(())
    })?;
    let name = format!("linnet.call.{}", env.module.function_name(function)).into();
    Ok(Trampoline { number: wrapper_number(env.module, function), name, code })
}
