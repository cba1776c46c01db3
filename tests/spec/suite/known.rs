//! Failures that have a reason, and what the driver says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Command;

/// `file lines` for all targets, the lines with commas in between, below `= reason`.
const LIST: &str = include_str!("failures.txt");

/// The list, and what of it was seen.
#[derive(Default)]
pub(crate) struct Failures {
    /// Reasons by file and line.
    known: HashMap<(&'static str, usize), &'static str>,
    seen: HashSet<(&'static str, usize)>,
    /// Assertions by reason, and by target.
    counts: BTreeMap<&'static str, BTreeMap<String, usize>>,
    unknown: usize,
}

impl Failures {
    pub(crate) fn read() -> Failures {
        let mut known = HashMap::new();
        let mut reason = "";
        for row in LIST.lines().filter(|row| !row.starts_with('#')) {
            if let Some(text) = row.strip_prefix("= ") {
                reason = text;
            } else if let Some((file, lines)) = row.split_once(' ') {
                let lines = lines.split(',').filter_map(|line| line.parse().ok());
                known.extend(lines.map(|line| ((file, line), reason)));
            }
        }
        Failures { known, ..Failures::default() }
    }

    /// Whether a failure has a reason; prints it if not.
    pub(crate) fn is_known(&mut self, target: &str, file: &str, line: usize, cause: &str) -> bool {
        let found = self.known.iter().find(|(known, _)| **known == (file, line));
        if let Some((place, reason)) = found {
            self.seen.insert(*place);
            *self.counts.entry(reason).or_default().entry(target.to_owned()).or_default() += 1;
            return true;
        }
        self.unknown += 1;
        println!("FAIL {target} {file}:{line}: {cause}");
        false
    }

    pub(crate) fn report(&self) {
        println!("known failures:");
        for (reason, counts) in &self.counts {
            let row: Vec<_> = counts.iter().map(|(target, n)| format!("{target} {n}")).collect();
            println!("  {}: {reason}", row.join("  "));
        }
    }

    /// Failures without a reason, and, after a run of everything, reasons without a failure.
    pub(crate) fn unknown(&self, filters: &[String]) -> usize {
        let mut count = self.unknown;
        let is_chosen = |name| std::env::var_os(name).is_some();
        if filters.is_empty() && !is_chosen("SPEC_TARGETS") && !is_chosen("SPEC_CPU") {
            for (file, line) in self.known.keys().filter(|place| !self.seen.contains(place)) {
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
