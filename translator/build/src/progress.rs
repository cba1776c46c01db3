//! Shows what is being built: one live line per running step on a terminal, plain lines elsewhere.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Without a terminal, a running step says so after this time,
const PLAIN_FIRST: Duration = Duration::from_secs(1);
/// and then this often how far it is.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// Are lines to be shown on the terminal as well if standard error is none?
static SHOWS_ON_TERMINAL: AtomicBool = AtomicBool::new(false);

/// For what a build system runs, which keeps standard error to itself: whoever waits for a configure script is to
/// see what it waits for.
pub fn show_on_terminal() {
    SHOWS_ON_TERMINAL.store(!io::stderr().is_terminal(), Ordering::Relaxed);
}

#[derive(Debug)]
pub(crate) struct Progress {
    live: Option<MultiProgress>,
}

impl Progress {
    /// Talks on standard error.
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { live: terminal.then(MultiProgress::new) }
    }

    /// Starts a step, which ends with [`Step::done`] or fails when it is dropped.
    pub(crate) fn step(&self, name: &str) -> Step<'_> {
        let bar = self.live.as_ref().map(|live| {
            let bar = live.add(ProgressBar::new_spinner());
            let template = "{spinner} {prefix:<10} {elapsed:>4} {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let now = Instant::now();
        let state = State { lines: 0, spoke: now, interval: PLAIN_FIRST };
        Step {
            progress: self,
            name: name.to_owned(),
            bar,
            started: now,
            state: state.into(),
            done: false,
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: impl fmt::Display) {
        match &self.live {
            Some(live) => live.suspend(|| write(line)),
            None => write(line),
        }
    }
}

/// Writes a line to standard error. One that cannot be written is lost: there is nowhere else to say so.
pub(crate) fn write(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
    if SHOWS_ON_TERMINAL.load(Ordering::Relaxed)
        && let Ok(mut terminal) = OpenOptions::new().write(true).open("/dev/tty")
    {
        let _ = writeln!(terminal, "linnet: {line}");
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
pub(crate) struct Step<'a> {
    progress: &'a Progress,
    name: String,
    bar: Option<ProgressBar>,
    started: Instant,
    state: Mutex<State>,
    done: bool,
}

#[derive(Debug)]
struct State {
    lines: u64,
    spoke: Instant,
    /// From then to when it speaks again.
    interval: Duration,
}

impl Step<'_> {
    /// Tells of one line of a build's output.
    pub(crate) fn line(&self, line: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines += 1;
        let message = || format!("{:>5} lines  {}", state.lines, subject(line));
        if let Some(bar) = &self.bar {
            bar.set_message(message());
        } else if state.spoke.elapsed() >= state.interval {
            let seconds = self.started.elapsed().as_secs();
            write(format_args!("{}: {seconds} s, {}", self.name, message()));
            state.spoke = Instant::now();
            state.interval = PLAIN_INTERVAL;
        }
    }

    /// From now on a terminal shows a bar: the step has `total` units of work, of any kind.
    pub(crate) fn measure(&self, total: u64) {
        if let Some(bar) = &self.bar {
            let template =
                "{spinner} {prefix:<10} {elapsed:>4} [{bar:24}] {percent:>3} % {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_length(total);
        }
    }

    /// So many units more are done, which is what `what` says.
    pub(crate) fn advance(&self, units: u64, what: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(units);
            bar.set_message(what.to_owned());
        }
    }

    /// Says what the step is doing.
    pub(crate) fn doing(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => write(format_args!("{}: {what}", self.name)),
        }
    }

    /// Ends a step that did what it should.
    pub(crate) fn done(self) {
        let elapsed = self.started.elapsed();
        self.progress.say(format_args!("{:<10} {:>6.1} s", self.name, elapsed.as_secs_f64()));
        self.done_quietly();
    }

    /// The same for a step that takes next to no time, of which nothing stays to be read.
    pub(crate) fn done_quietly(mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.done = true;
    }
}

impl Drop for Step<'_> {
    /// A step that failed says so at once: its error is shown when the steps beside it have ended.
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !self.done {
            self.progress.say(format_args!("{:<10} failed", self.name));
        }
    }
}

/// The last word of a line of build output that looks like a file, or the line.
fn subject(line: &str) -> &str {
    let file = |word: &&str| word.contains('/') || word.contains('.');
    line.split_whitespace().rev().find(file).unwrap_or(line.trim())
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn subject_is_the_last_file() {
        assert_eq!(subject("  CC      kernel/fork.o"), "kernel/fork.o");
        assert_eq!(subject("building"), "building");
        assert_eq!(subject(""), "");
    }
}
