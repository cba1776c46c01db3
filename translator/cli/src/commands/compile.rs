//! `linnet compile`

use std::fs;

use linnet_build::{At as _, Result, output, translate};

use crate::arguments::Compile;

pub(crate) fn run(arguments: &Compile) -> Result<()> {
    let Compile { module, output: place, target, prefix, threads, frames } = arguments;
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global().at("threads")?;
    }
    let wasm = fs::read(module).at(module.display())?;
    let mut options = match prefix {
        Some(prefix) => translate::options(target.get()?, prefix),
        None => translate::program_options(target.get()?, &wasm),
    };
    options.frames = *frames;
    let object = linnet_codegen::translate(&wasm, &options)
        .map_err(|cause| translate::error(module, &cause))?;
    output::write(place, &object.bytes, 0o644)
}
