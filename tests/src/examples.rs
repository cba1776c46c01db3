//! `examples/NAME/run.sh` prints what stands in `expected.txt` beside it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target};

use crate::{Test, cli, directory, machine};

/// An example may have to build packages first.
const LIMIT: Duration = Duration::from_secs(600);

pub(crate) fn tests() -> Result<Vec<Test>> {
    let directory = directory().with_file_name("examples");
    let mut tests: Vec<Test> = Vec::new();
    for entry in fs::read_dir(&directory).at(directory.display())? {
        let path = entry.at(directory.display())?.path();
        if path.join("run.sh").exists() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            tests.push((format!("examples::{name}"), Box::new(move || Ok(check(&path)?))));
        }
    }
    tests.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(tests)
}

fn check(example: &Path) -> Result<()> {
    // They may run machines of all instruction sets.
    let mut programs = vec![cli::linnet()?];
    for target in Target::ALL {
        programs.push(machine::program(target, Path::new(""))?.0);
    }
    let ours = programs.iter().filter_map(|program| program.parent()).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(ours.chain(env::split_paths(&path))).at("PATH")?;
    // Progress goes to a file of its own, which is shown if something goes wrong.
    let name = example.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let talk = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("example-{name}.log"));
    let mut command = Command::new("sh");
    command.args(["-c", "exec ./run.sh 2>\"$0\""]).arg(&talk);
    command.current_dir(example).env("PATH", path);
    let ended = machine::run(&mut command, &[], LIMIT)?;
    let expected = example.join("expected.txt");
    let wanted = fs::read_to_string(&expected).at(expected.display())?;
    if ended.output == wanted && ended.status.is_some_and(|status| status.success()) {
        return Ok(());
    }
    let talk = fs::read_to_string(&talk).unwrap_or_default();
    let found = ended.output;
    Err(Error::new(format!("expected:\n{wanted}\nfound:\n{found}\n{talk}")))
}
