//! Failures that have a reason, and what the driver says.

use std::collections::HashSet;
use std::process::Command;

/// `file lines` for all targets, the lines with commas in between, below `= reason`.
const LIST: &str = include_str!("failures.txt");

/// The list, and what of it was seen.
pub(crate) struct Failures {
    known: HashSet<(&'static str, usize)>,
    seen: HashSet<(&'static str, usize)>,
    unknown: usize,
}

impl Default for Failures {
    fn default() -> Failures {
        let known = LIST.lines().filter(|l| !l.starts_with(['#', '='])).filter_map(|row| {
            let (file, lines) = row.split_once(' ')?;
            Some(lines.split(',').filter_map(move |line| Some((file, line.parse().ok()?))))
        });
        Failures { known: known.flatten().collect(), seen: HashSet::new(), unknown: 0 }
    }
}

impl Failures {
    /// Whether a failure has a reason; prints it if not.
    pub(crate) fn is_known(&mut self, target: &str, file: &str, line: usize, cause: &str) -> bool {
        if let Some(known) = self.known.iter().find(|known| **known == (file, line)) {
            self.seen.insert(*known);
            return true;
        }
        self.unknown += 1;
        println!("FAIL {target} {file}:{line}: {cause}");
        false
    }

    /// Failures without a reason, and, after a run of everything, reasons without a failure.
    pub(crate) fn unknown(&self, filters: &[String]) -> usize {
        let mut count = self.unknown;
        if filters.is_empty() && std::env::var_os("SPEC_TARGETS").is_none() {
            for (file, line) in self.known.difference(&self.seen) {
                println!("in failures.txt, but passes: {file} {line}");
                count += 1;
            }
        }
        count
    }
}

/// Runs the driver: passed assertions and failures by line.
pub(crate) fn run(mut command: Command) -> Result<(usize, Vec<(usize, String)>), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut failures = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("FAIL ") {
            let (number, cause) = rest.split_once(' ').unwrap_or((rest, ""));
            failures.push((number.parse().unwrap_or(0), cause.to_owned()));
        } else if let Some(rest) = line.strip_prefix("DONE ") {
            let passed = rest.split(' ').next().and_then(|n| n.parse().ok());
            return passed.map(|p| (p, failures)).ok_or_else(|| line.to_owned());
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("the driver ended early: {} {}", output.status, errors.trim()))
}
