//! Translated modules, from the cache or fresh.

use std::fs;
use std::path::{Path, PathBuf};

use linnet_abi::calls::KERNEL_PREFIX;
use linnet_codegen::{Options, Target};

use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::image::Program;

/// What decides the translator's output, as found when this was compiled.
const TRANSLATOR: &str = env!("LINNET_TRANSLATOR");

/// Adds the translator's identity to a key.
pub(crate) fn with_translator(key: Key) -> Key {
    key.with("translator", TRANSLATOR)
}

/// The translation error of the module at `path`.
pub fn error(path: &Path, cause: &linnet_codegen::Error) -> Error {
    let error = Error::new(cause).at(path.display());
    match cause.hint_text() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// How a program is translated.
pub fn program_options(target: Target, wasm: &[u8]) -> Options {
    // Long enough to be unique, short enough to read in a profile.
    Options::linux(target, &format!("p{}", &Digest::of(wasm).to_string()[..16]))
}

/// Whether that prefix makes a module the kernel.
pub fn is_kernel(prefix: &str) -> bool {
    prefix == KERNEL_PREFIX
}

/// A program ready to be put into a boot binary.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) program: Program,
    pub(crate) object: PathBuf,
    /// The file that the guest's kernel executes.
    pub(crate) executable: PathBuf,
}

const OBJECT: &str = "module.o";
const EXECUTABLE: &str = "program";

impl Builder {
    pub(crate) fn kernel_object(
        &self,
        wasm: &Path,
        target: Target,
        frames: bool,
    ) -> Result<PathBuf> {
        let options = Options { frames, ..Options::linux(target, KERNEL_PREFIX) };
        let bytes = fs::read(wasm).at(wasm.display())?;
        let key = key(Digest::of(&bytes), &options);
        let result = self
            .cache
            .get("object", key, |out, _| write(wasm, &out.join(OBJECT), &bytes, &options))?;
        Ok(result.join(OBJECT))
    }

    /// Translates a program ahead of the boot binary that it goes into.
    pub fn translate_program(&self, wasm: &Path, target: Target) -> Result<()> {
        let bytes = fs::read(wasm).at(wasm.display())?;
        self.program_object(wasm, &bytes, target, false).map(drop)
    }

    /// `name` is for errors.
    pub(crate) fn program_object(
        &self,
        name: &Path,
        bytes: &[u8],
        target: Target,
        frames: bool,
    ) -> Result<Translated> {
        let id = Digest::of(bytes);
        let options = Options { frames, ..program_options(target, bytes) };
        let result = self.cache.get("object", key(id, &options), |out, _| {
            write(name, &out.join(OBJECT), bytes, &options)?;
            let executable = linnet_codegen::exec_file(bytes, true);
            let executable = executable.map_err(|cause| error(name, &cause))?;
            let place = out.join(EXECUTABLE);
            fs::write(&place, executable).at(place.display())
        })?;
        let program = Program { id, prefix: options.prefix };
        Ok(Translated { program, object: result.join(OBJECT), executable: result.join(EXECUTABLE) })
    }
}

fn key(module: Digest, options: &Options) -> Digest {
    with_translator(Key::new("object"))
        .with_digest("module", module)
        .with("target", options.target.name())
        .with("prefix", &options.prefix)
        .with("polls", [u8::from(options.polls)])
        .with("frames", [u8::from(options.frames)])
        .with("cpu", options.cpu.to_string())
        .finish()
}

fn write(wasm: &Path, place: &Path, bytes: &[u8], options: &Options) -> Result<()> {
    let object = linnet_codegen::translate(bytes, options).map_err(|cause| error(wasm, &cause))?;
    fs::write(place, object.bytes).at(place.display())
}
