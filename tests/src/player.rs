//! A module in the kernel's place that does what no kernel does (`hostile/kernel/player.c`): the machine
//! ends with a message or goes on, and nothing else happens.
//!
//! `HOSTILE_CALLS=1000000` has each machine make so many calls at random; `HOSTILE_SEED` begins elsewhere.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target, host};

use crate::{Once, Test, builder, directory, hostile, machine};

/// The exit status of a machine whose kernel broke a rule.
const BROKEN_RULE: i32 = 72;
/// The player's, for a number that no rule has.
const NO_SUCH_RULE: i32 = 3;

const LIMIT: Duration = Duration::from_secs(20);

/// Calls of each machine in a short run, and how many machines that is with other numbers.
const CALLS: u64 = 3000;
const SEEDS: u64 = 2;

/// Size of the disk that the machines have.
const DISK_SIZE: u64 = 64 << 10;

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let test = |name: &str, test: fn(Target) -> Result<()>| -> Test {
        (format!("hostile-kernel::{name}"), Box::new(move || Ok(test(target)?)))
    };
    vec![
        test("each-broken-rule-ends-the-machine", rules),
        test("random-calls-do-no-harm", |target| random(target, 60, "1")),
        test("nearly-right-calls-do-no-harm", |target| random(target, 8, "1")),
        test("several-vcpus-at-once-do-no-harm", |target| random(target, 20, "3")),
    ]
}

/// The boot binary with the player.
fn player(target: Target) -> Result<&'static Path> {
    static PLAYERS: [OnceLock<Once<PathBuf>>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    PLAYERS[target as usize].get_or_init(|| Once::new(build(target))).get().map(PathBuf::as_path)
}

fn build(target: Target) -> Result<PathBuf> {
    /// What the runtime reads of the kernel.
    const SYMBOLS: [&str; 6] = [
        "init_task",
        "init_stack",
        "linnet_pending",
        "linnet_thread_size",
        "linnet_page_shift",
        "linnet_clocks",
    ];
    let builder = builder()?;
    let source = directory().join("hostile/kernel");
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("player").join(target.name());
    fs::create_dir_all(&place).at(place.display())?;
    let module = place.join("player.wasm");
    let object = place.join("player.o");
    let mut compiler = Command::new("clang-19");
    compiler
        .args(["--target=wasm32-unknown-unknown", "-O2", "-c", "-matomics", "-mbulk-memory"])
        .args(["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-isystem"])
        .arg(&source)
        .arg("-I")
        .arg(directory().join("../sysroot/linux/files/arch/wasm/include/asm"))
        .arg("-o")
        .arg(&object)
        .arg(source.join("player.c"));
    let mut linker = Command::new("wasm-ld-19");
    linker
        .args(["--no-entry", "--global-base=65536"])
        .args(SYMBOLS.map(|symbol| format!("--export={symbol}")))
        .arg("-o")
        .arg(&module)
        .arg(&object);
    for command in [&mut compiler, &mut linker] {
        let ended = machine::run(command, &[], LIMIT)?;
        if !ended.status.is_some_and(|status| status.success()) {
            return Err(Error::new(ended.output));
        }
    }
    let program = hostile::assemble(&source.join("program.wat"), target)?;
    let binary = place.join("vm");
    builder.bare_boot_binary(&binary, &module, &[program], target)?;
    Ok(binary)
}

struct Ended {
    status: Option<i32>,
    output: String,
}

/// Runs a machine with these arguments of its kernel, and options.
fn play(target: Target, append: &str, options: &[&str]) -> Result<Ended> {
    let mut command = machine::command(target, player(target)?)?;
    command.args(["--memory", "64M", "--append", append]).args(options);
    let ended = machine::run(&mut command, b"some input", machine::limit(target, LIMIT * scale()))?;
    Ok(Ended { status: ended.status.and_then(|status| status.code()), output: ended.output })
}

/// How much longer than a short run is this one?
fn scale() -> u32 {
    (calls() / CALLS).clamp(1, 1000) as u32
}

fn calls() -> u64 {
    number("HOSTILE_CALLS").unwrap_or(CALLS)
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// A machine for each rule. The player names the call that it makes before it does.
fn rules(target: Target) -> Result<()> {
    for rule in 0.. {
        let ended = play(target, &format!("rule={rule}"), &[])?;
        if ended.status == Some(NO_SUCH_RULE) && rule > 0 {
            return Ok(());
        }
        let says_why = ended.output.lines().any(|line| {
            line.starts_with("error: the kernel broke the rules: ")
                || line == "error: the kernel's stack overflowed"
        });
        if ended.status != Some(BROKEN_RULE) || !says_why {
            return Err(Error::new(format!("rule {rule}: {:?}\n{}", ended.status, ended.output)));
        }
    }
    Ok(())
}

/// Machines that go on whatever rule is broken.
fn random(target: Target, wild: u32, cpus: &str) -> Result<()> {
    let disk = Disk::new(target, wild)?;
    let first = number("HOSTILE_SEED").unwrap_or(1);
    for seed in first..first + SEEDS * u64::from(scale().min(4)) {
        let append = format!("seed={seed} calls={} wild={wild}", calls());
        let mut options = vec!["--cpus", cpus, "--disk", &disk.option, "--ignore-broken-rules"];
        // An emulator takes long to look for what lies in so many addresses.
        if seed % 2 == 0 && target == host()? {
            options.extend(["--address-bits", "38"]);
        } else {
            options.extend(["--tlb-budget", "7"]);
        }
        let ended = play(target, &append, &options)?;
        let went_on = ended.status == Some(0) && ended.output.contains("done after ");
        let has_ended =
            ended.status == Some(BROKEN_RULE) && ended.output.contains("error: the kernel");
        if !(went_on || has_ended) {
            let run = format!("{append} {}", options.join(" "));
            return Err(Error::new(format!("{run}: {:?}\n{}", ended.status, ended.output)));
        }
        disk.check()?;
    }
    Ok(())
}

/// A disk.
struct Disk {
    option: String,
    before: PathBuf,
}

impl Disk {
    fn new(target: Target, wild: u32) -> Result<Disk> {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("player").join(target.name());
        fs::create_dir_all(&place).at(place.display())?;
        let before = place.join(format!("disk-{wild}"));
        let file = File::create(&before).at(before.display())?;
        file.set_len(DISK_SIZE).at(before.display())?;
        Ok(Disk { option: before.display().to_string(), before })
    }

    /// Whatever a machine writes, its disk has the size that it had.
    fn check(&self) -> Result<()> {
        let size = fs::metadata(&self.before).at(self.before.display())?.len();
        if size == DISK_SIZE {
            Ok(())
        } else {
            Err(Error::new(format!("the disk has {size} bytes")))
        }
    }
}
