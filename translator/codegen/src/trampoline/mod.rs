//! Entries of the runtime into a program, and the thunk that calls signal handlers.
//!
//! They call table entries whose numbers come from outside the module, so they check what
//! `call_indirect` checks. In modules with tail calls they are where the conventions meet.

pub(crate) mod thunk;

use crate::compile::Code;
use crate::error::{Error, Result};
use crate::func::adapter::{self, Layout};
use crate::func::{self, Abi, Env};
use crate::imports::Symbol;
use crate::names::data;
use crate::names::thunk::{CALL_HANDLER, CALL_RESTORER, CALL_THREAD};
use crate::trap::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, GlobalValue, InstBuilder, MemFlagsData, Signature, Value};
use cranelift_frontend::FunctionBuilder;
use linnet_abi::module::TableEntry;
use linnet_abi::trap::Trap;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};

/// Names by number.
pub(crate) const NAMES: [&str; 3] = ["call_handler", "call_thread", "call_restorer"];

pub(crate) struct Trampoline {
    pub number: u32,
    pub name: Cow<'static, str>,
    pub code: Code,
}

/// Compiles the trampolines that the module needs.
pub(crate) fn compile_all(env: &Env) -> Result<Vec<Trampoline>> {
    if let Some(sections) = &env.module.standalone {
        return thunk::compile_all(env, sections);
    }
    let layout = Layout::new(env)?;
    let adapters = adapter::compile_all(env, &layout)?.into_iter();
    let adapters =
        adapters.map(|(number, name, code)| Trampoline { number, name: name.into(), code });
    let mut trampolines: Vec<_> = adapters.collect();
    if env.symbols.contains(&Symbol::CallHandler) {
        trampolines.push(build(env, &layout, CALL_HANDLER, 3, false)?);
    }
    trampolines.push(build(env, &layout, CALL_THREAD, 1, true)?);
    trampolines.push(build(env, &layout, CALL_RESTORER, 4, false)?);
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

/// Builds `fn(context, entry, args...)`, which calls the table entry with as many of the `args`
/// as its type takes.
fn build(
    env: &Env,
    layout: &Layout,
    number: u32,
    args: usize,
    returns: bool,
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
    let code = adapter::build(env, signature, |b, params| {
        let table = func::import_data(b.func, data::TABLE, true);
        let (code, signature) = look_up(b, env, table, params[1]);
        let adapter = adapter::of_entry(b, signature);
        let results: &[_] = if returns { &[I32] } else { &[] };
        let found = (params[0], code, adapter);
        let results = adapter::call(b, layout, found, &params[2..], results);
        b.ins().return_(&results);
        Ok(())
    });
    let code = code.map_err(|e: Error| e.in_function(u32::MAX, name))?;
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
