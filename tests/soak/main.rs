//! A storm of processes in machines with 1 to 8 vCPUs and little memory, in turn.
//!
//! `cargo test --release --test soak -- [MINUTES]`: 30 unless told. Each machine checks itself; see
//! `storm.c`. `LINNET_KERNEL=6.12-debug` has the kernel check itself as well.

#![forbid(unsafe_code)]

#[path = "../src/signals.rs"]
mod signals;

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Files, Result, System, host};

/// vCPUs and memory.
const MACHINES: [(&str, &str); 4] = [("1", "128M"), ("2", "192M"), ("4", "256M"), ("8", "384M")];

/// How long a machine may take longer than it was told.
const PATIENCE: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    signals::reset()?;
    let minutes = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let minutes: u64 = minutes.map_or(Ok(30), |text| text.parse()).at("minutes")?;
    let builder = Builder::new()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("soak/storm.c");
    let program = builder.guest_programs([source.as_path()], host()?)?.remove(0)?;
    let mut files = Files::default();
    files.add("test/storm", &program)?;
    let mut system = System::with(files);
    if let Ok(version) = env::var("LINNET_KERNEL") {
        system.kernel = builder.kernel_version(&version)?;
    }
    let binary = builder.boot_binary_of(host()?, &system)?;

    let each = Duration::from_secs(minutes * 60 / MACHINES.len() as u64);
    for (cpus, memory) in MACHINES {
        println!("{cpus} vCPUs, {memory}, {} s", each.as_secs());
        let mut machine = Command::new(&binary)
            .args(["--cpus", cpus, "--memory", memory, "--", "/test/storm"])
            .arg(each.as_secs().to_string())
            .stdin(Stdio::null())
            .spawn()
            .at(binary.display())?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = machine.try_wait().at("machine")? {
                break status;
            }
            if started.elapsed() > each + PATIENCE {
                machine.kill().at("machine")?;
                machine.wait().at("machine")?;
                return Err(Error::new("the machine hangs").at(format!("{cpus} vCPUs")));
            }
            thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            return Err(Error::new(status).at(format!("{cpus} vCPUs")));
        }
    }
    Ok(())
}
