//! Fetches from the Debian archive that the machine is set up for, without touching the machine's
//! own package lists: works for any user.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{At as _, Error, Result};
use crate::progress::Step;
use crate::script;
use crate::tools::is_root;

/// apt with a state of its own below one directory.
#[derive(Debug)]
pub(crate) struct Apt {
    root: PathBuf,
    log: PathBuf,
}

impl Apt {
    /// Makes the lists of sources and packages below `root`: those of the machine's own archives, or
    /// of another suite of the same archive.
    pub(crate) fn open(
        root: PathBuf,
        suite: Option<&str>,
        log: PathBuf,
        step: &Step<'_>,
    ) -> Result<Self> {
        for part in ["lists/partial", "archives/partial"] {
            let path = root.join(part);
            fs::create_dir_all(&path).at(path.display())?;
        }
        let sources = root.join("debian.sources");
        fs::write(&sources, debian_sources(suite)?).at(sources.display())?;
        let apt = Self { root, log };
        step.doing("package lists");
        // One list that cannot be had, say of a mirror without sources, need not matter: what
        // matters is whether the package itself comes.
        let updated = script::run(apt.command("apt-get").arg("update"), &apt.log, step);
        if !apt.has_lists() {
            updated?;
        }
        Ok(apt)
    }

    fn has_lists(&self) -> bool {
        fs::read_dir(self.root.join("lists"))
            .is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_file()))
    }

    /// Downloads what `arguments` of apt-get name into `directory`.
    pub(crate) fn fetch(
        &self,
        arguments: &[&str],
        directory: &Path,
        step: &Step<'_>,
    ) -> Result<()> {
        let mut command = self.command("apt-get");
        script::run(command.args(arguments).current_dir(directory), &self.log, step)
    }

    /// Versions of a source package that can be had.
    pub(crate) fn source_versions(&self, package: &str) -> Result<Vec<String>> {
        let output = self
            .command("apt-cache")
            .args(["showsrc", "--only-source", package])
            .output()
            .at("apt-cache")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .lines()
            .filter_map(|line| line.strip_prefix("Version: "))
            .map(str::to_owned)
            .collect())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = linnet_process::command(program);
        let mut option = |name: &str, value: PathBuf| {
            let mut text = OsString::from(name);
            text.push("=");
            text.push(value);
            command.arg("-o").arg(text);
        };
        option("Dir::Etc::SourceList", "/dev/null".into());
        option("Dir::Etc::SourceParts", self.root.clone());
        option("Dir::State::Lists", self.root.join("lists"));
        option("Dir::Cache", self.root.clone());
        option("APT::Get::List-Cleanup", "true".into());
        if is_root() {
            // The user that apt would download as cannot enter root's cache directory.
            option("APT::Sandbox::User", "root".into());
        }
        command.env("LC_ALL", "C");
        command
    }
}

/// One stanza of a deb822 list of sources.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Source {
    uris: String,
    suites: Vec<String>,
    components: String,
    signed_by: Option<String>,
}

/// The machine's own Debian archives with `deb-src` added, or one suite of its main archive.
fn debian_sources(suite: Option<&str>) -> Result<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(parts) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(parts.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => sources.extend(parse_stanzas(&text)),
            Some("list") => sources.extend(text.lines().filter_map(parse_line)),
            _ => {}
        }
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.unwrap_or("stable").trim_matches('"');
    let text = match suite {
        Some(suite) => render(in_suite(sources, codename, suite), release_of(suite)),
        None => render(sources, codename),
    };
    if text.is_empty() {
        return Err(Error::new("no Debian archive in /etc/apt/sources.list or sources.list.d")
            .hint("add the archive of this Debian release and try again"));
    }
    Ok(text)
}

/// Another suite of the archives that have the release itself, and not only its updates.
fn in_suite(sources: Vec<Source>, codename: &str, suite: &str) -> Vec<Source> {
    let releases = [codename, "stable", "testing", "sid", "unstable"];
    let has_release =
        |source: &Source| source.suites.iter().any(|suite| releases.contains(&suite.as_str()));
    let of_suite = |source| Source { suites: vec![suite.to_owned()], ..source };
    sources.into_iter().filter(has_release).map(of_suite).collect()
}

/// `trixie` of `trixie-backports`.
fn release_of(suite: &str) -> &str {
    suite.split(['-', '/']).next().unwrap_or(suite)
}

/// Archives of other makers have suites of other names; they are left out.
fn render(sources: Vec<Source>, codename: &str) -> String {
    let mut text = String::new();
    let mut seen = Vec::new();
    for mut source in sources {
        source.suites.retain(|suite| {
            [codename, "stable", "testing", "sid", "unstable"].contains(&release_of(suite))
        });
        let main = source.components.split_whitespace().any(|component| component == "main");
        if source.suites.is_empty() || !main || seen.contains(&source) {
            continue;
        }
        text += &format!(
            "Types: deb deb-src\nURIs: {}\nSuites: {}\nComponents: main\n",
            source.uris,
            source.suites.join(" "),
        );
        if let Some(keyring) = &source.signed_by {
            text += &format!("Signed-By: {keyring}\n");
        }
        text.push('\n');
        seen.push(source);
    }
    text
}

fn parse_stanzas(text: &str) -> Vec<Source> {
    text.split("\n\n").filter_map(parse_stanza).collect()
}

/// Reads `Field: value` with continuation lines, which an inline signing key has.
fn parse_stanza(text: &str) -> Option<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            *value += "\n";
            *value += line;
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |wanted: &str| {
        fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    if field("enabled").is_some_and(|enabled| enabled == "no") {
        return None;
    }
    Some(Source {
        uris: field("uris")?,
        suites: field("suites")?.split_whitespace().map(str::to_owned).collect(),
        components: field("components")?,
        signed_by: field("signed-by"),
    })
}

/// Reads a line `deb [options] URI suite component...`.
fn parse_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix("-src").unwrap_or(rest).trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options.split_whitespace().find_map(|word| word.strip_prefix("signed-by="));
    let mut words = rest.split_whitespace();
    Some(Source {
        uris: words.next()?.to_owned(),
        suites: vec![words.next()?.to_owned()],
        components: words.collect::<Vec<_>>().join(" "),
        signed_by: signed_by.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_list_are_read() {
        let line = parse_line("deb [arch=amd64 signed-by=/k.gpg] mirror:/a trixie main contrib");
        let stanza = parse_stanza(
            "# main archive\nTypes: deb\nURIs: mirror:/a\nSuites: trixie\n\
             Components: main contrib\nSigned-By: /k.gpg",
        );
        assert_eq!(line, stanza);
        assert!(line.is_some());
    }

    #[test]
    fn only_the_release_itself_is_taken() {
        let source = |suite: &str, components: &str| Source {
            uris: "mirror:/a".to_owned(),
            suites: vec![suite.to_owned()],
            components: components.to_owned(),
            signed_by: None,
        };
        let text = render(
            vec![
                source("trixie", "main"),
                source("trixie", "main"),
                source("trixie-security", "main contrib"),
                source("vendor-trixie", "main"),
                source("trixie", "stable"),
            ],
            "trixie",
        );
        assert_eq!(text.matches("Types: deb deb-src").count(), 2);
        assert!(!text.contains("vendor"));
    }

    #[test]
    fn another_suite_is_taken_from_the_archive_of_the_release() {
        let source = |uris: &str, suite: &str| Source {
            uris: uris.to_owned(),
            suites: vec![suite.to_owned(), format!("{suite}-updates")],
            components: "main".to_owned(),
            signed_by: Some("/k.gpg".to_owned()),
        };
        let sources =
            vec![source("mirror:/a", "bookworm"), source("mirror:/b", "bookworm-security")];
        let text = render(
            in_suite(sources, "bookworm", "trixie-backports"),
            release_of("trixie-backports"),
        );
        let wanted = "Types: deb deb-src\nURIs: mirror:/a\nSuites: trixie-backports\n\
                      Components: main\nSigned-By: /k.gpg\n\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn disabled_and_broken_stanzas_are_left_out() {
        assert_eq!(parse_stanza("Enabled: no\nURIs: a:\nSuites: b\nComponents: main"), None);
        assert_eq!(parse_stanza("nonsense"), None);
        assert_eq!(parse_line("# deb a b c"), None);
    }
}
