//! Runs one script of the test suite: `driver SCRIPT`.
//!
//! The modules are linked with this program; a script names them by number. Its lines are what
//! `linnet-spec` writes, one directive each. Every failure is a line on the standard output, and the last
//! line says how many passed and failed.

mod observe;
mod script;
mod values;

use linnet_embed::{
    Error, Extern, FuncType, Global, Imports, Instance, Memory, MemoryType, Module, RawModule,
    Store, Table, TableType, ValType, Value,
};
use script::Tokens;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    static linnet_spec_module_count: u64;
    static linnet_spec_modules: [&'static RawModule; 0];
}

struct Runner {
    store: Store,
    imports: Imports,
    modules: HashMap<String, Module>,
    instances: HashMap<String, Instance>,
    current: Option<Instance>,
    /// Whether an instance was registered for others.
    is_shared: bool,
}

/// # Safety
/// To be called by the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    if count != 2 {
        println!("usage: driver SCRIPT");
        return 2;
    }
    // SAFETY: there are two arguments.
    let path = unsafe { CStr::from_ptr(*arguments.add(1)) }.to_string_lossy().into_owned();
    let Ok(script) = std::fs::read_to_string(&path) else {
        println!("cannot read {path}");
        return 2;
    };
    let trace = std::env::var_os("SPEC_TRACE").is_some();
    let (mut passed, mut failed) = (0, 0);
    let mut runner = Runner::new().expect("the imports of the suite");
    for line in script.lines() {
        if trace {
            println!("{line}");
        }
        let mut tokens = Tokens::of(line);
        let (directive, number) = (tokens.next(), tokens.next());
        if let Some(seen) = runner.observe(directive, &mut tokens) {
            println!("OUT {number} {seen}");
            continue;
        }
        match runner.directive(directive, &mut tokens) {
            Ok(()) => passed += 1,
            Err(e) => {
                failed += 1;
                println!("FAIL {number} {directive}: {}", e.replace('\n', "; "));
            }
        }
    }
    println!("DONE {passed} {failed}");
    0
}

fn module(number: usize) -> Result<Module, String> {
    // SAFETY: the table is as long as the count says, and holds emitted modules.
    unsafe {
        if number as u64 >= linnet_spec_module_count {
            return Err(format!("no module {number}"));
        }
        let raw = *linnet_spec_modules.as_ptr().add(number);
        Module::from_raw(raw).ok_or_else(|| "not a standalone module".to_owned())
    }
}

/// What the suite's modules may import from `spectest`.
fn spectest(store: &Store) -> linnet_embed::Result<Imports> {
    const PRINTS: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[ValType::I32]),
        ("print_i64", &[ValType::I64]),
        ("print_f32", &[ValType::F32]),
        ("print_f64", &[ValType::F64]),
        ("print_i32_f32", &[ValType::I32, ValType::F32]),
        ("print_f64_f64", &[ValType::F64, ValType::F64]),
    ];
    let mut imports = Imports::new();
    for (name, params) in PRINTS {
        let ty = FuncType::new(params.iter().copied(), []);
        imports.func(store, "spectest", name, ty, |_| Ok(Vec::new()));
    }
    for (name, ty, value) in [
        ("global_i32", ValType::I32, Value::I32(666)),
        ("global_i64", ValType::I64, Value::I64(666)),
        ("global_f32", ValType::F32, Value::F32(666.6)),
        ("global_f64", ValType::F64, Value::F64(666.6)),
    ] {
        let global = Global::new(store, ty, false, &value)?;
        imports.define("spectest", name, Extern::Global(global));
    }
    let table = Table::new(store, &TableType::new(ValType::FUNCREF, 10, Some(20)))?;
    imports.define("spectest", "table", Extern::Table(table));
    let ty = TableType { is_64: true, ..TableType::new(ValType::FUNCREF, 10, Some(20)) };
    let table = Table::new(store, &ty)?;
    imports.define("spectest", "table64", Extern::Table(table));
    let memory = Memory::new(store, &MemoryType::new(1, Some(2)))?;
    imports.define("spectest", "memory", Extern::Memory(memory));
    let ty = MemoryType { is_shared: true, ..MemoryType::new(1, Some(2)) };
    let memory = Memory::new(store, &ty)?;
    imports.define("spectest", "shared_memory", Extern::Memory(memory));
    Ok(imports)
}

/// How something ended that was run.
enum Outcome {
    Values(Vec<Value>),
    Error(Error),
}

impl Runner {
    fn new() -> linnet_embed::Result<Runner> {
        let store = Store::new();
        let imports = spectest(&store)?;
        let (modules, instances) = (HashMap::new(), HashMap::new());
        Ok(Runner { store, imports, modules, instances, current: None, is_shared: false })
    }

    /// Starts anew if nothing from before can be referred to. Address space is scarce in emulators: they
    /// have a table entry for each page of it.
    fn forget(&mut self) {
        self.current = None;
        if !self.is_shared
            && self.instances.is_empty()
            && let Ok(new) = Runner::new()
        {
            let modules = std::mem::take(&mut self.modules);
            *self = Runner { modules, ..new };
        }
    }

    fn instantiate(&self, module: &Module) -> linnet_embed::Result<Instance> {
        Instance::new(&self.store, module, &self.imports)
    }

    fn instance(&self, name: &str) -> Result<&Instance, String> {
        let found = if name == "-" { self.current.as_ref() } else { self.instances.get(name) };
        found.ok_or_else(|| format!("no instance {name}"))
    }

    fn keep(&mut self, name: &str, instance: Instance) {
        if name != "-" {
            self.instances.insert(name.to_owned(), instance.clone());
        }
        self.current = Some(instance);
    }

    fn directive(&mut self, directive: &str, tokens: &mut Tokens) -> Result<(), String> {
        match directive {
            "module" => {
                let module = module(tokens.number())?;
                let name = tokens.next();
                self.forget();
                let instance = self.instantiate(&module).map_err(|e| e.to_string())?;
                self.modules.insert(name.to_owned(), module);
                self.keep(name, instance);
                Ok(())
            }
            "define" => {
                let module = module(tokens.number())?;
                self.modules.insert(tokens.next().to_owned(), module);
                Ok(())
            }
            "instance" => {
                let (name, of) = (tokens.next(), tokens.next());
                let module = *self.modules.get(of).ok_or_else(|| format!("no module {of}"))?;
                let instance = self.instantiate(&module).map_err(|e| e.to_string())?;
                self.keep(name, instance);
                Ok(())
            }
            "register" => {
                let name = tokens.text();
                let instance = self.instance(tokens.next())?.clone();
                self.imports.instance(&name, &instance);
                self.is_shared = true;
                Ok(())
            }
            "unlinkable" => match self.instantiate(&module(tokens.number())?) {
                Err(Error::Link(_)) => Ok(()),
                Ok(_) => Err("it was linked".to_owned()),
                Err(e) => Err(format!("{e}, not a missing or wrong import")),
            },
            "untenable" => {
                let message = tokens.text();
                match self.instantiate(&module(tokens.number())?) {
                    Err(Error::Trap(trap)) => same_trap(trap.message(), &message),
                    Err(Error::Resources(_)) => Ok(()),
                    Ok(_) => Err("it did not trap".to_owned()),
                    Err(e) => Err(format!("{e}, not {message}")),
                }
            }
            "invoke" => match self.run(tokens)? {
                Outcome::Values(_) => Ok(()),
                Outcome::Error(e) => Err(e.to_string()),
            },
            "return" => match self.run(tokens)? {
                Outcome::Values(values) => values::compare(&values, tokens),
                Outcome::Error(e) => Err(e.to_string()),
            },
            "trap" | "exhaustion" => {
                let message = tokens.text();
                match self.run(tokens)? {
                    Outcome::Error(Error::Trap(trap)) => same_trap(trap.message(), &message),
                    Outcome::Error(e) => Err(format!("{e}, not {message}")),
                    Outcome::Values(values) => Err(format!("{values:?}, not {message}")),
                }
            }
            "exception" => match self.run(tokens)? {
                Outcome::Error(Error::Exception(_)) => Ok(()),
                Outcome::Error(e) => Err(format!("{e}, not an exception")),
                Outcome::Values(values) => Err(format!("{values:?}, not an exception")),
            },
            other => Err(format!("unknown directive {other}")),
        }
    }

    fn run(&self, tokens: &mut Tokens) -> Result<Outcome, String> {
        let kind = tokens.next();
        let instance = self.instance(tokens.next())?;
        let name = tokens.text();
        match (kind, instance.export(&name)) {
            ("call", Some(Extern::Func(func))) => {
                let count = tokens.number();
                let args = (0..count).map(|_| values::parse(tokens.next()));
                let args = args.collect::<Result<Vec<_>, _>>()?;
                Ok(match func.call(&args) {
                    Ok(values) => Outcome::Values(values),
                    Err(e) => Outcome::Error(e),
                })
            }
            ("get", Some(Extern::Global(global))) => Ok(Outcome::Values(vec![global.get()])),
            _ => Err(format!("no export {name:?}")),
        }
    }
}

/// The suite's messages may say more than ours, or less.
fn same_trap(ours: &str, wanted: &str) -> Result<(), String> {
    if wanted.starts_with(ours) || ours.starts_with(wanted) {
        return Ok(());
    }
    // One instruction's two words for a null reference.
    if ours == "null reference" && wanted.starts_with("null") {
        return Ok(());
    }
    Err(format!("trap {ours:?}, not {wanted:?}"))
}
