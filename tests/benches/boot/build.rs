//! How long `linnet build` takes with the guest's modules at hand.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Builder, Error, Result, Target};

/// What is made from C, and what that is made from.
const GIVEN: [&str; 7] = [
    "results/kernel",
    "results/headers",
    "results/musl",
    "results/busybox",
    "results/init",
    "sources",
    "apt",
];

/// The cells of one target's row.
pub(crate) fn row(builder: &Builder, target: Target) -> Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--release", "--package", "linnet"];
    run(Command::new(cargo).args(arguments).current_dir(&root))?;
    let linnet = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |target| root.join(target))
        .join("release/linnet");

    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-build");
    // It may be that of an earlier run.
    let _ = fs::remove_dir_all(&place);
    let cache = place.join("cache");
    fs::create_dir_all(cache.join("results")).at(cache.display())?;
    for part in GIVEN {
        symlink(builder.cache_path(part), cache.join(part)).at(part)?;
    }
    let program = place.join("program.wasm");
    let build = |more: &[&Path]| {
        let mut command = Command::new(&linnet);
        command.args(["build", "--target", target.name(), "-o"]).arg(place.join("vm")).args(more);
        run(command.env("LINNET_CACHE", &cache))
    };
    let all = build(&[])?;
    for translated in ["object", "boot"] {
        fs::remove_dir_all(cache.join("results").join(translated)).at(translated)?;
    }
    let translate = build(&[])?;
    let with = [Path::new("--with"), &program];
    fs::write(&program, variant(builder, 1)?).at(program.display())?;
    build(&with)?;
    fs::write(&program, variant(builder, 2)?).at(program.display())?;
    let changed = build(&with)?;
    fs::remove_dir_all(&place).at(place.display())?;
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    Ok(vec![target.name().to_owned(), seconds(all), seconds(translate), seconds(changed)])
}

/// BusyBox with one more section, so that it is another module each time.
fn variant(builder: &Builder, number: u8) -> Result<Vec<u8>> {
    let results = builder.cache_path("results/busybox");
    let entries = fs::read_dir(&results).at(results.display())?;
    let mut modules = entries.flatten().map(|entry| entry.path().join("busybox.wasm"));
    let module = modules.find(|path| path.exists());
    let module = module.ok_or_else(|| Error::new("no busybox.wasm").at(results.display()))?;
    let mut bytes = fs::read(&module).at(module.display())?;
    // A custom section: id, size, size of the name, the name, and what it holds.
    bytes.extend([0, 3, 1, b'v', number]);
    Ok(bytes)
}

/// How long a command takes that must end well.
fn run(command: &mut Command) -> Result<Duration> {
    let name = command.get_program().display().to_string();
    let started = Instant::now();
    let output = command.output().at(&name)?;
    match output.status.success() {
        true => Ok(started.elapsed()),
        false => Err(Error::new(String::from_utf8_lossy(&output.stderr).into_owned()).at(name)),
    }
}
