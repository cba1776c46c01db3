//! Failures that have a reason, and what the driver says.

use std::collections::HashSet;
use std::process::Command;

/// Lines of `failures.txt`: `target file line reason...`; `*` stands for any target or line.
const LIST: &str = include_str!("failures.txt");

struct Known {
    target: &'static str,
    file: &'static str,
    line: &'static str,
}

/// The list, and what of it was seen.
pub(crate) struct Failures {
    known: Vec<Known>,
    seen: HashSet<usize>,
    unknown: usize,
}

impl Default for Failures {
    fn default() -> Failures {
        let rows = LIST.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        let known = rows.filter_map(|row| {
            let mut words = row.splitn(4, ' ');
            Some(Known { target: words.next()?, file: words.next()?, line: words.next()? })
        });
        Failures { known: known.collect(), seen: HashSet::new(), unknown: 0 }
    }
}

impl Failures {
    /// Whether a failure has a reason; prints it if not.
    pub(crate) fn is_known(&mut self, target: &str, file: &str, line: usize, cause: &str) -> bool {
        let number = line.to_string();
        let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => pattern == text,
        };
        let found = self
            .known
            .iter()
            .position(|k| fits(k.target, target) && fits(k.file, file) && fits(k.line, &number));
        if let Some(found) = found {
            self.seen.insert(found);
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
            for (i, known) in self.known.iter().enumerate() {
                if !self.seen.contains(&i) {
                    println!("in failures.txt, but passes: {} {}", known.file, known.line);
                    count += 1;
                }
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
