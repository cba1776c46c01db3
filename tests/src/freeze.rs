//! Machines that are frozen to a file, and go on: on the same ISA and on others.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{At as _, Error, Files, Result, System, Target, host};
use linnet_snapshot::machine as word;
use rustix::process::Signal;

use crate::player::number;
use crate::{Once, Test, builder, directory, machine};

const LIMIT: Duration = Duration::from_secs(40);

/// Where the program of `tests/freeze` lies in the guest.
pub(crate) const STATES: &str = "/tests/states";

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for from in Target::ALL {
        for to in Target::ALL {
            let name = format!("freeze::processes-go-on-from-{}-to-{}", from.name(), to.name());
            tests.push((name, Box::new(move || Ok(moves(from, to)?))));
        }
    }
    for (name, test) in [
        ("chain-of-machines-loses-nothing", chain as fn() -> Result<()>),
        ("snapshot-is-the-same-after-a-tour-of-all-isas", tour),
        ("machine-goes-on-after-a-snapshot", stays),
        ("snapshot-is-made-at-a-signal", by_signal),
        ("memory-is-what-it-was-whoever-uses-it-first", memory),
        ("what-resumes-twice-has-random-numbers-of-its-own", random),
        ("clock-that-does-not-sleep-counts-no-sleep", clocks),
        ("machine-without-a-file-for-snapshots-says-so", without_file),
        ("machine-with-a-shared-folder-stays-where-it-is", shares),
        ("file-keeps-the-last-snapshot-until-there-is-a-new-one", kept),
        ("snapshots-that-cannot-be-resumed-are-refused", refused),
        ("snapshot-tells-what-is-in-it", inspected),
        ("mounted-disk-goes-on-and-must-be-the-same", disk),
        ("restart-of-a-resumed-machine-begins-anew", restart),
        ("resumed-machine-ends-in-order-at-a-signal", ends_in_order),
    ] {
        tests.push((format!("freeze::{name}"), Box::new(move || Ok(test()?))));
    }
    tests
}

/// A boot binary that can be frozen.
fn binary(target: Target) -> Result<&'static Path> {
    static BINARIES: [OnceLock<Once<PathBuf>>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    let build = || -> Result<PathBuf> {
        let builder = builder()?;
        let source = directory().join("freeze/states.c");
        let mut files = Files::default();
        for program in builder.guest_programs(std::iter::once(source.as_path()), target)? {
            files.add(STATES, &program?)?;
        }
        builder.boot_binary_of(target, &System { frames: true, ..System::with(files) })
    };
    let binary = &BINARIES[target as usize];
    Ok(binary.get_or_init(|| Once::new(build())).get()?.as_path())
}

/// A machine's options and command.
struct Run<'a> {
    target: Target,
    arguments: &'a [&'a str],
    input: &'a str,
}

pub(crate) fn run(target: Target, arguments: &[&str]) -> Result<machine::Ended> {
    Run { target, arguments, input: "" }.run()
}

impl Run<'_> {
    fn run(&self) -> Result<machine::Ended> {
        let mut command = command(self.target)?;
        command.args(self.arguments);
        machine::run(&mut command, self.input.as_bytes(), machine::limit(self.target, LIMIT))
    }
}

pub(crate) fn command(target: Target) -> Result<Command> {
    let mut command = machine::command(target, binary(target)?)?;
    if target != host()? {
        command.arg("--no-sandbox");
    }
    Ok(command)
}

pub(crate) fn check(is_right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if is_right { Ok(()) } else { Err(Error::new(what())) }
}

pub(crate) fn has_status(ended: &machine::Ended, status: i32) -> Result<()> {
    let got = ended.status.and_then(|status| status.code());
    check(got == Some(status), || format!("{:?}, not {status}\n{}", ended.status, ended.output))
}

/// A directory for one test's files.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Result<Place> {
        let place = std::env::temp_dir().join(format!("linnet-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).at(place.display())?;
        Ok(Place(place))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the program says if nothing freezes it.
fn wanted() -> Result<&'static str> {
    static WANTED: OnceLock<Once<String>> = OnceLock::new();
    let say = || -> Result<String> {
        let ended = run(host()?, &["--cpus", "2", "--", STATES, "0"])?;
        has_status(&ended, 0)?;
        Ok(ended.output)
    };
    Ok(WANTED.get_or_init(|| Once::new(say())).get()?.as_str())
}

pub(crate) fn is_as_wanted(ended: &machine::Ended) -> Result<()> {
    has_status(ended, 0)?;
    let wanted = wanted()?;
    check(ended.output == wanted, || format!("{}\nnot\n{wanted}", ended.output))
}

/// All states, frozen there and resumed here, with another number of vCPUs.
fn moves(from: Target, to: Target) -> Result<()> {
    let place = Place::new(&format!("freeze-{}-{}", from.name(), to.name()))?;
    let file = place.path("snapshot");
    let ended = run(from, &["--cpus", "2", "--freeze-to", &file, "--", STATES, "1", "end"])?;
    has_status(&ended, 0)?;
    check(ended.output.is_empty(), || ended.output.clone())?;
    let cpus = ["1", "2", "3"][to as usize % 3];
    is_as_wanted(&run(to, &["--cpus", cpus, "--resume", &file])?)
}

/// Frozen so many times, each time on the next ISA and with another number of vCPUs. `FREEZE_ROUNDS=1000` takes long.
fn chain() -> Result<()> {
    const ROUNDS: u64 = 20;
    let count = number("FREEZE_ROUNDS").unwrap_or(ROUNDS) as usize;
    let place = Place::new("freeze-chain")?;
    let files = [place.path("even"), place.path("odd")];
    let rounds = count.to_string();
    let ended = run(host()?, &["--freeze-to", &files[0], "--", STATES, &rounds, "end"])?;
    has_status(&ended, 0)?;
    for round in 1..=count {
        let (from, to) = (&files[(round - 1) % 2], &files[round % 2]);
        let target = Target::ALL[round % Target::ALL.len()];
        let cpus = (round % 4 + 1).to_string();
        let ended = run(target, &["--cpus", &cpus, "--resume", from, "--freeze-to", to])?;
        if round == count {
            return is_as_wanted(&ended);
        }
        has_status(&ended, 0)?;
        check(ended.output.is_empty(), || format!("round {round}: {}", ended.output))?;
    }
    Ok(())
}

/// Resumed and frozen again on each ISA, while nothing of it runs: only the clocks and the hash of all are others.
fn tour() -> Result<()> {
    const HASH: usize = 24;
    const BODY: usize = 40;
    let place = Place::new("freeze-tour")?;
    let first = place.path("first");
    let arguments = ["--cpus", "2", "--freeze-to", &first, "--", STATES, "1", "end"];
    has_status(&run(host()?, &arguments)?, 0)?;
    // Without what may differ.
    let read = |path: &str| -> Result<Vec<u8>> {
        let mut bytes = fs::read(path).at(path)?;
        let body = bytes.get(BODY..BODY + 8).and_then(|word| word.try_into().ok());
        let body = u64::from_le_bytes(body.unwrap_or_default()) as usize;
        let clocks = [word::MONOTONIC, word::REALTIME].map(|word| body + 8 * word);
        for at in clocks.into_iter().chain([HASH]) {
            bytes.get_mut(at..at + 8).ok_or_else(|| Error::new("no body"))?.fill(0);
        }
        Ok(bytes)
    };
    let (wanted, mut from) = (read(&first)?, first);
    for target in [Target::Aarch64, Target::Riscv64, Target::X86_64] {
        let to = place.path(target.name());
        let again = ["--cpus", "2", "--resume", &from, "--freeze-to", &to, "--freeze-again"];
        has_status(&run(target, &again)?, 0)?;
        let got = read(&to)?;
        let differs = wanted.iter().zip(&got).position(|(one, other)| one != other);
        check(wanted == got, || {
            format!("{}: {} and {} bytes, {differs:?}", target.name(), wanted.len(), got.len())
        })?;
        from = to;
    }
    is_as_wanted(&run(host()?, &["--resume", &from])?)
}

fn stays() -> Result<()> {
    let place = Place::new("freeze-stays")?;
    let file = place.path("snapshot");
    let arguments = ["--cpus", "2", "--freeze-to", &file, "--", STATES, "20", "stay"];
    is_as_wanted(&run(host()?, &arguments)?)?;
    // The last one is whole.
    is_as_wanted(&run(host()?, &["--resume", &file])?)
}

fn by_signal() -> Result<()> {
    let place = Place::new("freeze-signal")?;
    let file = place.path("snapshot");
    let script = "X=7; echo ready; read line; echo $line $X";
    let mut machine = command(host()?)?
        .args(["--freeze-to", &file, "--", "sh", "-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .at("machine")?;
    let mut line = String::new();
    let mut output =
        std::io::BufReader::new(machine.stdout.take().ok_or_else(|| Error::new("no output"))?);
    std::io::BufRead::read_line(&mut output, &mut line).at("output")?;
    machine::signal(&machine, Signal::USR1)?;
    // The header comes last.
    let is_whole = || fs::read(&file).is_ok_and(|bytes| bytes.starts_with(b"LINNETSN"));
    for _ in 0..500 {
        if is_whole() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    check(is_whole(), || "there is no snapshot".to_owned())?;
    if let Some(mut input) = machine.stdin.take() {
        input.write_all(b"first\n").at("input")?;
    }
    machine.wait().at("machine")?;
    std::io::Read::read_to_string(&mut output, &mut line).at("output")?;
    check(line == "ready\nfirst 7\n", || line.clone())?;
    let run = Run { target: host()?, arguments: &["--resume", &file], input: "second\n" };
    let ended = run.run()?;
    check(ended.output == "second 7\n", || ended.output.clone())
}

/// More than is loaded piece by piece, and used by programs and by the kernel, on several vCPUs at once.
fn memory() -> Result<()> {
    let script = "cd /tmp; head -c 24000000 /dev/urandom >x; md5sum <x >0; freeze --exit; \
        cat x | md5sum >1 & dd if=x bs=7k 2>/dev/null | md5sum >2 & md5sum <x >3; wait; \
        cp x y; md5sum <y >4; for n in 1 2 3 4; do cmp 0 $n && echo same; done";
    let place = Place::new("freeze-memory")?;
    let file = place.path("snapshot");
    let options = ["--cpus", "2", "--freeze-to", &file, "--", "sh", "-c", script];
    has_status(&run(host()?, &options)?, 0)?;
    for target in Target::ALL {
        let ended = run(target, &["--cpus", "2", "--resume", &file])?;
        check(ended.output == "same\n".repeat(4), || ended.output.clone())?;
    }
    Ok(())
}

fn ends_in_order() -> Result<()> {
    let place = Place::new("freeze-ends")?;
    let file = place.path("snapshot");
    let script =
        "trap 'echo heard; exit 3' TERM; freeze --exit; echo ready; while :; do sleep 1; done";
    has_status(&run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?, 0)?;
    let mut machine = command(host()?)?
        .args(["--resume", &file])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .at("machine")?;
    let mut output =
        std::io::BufReader::new(machine.stdout.take().ok_or_else(|| Error::new("no output"))?);
    let mut said = String::new();
    std::io::BufRead::read_line(&mut output, &mut said).at("output")?;
    machine::signal(&machine, Signal::TERM)?;
    std::io::Read::read_to_string(&mut output, &mut said).at("output")?;
    let status = std::os::unix::process::ExitStatusExt::signal(&machine.wait().at("machine")?);
    check(said == "ready\nheard\n" && status == Some(15), || format!("{said} {status:?}"))
}

/// Freezes a script and resumes it so many times: what each said.
fn resumed(name: &str, script: &str, times: usize) -> Result<Vec<String>> {
    let place = Place::new(name)?;
    let file = place.path("snapshot");
    let ended = run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?;
    has_status(&ended, 0)?;
    (0..times)
        .map(|_| {
            let ended = run(host()?, &["--resume", &file])?;
            has_status(&ended, 0)?;
            Ok(ended.output)
        })
        .collect()
}

fn random() -> Result<()> {
    let script = "freeze --exit; head -c 16 /dev/urandom | od -An -tx1";
    let said = resumed("freeze-random", script, 2)?;
    check(said[0].len() > 40 && said[0] != said[1], || said.concat())
}

/// CLOCK_MONOTONIC does not count the time between, CLOCK_BOOTTIME and the time of day do.
fn clocks() -> Result<()> {
    let script = "read up _ </proc/uptime; then=$(date +%s); freeze --exit; \
        read now _ </proc/uptime; echo $(( ${now%.*} - ${up%.*} )) $(( $(date +%s) - then ))";
    let place = Place::new("freeze-clocks")?;
    let file = place.path("snapshot");
    has_status(&run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?, 0)?;
    std::thread::sleep(Duration::from_secs(3));
    let ended = run(host()?, &["--resume", &file])?;
    let numbers: Vec<u32> =
        ended.output.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // /proc/uptime is CLOCK_BOOTTIME.
    check(numbers.len() == 2 && numbers.iter().all(|n| (2..30).contains(n)), || ended.output)
}

fn without_file() -> Result<()> {
    let ended = run(host()?, &["--", "freeze"])?;
    has_status(&ended, 1)?;
    let says = |word| ended.output.contains(word);
    check(says("cannot be frozen") && says("--freeze-to"), || ended.output.clone())?;
    let ended = run(host()?, &["--", "freeze", "sideways"])?;
    has_status(&ended, 2)
}

/// It is refused when it starts, and in the guest.
fn shares() -> Result<()> {
    let place = Place::new("freeze-shares")?;
    let (file, share) = (place.path("snapshot"), format!("{}:/folder", place.path("")));
    for option in ["--freeze-to", "--migrate-to"] {
        let value = if option == "--freeze-to" { file.clone() } else { format!("unix:{file}") };
        let ended = run(host()?, &["--share", &share, option, &value, "--", "echo", "runs"])?;
        has_status(&ended, 2)?;
        let wanted = format!("error: --share and {option} exclude each other\nhint: ");
        check(ended.output.starts_with(&wanted), || ended.output.clone())?;
    }
    let script = "freeze && echo frozen; echo text > /folder/file; cat /folder/file";
    let ended = run(host()?, &["--share", &share, "--", "sh", "-c", script])?;
    has_status(&ended, 0)?;
    let wanted = "freeze: the machine was not frozen
hint: it has a folder of the host, /folder: start it without --share
text
";
    check(ended.output == wanted, || ended.output.clone())
}

/// Snapshots take turns in the file. One that the host has no space for leaves the last one.
fn kept() -> Result<()> {
    let place = Place::new("freeze-kept")?;
    let file = place.path("snapshot");
    let script = "for n in 1 2 3 4 5; do freeze; done; N=5; freeze --exit; echo $N";
    has_status(&run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?, 0)?;
    let ended = run(host()?, &["--resume", &file])?;
    check(ended.output == "5\n", || ended.output.clone())?;
    // No room for a second one beside the first.
    let full = place.path("full");
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -f 65600; exec \"$0\" \"$@\""]).arg(binary(host()?)?);
    let script = "mkdir /tmp/m && mount -t tmpfs -o size=40M none /tmp/m && \
        head -c 36000000 /dev/urandom >/tmp/m/x; freeze; echo $?; freeze; echo $?";
    limited.args(["--memory", "64M", "--freeze-to", &full, "--", "sh", "-c", script]);
    let ended = machine::run(&mut limited, &[], LIMIT)?;
    let is_kept = ended.output.starts_with("0\n") && ended.output.ends_with("\n1\n");
    check(is_kept && ended.output.contains("cannot be written"), || ended.output.clone())?;
    let ended = run(host()?, &["--resume", &full])?;
    check(ended.output.starts_with("0\n"), || ended.output.clone())?;
    // A file does not grow with every machine that goes on from it and freezes to it: one snapshot lies behind another,
    // or in front of it if it is no larger than what lay there.
    let script = "while freeze --exit; do :; done";
    has_status(&run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?, 0)?;
    let mut sizes = vec![fs::metadata(&file).at(&file)?.len()];
    for _ in 0..6 {
        has_status(&run(host()?, &["--resume", &file, "--freeze-to", &file])?, 0)?;
        sizes.push(fs::metadata(&file).at(&file)?.len());
    }
    check(sizes.iter().all(|size| *size <= 3 * sizes[0] + (1 << 20)), || format!("{sizes:?}"))?;
    for target in ["/dev/null", "/"] {
        let ended = run(host()?, &["--freeze-to", target, "--", "true"])?;
        has_status(&ended, 2)?;
    }
    Ok(())
}

fn refused() -> Result<()> {
    const BODY: usize = 1 << 16;
    let place = Place::new("freeze-refused")?;
    let file = place.path("snapshot");
    let ended = run(host()?, &["--freeze-to", &file, "--", "freeze", "--exit"])?;
    has_status(&ended, 0)?;
    let whole = fs::read(&file).at(&file)?;
    let is_refused = |bytes: &[u8], why: &str| -> Result<()> {
        let path = place.path("damaged");
        fs::write(&path, bytes).at(&path)?;
        let ended = run(host()?, &["--resume", &path])?;
        has_status(&ended, 73)?;
        check(ended.output.contains(why), || format!("{why}: {}", ended.output))
    };
    is_refused(&[], "not a snapshot")?;
    is_refused(b"\x7fELF", "not a snapshot")?;
    is_refused(&whole[..whole.len() - 1], "cut off")?;
    let changed = |at: usize, by: u8| {
        let mut bytes = whole.clone();
        bytes[at] ^= by;
        bytes
    };
    is_refused(&changed(0, 1), "not a snapshot")?;
    is_refused(&changed(8, 2), "version")?;
    // Its hash, its body, its pages.
    for at in [24, BODY, BODY + 200, BODY + 4000, whole.len() - 100] {
        is_refused(&changed(at, 0x10), "damaged")?;
    }
    let missing = run(host()?, &["--resume", &place.path("missing")])?;
    has_status(&missing, 73)?;
    check(missing.output.contains("No such file"), || missing.output.clone())?;
    // A machine that has other programs, or that was built without frames.
    let mut command = machine::command(host()?, &crate::vm(host()?)?)?;
    let ended = machine::run(command.args(["--resume", &file]), &[], LIMIT)?;
    has_status(&ended, 73)?;
    check(ended.output.contains("hint: build"), || ended.output.clone())?;
    for arguments in [["--memory", "64M"], ["--append", "x"], ["--", "true"]] {
        let ended = run(host()?, &[&["--resume", &file], &arguments[..]].concat())?;
        has_status(&ended, 2)?;
    }
    Ok(())
}

/// `linnet inspect` names tasks and the functions on their stacks.
fn inspected() -> Result<()> {
    let place = Place::new("freeze-inspect")?;
    let file = place.path("snapshot");
    for target in Target::ALL {
        let arguments = ["--freeze-to", &file, "--", STATES, "1", "end", "recursion"];
        has_status(&run(target, &arguments)?, 0)?;
        let mut command = Command::new(crate::cli::linnet()?);
        let ended = machine::run(command.args(["inspect", &file]), &[], LIMIT)?;
        has_status(&ended, 0)?;
        for word in [
            "a frozen machine",
            "swapper/0",
            "kthreadd",
            "  states",
            "deep < deep",
            "main <",
            "more",
        ] {
            check(ended.output.contains(word), || format!("{word}: {}", ended.output))?;
        }
    }
    Ok(())
}

/// ext4 with data that was not written yet.
fn disk() -> Result<()> {
    let place = Place::new("freeze-disk")?;
    let (file, disk, other) = (place.path("snapshot"), place.path("disk"), place.path("other"));
    for (path, size) in [(&disk, 64 << 20), (&other, 32 << 20)] {
        fs::File::create(path).and_then(|disk| disk.set_len(size)).at(path)?;
    }
    let script = "mke2fs -q /dev/vda && mount /dev/vda /mnt && echo before >/mnt/a && freeze --exit; \
        cat /mnt/a && echo after >/mnt/b && umount /mnt && mount /dev/vda /mnt && cat /mnt/a /mnt/b";
    let arguments = ["--disk", &disk, "--freeze-to", &file, "--", "sh", "-c", script];
    has_status(&run(host()?, &arguments)?, 0)?;
    for disks in [&[][..], &["--disk", &other], &["--disk", &disk, "--disk", &other]] {
        let ended = run(host()?, &[&["--resume", &file], disks].concat())?;
        has_status(&ended, 73)?;
        check(ended.output.contains("hint: give the same disks"), || ended.output.clone())?;
    }
    let ended = run(host()?, &["--resume", &file, "--disk", &disk])?;
    has_status(&ended, 0)?;
    check(ended.output == "before\nbefore\nafter\n", || ended.output.clone())
}

/// What the guest restarts begins as it first did.
fn restart() -> Result<()> {
    let script = "freeze --exit; echo resumed; reboot -f; sleep 9";
    let place = Place::new("freeze-restart")?;
    let file = place.path("snapshot");
    has_status(&run(host()?, &["--freeze-to", &file, "--", "sh", "-c", script])?, 0)?;
    let run =
        Run { target: host()?, arguments: &["--resume", &file], input: "echo anew\nexit 3\n" };
    let ended = run.run()?;
    has_status(&ended, 3)?;
    check(ended.output == "resumed\nanew\n", || ended.output.clone())?;
    // The file for snapshots stays open.
    let next = place.path("next");
    let arguments = &["--resume", &file, "--freeze-to", &next];
    let input = "N=8; freeze --exit; echo $N\n";
    has_status(&Run { target: host()?, arguments, input }.run()?, 0)?;
    let ended = self::run(host()?, &["--resume", &next])?;
    check(ended.output == "8\n", || ended.output.clone())
}
