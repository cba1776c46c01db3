//! Translates a WebAssembly module to a native object file.
//!
//! | file         | what it does                                                            |
//! |--------------|-------------------------------------------------------------------------|
//! | [`module`]   | sections, imports, exports, tables                                      |
//! | [`imports`]  | which symbol an import becomes, and what is wrong with it if none       |
//! | [`image`]    | runs the start function ahead of time: initial memory and globals       |
//! | [`exec`]     | the program file that the kernel maps                                   |
//! | [`func`]     | one function: validation and CLIF together, operators by family         |
//! | [`libcall`]  | calls from translated code to the runtime                               |
//! | [`frames`]   | which functions can be captured and where, and the tables of that      |
//! | [`trampoline`] | entries and thunks that are no function of the module                 |
//! | [`passes`]   | CLIF to better CLIF, behind Cranelift's own optimizer                  |
//! | [`compile`]  | CLIF to machine code with its traps, call sites and saved registers     |
//! | [`emit`]     | the object file and the tables beside the code                          |
//! | [`standalone`] | modules that a host program embeds                                    |
//! | [`summary`]  | what a module is, for people                                            |
//! | [`debug`]    | what debuggers and profilers read beside the code                       |
//! | [`target`]   | what differs between instruction sets                                   |
//!
//! The contract with the runtime and the kernel is the crate `linnet-abi`.

#![forbid(unsafe_code)]

mod compile;
mod debug;
mod emit;
mod error;
mod exec;
mod frames;
mod func;
mod image;
mod imports;
mod libcall;
mod module;
mod passes;
mod standalone;
mod summary;
mod target;
mod trampoline;

pub use error::Error;
pub use exec::exec_file;
pub use standalone::bindings::{c_header, rust_module};
pub use standalone::is_for_linux;
pub use summary::{Summary, summary};
pub use target::Target;
pub use target::cpu::Cpu;

use std::time::{Duration, Instant};

/// How to translate a module.
#[derive(Debug, Clone)]
pub struct Options {
    pub target: Target,
    /// Names the module's symbols. The kernel's is [`linnet_abi::calls::KERNEL_PREFIX`].
    pub prefix: String,
    /// Whether loop heads look at the context's poll word. Programs need it, the kernel polls
    /// by itself.
    pub polls: bool,
    /// Whether a host program embeds the module. Otherwise it is the kernel or a program of a boot binary.
    pub standalone: bool,
    /// Whether frames can be captured and rebuilt, see [`linnet_abi::frames`]. The code gets several
    /// times as large.
    pub frames: bool,
    /// Instructions that may be used.
    pub cpu: Cpu,
    /// Whether arithmetic gives the same NaN on every processor: the canonical one. It makes the code of
    /// floats slower.
    pub canonical_nans: bool,
}

impl Options {
    /// For a module that a host program embeds.
    #[must_use]
    pub fn host(target: Target, prefix: &str) -> Options {
        Options { polls: false, standalone: true, ..Options::linux(target, prefix) }
    }

    /// For the kernel, or for a program of a boot binary: that polls.
    #[must_use]
    pub fn linux(target: Target, prefix: &str) -> Options {
        Options {
            target,
            prefix: prefix.to_owned(),
            polls: prefix != linnet_abi::calls::KERNEL_PREFIX,
            standalone: false,
            frames: false,
            cpu: Cpu::baseline(target),
            canonical_nans: false,
        }
    }
}

impl Options {
    /// Whether the module is a program of a boot binary. Its stacks can be copied, see [`passes`].
    pub(crate) fn is_program(&self) -> bool {
        !self.standalone && self.prefix != linnet_abi::calls::KERNEL_PREFIX
    }
}

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
    let symbols = if options.standalone { Vec::new() } else { imports::resolve(&module)? };
    let tail_calls = func::tail::are_in(&module);
    let read = Instant::now();
    let isa = target::isa(options)?;
    let setjmp = func::setjmp::Functions::find(&module).filter(|_| !options.standalone);
    let capturable = if options.frames {
        let never = setjmp.map_or(Vec::new(), |s| vec![s.begin, s.test]);
        frames::capturable::find(&module, &symbols, options.polls, &never)
    } else {
        Vec::new()
    };
    let (sources, symbols) = (&debug::Sources::read(&module), &symbols);
    let env = func::Env {
        module: &module,
        symbols,
        tail_calls,
        setjmp,
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
