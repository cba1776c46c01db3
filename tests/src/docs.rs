//! The documentation's pages lead to each other, and tell of the options that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Error, Result};

use crate::{Test, cli, directory};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("docs::links-lead-to-files".into(), Box::new(|| Ok(links()?))),
        ("docs::every-page-is-in-the-summary".into(), Box::new(|| Ok(summary()?))),
        ("docs::commands-have-options-that-there-are".into(), Box::new(|| Ok(commands()?))),
        ("docs::every-option-is-in-the-reference".into(), Box::new(|| Ok(options()?))),
    ]
}

/// Subcommands with options of their own.
const SUBCOMMANDS: [&str; 8] =
    ["boot", "build", "compile", "inspect", "pack", "run", "sdk", "setup"];

fn commands() -> Result<()> {
    let there = all_options()?;
    let mut checked = 0;
    let mut pages = pages()?;
    pages.push(directory().join("../README.md"));
    for page in pages {
        let text = fs::read_to_string(&page).at(page.display())?;
        for line in shown(&text) {
            for (subcommand, used) in used(&line) {
                for option in used {
                    checked += 1;
                    if !there[subcommand]
                        .iter()
                        .any(|(long, short)| option == *long || option == *short)
                    {
                        let what = format!("linnet {subcommand} has no {option}: {line}");
                        return Err(Error::new(what).at(page.display()));
                    }
                }
            }
        }
    }
    if checked > 30 { Ok(()) } else { Err(Error::new(format!("only {checked} options"))) }
}

fn options() -> Result<()> {
    let page = book().join("reference/cli.md");
    let text = fs::read_to_string(&page).at(page.display())?;
    for (subcommand, there) in all_options()? {
        for (long, short) in there {
            let is_there = |name: &str| {
                !name.is_empty()
                    && [' ', '`', '['].iter().any(|end| text.contains(&format!("{name}{end}")))
            };
            if long != "--help" && !is_there(&long) && !is_there(&short) {
                let what = format!("does not tell of {long} of linnet {subcommand}");
                return Err(Error::new(what).at(page.display()));
            }
        }
    }
    Ok(())
}

/// Commands that a page shows, continued lines as one.
fn shown(text: &str) -> Vec<String> {
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.map(|block| block.replace("\\\n", " "));
    let lines: Vec<String> =
        lines.flat_map(|b| b.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// Subcommands of linnet in a command line, and their options.
fn used(line: &str) -> Vec<(&str, Vec<&str>)> {
    let words: Vec<&str> =
        line.split([' ', '(', ')', ';']).filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for (i, pair) in words.windows(2).enumerate() {
        let is_linnet = pair[0] == "linnet" || pair[0].ends_with("/linnet") || pair[0] == "cargo";
        if is_linnet && SUBCOMMANDS.contains(&pair[1]) && *pair != ["cargo", "build"] {
            let own =
                words[i + 2..].iter().take_while(|word| !["--", "|", "&&", "#"].contains(word));
            let options = own
                .filter(|word| word.starts_with('-'))
                .map(|word| word.split_once('=').map_or(*word, |(option, _)| option));
            found.push((pair[1], options.collect()));
        }
    }
    found
}

/// Options of each subcommand.
fn all_options() -> Result<BTreeMap<&'static str, Vec<(String, String)>>> {
    let linnet = cli::linnet()?;
    SUBCOMMANDS.into_iter().map(|name| Ok((name, help(&linnet, name)?))).collect()
}

/// Options of a subcommand: the long names, and the short ones if there are.
fn help(linnet: &Path, subcommand: &str) -> Result<Vec<(String, String)>> {
    let output = Command::new(linnet).args([subcommand, "-h"]).output().at("linnet")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    // A value that need not be there stands in brackets behind the name.
    let name = |word: &str| {
        let word = word.split_once('[').map_or(word, |(name, _)| name);
        word.trim_end_matches([',', '.']).to_owned()
    };
    let options = lines.map(|line| {
        let mut words = line.split_whitespace();
        match words.next() {
            Some(short) if short.ends_with(',') => {
                (name(words.next().unwrap_or_default()), name(short))
            }
            long => (name(long.unwrap_or_default()), String::new()),
        }
    });
    Ok(options.collect())
}

fn links() -> Result<()> {
    let root = directory().join("..");
    let mut pages = pages()?;
    pages.push(root.join("README.md"));
    for page in pages {
        for target in targets(&page)? {
            if !target.exists() {
                let what = format!("links to {}, which is not there", target.display());
                return Err(Error::new(what).at(page.display()));
            }
        }
    }
    Ok(())
}

fn summary() -> Result<()> {
    let summary = book().join("SUMMARY.md");
    let known: BTreeSet<PathBuf> = targets(&summary)?.into_iter().collect();
    for page in pages()? {
        if page != summary && !known.contains(&page) {
            return Err(Error::new("is not in SUMMARY.md").at(page.display()));
        }
    }
    Ok(())
}

fn book() -> PathBuf {
    directory().join("../docs/src")
}

fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    let mut directories = vec![book()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).at(directory.display())? {
            let path = entry.at(directory.display())?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    Ok(pages)
}

/// Files that a page links to or shows.
fn targets(page: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(page).at(page.display())?;
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.map(|link| link.split('#').next().unwrap_or_default());
    let files = files.filter(|file| !file.is_empty() && !file.contains("://"));
    let place = page.parent().unwrap_or(page);
    Ok(files
        .map(|file| {
            let (mut at, mut rest) = (place.to_path_buf(), file);
            while let Some(outer) = rest.strip_prefix("../") {
                at = at.parent().unwrap_or(&at).to_path_buf();
                rest = outer;
            }
            at.join(rest)
        })
        .collect())
}
