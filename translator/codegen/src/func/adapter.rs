//! Calls of functions with another type than they have.
//!
//! C programs call functions through pointers of other types: with more arguments than they take, with fewer,
//! with an `int` for a `long long`, for a result that there is none of. The calling conventions of CPUs let
//! it pass: integers go to integer registers in their order, floating point to its own, and who looks for
//! an argument that nobody gave finds whatever is there. Programs of Linux rely on it, so it is so here, but for
//! that what nobody gave is zero.
//!
//! The caller stores its arguments in memory, in one order for all types (its *caller's adapter*, one for each
//! type that is called), and the function is called with what it takes of them (its *callee's adapter*, one
//! for each type of a function in the table). So n types take 2n adapters and not n times n.

use super::{Abi, Env, import_data, import_function};
use crate::compile::{self, Code};
use crate::error::Result;
use crate::module::Module;
use crate::names::thunk::{callee_number, caller_number};
use crate::names::{data, namespace};
use crate::trap::trap_code;
use cranelift_codegen::Context;
use cranelift_codegen::ir::types::{F32, F64, I32, I64, I128};
use cranelift_codegen::ir::{
    AbiParam, Function, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Type,
    UserFuncName, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use linnet_abi::context::offset;
use linnet_abi::module::TableEntry;
use linnet_abi::trap::Trap;
use std::collections::BTreeSet;
use std::mem::offset_of;
use wasmparser::{FuncType, Operator, ValType};

/// How `wasm-ld` names what it calls in place of a function that a file declares with another type.
const MISMATCH: &str = "signature_mismatch:";

/// Values of one class are counted by themselves.
#[derive(Clone, Copy)]
enum Class {
    Integer,
    Float,
    Vector,
}

fn class(ty: Type) -> Class {
    match ty {
        I32 | I64 => Class::Integer,
        F32 | F64 => Class::Float,
        _ => Class::Vector,
    }
}

/// Numbers of values by class.
type Counts = [usize; 3];

fn counts(types: &[Type]) -> Counts {
    let mut counts = Counts::default();
    for ty in types {
        counts[class(*ty) as usize] += 1;
    }
    counts
}

/// Where arguments lie in memory, in the order of classes.
pub(crate) struct Layout {
    room: Counts,
}

impl Layout {
    /// Room for the arguments of any type of the module.
    pub(crate) fn new(env: &Env) -> Result<Layout> {
        let mut room = Counts::default();
        for ty in &env.module.types {
            let params = counts(&env.clif_types(ty.params())?);
            room = std::array::from_fn(|class| room[class].max(params[class]));
        }
        Ok(Layout { room })
    }

    fn size(&self) -> i32 {
        (8 * (self.room[0] + self.room[1]) + 16 * self.room[2]) as i32
    }

    /// Offset of each argument of these types.
    fn places(&self, types: &[Type]) -> Vec<i32> {
        let room = self.room;
        let mut next = [0, 8 * room[0], 8 * (room[0] + room[1])].map(|at| at as i32);
        let place = |ty: &Type| {
            let class = class(*ty);
            let at = next[class as usize];
            next[class as usize] += if matches!(class, Class::Vector) { 16 } else { 8 };
            at
        };
        types.iter().map(place).collect()
    }
}

/// A value as it lies in memory: integers and floating point with 64 bits.
fn widen(b: &mut FunctionBuilder, value: Value) -> Value {
    match b.func.dfg.value_type(value) {
        I32 => b.ins().sextend(I64, value),
        F32 => b.ins().fpromote(F64, value),
        _ => value,
    }
}

/// A value of that type from what [`widen`] made of another of its class.
fn narrow(b: &mut FunctionBuilder, ty: Type, value: Value) -> Value {
    match ty {
        I32 => b.ins().ireduce(I32, value),
        F32 => b.ins().fdemote(F32, value),
        _ => value,
    }
}

fn zero(b: &mut FunctionBuilder, ty: Type) -> Value {
    match ty {
        F32 => b.ins().f32const(0.0),
        F64 => b.ins().f64const(0.0),
        I32 | I64 => b.ins().iconst(ty, 0),
        I128 => {
            let half = b.ins().iconst(I64, 0);
            b.ins().iconcat(half, half)
        }
        _ => {
            let zeros = b.func.dfg.constants.insert(vec![0; 16].into());
            b.ins().vconst(ty, zeros)
        }
    }
}

/// Calls the code of a table entry through the adapter of its type. The types of `args` and `results` may be others.
pub(crate) fn call(
    b: &mut FunctionBuilder,
    layout: &Layout,
    (context, code, adapter): (Value, Value, Value),
    args: &[Value],
    results: &[Type],
) -> Vec<Value> {
    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, layout.size().max(8) as u32, 4);
    let slot = b.create_sized_stack_slot(slot);
    let values = b.ins().stack_addr(I64, slot, 0);
    let types: Vec<Type> = args.iter().map(|arg| b.func.dfg.value_type(*arg)).collect();
    let places = layout.places(&types);
    let flags = MemFlagsData::trusted();
    let nothing = b.ins().iconst(I64, 0);
    for at in (0..layout.size()).step_by(8).filter(|at| !places.contains(at)) {
        b.ins().store(flags, nothing, values, at);
    }
    for (value, at) in args.iter().zip(&places) {
        let value = widen(b, *value);
        b.ins().store(flags, value, values, *at);
    }
    let callee = b.import_signature(callee_signature());
    let call = b.ins().call_indirect(callee, adapter, &[context, code, values]);
    let [integer, float] = [0, 1].map(|number| b.inst_results(call)[number]);
    let result = |ty: &Type| match class(*ty) {
        Class::Integer => narrow(b, *ty, integer),
        Class::Float => narrow(b, *ty, float),
        Class::Vector => zero(b, *ty),
    };
    results.iter().map(result).collect()
}

/// `fn(context, code, values) -> (integer, float)`. Nothing in memory is needed behind the call: the frames that it
/// makes may be copied to another place meanwhile.
fn callee_signature() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(vec![AbiParam::new(I64); 3]);
    signature.returns.extend([AbiParam::new(I64), AbiParam::new(F64)]);
    signature
}

/// Loads the adapter of a table entry's type; traps if nobody may call functions of that type in this way.
pub(crate) fn of_entry(b: &mut FunctionBuilder, signature: Value) -> Value {
    let adapters = import_data(b.func, data::ADAPTERS, true);
    let adapters = b.ins().symbol_value(I64, adapters);
    let number = b.ins().uextend(I64, signature);
    let offset = b.ins().ishl_imm_u(number, 3);
    let place = b.ins().iadd(adapters, offset);
    let flags = MemFlagsData::trusted().with_readonly();
    let adapter = b.ins().load(I64, flags, place, 0);
    b.ins().trapz(adapter, trap_code(Trap::BadSignature));
    adapter
}

/// Whether calls may have other types than the functions: in programs of Linux.
pub(crate) fn are_in(env: &Env) -> bool {
    env.options.polls && env.module.standalone.is_none()
}

/// The function that a file declares with another type, if `function` is what `wasm-ld` put in its place.
pub(crate) fn mismatched(env: &Env, function: u32) -> Option<u32> {
    let name = env.module.function_name(function).strip_prefix(MISMATCH)?;
    if !are_in(env) {
        return None;
    }
    let target = env.module.defined_function(name).filter(|f| *f != function)?;
    is_adaptable(env, env.module.function_type(target)).ok()?.then_some(target)
}

/// Types, one of each kind, that the runtime calls functions of: threads and restorers.
fn runtime_types(module: &Module) -> impl Iterator<Item = u32> {
    let thread = module.find_type(&[ValType::I32], &[ValType::I32]);
    let restorer = module.find_type(&[ValType::I32; 4], &[]);
    thread.into_iter().chain(restorer).map(|ty| module.canonical[ty as usize])
}

/// Compiles the adapters that the module needs: number, name and code of each.
pub(crate) fn compile_all(env: &Env, layout: &Layout) -> Result<Vec<(u32, String, Code)>> {
    let module = env.module;
    let canonical = |ty: u32| module.canonical[ty as usize];
    let mut callees: BTreeSet<u32> = runtime_types(module).collect();
    let mut callers = BTreeSet::new();
    if are_in(env) {
        let in_table = module.table.iter().flatten().copied();
        let mismatched = (0..module.functions.len() as u32).filter_map(|f| mismatched(env, f));
        let called = in_table.chain(mismatched);
        callees.extend(called.map(|f| canonical(module.functions[f as usize])));
        callers = called_types(module).into_iter().map(canonical).collect();
    }
    let mut adapters = Vec::new();
    for ty in callees {
        if !is_adaptable(env, &module.types[ty as usize])? {
            continue;
        }
        let name = format!("linnet.called.{ty}");
        let code = callee(env, layout, &module.types[ty as usize])?;
        adapters.push((callee_number(ty), name, code));
    }
    for ty in callers {
        let name = format!("linnet.adapt.{ty}");
        let code = caller(env, layout, &module.types[ty as usize])?;
        adapters.push((caller_number(ty), name, code));
    }
    Ok(adapters)
}

/// Types of calls through the table. Errors are the validator's.
fn called_types(module: &Module) -> BTreeSet<u32> {
    let mut types = BTreeSet::new();
    for body in &module.bodies {
        let Ok(operators) = body.body.get_operators_reader() else { continue };
        for operator in operators.into_iter().map_while(std::result::Result::ok) {
            if let Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } = operator
            {
                types.insert(type_index);
            }
        }
    }
    types
}

/// Whether functions of the type can be called as if they had another: what they give fits into registers.
fn is_adaptable(env: &Env, ty: &FuncType) -> Result<bool> {
    let results = env.clif_types(ty.results())?;
    Ok(results.len() <= 1 && counts(&results)[Class::Vector as usize] == 0)
}

fn callee(env: &Env, layout: &Layout, ty: &FuncType) -> Result<Code> {
    let params = env.clif_types(ty.params())?;
    let inner = env.signature(ty, Abi::Internal)?;
    build(env, callee_signature(), |b, arguments| {
        let (code, values) = (arguments[1], arguments[2]);
        let mut args = vec![arguments[0]];
        for (ty, at) in params.iter().zip(layout.places(&params)) {
            let wide = match class(*ty) {
                Class::Integer => I64,
                Class::Float => F64,
                Class::Vector => *ty,
            };
            let value = b.ins().load(wide, MemFlagsData::trusted(), values, at);
            args.push(narrow(b, *ty, value));
        }
        let inner = b.import_signature(inner);
        let call = b.ins().call_indirect(inner, code, &args);
        let result = b.inst_results(call).first().copied();
        let result = result.map(|result| widen(b, result));
        let mut given = [zero(b, I64), zero(b, F64)];
        if let Some(result) = result {
            given[class(b.func.dfg.value_type(result)) as usize] = result;
        }
        b.ins().return_(&given);
        Ok(())
    })
}

/// A function of that type that calls the table entry in the context.
fn caller(env: &Env, layout: &Layout, ty: &FuncType) -> Result<Code> {
    let results = env.clif_types(ty.results())?;
    build(env, env.signature(ty, Abi::Internal)?, |b, params| {
        let flags = MemFlagsData::trusted();
        let entry = b.ins().load(I64, flags, params[0], offset::CALLEE);
        let table = import_data(b.func, data::TABLE, true);
        let table = b.ins().symbol_value(I64, table);
        let entry = b.ins().iadd(table, entry);
        let signature = b.ins().load(I32, flags, entry, offset_of!(TableEntry, signature) as i32);
        let code = b.ins().load(I64, flags, entry, offset_of!(TableEntry, code) as i32);
        let adapter = of_entry(b, signature);
        let found = (params[0], code, adapter);
        let results = call(b, layout, found, &params[1..], &results);
        b.ins().return_(&results);
        Ok(())
    })
}

/// A function of that type that calls `function`, which has another.
pub(crate) fn direct(env: &Env, ty: &FuncType, function: u32) -> Result<Code> {
    let layout = Layout::new(env)?;
    let results = env.clif_types(ty.results())?;
    let target = env.module.functions[function as usize];
    let inner = env.signature(&env.module.types[target as usize], Abi::Internal)?;
    let number = callee_number(env.module.canonical[target as usize]);
    build(env, env.signature(ty, Abi::Internal)?, |b, params| {
        let code = import_function(b.func, namespace::FUNCTION, function, inner);
        let code = b.ins().func_addr(I64, code);
        let signature = callee_signature();
        let adapter = import_function(b.func, namespace::TRAMPOLINE, number, signature);
        let adapter = b.ins().func_addr(I64, adapter);
        let found = (params[0], code, adapter);
        let results = call(b, &layout, found, &params[1..], &results);
        b.ins().return_(&results);
        Ok(())
    })
}

/// Builds a thunk from its signature and its body.
pub(crate) fn build(
    env: &Env,
    signature: Signature,
    body: impl FnOnce(&mut FunctionBuilder, &[Value]) -> Result<()>,
) -> Result<Code> {
    let mut context = Context::new();
    let name = UserFuncName::user(namespace::TRAMPOLINE, 0);
    context.func = Function::with_name_signature(name, signature);
    let mut builders = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut builders);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    body(&mut b, &params)?;
    b.seal_all_blocks();
    b.finalize(env.isa.frontend_config());
    compile::compile_one(context, env.isa, env.options)
}
