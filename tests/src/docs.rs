//! The documentation's pages lead to each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use linnet_build::{At as _, Error, Result};

use crate::{Test, directory};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("docs::links-lead-to-files".into(), Box::new(|| Ok(links()?))),
        ("docs::every-page-is-in-the-summary".into(), Box::new(|| Ok(summary()?))),
    ]
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
