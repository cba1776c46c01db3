//! A program on a terminal of its own.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
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
        let (pty, terminal) = open().at("terminal")?;
        pty.resize(Size::new(24, 80)).at("terminal")?;
        let initial = settings(&pty)?;
        let (program, first) = machine::program(target, binary)?;
        let child = Command::new(&program)
            .args(first)
            .args(arguments)
            .env("TERM", "xterm")
            .spawn(terminal)
            .at(program.display())?;
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

    /// Asks the program to end.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).at("kill")
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
        Ok(machine::wait(&mut self.child, limit)?.and_then(|status| status.code()))
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
