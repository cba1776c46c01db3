//! Says what modules do according to wasmtime: `linnet-spec-reference DIRECTORY SCRIPT`.
//!
//! Module 3 of the script is `m3.wasm` in the directory. The script's lines and those that are printed are
//! those of `linnet-spec-driver`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use wasmtime::{
    Collector, Config, Engine, Extern, Instance, Module, Store, ThrownException, Trap, Val,
};

/// Of calls within modules. What exhausts a stack is not compared.
const STACK: usize = 64 << 20;

/// For the calls that the program itself makes.
const OWN_STACK: usize = 8 << 20;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [directory, script] = <[PathBuf; 2]>::try_from(arguments)
        .map_err(|_| "usage: linnet-spec-reference DIRECTORY SCRIPT")?;
    let body = move || run(&directory, &std::fs::read_to_string(script)?);
    let runner = thread::Builder::new().stack_size(STACK + OWN_STACK).spawn(body)?;
    runner.join().map_err(|_| "a panic")?
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.max_wasm_stack(STACK).async_stack_size(STACK).collector(Collector::Null);
    config.shared_memory(true).wasm_exceptions(true);
    config.wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    config.relaxed_simd_deterministic(true).cranelift_nan_canonicalization(true);
    Ok(Engine::new(&config)?)
}

fn run(directory: &Path, script: &str) -> Result<()> {
    let engine = engine()?;
    // The last one, and its number.
    let mut module = (String::new(), Err("no module".to_owned()));
    let mut runner = None;
    for line in script.lines() {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_default();
        let (directive, name) = (word(), word());
        let seen = match (directive, &mut runner) {
            ("see-module", _) => {
                let number = word();
                if module.0 != number {
                    let wasm = std::fs::read(directory.join(format!("m{number}.wasm")))?;
                    let compiled = Module::new(&engine, wasm).map_err(|e| failure(&e));
                    module = (number.to_owned(), compiled);
                }
                let new = module.1.clone().and_then(|module| Runner::new(&engine, &module));
                let seen = new.as_ref().map_or_else(String::clone, |_| "instance".to_owned());
                runner = new.ok();
                seen
            }
            ("see-call", Some(runner)) => {
                let (_kind, _instance, function, _count) = (word(), word(), word(), word());
                let args = words.map(value).collect::<Result<Vec<_>>>()?;
                runner.call(&text(function)?, &args)?
            }
            ("see-state", Some(runner)) => runner.state(),
            _ => "no instance".to_owned(),
        };
        println!("OUT {name} {seen}");
    }
    println!("DONE");
    Ok(())
}

struct Runner {
    store: Store<()>,
    instance: Instance,
    /// Names, in the module's order.
    exports: Vec<String>,
}

impl Runner {
    fn new(engine: &Engine, module: &Module) -> Result<Runner, String> {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).map_err(|e| failure(&e))?;
        let exports = module.exports().map(|export| export.name().to_owned()).collect();
        Ok(Runner { store, instance, exports })
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<String> {
        let func = self.instance.get_func(&mut self.store, name).ok_or("no such function")?;
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        let outcome = func.call(&mut self.store, args, &mut results);
        Ok(match outcome {
            Ok(()) => results.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(error) => failure(&error),
        })
    }

    fn state(&mut self) -> String {
        let exports = std::mem::take(&mut self.exports);
        exports.iter().filter_map(|name| self.export(name)).collect::<Vec<_>>().join(" ")
    }

    fn export(&mut self, name: &str) -> Option<String> {
        let store = &mut self.store;
        Some(match self.instance.get_export(&mut *store, name)? {
            Extern::Global(global) => show(&global.get(store)),
            Extern::Memory(memory) => contents(memory.data(&*store)),
            Extern::SharedMemory(memory) => {
                // SAFETY: nothing else runs that could write to the bytes.
                let bytes = memory.data().iter().map(|byte| unsafe { *byte.get() });
                contents(&bytes.collect::<Vec<u8>>())
            }
            Extern::Table(table) => {
                let size = table.size(&*store);
                let is_used = |i: &u64| table.get(&mut *store, *i).is_some_and(|r| !r.is_null());
                format!("{size}/{}", (0..size).filter(is_used).count())
            }
            Extern::Func(_) | Extern::Tag(_) => return None,
        })
    }
}

/// Size and sum of a memory, as the driver computes it.
fn contents(bytes: &[u8]) -> String {
    let hash = bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325_u64, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}:{hash:x}", bytes.len())
}

/// A text, whose bytes are written in hexadecimal behind a colon.
fn text(word: &str) -> Result<String> {
    let digits = word.trim_start_matches(':');
    let byte = |i| u8::from_str_radix(&digits[i..i + 2], 16);
    let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Result<Vec<u8>, _>>()?;
    Ok(String::from_utf8(bytes)?)
}

/// An argument: `type:bits`, or a null reference.
fn value(word: &str) -> Result<Val> {
    let (ty, bits) = word.split_once(':').unwrap_or((word, "0"));
    let bits = u128::from_str_radix(bits, 16)?;
    Ok(match ty {
        "i32" => Val::I32(bits as i32),
        "i64" => Val::I64(bits as i64),
        "f32" => Val::F32(bits as u32),
        "f64" => Val::F64(bits as u64),
        "v128" => Val::V128(bits.into()),
        "nullfunc" => Val::FuncRef(None),
        "nullextern" => Val::ExternRef(None),
        "nullexn" => Val::ExnRef(None),
        other => return Err(format!("unknown value {other}").into()),
    })
}

fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32:{value:x}"),
        Val::I64(value) => format!("i64:{value:x}"),
        Val::F32(bits) => format!("f32:{bits:x}"),
        Val::F64(bits) => format!("f64:{bits:x}"),
        Val::V128(value) => format!("v128:{:032x}", value.as_u128()),
        reference if reference.ref_().is_some_and(|reference| reference.is_null()) => {
            "null".to_owned()
        }
        Val::FuncRef(_) => "func".to_owned(),
        Val::ExternRef(_) => "extern".to_owned(),
        Val::ExnRef(_) => "exn".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Traps in the words of the specification's tests.
fn failure(error: &wasmtime::Error) -> String {
    if error.is::<ThrownException>() {
        return "uncaught exception".to_owned();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "trap: unreachable executed".to_owned(),
        // A call through a table too: wasmtime does not tell them apart.
        Some(Trap::TableOutOfBounds) => "trap: out of bounds table access".to_owned(),
        Some(trap) => format!("trap: {}", trap.to_string().trim_start_matches("wasm trap: ")),
        None => format!("{error:#}").replace('\n', "; "),
    }
}
