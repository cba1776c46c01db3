//! `linnet compile`

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use linnet_build::library::{self, Kind, Library};
use linnet_build::{At as _, Builder, Error, Executable, Result, Target, output, translate};
use linnet_codegen::{Cpu, Options};

use crate::arguments::Compile;

/// In place of a file's name, as compilers have it.
const STANDARD_OUTPUT: &str = "-";

pub(crate) fn run(arguments: &Compile) -> Result<()> {
    let Compile { module, output: place, target, cpu, prefix, header, rust, .. } = arguments;
    let Compile { pkg_config, cmake, .. } = arguments;
    let Compile { exe, threads, frames, canonical_nans, exports, interruptible, .. } = arguments;
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(*threads))
            .build_global()
            .at("threads")?;
    }
    let others = [header, rust, pkg_config, cmake].map(Option::as_ref);
    differ(&[&[Some(module), Some(place)], &others[..]].concat())?;
    let wasm = fs::read(module).at(module.display())?;
    if *exe {
        return executable(arguments, &wasm);
    }
    if !arguments.world.words().is_empty() {
        return Err(Error::new("--dir, --env, --inherit-env and --invoke are for --exe").usage());
    }
    let is_kernel = prefix.as_deref().is_some_and(translate::is_kernel);
    let target = target.get()?;
    let options = if is_kernel || *frames || linnet_codegen::is_for_linux(&wasm) {
        match prefix {
            Some(prefix) => Options::linux(target, prefix),
            None => translate::program_options(target, &wasm),
        }
    } else {
        Options::host(target, &prefix.clone().unwrap_or_else(|| file_name(module)))
    };
    let cpu = parse_cpu(target, cpu)?;
    let canonical_nans = *canonical_nans;
    let options = Options { frames: *frames, cpu, canonical_nans, ..options };
    if !options.standalone && (header.is_some() || rust.is_some() || *interruptible) {
        return Err(Error::new("a part of a boot binary has no host").at(module.display()));
    }
    if !exports.is_empty() && header.is_none() && rust.is_none() {
        return Err(Error::new("--exports is for --header and --rust").usage());
    }
    let options = if *interruptible { options.interruptible() } else { options };
    let failed = |cause| translate::error(module, &cause);
    let kind = Kind::of(place).filter(|_| options.standalone);
    if kind.is_none() && (pkg_config.is_some() || cmake.is_some()) {
        return Err(
            Error::new("--pkg-config and --cmake are for libraries, lib.a or lib.so").usage()
        );
    }
    let bytes = match kind {
        Some(kind) => {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let (wasm, options) = (&wasm[..], options.clone());
            let library = Library { module, wasm, options, kind, name: &name };
            Builder::without_compilers()?.library(&library)?
        }
        None => linnet_codegen::translate(&wasm, &options).map_err(failed)?.bytes,
    };
    let mut files = vec![(place, bytes)];
    if let Some(kind) = kind {
        let headers = header.as_deref().unwrap_or(place);
        for (file, text, own) in [
            (
                pkg_config,
                library::pkg_config as fn(&str, &str, &str, Kind) -> String,
                "${pcfiledir}",
            ),
            (cmake, library::cmake, "${CMAKE_CURRENT_LIST_DIR}"),
        ] {
            let Some(file) = file else { continue };
            let library = from(file, own, place)?;
            let headers = directory_of(file, own, headers)?;
            files.push((file, text(&options.prefix, &library, &headers, kind).into_bytes()));
        }
    }
    if let Some(header) = header {
        let text = linnet_codegen::c_header(&wasm, &options.prefix, exports).map_err(failed)?;
        files.push((header, text.into_bytes()));
    }
    if let Some(rust) = rust {
        let text = linnet_codegen::rust_module(&wasm, &options.prefix, exports).map_err(failed)?;
        files.push((rust, text.into_bytes()));
    }
    for (place, bytes) in files {
        write(place, &bytes, 0o644)?;
    }
    Ok(())
}

/// `--exe`
fn executable(arguments: &Compile, wasm: &[u8]) -> Result<()> {
    let Compile { module, output: place, target, cpu, canonical_nans, world, .. } = arguments;
    let target = target.get()?;
    let mut what = Executable::new(module, wasm, target)?;
    what.options.cpu = parse_cpu(target, cpu)?;
    what.options.canonical_nans = *canonical_nans;
    what.words = world.words();
    let built = Builder::without_compilers()?.executable(&what)?;
    write(place, &fs::read(&built).at(built.display())?, 0o755)
}

/// How a file beside others names one of them: by `own`, which stands for its directory, if they share it.
fn from(file: &Path, own: &str, other: &Path) -> Result<String> {
    let directory = |path: &Path| -> Result<PathBuf> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::canonicalize(parent.unwrap_or(Path::new("."))).at(path.display())
    };
    let (here, there) = (directory(file)?, directory(other)?);
    let name = other.file_name().unwrap_or_default().to_string_lossy();
    Ok(if here == there {
        format!("{own}/{name}")
    } else {
        there.join(&*name).display().to_string()
    })
}

/// The same of the directory of one.
fn directory_of(file: &Path, own: &str, other: &Path) -> Result<String> {
    let path = from(file, own, other)?;
    Ok(path.rsplit_once('/').map_or(path.clone(), |(directory, _)| directory.to_owned()))
}

fn write(place: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    if place == Path::new(STANDARD_OUTPUT) {
        return io::stdout().write_all(bytes).at("standard output");
    }
    output::write(place, bytes, mode)
}

fn parse_cpu(target: Target, cpu: &str) -> Result<Cpu> {
    Cpu::parse(target, cpu).map_err(|cause| {
        let error = Error::new(&cause).at("--cpu").usage();
        match cause.hint_text() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// None of the files may take another's place. A device can be several of them.
fn differ(places: &[Option<&PathBuf>]) -> Result<()> {
    let mut seen = Vec::new();
    for place in places.iter().copied().flatten() {
        // What is not there yet has no other name than this one.
        let real = fs::canonicalize(place).unwrap_or_else(|_| place.clone());
        if seen.contains(&real) && !fs::metadata(place).is_ok_and(|there| !there.is_file()) {
            return Err(Error::new("this would be two files in one").at(place.display()));
        }
        seen.push(real);
    }
    Ok(())
}

/// A module's file name as a prefix of symbols.
fn file_name(module: &Path) -> String {
    let name = module.file_stem().unwrap_or_default().to_string_lossy();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}
