//! The interpreter that says what a module does.

use crate::generate::{Argument, Case};
use wasmi::{
    Config, Engine, Error, Extern, Linker, Memory, Module, Nullable, Store, TrapCode, Val,
};
use wasmparser::ValType;

/// What the driver would print for the same module.
///
/// # Errors
///
/// The interpreter does not take the module.
pub(crate) fn run(case: &Case) -> Result<Vec<String>, String> {
    let mut config = Config::default();
    config.wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    config.set_max_recursion_depth(100_000).set_max_stack_height(256 << 20);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, &case.wasm).map_err(|e| e.to_string())?;
    let mut store = Store::new(&engine, ());
    let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => return Ok(vec![failure(&error)]),
    };
    let mut lines = vec!["instance".to_owned()];
    for call in &case.calls {
        let func = instance.get_func(&store, &call.name).ok_or("no such function")?;
        let args: Vec<Val> = call.args.iter().map(|arg| value(*arg)).collect();
        let types = func.ty(&store);
        let mut results: Vec<Val> =
            types.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        lines.push(match func.call(&mut store, &args, &mut results) {
            Ok(()) => results.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(error) => failure(&error),
        });
    }
    let exports = case.exports.iter().filter_map(|name| instance.get_export(&store, name));
    let state = exports.filter_map(|export| match export {
        Extern::Global(global) => Some(show(&global.get(&store))),
        Extern::Memory(memory) => Some(contents(&memory, &store)),
        Extern::Table(table) => {
            let size = table.size(&store);
            let used = |i: &u64| table.get(&store, *i).is_some_and(|element| !element.is_null());
            Some(format!("{size}/{}", (0..size).filter(used).count()))
        }
        Extern::Func(_) => None,
    });
    lines.push(state.collect::<Vec<_>>().join(" "));
    Ok(lines)
}

fn contents(memory: &Memory, store: &Store<()>) -> String {
    let bytes = memory.data(store);
    // As the driver computes it.
    let hash = bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325_u64, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}:{hash:x}", bytes.len())
}

fn value(arg: Argument) -> Val {
    match arg.ty {
        ValType::I32 => Val::I32(arg.bits as i32),
        ValType::I64 => Val::I64(arg.bits as i64),
        ValType::F32 => Val::F32(wasmi::F32::from_bits(arg.bits as u32)),
        ValType::F64 => Val::F64(wasmi::F64::from_bits(arg.bits as u64)),
        ValType::V128 => Val::V128(arg.bits.into()),
        ValType::Ref(ty) if ty.is_func_ref() => Val::FuncRef(Nullable::Null),
        ValType::Ref(_) => Val::ExternRef(Nullable::Null),
    }
}

fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32:{value:x}"),
        Val::I64(value) => format!("i64:{value:x}"),
        Val::F32(value) => format!("f32:{:x}", value.to_bits()),
        Val::F64(value) => format!("f64:{:x}", value.to_bits()),
        Val::V128(value) => format!("v128:{:032x}", value.as_u128()),
        Val::FuncRef(Nullable::Null) | Val::ExternRef(Nullable::Null) => "null".to_owned(),
        Val::FuncRef(_) => "func".to_owned(),
        Val::ExternRef(_) => "extern".to_owned(),
    }
}

fn failure(error: &Error) -> String {
    let trap = match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => "unreachable executed",
        Some(TrapCode::MemoryOutOfBounds) => "out of bounds memory access",
        Some(TrapCode::TableOutOfBounds) => "out of bounds table access",
        Some(TrapCode::IndirectCallToNull) => "uninitialized element",
        Some(TrapCode::IntegerDivisionByZero) => "integer divide by zero",
        Some(TrapCode::IntegerOverflow) => "integer overflow",
        Some(TrapCode::BadConversionToInteger) => "invalid conversion to integer",
        Some(TrapCode::StackOverflow) => "call stack exhausted",
        Some(TrapCode::BadSignature) => "indirect call type mismatch",
        // A segment that does not fit, and `table.copy`, have no code of their own.
        _ => match error.to_string() {
            text if text.starts_with("out of bounds table access") => "out of bounds table access",
            text => return text,
        },
    };
    format!("trap: {trap}")
}
