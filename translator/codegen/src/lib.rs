//! Translates a WebAssembly module to a native object file.
//!
//! From the lowest floor to the highest; each imports only from floors below it.
//!
//! | file           | what it does                                                          |
//! |----------------|-----------------------------------------------------------------------|
//! | [`error`]      | what is wrong with a module, where, and what to do                     |
//! | [`target`]     | what differs between instruction sets                                 |
//! | [`options`]    | how to translate a module                                             |
//! | [`isa`]        | Cranelift, set up for a target                                        |
//! | [`names`]      | numbers by which code names functions and data                        |
//! | [`trap`]       | traps as the code generator has them                                  |
//! | [`libcall`]    | calls from translated code to the runtime                             |
//! | [`module`]     | sections, imports, exports, tables                                    |
//! | [`imports`]    | which symbol an import becomes, and what is wrong with it if none     |
//! | [`summary`]    | what a module is, for people                                          |
//! | [`bindings`]   | what a host's source needs to know of a module                        |
//! | [`image`]      | runs the start function ahead of time: initial memory and globals     |
//! | [`exec`]       | the program file that the kernel maps                                 |
//! | [`calls`]      | what functions call                                                   |
//! | [`polls`]      | where functions of programs poll, so that every cycle does            |
//! | [`frames`]     | which functions can be captured and where                             |
//! | [`passes`]     | CLIF to better CLIF, around Cranelift's own optimizer                 |
//! | [`compile`]    | CLIF to machine code with its traps, call sites and saved registers   |
//! | [`debug`]      | what debuggers and profilers read beside the code                     |
//! | [`func`]       | one function: validation and CLIF together, operators by family       |
//! | [`trampoline`] | entries and thunks that are no function of the module                 |
//! | [`emit`]       | the object file and the tables beside the code                        |
//!
//! The contract with the runtime and the kernel is the crate `linnet-abi`.

#![forbid(unsafe_code)]

mod bindings;
mod calls;
mod compile;
mod debug;
mod emit;
mod error;
mod exec;
mod frames;
mod func;
mod image;
mod imports;
mod isa;
mod libcall;
mod module;
mod names;
mod options;
mod passes;
mod polls;
mod summary;
mod target;
mod trampoline;
mod trap;

pub use bindings::{c_header, rust_module};
pub use error::Error;
pub use exec::exec_file;
pub use module::embedded::is_for_linux;
pub use module::sections::is_objects_import;
pub use options::Options;
pub use summary::{Summary, summary};
pub use target::Target;
pub use target::cpu::Cpu;

use std::time::{Duration, Instant};

/// What a translation did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    pub functions: usize,
    /// Bytes of machine code.
    pub code_size: usize,
    /// Time to read the sections, to compile the functions, and to write the object.
    pub read: Duration,
    pub compile: Duration,
    pub emit: Duration,
}

/// A translated module.
#[derive(Debug)]
pub struct Object {
    /// A relocatable ELF file.
    pub bytes: Vec<u8>,
    /// SHA-256 of the module: its identity in a boot binary.
    pub id: [u8; 32],
    pub stats: Stats,
}

/// Translates `wasm`.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported.
pub fn translate(wasm: &[u8], options: &Options) -> Result<Object, Error> {
    let started = Instant::now();
    let module = module::Module::parse_as(wasm, options.standalone)?;
    let symbols = match options.standalone {
        true => Vec::new(),
        false => imports::resolve(&module, !options.is_program())?,
    };
    let tail_calls = module::tail_calls::are_in(&module);
    let read = Instant::now();
    let isa = isa::isa(options)?;
    let setjmp = func::setjmp::Functions::find(&module).filter(|_| options.is_program());
    let spills = module.exported_function(linnet_abi::calls::SPILL_POINTERS).is_some();
    let spill_pointers = module.find_global("__stack_pointer");
    let spill_pointers = spill_pointers
        .filter(|_| spills && options.polls && !options.frames && !options.standalone);
    let wants_calls = options.polls || options.frames;
    let calls = if wants_calls { calls::find(&module, &symbols) } else { Vec::new() };
    let polls = if options.polls {
        let referenced = match &module.standalone {
            Some(sections) => sections.referenced(),
            None => module.table.iter().flatten().copied().collect(),
        };
        polls::Polls::find(&calls, module.imported(), &referenced)
    } else {
        polls::Polls::default()
    };
    let capturable = if options.frames {
        let never = setjmp.map_or(Vec::new(), |s| vec![s.begin, s.test]);
        let polls = options.polls.then_some(&polls);
        frames::capturable::find(&calls, &symbols, polls, setjmp.map(|s| s.setjmp), &never)
    } else {
        Vec::new()
    };
    let (sources, symbols) = (&debug::Sources::read(&module), &symbols);
    let env = func::Env {
        module: &module,
        environment: func::environment::of(options.standalone),
        symbols,
        tail_calls,
        spill_pointers,
        setjmp,
        polls,
        capturable,
        isa: &*isa,
        options,
        sources,
    };
    let functions = func::compile_all(&env)?;
    let trampolines = trampoline::compile_all(&env)?;
    let compiled = Instant::now();
    let resumed = functions.iter().filter_map(|f| f.resume.as_ref());
    let code = functions.iter().map(|f| &f.code).chain(resumed);
    let code_size = code.chain(trampolines.iter().map(|t| &t.code)).map(|c| c.bytes.len()).sum();
    // The functions have been validated by now; before, the start function could not be run.
    let image =
        if options.standalone { image::Image::default() } else { image::evaluate(&module)? };
    let bytes = emit::object(&env, isa.clone(), &image, &functions, &trampolines)?;
    let stats = Stats {
        functions: functions.len(),
        code_size,
        read: read - started,
        compile: compiled - read,
        emit: compiled.elapsed(),
    };
    Ok(Object { bytes, id: module.id, stats })
}
