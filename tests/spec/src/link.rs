//! Programs for other instruction sets.

use crate::Error;
use linnet_codegen::Target;
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind,
    SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Rust's name of a target with a static C library.
#[must_use]
pub fn triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64-unknown-linux-musl",
        Target::Aarch64 => "aarch64-unknown-linux-musl",
        Target::Riscv64 => "riscv64gc-unknown-linux-musl",
    }
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

/// What it takes to link programs for a target.
#[derive(Debug)]
pub struct Toolchain {
    target: Target,
    linker: PathBuf,
    /// Where Rust has the start files and the C library.
    start_files: PathBuf,
    archive: PathBuf,
}

impl Toolchain {
    /// Builds `package`, an archive with a `main`, for the target, in its own directory below `directory`.
    ///
    /// # Errors
    ///
    /// The target's library cannot be installed, or something does not build.
    pub fn new(target: Target, package: &str, directory: &Path) -> Result<Toolchain, Error> {
        let triple = triple(target);
        let library = || {
            let library =
                run(Command::new("rustc").args(["--print", "target-libdir", "--target", triple]))?;
            Ok::<_, Error>(PathBuf::from(library))
        };
        if !library()?.is_dir() {
            run(Command::new("rustup").args(["target", "add", triple]))?;
        }
        let start_files = library()?.join("self-contained");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--release", "--locked", "--package", package, "--target", triple])
            .arg("--target-dir")
            .arg(directory)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("CARGO_ENCODED_RUSTFLAGS", "-Cforce-frame-pointers=yes")
            .env_remove("RUSTFLAGS");
        run(&mut build)?;
        let archive = format!("lib{}.a", package.replace('-', "_"));
        let archive = directory.join(triple).join("release").join(archive);
        let sysroot = PathBuf::from(run(Command::new("rustc").args(["--print", "sysroot"]))?);
        let version = run(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let linker =
            sysroot.join("lib/rustlib").join(host.unwrap_or_default()).join("bin/rust-lld");
        Ok(Toolchain { target, linker, start_files, archive })
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
            .arg(self.start_files.join("crt1.o"))
            .arg(self.start_files.join("crti.o"))
            .arg(format!("@{}", list.display()))
            .arg("--start-group")
            .arg(&self.archive)
            .arg(self.start_files.join("libunwind.a"))
            .arg(self.start_files.join("libc.a"))
            .arg("--end-group")
            .arg(self.start_files.join("crtn.o"));
        run(&mut command).map(drop)
    }

    /// A command that runs a program of the target, in an emulator if it must.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        if self.target.name() == std::env::consts::ARCH {
            return Command::new(program);
        }
        let mut command = Command::new(format!("qemu-{}-static", self.target.name()));
        command.arg(program);
        command
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
