//! What a machine costs: time from exec to the prompt, memory there; for each instruction set, the size of
//! the boot binary and the time to build it. Writes the page of the documentation.

#![forbid(unsafe_code)]

mod build;
mod size;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Files, Result, Target, host, translate};
use pty_process::blocking::{Command, Pty, open};

const ROUNDS: usize = 21;
const PROMPT: &str = "# ";

fn main() -> ExitCode {
    match run() {
        Ok(page) => {
            print(&page);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String> {
    let builder = Builder::new()?;
    let target = host()?;
    let binary = builder.boot_binary(target, &Files::default())?;
    let kernel = builder.kernel_module()?;
    let mut rows = Vec::new();

    for cpus in ["1", "2"] {
        let mut times = Vec::new();
        let mut memory = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let (mut child, _terminal) = boot(None, &binary, cpus)?;
            times.push(started.elapsed());
            // What the shell does right after its prompt counts as well.
            std::thread::sleep(Duration::from_millis(20));
            memory = resident(&child)?;
            child.kill().at("kill")?;
            child.wait().at("wait")?;
        }
        times.sort();
        rows.push((
            format!("exec to prompt, {cpus} vCPU, median"),
            milliseconds(times[ROUNDS / 2]),
        ));
        rows.push((format!("exec to prompt, {cpus} vCPU, best"), milliseconds(times[0])));
        rows.push((format!("resident memory at the prompt, {cpus} vCPU"), mib(memory << 10)));
    }

    let mut targets = Vec::new();
    let mut sizes = Vec::new();
    let mut builds = Vec::new();
    for target in Target::ALL {
        targets.push(one_target(&builder, target, &kernel)?);
        sizes.push(size::row(&builder, target)?);
        builds.push(build::row(&builder, target)?);
    }
    page(&rows, &targets, &sizes, &builds)
}

/// What is measured for each instruction set, as cells of a row.
fn one_target(builder: &Builder, target: Target, kernel: &Path) -> Result<Vec<String>> {
    let binary = builder.boot_binary(target, &Files::default())?;
    let module = fs::read(kernel).at(kernel.display())?;
    let (mut best, mut code) = (Duration::MAX, 0);
    for _ in 0..3 {
        let started = Instant::now();
        let options = linnet_codegen::Options::linux(target, linnet_abi::calls::KERNEL_PREFIX);
        let object = linnet_codegen::translate(&module, &options)
            .map_err(|e| translate::error(kernel, &e))?;
        best = best.min(started.elapsed());
        code = object.stats.code_size;
    }
    let is_native = target == host()?;
    let emulator = if is_native { None } else { Some(builder.emulator(target)?) };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let (mut child, _terminal) = boot(emulator.as_deref(), &binary, "1")?;
        times.push(started.elapsed());
        child.kill().at("kill")?;
        child.wait().at("wait")?;
    }
    times.sort();
    let how = if is_native { "native" } else { "QEMU" };
    Ok(vec![
        target.name().to_owned(),
        mib(code as u64),
        milliseconds(best),
        format!("{} ({how})", milliseconds(times[ROUNDS / 2])),
    ])
}

/// Start a machine, perhaps under an emulator, and wait for its prompt.
fn boot(emulator: Option<&Path>, binary: &Path, cpus: &str) -> Result<(Child, Pty)> {
    let (terminal, other) = open().at("terminal")?;
    let command = match emulator {
        None => Command::new(binary),
        Some(emulator) => Command::new(emulator).arg(binary),
    };
    let command = command.args(["--cpus", cpus]);
    let child = command.spawn(other).at(binary.display())?;
    let mut seen = String::new();
    let mut bytes = [0; 4096];
    while !seen.ends_with(PROMPT) {
        let count = (&terminal).read(&mut bytes).at("terminal")?;
        if count == 0 {
            return Err(Error::new(format!("no prompt, but {seen:?}")));
        }
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        // The shell asks the terminal where the cursor is; nobody answers here.
        if let Some(stripped) = seen.strip_suffix("\x1b[6n") {
            seen = stripped.to_owned();
        }
    }
    Ok((child, terminal))
}

/// KiB of memory that a process has.
fn resident(child: &Child) -> Result<u64> {
    let path = format!("/proc/{}/status", child.id());
    let text = fs::read_to_string(&path).at(&path)?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Error::new("no VmRSS").at(path))
}

fn page(
    rows: &[(String, String)],
    targets: &[Vec<String>],
    sizes: &[Vec<String>],
    builds: &[Vec<String>],
) -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").at("/proc/cpuinfo")?;
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").at("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let date = std::process::Command::new("date").arg("+%Y-%m-%d").output().at("date")?.stdout;
    let mut page = String::from("# Figures\n\n");
    page.push_str(
        "What the default system costs: the full kernel configuration, BusyBox, a login\n",
    );
    page.push_str(
        "shell. `cargo bench -p linnet-tests --bench boot` measures it and writes this\n",
    );
    page.push_str(
        "page. The files were in the host's page cache; everything else starts cold.\n\n",
    );
    page.push_str("| figure | value |\n|---|--:|\n");
    for (name, value) in rows {
        let _ = writeln!(page, "| {name} | {value} |");
    }
    page.push_str(INSTRUCTION_SETS);
    table(&mut page, targets);
    page.push_str(SIZES);
    table(&mut page, sizes);
    page.push_str(OTHERS);
    page.push_str(BUILDS);
    table(&mut page, builds);
    let _ = writeln!(
        page,
        "\nMeasured on {} on {cpus} CPUs of a {}, load {load}, {ROUNDS} rounds.",
        String::from_utf8_lossy(&date).trim(),
        cpu.map_or("machine without a name", |(_, name)| name),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/figures.md");
    fs::write(&path, &page).at(path.display())?;
    Ok(page)
}

const INSTRUCTION_SETS: &str = "
## Instruction sets

Binaries for other instruction sets than this machine's ran under QEMU's user mode emulation. Their times
show that they run, not how fast such a CPU would be.

| target | kernel's code | its translation | exec to prompt, 1 vCPU, median |
|---|--:|--:|--:|
";

const SIZES: &str = "
## Size of the boot binary

With kernel, BusyBox and root file system, in MB. The first three columns are whole files. The others are the
parts of the file without symbols: translated code and runtime; tables of functions, calls and traps; and all
else, which is the initial memory of kernel and programs, names for back traces, and the root file system.

| target | with symbols | `--strip` | `--compress` | code | tables | other data |
|---|--:|--:|--:|--:|--:|--:|
";

const OTHERS: &str = "
The goal is 12 MB without symbols. Compressed files are well below that on every target. Uncompressed files are
not: the code alone takes as much. Tried on 2026-11-21: Cranelift's `speed_and_size` gives the same bytes. One copy
of identical functions would save 29 KB. clang's `-Os` makes 12 % less WebAssembly of the kernel (704 of its
objects, not linked or timed), which would not be enough.

For comparison, as their authors say and not measured here: wasmer's `create-exe` made 20 MB of a program of 18 KB
(lpython, issue 1461). okuoku's native Linux 6.1, translated by wasm2c, took 17 MiB without bounds checks and 25 MiB
with them.
";

const BUILDS: &str = "
## Time to build

The kernel and BusyBox already exist as WebAssembly. The first column is a build from there: compile the runtime,
translate all modules, and link. For the second, the runtime is already compiled. For the third, all is built, and
one program of BusyBox's size has changed. The goal is 15 s on two CPUs.

| target | all | translate and link | one program changed |
|---|--:|--:|--:|
";

fn table(page: &mut String, rows: &[Vec<String>]) {
    for cells in rows {
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn print(text: &str) {
    use std::io::Write as _;
    // A reader that went away has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
