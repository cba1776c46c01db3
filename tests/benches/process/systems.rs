//! The systems that are compared: how their programs are built and how they are started.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Builder, Error, Files, Result, System, host};

/// Where the programs lie in the guest.
const PLACE: &str = "bench";

/// A run that takes longer hangs.
const LIMIT: &str = "600";

const FLAGS: [&str; 5] = ["-O2", "-Wall", "-Wextra", "-Werror", "-static"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    /// With so many CPUs.
    Native(usize),
    Guest(usize),
    /// Debian's has one CPU.
    Uml,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Native(cpus) => write!(f, "host, {cpus} CPU"),
            Which::Guest(cpus) => write!(f, "guest, {cpus} vCPU"),
            Which::Uml => write!(f, "User-Mode Linux, 1 CPU"),
        }
    }
}

pub(crate) struct Systems {
    cpus: usize,
    /// Holds the programs of the host; also the root file system of User-Mode Linux.
    root: PathBuf,
    guest: PathBuf,
    uml: std::result::Result<Uml, String>,
}

struct Uml {
    preload: PathBuf,
}

impl Systems {
    pub(crate) fn build() -> Result<Self> {
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("process");
        let root = work.join("root");
        fs::create_dir_all(root.join("dev")).at(root.display())?;
        for program in ["process", "leave"] {
            native(&root, program)?;
        }
        let uml = uml(&work, &root).map_err(|error| error.to_string());
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Systems { cpus, root, guest: guest()?, uml })
    }

    pub(crate) fn present(&self) -> Vec<Which> {
        let mut all = vec![Which::Native(1), Which::Guest(1)];
        if self.uml.is_ok() {
            all.push(Which::Uml);
        }
        if self.cpus > 1 {
            all.extend([Which::Native(2), Which::Guest(2)]);
        }
        all
    }

    /// Why there is no User-Mode Linux.
    pub(crate) fn missing(&self) -> Option<&str> {
        self.uml.as_ref().err().map(String::as_str)
    }

    /// Takes the measures once.
    pub(crate) fn run(&mut self, which: Which, names: &[String]) -> Result<Vec<(String, f64)>> {
        let cpus = match which {
            Which::Native(cpus) | Which::Guest(cpus) => cpus,
            Which::Uml => 1,
        };
        // One CPU is always the same one: the host does not move what runs there.
        let set = format!("{}-{}", self.cpus - cpus, self.cpus - 1);
        let mut command = Command::new("timeout");
        command.args([LIMIT, "taskset", "--cpu-list", &set]);
        match which {
            Which::Native(_) => command.arg(self.root.join("process")).args(names),
            Which::Guest(cpus) => command
                .arg(&self.guest)
                .args(["--cpus", &cpus.to_string(), "--", &format!("/{PLACE}/process")])
                .args(names),
            Which::Uml => {
                let Ok(uml) = &self.uml else { return Ok(Vec::new()) };
                command.arg("env").arg(format!("LD_PRELOAD={}", uml.preload.display()));
                command.args([
                    "linux.uml",
                    "mem=512M",
                    "root=/dev/root",
                    "rootfstype=hostfs",
                    "rw",
                ]);
                command.arg(format!("rootflags={}", self.root.display()));
                command.args(["init=/init", "con=null", "con0=null,fd:1", "quiet"]);
                command.arg(format!("measures={}", names.join(",")))
            }
        };
        let output = command.output().at("timeout")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let results: Vec<_> = text.lines().filter_map(result).collect();
        if output.status.success() && !results.is_empty() {
            return Ok(results);
        }
        let why = format!("{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
        match which {
            // Not every machine lets it run.
            Which::Uml => self.uml = Err(format!("it does not run: {}", why.trim_end())),
            _ => return Err(Error::new(why).at(which)),
        }
        Ok(results)
    }
}

/// `NAME NANOSECONDS`. There are other lines: a kernel's.
fn result(line: &str) -> Option<(String, f64)> {
    let (name, time) = line.trim_end().split_once(' ')?;
    Some((name.to_owned(), time.parse().ok()?))
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/process").join(name).with_extension("c")
}

fn native(root: &Path, program: &str) -> Result<()> {
    let mut command = Command::new("musl-gcc");
    command.args(FLAGS).arg(source(program)).arg("-o").arg(root.join(program));
    compile(&mut command, "musl-tools")
}

fn uml(work: &Path, root: &Path) -> Result<Uml> {
    let version = Command::new("linux.uml").arg("--version").output();
    if version.is_err() {
        return Err(Error::new("no linux.uml here, of Debian's package user-mode-linux"));
    }
    native(root, "uml-init")?;
    fs::rename(root.join("uml-init"), root.join("init")).at(root.display())?;
    let preload = work.join("uml-xstate.so");
    let mut command = Command::new("cc");
    command.args(["-O2", "-shared", "-fPIC"]).arg(source("uml-xstate")).arg("-o").arg(&preload);
    compile(&mut command, "gcc")?;
    Ok(Uml { preload })
}

fn compile(command: &mut Command, package: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = format!("not found\nhint: install the package {package}");
            return Err(Error::new(text).at(name));
        }
        output => output.at(&name)?,
    };
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::new(String::from_utf8_lossy(&output.stderr).trim_end()).at(name)),
    }
}

/// Another kernel than the usual one, as `linnet boot --kernel` takes it.
pub(crate) fn other_kernel() -> Option<String> {
    std::env::var("LINNET_KERNEL").ok()
}

/// The boot binary with the programs.
fn guest() -> Result<PathBuf> {
    let builder = Builder::new()?;
    let sources = [source("process"), source("leave")];
    let programs = builder.guest_programs(sources.iter().map(PathBuf::as_path), host()?)?;
    let mut files = Files::default();
    for (name, program) in ["process", "leave"].iter().zip(programs) {
        files.add(&format!("{PLACE}/{name}"), &program?)?;
    }
    let mut system = System::with(files);
    if let Some(kernel) = other_kernel() {
        system.kernel = builder.kernel_version(&kernel)?;
    }
    builder.boot_binary_of(host()?, &system)
}
