//! The two sides that a suite runs on: a machine of ours, and this machine's own kernel.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Result, Sdk};

use crate::{Outcome, directory, read};

/// For one run of a command on one side.
const LIMIT: Duration = Duration::from_secs(1800);

/// Those of the guest's machines.
const CPUS: &str = "2";

pub(crate) struct Sides {
    work: PathBuf,
    /// What the guest's root file system is to the guest, the native side's is to it.
    root: PathBuf,
}

/// Where a command runs.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a> {
    Native,
    /// In a machine of this boot binary.
    Guest(&'a Path),
}

impl Sides {
    /// Builds the native side's root unless it is there.
    pub(crate) fn new(builder: &Builder) -> Result<Self> {
        let work = builder.cache_path("suites");
        let root = work.join("root");
        let sides = Self { work, root };
        fs::create_dir_all(sides.logs()).at(sides.logs().display())?;
        let (script, sysroot) = (directory().join("root.sh"), directory().join("../../sysroot"));
        let settings = sysroot.join("busybox/settings");
        let archive = builder.source_file("busybox")?;
        let made_of = [
            fs::read_to_string(&script).at(script.display())?,
            fs::read_to_string(&settings).at(settings.display())?,
            archive.display().to_string(),
        ]
        .concat();
        let stamp = sides.work("root.made-of");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == made_of) {
            return Ok(sides);
        }
        let mut build = Command::new(&script);
        build.args([&sides.root, &sides.native_work()]);
        sides.build(build.env("BUSYBOX", archive).env("SYSROOT", sysroot))?;
        fs::write(&stamp, made_of).at(stamp.display())?;
        Ok(sides)
    }

    /// Runs a script that builds something of the native side.
    pub(crate) fn build(&self, script: &mut Command) -> Result<()> {
        let path = PathBuf::from(script.get_program());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let log = self.logs().join(&*name);
        let file = File::create(&log).at(log.display())?;
        let status = script
            .env("JOBS", thread::available_parallelism().map_or(1, usize::from).to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone().at(log.display())?)
            .stderr(file)
            .status()
            .at(&name)?;
        if status.success() {
            return Ok(());
        }
        let hint = format!("see {}; the package musl-tools holds musl-gcc", log.display());
        Err(Error::new(status).at(name).hint(hint))
    }

    /// A place for files of one suite.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.work("logs")
    }

    /// What `root.sh` leaves beside the root.
    pub(crate) fn native_work(&self) -> PathBuf {
        self.work("native")
    }

    /// A file of the native side, for which there are the directories after this.
    pub(crate) fn native_file(&self, path: &str) -> Result<PathBuf> {
        let file = self.root.join(path);
        let directory = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(directory).at(directory.display())?;
        Ok(file)
    }

    /// Copies a script to the native side.
    pub(crate) fn place_script(&self, path: &str, script: &Path) -> Result<()> {
        let native = self.native_file(path)?;
        fs::copy(script, &native).at(script.display())?;
        fs::set_permissions(&native, Permissions::from_mode(0o755)).at(native.display())
    }

    /// A C program for the native side.
    pub(crate) fn native_compiler(&self) -> Command {
        let mut compiler = Command::new("musl-gcc");
        compiler.arg("-static").arg("-idirafter").arg(self.native_work().join("headers"));
        compiler
    }

    /// Compiles a program for each side that does not have it yet: `prepare` gives the compiler its
    /// arguments. Returns what a compiler that failed said.
    pub(crate) fn compile(
        &self,
        sdk: &Sdk,
        native: &Path,
        wasm: &Path,
        prepare: impl Fn(&mut Command, Side<'_>),
    ) -> Result<Option<String>> {
        let guest = Side::Guest(wasm);
        for (mut compiler, side, out) in
            [(self.native_compiler(), Side::Native, native), (sdk.compiler(), guest, wasm)]
        {
            if out.exists() {
                continue;
            }
            prepare(&mut compiler, side);
            let output = compiler.arg("-o").arg(out).output().at(out.display())?;
            if !output.status.success() {
                return Ok(Some(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
            }
        }
        Ok(None)
    }

    /// What a script that reads `input` tells on either side, both at the same time.
    pub(crate) fn run_on_both(
        &self,
        name: &str,
        binary: &Path,
        script: &str,
        input: &[u8],
    ) -> Result<Outcome> {
        thread::scope(|scope| {
            let native = scope.spawn(|| self.run_script(name, Side::Native, script, input));
            let guest = self.run_script(name, Side::Guest(binary), script, input)?;
            let native = native.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Outcome { expected: read(&native), guest: read(&guest) })
        })
    }

    /// All that a script of the root prints on one side.
    pub(crate) fn run_script(
        &self,
        name: &str,
        side: Side<'_>,
        script: &str,
        input: &[u8],
    ) -> Result<String> {
        self.run(name, side, &["sh", &format!("/{script}")], input)
    }

    /// All that `command` prints on one side.
    pub(crate) fn run(
        &self,
        name: &str,
        side: Side,
        command: &[&str],
        input: &[u8],
    ) -> Result<String> {
        let (mut process, kind) = match side {
            Side::Native => {
                let mut native = Command::new(directory().join("native.sh"));
                native.arg(&self.root);
                (native, "native")
            }
            Side::Guest(binary) => {
                let mut guest = Command::new(binary);
                guest.args(["--cpus", CPUS, "--"]);
                (guest, "guest")
            }
        };
        let log = self.logs().join(format!("{name}.{kind}"));
        let file = File::create(&log).at(log.display())?;
        process.args(command).stdin(Stdio::piped());
        process.stdout(file.try_clone().at(log.display())?).stderr(file);
        let mut child = process.spawn().at(kind)?;
        if let Some(mut stdin) = child.stdin.take() {
            // The command need not read what it is given.
            let _ = stdin.write_all(input);
        }
        let started = Instant::now();
        while child.try_wait().at(kind)?.is_none() {
            if started.elapsed() > LIMIT {
                child.kill().at(kind)?;
                child.wait().at(kind)?;
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let output = fs::read(&log).at(log.display())?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }
}
