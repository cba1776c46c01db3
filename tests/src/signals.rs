//! Signals of whoever starts a program of tests.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::{env, fs};

use linnet_build::{At as _, Error, Result};
use rustix::process::Signal;

/// A machine ignores the signals that its caller ignores, as SIGINT and SIGQUIT are in the background of a
/// script. If this program was started so, it starts again with all signals as they are by default.
pub(crate) fn reset() -> Result<()> {
    const STANDARD_SIGNALS: u64 = (1 << 31) - 1;
    let status = fs::read_to_string("/proc/self/status").at("/proc/self/status")?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    // Rust ignores SIGPIPE here, and does not in the programs that it starts.
    let of_the_caller = ignored & STANDARD_SIGNALS & !(1 << (Signal::PIPE.as_raw() - 1));
    if of_the_caller == 0 {
        return Ok(());
    }
    let this = env::current_exe().at("this program")?;
    let mut again = Command::new("env");
    again.arg("--default-signal").arg(this).args(env::args_os().skip(1));
    Err(Error::new(again.exec()).at("env"))
}
