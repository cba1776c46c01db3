//! `linnet inspect`

use linnet_build::Result;
use linnet_build::inspect::{Contents, Program, Report, inspect};
use linnet_build::snapshot::FrozenTask;

use super::print;
use crate::arguments::Inspect;

pub(crate) fn run(arguments: &Inspect) -> Result<()> {
    let path = arguments.path.display();
    match inspect(&arguments.path)? {
        Report::Module { size, sha256, summary } => {
            print(format_args!("{path}: WebAssembly module"))?;
            field("size", size)?;
            field("sha256", sha256)?;
            field("functions", summary.functions)?;
            field("memory", format_args!("{} bytes, {} of data", summary.memory, summary.data))?;
            field("table", format_args!("{} entries", summary.table))?;
            field("exceptions", if summary.exceptions { "yes" } else { "no" })?;
            field("imports", names(&summary.imports))?;
            field("exports", names(&summary.exports))?;
            match summary.problem {
                None => field("ABI", "Linnet"),
                Some(problem) => {
                    field("ABI", "not Linnet's")?;
                    field("", &problem)?;
                    problem.hint_text().map_or(Ok(()), |hint| field("", hint))
                }
            }
        }
        Report::Package { programs, files, bytes } => {
            print(format_args!("{path}: files for a system"))?;
            field("programs", programs.len())?;
            for (found, problem) in &programs {
                program(found)?;
                if let Some(problem) = problem {
                    for line in problem.to_string().lines() {
                        print(format_args!("    {line}"))?;
                    }
                }
            }
            field("other files", format_args!("{files}, {bytes} bytes"))
        }
        Report::Snapshot(machine) => {
            print(format_args!("{path}: a frozen machine"))?;
            field("kernel", machine.kernel)?;
            field("memory", format_args!("{} bytes, {} in use", machine.memory, machine.used))?;
            field("vCPUs", machine.vcpus)?;
            field(
                "frozen",
                format_args!("{} s after 1970, at the age of {} s", machine.time, machine.age),
            )?;
            for size in &machine.disks {
                field("disk", format_args!("{size} bytes"))?;
            }
            field("network", if machine.has_network { "yes" } else { "no" })?;
            field("tasks", machine.tasks.len())?;
            machine.tasks.iter().try_for_each(task)
        }
        Report::BootBinary { size, sha256, contents } => {
            let Contents { linnet, abi, target, kernel, programs } = contents;
            print(format_args!("{path}: boot binary"))?;
            field("size", size)?;
            field("sha256", sha256)?;
            field("target", target)?;
            field("kernel", format_args!("Linux {kernel}"))?;
            field("ABI", abi)?;
            field("built by", format_args!("linnet {linnet}"))?;
            field("programs", programs.len())?;
            programs.iter().try_for_each(program)
        }
    }
}

fn field(name: &str, value: impl std::fmt::Display) -> Result<()> {
    print(format_args!("  {name:<11} {value}"))
}

/// Names with spaces between, and how many more there are.
fn names(all: &[String]) -> String {
    const MOST: usize = 50;
    let mut text = all[..all.len().min(MOST)].join(" ");
    if all.len() > MOST {
        text += &format!(" and {} more", all.len() - MOST);
    }
    text
}

fn task(task: &FrozenTask) -> Result<()> {
    print(format_args!("  {}", if task.name.is_empty() { "?" } else { &task.name }))?;
    if let Some(program) = task.program {
        field("  program", program)?;
    }
    stack("  kernel", &task.kernel_frames)?;
    stack("  user", &task.user_frames)
}

/// A stack, without most of its middle if it is deep.
fn stack(name: &str, frames: &[String]) -> Result<()> {
    const ENDS: usize = 12;
    match frames.len() {
        0 => Ok(()),
        n if n <= 2 * ENDS => field(name, frames.join(" < ")),
        n => {
            let (first, last) = (frames[..ENDS].join(" < "), frames[n - ENDS..].join(" < "));
            field(name, format_args!("{first} < {} more < {last}", n - 2 * ENDS))
        }
    }
}

fn program(program: &Program) -> Result<()> {
    let Program { path, size, sha256 } = program;
    print(format_args!("  {} {size:>9}  {path}", &sha256[..16.min(sha256.len())]))
}
