//! A module in the kernel's place that does what no kernel does (`hostile/kernel/player.c`): the machine
//! ends with a message or goes on, and nothing else happens.
//!
//! `HOSTILE_CALLS=1000000` has the machines of each ISA make so many calls at random, and a tenth of that
//! nearly right; `HOSTILE_SEED` begins elsewhere.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Error, Result, Target, host};

use crate::watch::{self, Place, Watch};
use crate::{Once, Test, builder, directory, hostile, machine, vm};

/// The exit status of a machine whose kernel broke a rule.
const BROKEN_RULE: i32 = 72;
/// The player's, for a number that no rule has.
const NO_SUCH_RULE: i32 = 3;

const LIMIT: Duration = Duration::from_secs(20);

/// Calls at random in a short run, and the most that one machine makes: what it has done to itself by then leaves
/// it little to do.
const CALLS: u64 = 6000;
const CALLS_OF_ONE: u64 = 50_000;

/// Far more than it takes: on a busy host a vCPU that sleeps wakes late.
const TIME_OF_A_CALL: Duration = Duration::from_millis(5);

/// Size of the disk that the machines have.
const DISK_SIZE: u64 = 64 << 10;

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let test = |name: &str, test: fn(Target) -> Result<()>| -> Test {
        (format!("hostile-kernel::{name}"), Box::new(move || Ok(test(target)?)))
    };
    vec![
        test("each-broken-rule-ends-the-machine", rules),
        test("a-stack-of-the-runtime-overflows-into-a-hole", overflow),
        test("random-calls-do-no-harm", |target| random(target, 60, "1", calls() / 2)),
        test("several-vcpus-at-once-do-no-harm", |target| random(target, 30, "3", calls() / 2)),
        test("nearly-right-calls-do-no-harm", |target| random(target, 8, "1", calls() / 5)),
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

/// A command that starts a machine with these arguments of its kernel, and options.
fn command(target: Target, append: &str, options: &[&str]) -> Result<Command> {
    let mut command = machine::command(target, player(target)?)?;
    command.args(["--memory", "64M", "--append", append]).args(options);
    Ok(command)
}

fn play(target: Target, append: &str) -> Result<Ended> {
    let mut command = command(target, append, &[])?;
    let ended = machine::run(&mut command, b"some input", machine::limit(target, LIMIT))?;
    Ok(Ended { status: ended.status.and_then(|status| status.code()), output: ended.output })
}

fn calls() -> u64 {
    number("HOSTILE_CALLS").unwrap_or(CALLS)
}

/// A number that a variable gives.
pub(crate) fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// A machine for each rule. The player names the call that it makes before it does.
fn rules(target: Target) -> Result<()> {
    for rule in 0.. {
        let ended = play(target, &format!("rule={rule}"))?;
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

/// A thread of the runtime needs more stack than it has.
fn overflow(target: Target) -> Result<()> {
    const FAULT: i32 = 71;
    let mut command = command(target, "", &["--overflow-stack"])?;
    let ended = machine::run(&mut command, b"some input", machine::limit(target, LIMIT))?;
    let status = ended.status.and_then(|status| status.code());
    if status == Some(FAULT) && ended.output.contains("error: a stack of the runtime overflowed") {
        return Ok(());
    }
    Err(Error::new(format!("{status:?}\n{}", ended.output)))
}

/// Machines that go on whatever rule is broken make `calls` calls. A machine beside them goes on too.
fn random(target: Target, wild: u32, cpus: &str, calls: u64) -> Result<()> {
    let beside = Beside::start(target)?;
    let disk = Disk::new(target, wild)?;
    let machines = calls.div_ceil(CALLS_OF_ONE).max(2);
    let first = number("HOSTILE_SEED").unwrap_or(1);
    for seed in first..first + machines {
        // Emulators of one process do not know the call by which a machine starts again.
        let restarts = u32::from(target == host()?);
        let calls = calls / machines;
        let append = format!("seed={seed} calls={calls} wild={wild} restarts={restarts}");
        let mut options = vec!["--cpus", cpus, "--disk", &disk.option, "--net", "user"];
        options.push("--ignore-broken-rules");
        // An emulator takes long to look for what lies in so many addresses.
        let place = if seed % 2 == 0 && target == host()? {
            options.extend(["--address-bits", "38"]);
            Place::SMALL
        } else {
            options.extend(["--tlb-budget", "7"]);
            Place::LARGE
        };
        let run = format!("{append} {}", options.join(" "));
        let limit = machine::limit(target, 3 * LIMIT + TIME_OF_A_CALL * calls as u32);
        let mut command = command(target, &append, &options)?;
        let ended = watched(&mut command, place, limit).at(&run)?;
        let went_on = ended.status == Some(0) && ended.output.contains("done after ");
        let has_ended =
            ended.status == Some(BROKEN_RULE) && ended.output.contains("error: the kernel");
        let is_linked = !ended.output.contains("warning: the network");
        if !(went_on || has_ended) || !is_linked {
            return Err(Error::new(format!("{run}: {:?}\n{}", ended.status, ended.output)));
        }
        disk.check()?;
    }
    beside.check()
}

/// Runs the player, and looks at the memory of its process before it begins, meanwhile, and when it is done.
fn watched(command: &mut Command, place: Place, limit: Duration) -> Result<Ended> {
    const LOOKS: Duration = Duration::from_millis(100);
    /// So long a machine may look wrong that is about to end or starts again.
    const TRANSITION: Duration = Duration::from_secs(10);
    let (reader, writer) = pipe().at("pipe")?;
    command.envs(watch::canaries());
    command.stdin(Stdio::piped()).stdout(writer.try_clone().at("pipe")?).stderr(writer);
    let mut child = command.spawn().at("the player")?;
    // The output ends when the last writer is gone.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut stdin = child.stdin.take();
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(std::result::Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let mut ended = Ended { status: None, output: String::new() };
    let mut watch: Option<Watch> = None;
    let started = Instant::now();
    let mut found = Ok(());
    let mut wrong_since: Option<Instant> = None;
    while started.elapsed() < limit && found.is_ok() {
        match lines.recv_timeout(LOOKS) {
            // Behind what it wrote to standard error before it started again.
            Ok(line) if line.ends_with("ready") => {
                wrong_since = None;
                watch = Some(Watch::new(child.id(), place)?);
                if let Some(stdin) = &mut stdin {
                    let _ = stdin.write_all(b"some input");
                }
            }
            Ok(line) => {
                if line.contains("done after ") {
                    found = watch.take().map_or(Ok(()), |watch| watch.look());
                    stdin = None;
                }
                ended.output.push_str(&line);
                ended.output.push('\n');
            }
            Err(RecvTimeoutError::Timeout) => {
                let looked = watch.as_ref().map_or(Ok(()), Watch::look);
                if looked.is_ok() {
                    wrong_since = None;
                } else if wrong_since.get_or_insert_with(Instant::now).elapsed() > TRANSITION {
                    found = looked;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = machine::wait(&mut child, Duration::from_secs(1))?;
    found.map_err(|error| Error::new(format!("{error}\n{}", ended.output)))?;
    ended.status = status.and_then(|status| status.code());
    Ok(ended)
}

/// Another machine, with Linux, that has something to remember.
struct Beside {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Beside {
    fn start(target: Target) -> Result<Beside> {
        const SCRIPT: &str = "head -c 8000000 /dev/urandom > /tmp/file; md5sum /tmp/file > /tmp/sum; echo ready; \
             read -r line; md5sum -c /tmp/sum && echo $line";
        let mut command = machine::command(target, &vm(target)?)?;
        command.args(["--cpus", "1", "--", "sh", "-c", SCRIPT]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .at("the machine beside it")?;
        let output = child.stdout.take().ok_or_else(|| Error::new("no standard output"))?;
        let mut beside = Beside { child, output: BufReader::new(output) };
        beside.expect("ready")?;
        Ok(beside)
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line).at("the machine beside it")?;
        if line.trim_end() == wanted {
            return Ok(());
        }
        Err(Error::new(format!("the machine beside it says {line:?} instead of {wanted:?}")))
    }

    fn check(mut self) -> Result<()> {
        let stdin = self.child.stdin.take();
        stdin
            .ok_or_else(|| Error::new("no standard input"))?
            .write_all(b"unharmed\n")
            .at("the machine beside it")?;
        self.expect("/tmp/file: OK")?;
        self.expect("unharmed")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
