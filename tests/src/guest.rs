//! Programs of the guest. All of them are in one boot binary; each test boots it once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{Error, Extra, Result, host};

use crate::machine;
use crate::{Once, Outcome, Test, builder, files};

const LIMIT: Duration = Duration::from_secs(30);

/// Where the programs lie in the guest.
const PLACE: &str = "test";

/// A comment of this form in a test's source gives the machine's options.
const OPTIONS: &str = "boot:";

#[derive(Clone)]
struct Source {
    name: String,
    path: PathBuf,
    script: bool,
}

pub(crate) fn tests() -> Result<Vec<Test>> {
    let mut sources = Vec::new();
    for (extension, script) in [("c", false), ("sh", true)] {
        for (name, path) in files("guest", extension)? {
            sources.push(Source { name, path, script });
        }
    }
    let count = sources.len();
    for (name, path) in files("programs", "c")? {
        sources.push(Source { name, path, script: false });
    }
    let suite = SUITE.get_or_init(|| Suite { sources: sources.clone(), built: OnceLock::new() });
    let test = |(number, source): (usize, Source)| -> Test {
        let name = format!("guest::{}", source.name);
        (name, Box::new(move || suite.run(number, &source)))
    };
    Ok(sources.into_iter().take(count).enumerate().map(test).collect())
}

/// The boot binary that holds all tests, and the programs of `programs` that are no tests.
pub(crate) fn binary() -> Result<&'static Path> {
    let suite = SUITE.get().ok_or_else(|| Error::new("the guest's tests are listed first"))?;
    suite.built().map(|built| built.binary.as_path())
}

static SUITE: OnceLock<Suite> = OnceLock::new();

struct Suite {
    sources: Vec<Source>,
    /// Built by the first test that runs.
    built: OnceLock<Once<Built>>,
}

struct Built {
    binary: PathBuf,
    /// Why a program, by number of its source, is not in the binary.
    missing: Vec<Option<String>>,
}

impl Suite {
    fn built(&self) -> Result<&Built> {
        self.built.get_or_init(|| Once::new(build(&self.sources))).get()
    }

    fn run(&self, number: usize, source: &Source) -> Outcome {
        let built = self.built()?;
        if let Some(Some(why)) = built.missing.get(number) {
            return Err(why.into());
        }
        let mut command = Command::new(&built.binary);
        command.args(options(&source.path)).arg("--");
        if source.script {
            command.arg("/bin/sh");
        }
        command.arg(format!("/{PLACE}/{}", source.name));
        let ended = machine::run(&mut command, &[], LIMIT)?;
        match ended.status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{status}\n{}", ended.output).into()),
            None => Err(format!("no end after {LIMIT:?}\n{}", ended.output).into()),
        }
    }
}

/// Programs that cannot be compiled or translated fail alone.
fn build(sources: &[Source]) -> Result<Built> {
    let builder = builder()?;
    let target = host()?;
    let mut extras = Vec::new();
    let mut missing = Vec::new();
    let programs = sources.iter().filter(|source| !source.script);
    let mut programs =
        builder.guest_programs(programs.map(|source| source.path.as_path()), target)?.into_iter();
    for source in sources {
        let path = format!("{PLACE}/{}", source.name);
        let file = match source.script {
            true => Some(Ok(source.path.clone())),
            false => programs.next(),
        };
        match file {
            Some(Ok(file)) => {
                extras.push(Extra { path, file, program: !source.script });
                missing.push(None);
            }
            Some(Err(error)) => missing.push(Some(error.to_string())),
            None => missing.push(Some("not compiled".to_owned())),
        }
    }
    Ok(Built { binary: builder.boot_binary(target, &extras)?, missing })
}

fn options(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap_or_default();
    let options =
        text.lines().find_map(|line| line.split_once(OPTIONS)).map(|(_, options)| options);
    options.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
