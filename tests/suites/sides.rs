//! The two sides that a suite runs on: a machine of ours, and this machine's own kernel.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Result, Sdk};

use crate::directory;

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
        let log = sides.logs().join("root");
        let file = File::create(&log).at(log.display())?;
        let status = Command::new(&script)
            .args([&sides.root, &sides.native_work()])
            .env("BUSYBOX", archive)
            .env("SYSROOT", sysroot)
            .env("JOBS", thread::available_parallelism().map_or(1, usize::from).to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone().at(log.display())?)
            .stderr(file)
            .status()
            .at("root.sh")?;
        if !status.success() {
            return Err(Error::new(status)
                .at("root.sh")
                .hint(format!("see {}; the package musl-tools holds musl-gcc", log.display())));
        }
        fs::write(&stamp, made_of).at(stamp.display())?;
        Ok(sides)
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
