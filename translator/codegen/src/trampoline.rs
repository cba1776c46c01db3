//! Entries of the runtime into a program, and the thunk that calls signal handlers.
//!
//! They call table entries whose numbers come from outside the module, so they check what
//! `call_indirect` checks. In modules with tail calls they are where the conventions meet.

use crate::compile::{self, Code, data, namespace, trap_code};
use crate::error::{Error, Result};
use crate::func::{self, Abi, Env};
use crate::imports::Symbol;
use crate::standalone::thunk;
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Function, GlobalValue, InstBuilder, MemFlagsData, Signature, UserFuncName, Value,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use linnet_abi::module::TableEntry;
use linnet_abi::trap::Trap;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use wasmparser::ValType;

/// Number of the thunk behind the import `call_handler`.
pub(crate) const CALL_HANDLER: u32 = 0;
/// Number of `linnet_abi::module::Module::call_thread`.
pub(crate) const CALL_THREAD: u32 = 1;
/// Number of `linnet_abi::module::Module::call_restorer`.
pub(crate) const CALL_RESTORER: u32 = 2;

/// Number of what initialises an instance of a standalone module. More of these have higher numbers, see
/// [`crate::standalone::thunk`].
pub(crate) const INITIALIZE: u32 = 3;

/// Names by number.
pub(crate) const NAMES: [&str; 3] = ["call_handler", "call_thread", "call_restorer"];

pub(crate) struct Trampoline {
    pub number: u32,
    pub name: Cow<'static, str>,
    pub code: Code,
}

/// A type that the called table entry may have.
struct Shape {
    ty: u32,
    args: usize,
}

/// Compiles the trampolines that the module needs.
pub(crate) fn compile_all(env: &Env) -> Result<Vec<Trampoline>> {
    if let Some(sections) = &env.module.standalone {
        return thunk::compile_all(env, sections);
    }
    let mut trampolines = Vec::new();
    if env.symbols.contains(&Symbol::CallHandler) {
        // The C types of a handler, and of functions that are used as one by a cast.
        let shapes =
            (0..=3).flat_map(|args| [None, Some(ValType::I32)].map(|result| (args, result)));
        let shapes = shapes.filter_map(|(args, result)| shape(env, args, result)).collect();
        trampolines.push(build(env, CALL_HANDLER, 3, false, shapes)?);
    }
    // A module without such a function still gets the entry: it traps.
    let shapes = shape(env, 1, Some(ValType::I32)).into_iter().collect();
    trampolines.push(build(env, CALL_THREAD, 1, true, shapes)?);
    let shapes = shape(env, 4, None).into_iter().collect();
    trampolines.push(build(env, CALL_RESTORER, 4, false, shapes)?);
    if env.tail_calls {
        for function in wrapped(env) {
            trampolines.push(thunk::wrapper(env, function, Abi::Runtime)?);
        }
    }
    Ok(trampolines)
}

/// Functions of which a caller has the other convention than they have: what is exported, which the runtime
/// calls, and what is the runtime's and called through the table.
fn wrapped(env: &Env) -> BTreeSet<u32> {
    let own = |function: &u32| *function >= env.module.imported();
    let is_runtime =
        |function: &u32| matches!(env.symbols.get(*function as usize), Some(Symbol::Runtime(_)));
    let exports = env.module.function_exports.iter().map(|export| export.1).filter(own);
    exports.chain(env.module.table.iter().flatten().copied().filter(is_runtime)).collect()
}

/// The type with so many `i32` parameters, if the module has one.
fn shape(env: &Env, args: usize, result: Option<ValType>) -> Option<Shape> {
    let results: Vec<_> = result.into_iter().collect();
    let ty = env.module.find_type(&vec![ValType::I32; args], &results)?;
    Some(Shape { ty, args })
}

/// Builds `fn(context, entry, args...)`, which calls the table entry with as many of the `args`
/// as its type takes.
fn build(
    env: &Env,
    number: u32,
    args: usize,
    returns: bool,
    shapes: Vec<Shape>,
) -> Result<Trampoline> {
    // The program calls its handlers' thunk itself, the runtime the others.
    let abi = if number == CALL_HANDLER { Abi::Internal } else { Abi::Runtime };
    let mut signature = Signature::new(env.convention(abi));
    signature.params.push(AbiParam::new(I64));
    signature.params.extend(vec![env.param(I32, Abi::Runtime); 1 + args]);
    if returns {
        signature.returns.push(env.param(I32, Abi::Runtime));
    }
    let name = NAMES[number as usize];
    let mut context = Context::new();
    context.func =
        Function::with_name_signature(UserFuncName::user(namespace::TRAMPOLINE, number), signature);
    let mut builders = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut builders);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let table = func::import_data(b.func, data::TABLE);
    let (code, found) = look_up(&mut b, env, table, params[1]);

    for Shape { ty, args } in shapes {
        let (call, next) = (b.create_block(), b.create_block());
        let matches = b.ins().icmp_imm_u(IntCC::Equal, found, i64::from(env.module.signature(ty)));
        b.ins().brif(matches, call, &[], next, &[]);
        b.switch_to_block(call);
        let signature = env.signature(&env.module.types[ty as usize], Abi::Internal)?;
        let signature = b.import_signature(signature);
        let values: Vec<Value> =
            [params[0]].into_iter().chain(params[2..2 + args].iter().copied()).collect();
        let call = b.ins().call_indirect(signature, code, &values);
        let result = b.inst_results(call).to_vec();
        b.ins().return_(if returns { &result } else { &[] });
        b.switch_to_block(next);
    }
    b.ins().trap(trap_code(Trap::BadSignature));
    b.seal_all_blocks();
    b.finalize(env.isa.frontend_config());
    let code =
        compile::compile_one(context, env).map_err(|e: Error| e.in_function(u32::MAX, name))?;
    Ok(Trampoline { number, name: name.into(), code })
}

/// Code and signature of a table entry; traps if there is none.
fn look_up(b: &mut FunctionBuilder, env: &Env, table: GlobalValue, index: Value) -> (Value, Value) {
    let len = env.module.table.len() as i64;
    let inside = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, index, len);
    b.ins().trapz(inside, trap_code(Trap::TableOutOfBounds));
    let table = b.ins().symbol_value(I64, table);
    let index = b.ins().uextend(I64, index);
    let offset = b.ins().imul_imm_u(index, size_of::<TableEntry>() as i64);
    let entry = b.ins().iadd(table, offset);
    let flags = MemFlagsData::trusted().with_readonly();
    let signature = b.ins().load(I32, flags, entry, offset_of!(TableEntry, signature) as i32);
    b.ins().trapz(signature, trap_code(Trap::NullReference));
    let code = b.ins().load(I64, flags, entry, offset_of!(TableEntry, code) as i32);
    (code, signature)
}
