//! Programs of the guest. All of them are in one boot binary; each test boots it once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{Error, Files, Result, Target, host};

use crate::{Once, Outcome, Test, boot_binary, builder, files, hostile, kernel_version, machine};

const LIMIT: Duration = Duration::from_secs(30);

/// Where the programs lie in the guest.
const PLACE: &str = "test";

/// Runs its arguments, and fails as well if a kernel that checks itself has found a mistake.
const WITH_CHECKS: &str = r#"
"$0" "$@"
status=$?
if dmesg | grep -qE 'WARNING:|\] BUG|Oops|detected stall|blocked for more than|lockup'; then
    dmesg
    exit 1
fi
exit $status
"#;

/// What such a kernel does takes so much longer.
const CHECKS: u32 = 6;

/// A comment of this form in a test's source gives the machine's options.
const OPTIONS: &str = "boot:";

struct Source {
    name: String,
    path: PathBuf,
    kind: Kind,
    is_test: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    C,
    Script,
    /// The text of a module.
    Module,
}

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    tests_with(target, "guest", &[])
}

/// The same tests as on a RISC-V host with sv39, where memories of processes take turns.
pub(crate) fn tests_with_few_addresses() -> Result<Vec<Test>> {
    tests_with(host()?, "few-addresses", &["--cpus", "4", "--address-bits", "38"])
}

/// Those of the tests that change mappings most, or with `TINY_TLB=all` all, on a machine that may keep hardly
/// any mappings of guest memory: every fill flushes the others.
pub(crate) fn tests_with_tiny_tlb() -> Result<Vec<Test>> {
    const CHOSEN: [&str; 11] = [
        "copy-on-write",
        "exec-",
        "fork-",
        "mmap",
        "mprotect",
        "mremap",
        "munmap",
        "pipe-",
        "shared-mapping",
        "stack-overflow",
        "threads",
    ];
    let all = std::env::var("TINY_TLB").is_ok_and(|which| which == "all");
    let mut tests = tests_with(host()?, "tiny-tlb", &["--cpus", "2", "--tlb-budget", "7"])?;
    tests.retain(|(name, _)| all || CHOSEN.iter().any(|part| name.contains(part)));
    Ok(tests)
}

fn tests_with(target: Target, kind: &str, machine: &'static [&'static str]) -> Result<Vec<Test>> {
    let suite = suite(target)?;
    let sources = suite.sources.iter().filter(|source| source.is_test).enumerate();
    let test = |(number, source): (usize, &'static Source)| -> Test {
        let name = format!("{kind}::{}", source.name);
        (name, Box::new(move || suite.run(number, source, machine)))
    };
    Ok(sources.map(test).collect())
}

/// The boot binary that holds all tests, and the programs that are not: those of `programs` and
/// `hostile`.
pub(crate) fn binary(target: Target) -> Result<&'static Path> {
    suite(target)?.built().map(|built| built.binary.as_path())
}

/// Where that program lies in the guest.
pub(crate) fn place_of(name: &str) -> String {
    format!("/{PLACE}/{name}")
}

fn suite(target: Target) -> Result<&'static Suite> {
    static SUITES: [OnceLock<Suite>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    let suite = &SUITES[target as usize];
    if suite.get().is_none() {
        let new = Suite { target, sources: sources()?, built: OnceLock::new() };
        // Another thread may have been quicker.
        let _ = suite.set(new);
    }
    suite.get().ok_or_else(|| Error::new("no tests"))
}

/// The tests first.
fn sources() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for (folder, extension, kind) in [
        ("guest", "c", Kind::C),
        ("guest", "sh", Kind::Script),
        ("programs", "c", Kind::C),
        ("hostile", "wat", Kind::Module),
    ] {
        for (name, path) in files(folder, extension)? {
            sources.push(Source { name, path, kind, is_test: folder == "guest" });
        }
    }
    Ok(sources)
}

struct Suite {
    target: Target,
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
        self.built.get_or_init(|| Once::new(build(&self.sources, self.target))).get()
    }

    fn run(&self, number: usize, source: &Source, options_first: &[&str]) -> Outcome {
        let built = self.built()?;
        if let Some(Some(why)) = built.missing.get(number) {
            return Err(why.into());
        }
        let mut command = machine::command(self.target, &built.binary)?;
        command.args(options_first).args(options(&source.path)).arg("--");
        let mut limit = machine::limit(self.target, LIMIT);
        if !options_first.is_empty() {
            // Processes that share a slot wait for each other, for milliseconds each time.
            limit *= 2;
        }
        if kernel_version()?.is_debug() {
            command.args(["/bin/sh", "-c", WITH_CHECKS]);
            limit *= CHECKS;
        }
        if source.kind == Kind::Script {
            command.arg("/bin/sh");
        }
        command.arg(place_of(&source.name));
        let ended = machine::run(&mut command, &[], limit)?;
        match ended.status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{status}\n{}", ended.output).into()),
            None => Err(format!("no end after {limit:?}\n{}", ended.output).into()),
        }
    }
}

/// Programs that cannot be compiled or translated fail alone.
fn build(sources: &[Source], target: Target) -> Result<Built> {
    let builder = builder()?;
    let mut contents = Files::default();
    let mut missing = Vec::new();
    let programs = sources.iter().filter(|source| source.kind == Kind::C);
    let mut programs =
        builder.guest_programs(programs.map(|source| source.path.as_path()), target)?.into_iter();
    for source in sources {
        let path = format!("{PLACE}/{}", source.name);
        let file = match source.kind {
            Kind::C => programs.next(),
            Kind::Script => Some(Ok(source.path.clone())),
            Kind::Module => Some(hostile::assemble(&source.path, target).and_then(|file| {
                builder.translate_program(&file, target)?;
                Ok(file)
            })),
        };
        match file {
            Some(Ok(file)) => {
                contents.add(&path, &file)?;
                missing.push(None);
            }
            Some(Err(error)) => missing.push(Some(error.to_string())),
            None => missing.push(Some("not compiled".to_owned())),
        }
    }
    Ok(Built { binary: boot_binary(target, contents)?, missing })
}

fn options(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap_or_default();
    let options =
        text.lines().find_map(|line| line.split_once(OPTIONS)).map(|(_, options)| options);
    options.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
