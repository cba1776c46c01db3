//! `linnet inspect`

use linnet_build::Result;
use linnet_build::inspect::{Contents, Program, Report, inspect};

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
            field("imports", summary.imports.join(" "))?;
            field("exports", summary.exports.join(" "))?;
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

fn program(program: &Program) -> Result<()> {
    let Program { path, size, sha256 } = program;
    print(format_args!("  {} {size:>9}  {path}", &sha256[..16.min(sha256.len())]))
}
