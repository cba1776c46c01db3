//! Programs for other instruction sets.

use crate::Error;
use linnet_build::Builder;
use linnet_codegen::Target;
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Rust's name of the target. Those with musl bring the C library; Rust distributes none for RISC-V.
#[must_use]
pub fn triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64-unknown-linux-musl",
        Target::Aarch64 => "aarch64-unknown-linux-musl",
        Target::Riscv64 => "riscv64gc-unknown-linux-gnu",
    }
}

/// Debian's packages with the C library and the compiler's, where Rust has none, and a file of each.
const CROSS_PACKAGES: [(&str, &str); 2] = [
    ("libc6-dev-riscv64-cross", "/usr/riscv64-linux-gnu/lib/libc.a"),
    ("libgcc-12-dev-riscv64-cross", "/usr/lib/gcc-cross/riscv64-linux-gnu/12/libgcc_eh.a"),
];
const CROSS_LIBC: &str = "/usr/riscv64-linux-gnu/lib";
const CROSS_LIBGCC: &str = "/usr/lib/gcc-cross/riscv64-linux-gnu/12";

/// The C library of the target: start files and archives.
fn libraries(target: Target, rust: &Path, builder: &Builder) -> Result<[Vec<PathBuf>; 2], Error> {
    if target != Target::Riscv64 {
        let own = rust.join("self-contained");
        let list = |names: &[&str]| names.iter().map(|name| own.join(name)).collect();
        return Ok([list(&["crt1.o", "crti.o"]), list(&["libunwind.a", "libc.a", "crtn.o"])]);
    }
    let (libc, libgcc) = (Path::new(CROSS_LIBC), Path::new(CROSS_LIBGCC));
    for (package, file) in CROSS_PACKAGES {
        builder.tool(package, file)?;
    }
    Ok([
        vec![libc.join("crt1.o"), libc.join("crti.o"), libgcc.join("crtbeginT.o")],
        vec![
            libgcc.join("libgcc_eh.a"),
            libgcc.join("libgcc.a"),
            libc.join("libc.a"),
            libgcc.join("crtend.o"),
            libc.join("crtn.o"),
        ],
    ])
}

/// Runs a command to its end; its output, if it succeeds.
fn run(command: &mut Command) -> Result<String, Error> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !status.success() {
        return Err(format!("{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr)).into());
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Builds a package in a directory of its own.
fn build(package: &str, how: &[&str], directory: &Path, flags: &[&str]) -> Result<(), Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--package", package]).args(how);
    cargo.arg("--target-dir").arg(directory).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")).env_remove("RUSTFLAGS");
    run(&mut cargo).map(drop)
}

/// Builds the program that runs modules with wasmtime, in its own directory below `directory`.
///
/// # Errors
///
/// It does not build.
pub fn reference(directory: &Path) -> Result<PathBuf, Error> {
    build("linnet-spec-reference", &["--profile", "reference"], directory, &[])?;
    Ok(directory.join("reference/linnet-spec-reference"))
}

/// What it takes to link programs for a target.
#[derive(Debug)]
pub struct Toolchain {
    /// Runs programs of the target, unless this machine does.
    emulator: Option<PathBuf>,
    linker: PathBuf,
    /// What comes before the objects, and behind them.
    libraries: [Vec<PathBuf>; 2],
    archive: PathBuf,
}

impl Toolchain {
    /// Builds `package`, an archive with a `main`, for the target, in its own directory below `directory`.
    ///
    /// # Errors
    ///
    /// A library or the emulator cannot be installed, or something does not build.
    pub fn new(target: Target, package: &str, directory: &Path) -> Result<Toolchain, Error> {
        let triple = triple(target);
        let builder = Builder::new()?;
        let libraries = libraries(target, &builder.rust_library(triple)?, &builder)?;
        let flags = ["-Cforce-frame-pointers=yes"];
        build(package, &["--release", "--target", triple], directory, &flags)?;
        let archive = format!("lib{}.a", package.replace('-', "_"));
        let archive = directory.join(triple).join("release").join(archive);
        let sysroot = PathBuf::from(run(Command::new("rustc").args(["--print", "sysroot"]))?);
        let version = run(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let linker =
            sysroot.join("lib/rustlib").join(host.unwrap_or_default()).join("bin/rust-lld");
        let emulator =
            (target != linnet_build::host()?).then(|| builder.emulator(target)).transpose()?;
        Ok(Toolchain { emulator, linker, libraries, archive })
    }

    /// Links `objects` with the archive.
    ///
    /// # Errors
    ///
    /// The linker's.
    pub fn link(&self, objects: &[PathBuf], output: &Path) -> Result<(), Error> {
        // Thousands of objects do not fit a command line.
        let list = output.with_extension("list");
        let names: String = objects.iter().map(|o| format!("\"{}\"\n", o.display())).collect();
        std::fs::write(&list, names)?;
        let mut command = Command::new(&self.linker);
        command
            .args(["-flavor", "gnu", "-static", "-z", "noexecstack", "--build-id=none"])
            .arg("-o")
            .arg(output)
            .args(&self.libraries[0])
            .arg(format!("@{}", list.display()))
            .arg("--start-group")
            .arg(&self.archive)
            .args(&self.libraries[1])
            .arg("--end-group");
        run(&mut command).map(drop)
    }

    /// A command that runs a program of the target, in an emulator if it must.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        match &self.emulator {
            None => Command::new(program),
            Some(emulator) => {
                let mut command = Command::new(emulator);
                command.arg(program);
                command
            }
        }
    }
}

/// An object with the table of modules: `linnet_spec_modules` and `linnet_spec_module_count`.
///
/// # Errors
///
/// The object cannot be written.
pub fn module_table(target: Target, prefixes: &[String]) -> Result<Vec<u8>, Error> {
    let architecture = match target {
        Target::X86_64 => Architecture::X86_64,
        Target::Aarch64 => Architecture::Aarch64,
        Target::Riscv64 => Architecture::Riscv64,
    };
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    if target == Target::Riscv64 {
        // The double-float convention, as in all the others.
        object.flags = object::FileFlags::Elf { os_abi: 0, abi_version: 0, e_flags: 0x5 };
    }
    let section = object.add_section(Vec::new(), b".data.modules".to_vec(), SectionKind::Data);
    let mut bytes = (prefixes.len() as u64).to_le_bytes().to_vec();
    bytes.resize(8 * (prefixes.len() + 1), 0);
    object.append_section_data(section, &bytes, 8);
    let mut symbol = |name: &str, section, value, scope| {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size: 0,
            kind: SymbolKind::Data,
            scope,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    };
    let own = SymbolSection::Section(section);
    symbol("linnet_spec_module_count", own, 0, SymbolScope::Dynamic);
    symbol("linnet_spec_modules", own, 8, SymbolScope::Dynamic);
    let modules: Vec<_> = prefixes
        .iter()
        .map(|prefix| {
            let name = format!("linnet_module_{prefix}");
            symbol(&name, SymbolSection::Undefined, 0, SymbolScope::Unknown)
        })
        .collect();
    for (i, symbol) in modules.into_iter().enumerate() {
        let flags = RelocationFlags::Generic {
            kind: RelocationKind::Absolute,
            encoding: RelocationEncoding::Generic,
            size: 64,
        };
        object.add_relocation(
            section,
            Relocation { offset: 8 * (i as u64 + 1), symbol, addend: 0, flags },
        )?;
    }
    Ok(object.write()?)
}
