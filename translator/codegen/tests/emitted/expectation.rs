//! Expectations in the comments of a test's module.
//!
//! Before a function stand lines `;; TARGETS: CHECK`. TARGETS is `all` or names of targets; CHECK is
//!
//! | check             | holds if                                                              |
//! |-------------------|-----------------------------------------------------------------------|
//! | `loads N`         | N instructions load from the linear memory                            |
//! | `stores N`        | N instructions store to it                                            |
//! | `loop loads N`    | N instructions between a backward branch and its target load from it  |
//! | `loop stores N`   | the same for stores                                                   |
//! | `contains TEXT`   | a line of the disassembly contains TEXT                               |
//! | `lacks TEXT`      | none does                                                             |
//! | `count N TEXT`    | N lines do                                                            |
//! | `code`            | the disassembly is that of the comment lines `;;|` that follow; the   |
//! |                   | last one may be `...` for any rest                                    |
//!
//! Before the module, `;; options: polls` translates it as a program is, and `;; options: polls frames` so
//! that its frames can be captured.

use crate::access::{Access, accesses};
use crate::disassembly::Function;
use linnet_codegen::Target;
use std::ops::RangeInclusive;

const CODE: &str = ";;|";
const REST: &str = "  ...";

/// A test's module with its expectations.
pub struct Test {
    pub polls: bool,
    pub frames: bool,
    pub expectations: Vec<Expectation>,
}

/// What is expected of one function.
pub struct Expectation {
    pub function: String,
    pub targets: Vec<Target>,
    /// As written.
    pub text: String,
    check: Check,
}

enum Check {
    Loads {
        in_loop: bool,
        count: usize,
    },
    Stores {
        in_loop: bool,
        count: usize,
    },
    Contains(String),
    Lacks(String),
    Count(usize, String),
    /// Lines of the file that hold the disassembly, and the disassembly.
    Code(std::ops::Range<usize>, Vec<String>),
}

impl Test {
    pub fn parse(source: &str) -> Result<Test, String> {
        let mut test = Test { polls: false, frames: false, expectations: Vec::new() };
        let lines: Vec<&str> = source.lines().collect();
        // Expectations whose function has not come yet.
        let mut open: Vec<Expectation> = Vec::new();
        for (at, line) in lines.iter().map(|l| l.trim()).enumerate() {
            let place = |what: &str| format!("line {}: {what}: {line}", at + 1);
            if let Some(comment) = line.strip_prefix(";; ") {
                let Some((left, check)) = comment.split_once(": ") else { continue };
                if left == "options" {
                    test.polls = check.split_whitespace().any(|option| option == "polls");
                    test.frames = check.split_whitespace().any(|option| option == "frames");
                } else if let Some(targets) = targets(left) {
                    let check =
                        parse_check(check, &lines, at + 1).ok_or_else(|| place("no such check"))?;
                    open.push(Expectation {
                        function: String::new(),
                        targets,
                        text: comment.to_owned(),
                        check,
                    });
                }
            } else if let Some(rest) = line.strip_prefix("(func $") {
                let name = rest.split([' ', ')']).next().unwrap_or_default();
                open.iter_mut().for_each(|e| name.clone_into(&mut e.function));
                test.expectations.append(&mut open);
            }
        }
        if let Some(expectation) = open.first() {
            return Err(format!("no function follows: {}", expectation.text));
        }
        if test.expectations.is_empty() {
            return Err("nothing is expected".to_owned());
        }
        Ok(test)
    }
}

fn targets(names: &str) -> Option<Vec<Target>> {
    if names == "all" {
        return Some(Target::ALL.to_vec());
    }
    names.split(", ").map(Target::from_name).collect()
}

fn parse_check(check: &str, lines: &[&str], next: usize) -> Option<Check> {
    if check == "code" {
        let count = lines[next..].iter().take_while(|l| l.trim().starts_with(CODE)).count();
        let range = next..next + count;
        let code = lines[range.clone()].iter().map(|l| l.trim()[CODE.len()..].to_owned()).collect();
        return Some(Check::Code(range, code));
    }
    let (in_loop, check) = match check.strip_prefix("loop ") {
        Some(check) => (true, check),
        None => (false, check),
    };
    let (name, rest) = check.split_once(' ')?;
    Some(match name {
        "loads" => Check::Loads { in_loop, count: rest.parse().ok()? },
        "stores" => Check::Stores { in_loop, count: rest.parse().ok()? },
        "contains" => Check::Contains(rest.to_owned()),
        "lacks" => Check::Lacks(rest.to_owned()),
        "count" => {
            let (count, text) = rest.split_once(' ')?;
            Check::Count(count.parse().ok()?, text.to_owned())
        }
        _ => return None,
    })
}

/// Disassembly to be written in place of lines of the file.
pub struct Blessing {
    pub lines: std::ops::Range<usize>,
    pub code: Vec<String>,
}

pub enum Outcome {
    Holds,
    /// What was found instead.
    Fails(String),
    Differs(Blessing),
}

impl Expectation {
    pub fn check(&self, target: Target, function: &Function) -> Outcome {
        let mut text = function.text();
        if let Check::Code(_, code) = &self.check
            && code.last().is_some_and(|l| l == REST)
            && code.len() <= text.len()
        {
            text.truncate(code.len() - 1);
            text.push(REST.to_owned());
        }
        let count_lines = |wanted: &str| text.iter().filter(|l| l.contains(wanted)).count();
        let count = |in_loop, wanted: fn(&Access) -> bool| {
            let loops = if in_loop { loops(function) } else { vec![0..=function.lines.len()] };
            let accesses = accesses(target, &function.lines);
            let inside =
                accesses.iter().enumerate().filter(|(i, _)| loops.iter().any(|l| l.contains(i)));
            inside.filter(|(_, a)| wanted(a)).count()
        };
        let (holds, found) = match &self.check {
            Check::Loads { in_loop, count: wanted } => {
                let found = count(*in_loop, |a| a.load);
                (found == *wanted, found.to_string())
            }
            Check::Stores { in_loop, count: wanted } => {
                let found = count(*in_loop, |a| a.store);
                (found == *wanted, found.to_string())
            }
            Check::Contains(wanted) => (count_lines(wanted) > 0, "no such line".to_owned()),
            Check::Lacks(unwanted) => (count_lines(unwanted) == 0, "such a line".to_owned()),
            Check::Count(wanted, what) => {
                (count_lines(what) == *wanted, count_lines(what).to_string())
            }
            Check::Code(_, code) if *code == text => (true, String::new()),
            Check::Code(lines, _) => {
                return Outcome::Differs(Blessing { lines: lines.clone(), code: text });
            }
        };
        if holds { Outcome::Holds } else { Outcome::Fails(found) }
    }
}

/// Lines from the target of each backward branch to the branch.
fn loops(function: &Function) -> Vec<RangeInclusive<usize>> {
    let line_at = |offset| function.lines.iter().position(|l| l.offset == offset);
    let branches = function
        .lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((line_at(line.target?)?, at)));
    branches.filter(|(head, branch)| head <= branch).map(|(head, branch)| head..=branch).collect()
}

/// The file with new disassemblies.
pub fn bless(source: &str, mut blessings: Vec<Blessing>) -> String {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    // From the end, so that the numbers of the lines before stay.
    blessings.sort_by_key(|b| std::cmp::Reverse(b.lines.start));
    for Blessing { lines: range, code } in blessings {
        let heading = &lines[range.start - 1];
        let indent = " ".repeat(heading.len() - heading.trim_start().len());
        let code: Vec<String> = code.iter().map(|l| format!("{indent}{CODE}{l}")).collect();
        lines.splice(range, code);
    }
    lines.join("\n") + "\n"
}
