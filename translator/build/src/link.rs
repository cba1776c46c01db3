//! The linker step: objects and the runtime's archive become one static executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::builder::Builder;
use crate::error::{At as _, Error, Result};
use crate::progress::Step;
use crate::script;
use crate::tools::find_program;

/// For the linker: what only a debugger reads. The rest of the layout stays as it is.
const WITHOUT_FRAMES: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;\n";

/// Links `objects` and `archive` to `output`, and to a certain address if one is given. `stripped` leaves out
/// the symbol table and the description of frames; it is a directory to work in.
pub(crate) fn link(
    output: &Path,
    objects: &[PathBuf],
    archive: &Path,
    stripped: Option<&Path>,
    base: Option<u64>,
    log: &Path,
    step: &Step<'_>,
) -> Result<()> {
    let mut command = linker(output)?;
    if let Some(directory) = stripped {
        let script = directory.join("stripped.ld");
        fs::write(&script, WITHOUT_FRAMES).at(script.display())?;
        command.arg("--strip-all").arg("-T").arg(script);
    }
    command
        .args(["-static", "-nostdlib", "-z", "noexecstack", "-z", "relro", "--build-id=none"])
        .args(["--gc-sections", "--fatal-warnings"])
        .args(base.map(|base| format!("--image-base={base:#x}")))
        .args(objects)
        .arg(archive);
    script::run(&mut command, log, step)
}

/// Links `objects` to a shared library that programs find by `name`, with what it needs of them.
pub(crate) fn shared(
    output: &Path,
    name: &str,
    objects: &[PathBuf],
    needed: &[PathBuf],
    visible: Option<&Path>,
    log: &Path,
    step: &Step<'_>,
) -> Result<()> {
    let mut command = linker(output)?;
    command
        .args(["-shared", "-nostdlib", "-z", "noexecstack", "-z", "relro", "--build-id=none"])
        .args(["--gc-sections", "--strip-debug", "--fatal-warnings", "--no-as-needed"])
        .args(visible.map(|script| format!("--version-script={}", script.display())))
        .args(["-soname", name])
        .args(objects)
        .args(needed);
    script::run(&mut command, log, step)
}

/// Makes one object of what an archive has to define `root`.
pub(crate) fn combine(
    output: &Path,
    archive: &Path,
    root: &str,
    log: &Path,
    step: &Step<'_>,
) -> Result<()> {
    let mut command = linker(output)?;
    command.args(["-r", "--strip-debug", "-u", root]).arg(archive);
    script::run(&mut command, log, step)
}

impl Builder {
    /// Links a program that needs nothing but `archive`, for tests.
    pub fn link(&self, output: &Path, object: &Path, archive: &Path) -> Result<()> {
        let step = self.progress.step("link");
        let log = self.cache.path("logs/link");
        link(output, &[object.to_owned()], archive, None, None, &log, &step)?;
        step.done();
        Ok(())
    }
}

/// The linker, which is to write to `output`. All paths that it is given have to be absolute.
fn linker(output: &Path) -> Result<Command> {
    let mut command = linker_of_host()?;
    // A `%` in its name would stand for a digit of a name beside it, and no directory has that name.
    if let (Some(directory), Some(name)) = (output.parent(), output.file_name()) {
        command.current_dir(directory).arg("-o").arg(name);
    }
    Ok(command)
}

/// Rust's own linker, or else that of the LLVM which compiles the guest.
fn linker_of_host() -> Result<Command> {
    if let Some(path) = rust_lld() {
        let mut command = linnet_process::command(path);
        command.args(["-flavor", "gnu"]);
        return Ok(command);
    }
    match find_program("ld.lld-19") {
        Some(path) => Ok(linnet_process::command(path)),
        None => {
            Err(Error::new("no linker: neither rust-lld nor ld.lld-19 is there")
                .hint("install lld-19"))
        }
    }
}

fn rust_lld() -> Option<PathBuf> {
    let ask = |arguments: &[&str]| -> Result<String> {
        let output = linnet_process::command("rustc").args(arguments).output().at("rustc")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let sysroot = ask(&["--print", "sysroot"]).ok()?;
    let version = ask(&["-vV"]).ok()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    let path = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    path.exists().then_some(path)
}
