//! Runs a machine or another command to its end, with all it prints and with a time limit.
//!
//! A machine of another ISA than this host's runs under an emulator.

use std::io::{Read, Write as _, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Result, Target, host};
use rustix::process::{Pid, Signal, kill_process};

use crate::builder;

/// How much longer an emulated machine may take.
const EMULATED: u32 = 4;

/// The program to start for a boot binary, and its first argument if that is not the binary.
pub(crate) fn program(target: Target, binary: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    if target == host()? {
        return Ok((binary.to_owned(), None));
    }
    Ok((builder()?.emulator(target)?, Some(binary.to_owned())))
}

/// A command that starts a boot binary.
pub(crate) fn command(target: Target, binary: &Path) -> Result<Command> {
    let (program, first) = program(target, binary)?;
    let mut command = Command::new(program);
    command.args(first);
    Ok(command)
}

/// How long a machine may take for what takes a native one `limit`.
pub(crate) fn limit(target: Target, limit: Duration) -> Duration {
    match host() {
        Ok(host) if host == target => limit,
        _ => limit * EMULATED,
    }
}

pub(crate) struct Ended {
    /// None if the time was up.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output and standard error as they came.
    pub(crate) output: String,
}

/// Runs `command` with `input`.
pub(crate) fn run(command: &mut Command, input: &[u8], limit: Duration) -> Result<Ended> {
    let (mut reader, writer) = pipe().at("pipe")?;
    let name = Path::new(command.get_program()).display().to_string();
    command.stdin(Stdio::piped()).stdout(writer.try_clone().at("pipe")?).stderr(writer);
    let mut child = command.spawn().at(&name)?;
    // The output ends when the last writer is gone.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    if let Some(mut stdin) = child.stdin.take() {
        // The command need not read what it is given.
        let _ = stdin.write_all(input);
    }
    let (sender, receiver) = mpsc::channel();
    let collector = thread::spawn(move || {
        let mut output = Vec::new();
        // What came before a failure is still worth showing.
        let _ = reader.read_to_end(&mut output);
        let _ = sender.send(());
        output
    });
    let _ = receiver.recv_timeout(limit);
    let status = wait(&mut child, Duration::from_secs(1))?;
    let output = collector.join().unwrap_or_default();
    Ok(Ended { status, output: String::from_utf8_lossy(&output).into_owned() })
}

/// Sends a signal to a machine.
pub(crate) fn signal(child: &Child, signal: Signal) -> Result<()> {
    kill_process(Pid::from_child(child), signal).at("kill")
}

/// Waits a little, then ends the child by force.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().at("wait")? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().at("kill")?;
    child.wait().at("wait")?;
    Ok(None)
}
