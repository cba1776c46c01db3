//! Dialogues with a machine on a terminal. A line of such a file is one of
//!
//! ```text
//! boot OPTIONS           starts the machine; must be the first
//! boot-tests OPTIONS     the same, with the guest's tests and `programs/*.c` in /test
//! host-shell             starts a shell of the host that can start machines with $VM; must be the first
//! stop                   stops all programs of the job in the foreground but not by a key
//! expect "TEXT"          waits until TEXT comes
//! send "TEXT"            types TEXT
//! raw                    waits until what is typed reaches the machine byte by byte, not the host's line
//! pause                  gives the machine a moment, before a key that only the next program wants
//! resize ROWS COLUMNS    gives the terminal another size
//! exit STATUS            waits until the machine ends, with this status
//! ```
//!
//! or empty, or a comment after `#`. TEXT may have \r, \n, \t, \e and \xNN.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target};

use crate::pty::Terminal;
use crate::{Outcome, Test, files, guest, machine, script, vm};

const LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(300);

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let test = |(name, path): (String, PathBuf)| -> Test {
        (format!("interactive::{name}"), Box::new(move || play(&path, target)))
    };
    Ok(files("interactive", "txt")?.into_iter().map(test).collect())
}

fn play(path: &Path, target: Target) -> Outcome {
    let text = fs::read_to_string(path).at(path.display())?;
    let mut terminal = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            step(line, target, &mut terminal)
                .map_err(|error| error.at(format_args!("{}:{number}", path.display())))?;
        }
    }
    Ok(())
}

fn step(line: &str, target: Target, terminal: &mut Option<Terminal>) -> Result<()> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    if word == "boot" || word == "boot-tests" {
        let binary = match word {
            "boot" => vm(target)?,
            _ => guest::binary(target)?.to_path_buf(),
        };
        let options: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        *terminal = Some(Terminal::start(target, &binary, &options)?);
        return Ok(());
    }
    if word == "host-shell" {
        *terminal = Some(Terminal::start_shell(&script::start(target)?)?);
        return Ok(());
    }
    let terminal = terminal.as_mut().ok_or_else(|| Error::new("the machine is not started"))?;
    let limit = machine::limit(target, LIMIT);
    match word {
        "expect" => terminal.expect(&quoted(rest)?, limit),
        "send" => terminal.send(&quoted(rest)?),
        "stop" => terminal.stop(),
        "raw" => terminal.raw(limit),
        "pause" => {
            std::thread::sleep(PAUSE);
            Ok(())
        }
        "resize" => {
            let (rows, columns) = rest.split_once(' ').unwrap_or_default();
            terminal.resize(rows.parse().at("rows")?, columns.parse().at("columns")?)
        }
        "exit" => {
            let wanted: i32 = rest.parse().at("status")?;
            match terminal.end(limit)? {
                Some(status) if status == wanted => Ok(()),
                status => Err(Error::new(format!("exit status is {status:?}, not {wanted}"))),
            }
        }
        _ => Err(Error::new(format!("{word:?} is not a step"))),
    }
}

/// The text between quotes, with its escapes resolved.
fn quoted(text: &str) -> Result<String> {
    let wrong = || Error::new(format!("{text} is not a text in quotes"));
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let mut rest = inside.ok_or_else(wrong)?.chars();
    let mut out = String::new();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        out.push(match rest.next().ok_or_else(wrong)? {
            'r' => '\r',
            'n' => '\n',
            't' => '\t',
            'e' => '\u{1b}',
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                char::from(u8::from_str_radix(&digits, 16).map_err(|_| wrong())?)
            }
            other => other,
        });
    }
    Ok(out)
}
