//! Which symbol an imported function becomes, and what is wrong with it if none.

use crate::error::{Error, Result};
use crate::module::{Import, Module};
use linnet_abi::calls::{self, Call, Type};
use wasmparser::{FuncType, ValType};

/// What a call of an imported function turns into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// A function of the runtime.
    Runtime(String),
    /// An ordering of memory accesses, see [`calls::BARRIERS`].
    Barrier,
    /// The thunk that calls a signal handler, see [`calls::CALL_HANDLER`].
    CallHandler,
}

/// One symbol for each imported function.
pub(crate) fn resolve(module: &Module, is_kernel: bool) -> Result<Vec<Symbol>> {
    let resolved = module.imports.iter().enumerate().map(|(index, import)| {
        let ty = module.function_type(index as u32);
        resolve_one(import, ty, is_kernel).map_err(|e| e.at(import.offset))
    });
    let symbols = resolved.collect::<Result<Vec<_>>>()?;
    for function in module.table.iter().flatten() {
        if symbols.get(*function as usize) == Some(&Symbol::Barrier) {
            let name = module.imports[*function as usize].name;
            return Err(Error::new(format!(
                "the barrier {name} cannot be a table entry: it is not a function"
            )));
        }
    }
    Ok(symbols)
}

fn resolve_one(import: &Import, ty: &FuncType, is_kernel: bool) -> Result<Symbol> {
    let Import { module, name, .. } = *import;
    if module == calls::HOST_MODULE {
        if calls::BARRIERS.contains(&name) {
            check(import, ty, &[], None)?;
            return Ok(Symbol::Barrier);
        }
        if let Some(call) = calls::HOST_CALLS.iter().find(|c| c.name == name) {
            // Each finds its task by the context of the kernel, which a program has not.
            if !is_kernel {
                return Err(Error::new(format!("a program imports {module}.{name} of the kernel"))
                    .hint("programs make system calls"));
            }
            check_call(import, ty, call)?;
            return Ok(Symbol::Runtime(format!("{}{name}", calls::HOST_PREFIX)));
        }
    }
    if module == calls::USER_MODULE && !is_kernel {
        if name == calls::CALL_HANDLER {
            check(import, ty, &[ValType::I32; 4], None)?;
            return Ok(Symbol::CallHandler);
        }
        // Other Wasm ports of Linux call their one import `syscall` too, with other types.
        if let Some(call) = calls::USER_CALLS.iter().find(|c| c.name == name) {
            check_call(import, ty, call)?;
            return Ok(Symbol::Runtime(format!("{}{name}", calls::USER_PREFIX)));
        }
    }
    let error = Error::new(format!("unknown import {module}.{name}"));
    Err(match foreign_abi(import) {
        Some(WASI) => error.hint(
            "`linnet run` runs modules of WASI preview 1, and `linnet compile --exe` makes executables of them",
        ),
        Some(abi) => error
            .hint(format!("the module was made for {abi}; compile its source with linnet's SDK")),
        None if module == "env" => error.hint(format!(
            "wasm-ld left {name} undefined: the program lacks a library or an object file"
        )),
        None => error.hint("compile the program with linnet's SDK"),
    })
}

const WASI: &str = "WASI preview 1";

/// Another system whose modules have such imports.
fn foreign_abi(import: &Import) -> Option<&'static str> {
    let Import { module, name, .. } = *import;
    match module {
        "wali" => Some("WALI, the WebAssembly Linux Interface"),
        "wasi_snapshot_preview1" | "wasi" => Some(WASI),
        "wasi_unstable" => Some("WASI preview 0"),
        "wasix_32v1" | "wasix_64v1" => Some("WASIX"),
        _ if module.starts_with("wasi:") => Some("WASI preview 2 or later"),
        "linux" => Some("another Linux system-call ABI"),
        "env" if name.starts_with("__wasm_syscall_") || name.starts_with("__syscall") => {
            Some("another Linux system-call ABI (env.*syscall*)")
        }
        "env" if name.starts_with("emscripten_") || name.starts_with("_emscripten") => {
            Some("Emscripten")
        }
        "go" | "gojs" => Some("Go's JavaScript host"),
        _ => None,
    }
}

pub(crate) fn wasm_type(ty: Type) -> ValType {
    match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
    }
}

fn check_call(import: &Import, ty: &FuncType, call: &Call) -> Result<()> {
    let params: Vec<_> = call.param_types().map(wasm_type).collect();
    check(import, ty, &params, call.result_type().map(wasm_type))
}

fn check(
    import: &Import,
    ty: &FuncType,
    params: &[ValType],
    result: Option<ValType>,
) -> Result<()> {
    let results: Vec<_> = result.into_iter().collect();
    if ty.params() == params && ty.results() == results {
        return Ok(());
    }
    Err(Error::new(format!(
        "import {}.{} has type {}, but this version of linnet has {}",
        import.module,
        import.name,
        type_text(ty.params(), ty.results()),
        type_text(params, &results)
    ))
    .hint(format!(
        "rebuild the module with the headers of ABI version {}",
        linnet_abi::ABI_VERSION
    )))
}

pub(crate) fn type_text(params: &[ValType], results: &[ValType]) -> String {
    format!("{} -> {}", list_text(params), list_text(results))
}

pub(crate) fn list_text(types: &[ValType]) -> String {
    let types: Vec<_> = types.iter().map(ToString::to_string).collect();
    format!("({})", types.join(", "))
}
