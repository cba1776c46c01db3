//! A program on a terminal of its own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Error, Result, Target};
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

use crate::machine;

pub(crate) struct Terminal {
    pty: std::sync::Arc<Pty>,
    child: Child,
    /// The terminal's settings before the program was started.
    pub(crate) initial: String,
    output: Receiver<Vec<u8>>,
    /// What came and was not expected yet.
    pending: String,
    /// All that came, for the report of a failure.
    seen: String,
}

impl Terminal {
    pub(crate) fn start(target: Target, binary: &Path, arguments: &[String]) -> Result<Self> {
        let (program, first) = machine::program(target, binary)?;
        Self::start_program(Command::new(program).args(first).args(arguments))
    }

    /// A shell with job control whose prompt is `host$ `, in a directory of its own, with `vm` in `VM`.
    pub(crate) fn start_shell(vm: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("host-shell-{number}"));
        fs::create_dir_all(&directory).at(directory.display())?;
        let command = Command::new("bash").args(["--norc", "--noprofile", "--noediting", "-i"]);
        Self::start_program(command.current_dir(directory).env("VM", vm).env("PS1", "host$ "))
    }

    fn start_program(command: Command) -> Result<Self> {
        let (pty, terminal) = open().at("terminal")?;
        pty.resize(Size::new(24, 80)).at("terminal")?;
        let initial = settings(&pty)?;
        let child = command.env("TERM", "xterm").spawn(terminal).at("the terminal's program")?;
        let pty = std::sync::Arc::new(pty);
        let (sender, output) = mpsc::channel();
        let reader = std::sync::Arc::clone(&pty);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal whose program is gone gives an error.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { pty, child, initial, output, pending: String::new(), seen: String::new() })
    }

    pub(crate) fn send(&mut self, text: &str) -> Result<()> {
        (&*self.pty).write_all(text.as_bytes()).at("terminal")
    }

    /// Gives the program a window of another size.
    pub(crate) fn resize(&mut self, rows: u16, columns: u16) -> Result<()> {
        self.pty.resize(Size::new(rows, columns)).at("terminal")
    }

    /// The terminal's settings, as text to compare.
    pub(crate) fn settings(&self) -> Result<String> {
        settings(&self.pty)
    }

    /// Waits until a program has taken the keys from the terminal's lines.
    pub(crate) fn raw(&self, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
        loop {
            let modes = rustix::termios::tcgetattr(&*self.pty).at("terminal")?.local_modes;
            if !modes.contains(rustix::termios::LocalModes::ICANON) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Error::new(format!(
                    "the keys stay the host's; this came:\n{}",
                    self.seen
                )));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks the program to end.
    pub(crate) fn terminate(&self) -> Result<()> {
        machine::signal(&self.child, rustix::process::Signal::TERM)
    }

    /// Stops the job in the foreground.
    pub(crate) fn stop(&self) -> Result<()> {
        let group = rustix::termios::tcgetpgrp(&*self.pty).at("terminal")?;
        rustix::process::kill_process_group(group, rustix::process::Signal::STOP).at("kill")
    }

    /// Waits for `text` in what comes, and drops all up to its end.
    pub(crate) fn expect(&mut self, text: &str, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
        loop {
            if let Some(at) = self.pending.find(text) {
                self.pending.drain(..at + text.len());
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                return Err(Error::new(format!("{text:?} did not come; this did:\n{}", self.seen)));
            };
            let bytes = String::from_utf8_lossy(&bytes);
            self.pending.push_str(&bytes);
            self.seen.push_str(&bytes);
        }
    }

    /// Waits for the end; the exit status if there is one.
    pub(crate) fn end(&mut self, limit: Duration) -> Result<Option<i32>> {
        Ok(self.end_of_process(limit)?.and_then(|status| status.code()))
    }

    /// Waits for the end; how the program ended if it did.
    pub(crate) fn end_of_process(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        machine::wait(&mut self.child, limit)
    }
}

fn settings(pty: &Pty) -> Result<String> {
    let settings = rustix::termios::tcgetattr(pty).at("terminal")?;
    Ok(format!("{settings:?}"))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
