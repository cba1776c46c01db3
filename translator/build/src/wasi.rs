//! A module of WASI becomes an executable: translated, and linked with the runtime in `runtime/wasi`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use linnet_abi::wasi;
use linnet_codegen::{Options, Target};
use wasmparser::{CompositeInnerType, FuncType, Parser, Payload, TypeRef, ValType};

use crate::boot::architecture;
use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::link::link;
use crate::object_file::Writer;
use crate::runtime::WASI;
use crate::translate;

/// An executable to be.
#[derive(Debug)]
pub struct Executable<'a> {
    /// For errors.
    pub module: &'a Path,
    pub wasm: &'a [u8],
    /// How to translate it.
    pub options: Options,
    /// What it is told besides what its user tells it, as in `--dir=/data`.
    pub words: Vec<OsString>,
}

impl<'a> Executable<'a> {
    /// Of a module that imports nothing but WASI.
    pub fn new(module: &'a Path, wasm: &'a [u8], target: Target) -> Result<Self> {
        check_imports(wasm).map_err(|error| error.at(module.display()))?;
        let options = Options::host(target, wasi::PREFIX);
        Ok(Self { module, wasm, options, words: Vec::new() })
    }
}

const NAME: &str = "executable";

impl Builder {
    /// Where the executable is in the cache.
    pub fn executable(&self, what: &Executable<'_>) -> Result<PathBuf> {
        let target = what.options.target;
        let words = what.words.iter().fold(Vec::new(), |mut all, word| {
            all.extend_from_slice(word.as_bytes());
            all.push(0);
            all
        });
        let key = translate::with_translator(Key::new("wasi"))
            .with_digest("module", Digest::of(what.wasm))
            .with_digest("runtime", self.runtime_key(WASI, target)?)
            .with("target", target.name())
            .with("cpu", what.options.cpu.to_string())
            .with("nans", [u8::from(what.options.canonical_nans)])
            .with("words", &words)
            .finish();
        let result = self.cache.get("wasi", key, |out, work| {
            let object = linnet_codegen::translate(what.wasm, &what.options)
                .map_err(|cause| translate::error(what.module, &cause))?;
            let archive = self.runtime_archive(WASI, target)?;
            let objects = [work.join("module.o"), work.join("options.o")];
            for (place, bytes) in objects.iter().zip([object.bytes, options(target, &words)?]) {
                fs::write(place, bytes).at(place.display())?;
            }
            let step = self.progress.step("link");
            let (log, place) = (self.cache.path("logs/link"), out.join(NAME));
            link(&place, &objects, &archive, Some(work), None, &log, &step)?;
            step.done_quietly();
            Ok(())
        })?;
        Ok(result.join(NAME))
    }
}

/// The object with [`wasi::OPTIONS`].
fn options(target: Target, words: &[u8]) -> Result<Vec<u8>> {
    let mut writer = Writer::new(architecture(target));
    let bytes = writer.data("words", ".rodata.words", words, 1);
    let mut text = [0; 16];
    text[8..].copy_from_slice(&(words.len() as u64).to_le_bytes());
    let place = writer.data(wasi::OPTIONS, ".data.rel.ro.options", &text, 8);
    writer.export(place);
    writer.pointer(place.section, 0, bytes.symbol)?;
    writer.finish()
}

/// Whether an executable can give all that a module imports. What is no module is left to the translator.
fn check_imports(wasm: &[u8]) -> Result<()> {
    let known = signatures();
    let mut types: Vec<Option<FuncType>> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::TypeSection(section)) => {
                for group in section.into_iter().flatten() {
                    types.extend(group.into_types().map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => Some(ty),
                        _ => None,
                    }));
                }
            }
            Ok(Payload::ImportSection(imports)) => {
                for import in imports.into_imports().flatten() {
                    if linnet_codegen::is_objects_import(import.module, import.name) {
                        return Ok(());
                    }
                    check_import((import.module, import.name), &import.ty, &types, &known)?;
                }
                return Ok(());
            }
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

fn check_import(
    (module, name): (&str, &str),
    ty: &TypeRef,
    types: &[Option<FuncType>],
    known: &Signatures,
) -> Result<()> {
    let unknown = || Error::new(format!("nothing provides the import {module}.{name}"));
    let index = match ty {
        TypeRef::Func(index) => *index,
        // The memory of a program with threads.
        TypeRef::Memory(_) => return Ok(()),
        _ => return Err(with_hint(unknown(), module, name)),
    };
    let Some(wanted) = known.get(&(module, name)) else {
        return Err(with_hint(unknown(), module, name));
    };
    match types.get(index as usize) {
        Some(Some(ty)) if ty == wanted => Ok(()),
        _ => Err(Error::new(format!("the import {module}.{name} has another type in WASI"))),
    }
}

/// Types of functions, by module and name.
type Signatures = BTreeMap<(&'static str, &'static str), FuncType>;

/// Those of all of WASI's.
fn signatures() -> Signatures {
    const I32: ValType = ValType::I32;
    let ty = |long: &bool| if *long { ValType::I64 } else { I32 };
    let calls = wasi::CALLS
        .iter()
        .map(|(name, params)| ((wasi::MODULE, *name), FuncType::new(params.iter().map(ty), [I32])));
    let others = [
        ((wasi::MODULE, wasi::EXIT), FuncType::new([I32], [])),
        ((wasi::THREAD_MODULE, wasi::THREAD_SPAWN), FuncType::new([I32], [I32])),
    ];
    calls.chain(others).collect()
}

/// What else a module may have been made for.
fn with_hint(error: Error, module: &str, name: &str) -> Error {
    let is_linux = module == linnet_abi::calls::USER_MODULE;
    match module {
        _ if is_linux => Error::new("this is a program of Linux, not of WASI")
            .hint("`linnet run` runs it in a machine"),
        linnet_abi::calls::HOST_MODULE => Error::new("this is a kernel, not a program of WASI"),
        "wasi_unstable" => {
            error.hint("this is WASI preview 0; compile for preview 1, which came in 2020")
        }
        _ if module.starts_with("wasi:") => {
            error.hint("this is WASI preview 2 or later; compile for wasm32-wasip1")
        }
        "wasix_32v1" | "wasix_64v1" => error.hint("this is WASIX; compile for wasm32-wasip1"),
        "wali" => error.hint("this is WALI, another interface of Linux"),
        "go" | "gojs" => error.hint("this is for Go's JavaScript; compile with GOOS=wasip1"),
        "wbg" | "__wbindgen_placeholder__" => {
            error.hint("this is for JavaScript; compile for wasm32-wasip1, without wasm-bindgen")
        }
        "env" if name.contains("emscripten") || name.starts_with("__syscall") || name == "a" => {
            error.hint("this is for Emscripten's JavaScript; link with -sSTANDALONE_WASM")
        }
        "a" => error.hint("this is for Emscripten's JavaScript; link with -sSTANDALONE_WASM"),
        "env" => error.hint(
            "a program cannot import functions of its own; for a library that a host program gives them \
             to, compile without --exe",
        ),
        _ => error.hint("an executable has WASI preview 1 and wasi-threads, nothing else"),
    }
}
