//! What it costs to freeze a machine, to resume it, and to move it while it runs; with little memory in use, and with
//! 256 MiB. Prints a table.

#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Files, Result, System, host};
use rustix::process::{Pid, Signal, kill_process};

/// The program of `tests/freeze/pauses.c` in the guest.
const PAUSES: &str = "/tests/pauses";

const ROUNDS: usize = 7;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    vm: PathBuf,
    frozen: PathBuf,
    place: PathBuf,
}

fn run() -> Result<()> {
    let (builder, target) = (Builder::new()?, host()?);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("freeze/pauses.c");
    let mut files = Files::default();
    for program in builder.guest_programs(std::iter::once(source.as_path()), target)? {
        files.add(PAUSES, &program?)?;
    }
    let vm = builder.boot_binary_of(target, &System { frames: true, ..System::with(files) })?;
    let frozen = System { frozen: Some(String::new()), ..System::default() };
    let frozen = builder.boot_binary_of(target, &frozen)?;
    let place = std::env::temp_dir().join(format!("linnet-bench-freeze-{}", std::process::id()));
    fs::create_dir_all(&place).at(place.display())?;
    let bench = Bench { vm, frozen, place };
    let done = bench.table();
    let _ = fs::remove_dir_all(&bench.place);
    done
}

/// Least and median.
fn row(name: &str, unit: &str, mut measure: impl FnMut() -> Result<f64>) -> Result<()> {
    let mut all = (0..ROUNDS).map(|_| measure()).collect::<Result<Vec<f64>>>()?;
    all.sort_by(f64::total_cmp);
    println!("| {name} | {:.1} {unit} | {:.1} {unit} |", all[0], all[ROUNDS / 2]);
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Bench {
    fn table(&self) -> Result<()> {
        println!("| | least | median of {ROUNDS} |\n|---|---|---|");
        row("cold boot to the first output", "ms", || first_output(&self.vm, &["--", "echo"]))?;
        row("frozen boot to the first output", "ms", || {
            first_output(&self.frozen, &["--", "echo"])
        })?;
        for mib in [0, 256] {
            let snapshot = self.snapshot(mib)?;
            let used = if mib == 0 { "an idle shell".to_owned() } else { format!("{mib} MiB") };
            let size = fs::metadata(&snapshot).at(&snapshot)?.len() as f64 / 1e6;
            println!("| size of a snapshot, {used} | {size:.1} MB | |");
            row(&format!("resume to the first output, {used}"), "ms", || {
                first_output(&self.vm, &["--resume", &snapshot])
            })?;
            row(&format!("the guest stands still for a snapshot, {used}"), "ms", || {
                self.stands_for_a_snapshot(mib)
            })?;
            let dirty = if mib == 0 { String::new() } else { ", 100 MB/s written".to_owned() };
            row(&format!("the guest stands still for a move, {used}{dirty}"), "ms", || {
                self.stands_for_a_move(mib)
            })?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.place.join(name).display().to_string()
    }

    /// A machine with so much memory in use, which says something when it is resumed.
    fn snapshot(&self, mib: u32) -> Result<String> {
        let file = self.path(&format!("snapshot-{mib}"));
        let script = format!(
            "{PAUSES} {mib} 0 100000 >/tmp/says & until test -s /tmp/says; do sleep 0.1; done; \
             freeze --exit; echo"
        );
        let status = Command::new(&self.vm)
            .args(["--cpus", "2", "--freeze-to", &file, "--", "sh", "-c", &script])
            .stdin(Stdio::null())
            .status()
            .at("machine")?;
        if status.success() { Ok(file) } else { Err(Error::new(format!("machine: {status}"))) }
    }

    fn pauses(&self, mib: u32, options: &[&str]) -> Result<(Child, BufReader<ChildStdout>)> {
        let rate = if mib == 0 { "0" } else { "100" };
        let (mut child, mut output) =
            start(Command::new(&self.vm).args(["--cpus", "2"]).args(options).args([
                "--",
                PAUSES,
                &mib.to_string(),
                rate,
                "4",
            ]))?;
        let mut line = String::new();
        output.read_line(&mut line).at("machine")?;
        if line != "ready\n" {
            let _ = child.kill();
            return Err(Error::new(line));
        }
        Ok((child, output))
    }

    fn stands_for_a_snapshot(&self, mib: u32) -> Result<f64> {
        let file = self.path("made");
        let (child, output) = self.pauses(mib, &["--freeze-to", &file])?;
        let said = signal(&child).and_then(|()| end(child, output));
        fs::remove_file(&file).at(&file)?;
        longest(&said?)
    }

    fn stands_for_a_move(&self, mib: u32) -> Result<f64> {
        let address = format!("unix:{}", self.path("socket"));
        let (waiting, waits) =
            start(Command::new(&self.vm).args(["--cpus", "2", "--incoming", &address]))?;
        while !self.place.join("socket").exists() {
            thread::sleep(Duration::from_millis(1));
        }
        let (child, output) = self.pauses(mib, &["--migrate-to", &address])?;
        signal(&child)?;
        end(child, output)?;
        longest(&end(waiting, waits)?)
    }
}

fn start(command: &mut Command) -> Result<(Child, BufReader<ChildStdout>)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().at("machine")?;
    let output = child.stdout.take().ok_or_else(|| Error::new("no output"))?;
    Ok((child, BufReader::new(output)))
}

fn signal(child: &Child) -> Result<()> {
    thread::sleep(Duration::from_millis(500));
    kill_process(Pid::from_child(child), Signal::USR1).at("kill")
}

fn end(mut child: Child, mut output: BufReader<ChildStdout>) -> Result<String> {
    let mut said = String::new();
    output.read_to_string(&mut said).at("machine")?;
    child.wait().at("machine")?;
    Ok(said)
}

/// The longest pause that the guest tells of.
fn longest(said: &str) -> Result<f64> {
    let microseconds: f64 = said.trim().parse().map_err(|_| Error::new(said))?;
    Ok(microseconds / 1e3)
}

/// From the start of the process to the first byte that it writes.
fn first_output(binary: &Path, arguments: &[&str]) -> Result<f64> {
    let started = Instant::now();
    let (mut child, mut output) =
        start(Command::new(binary).args(["--cpus", "2"]).args(arguments))?;
    output.read_exact(&mut [0]).at("machine")?;
    let time = started.elapsed();
    child.kill().at("machine")?;
    child.wait().at("machine")?;
    Ok(milliseconds(time))
}
