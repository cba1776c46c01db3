//! What a running machine costs its host, what it may do there, and what it leaves behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Error, Result, Target, host};

use rustix::fs::OFlags;

use crate::pty::Terminal;
use crate::{Test, cli, directory, guest, hostile, machine, vm};

const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn tests() -> Vec<Test> {
    let test = |name: &str, test: fn() -> Result<()>| -> Test {
        (format!("host::{name}"), Box::new(move || Ok(test()?)))
    };
    vec![
        test("boot-binary-runs-alone", runs_alone),
        test("program-of-ones-own-runs", own_program),
        test("two-busy-loops-use-two-cores", two_cores),
        test("idle-machine-uses-no-time", idle),
        test("memory-goes-back-after-five-hundred-processes", memory_goes_back),
        test("an-emulator-needs-no-more-memory-for-more-processes", emulated_memory),
        test("process-has-given-up-its-rights", sandboxed),
        test("machine-runs-within-the-limits-of-its-process", within_limits),
        test("what-the-limits-refuse-is-an-error-at-the-start", refused_at_start),
        test("mappings-lie-in-their-places-with-holes-below-stacks", layout),
        test("terminal-is-restored-after-a-signal", terminal_restored),
        test("sockets-are-streams", sockets),
        test("streams-that-do-not-wait-stay-so", non_blocking),
        test("kernel-panic-names-functions", panic_names_functions),
    ]
}

/// Copied to an empty directory and started without an environment.
fn runs_alone() -> Result<()> {
    let place = std::env::temp_dir().join(format!("linnet-alone-{}", std::process::id()));
    fs::create_dir_all(&place).at(place.display())?;
    let copy = place.join("vm");
    fs::copy(vm(host()?)?, &copy).at(copy.display())?;
    let mut command = Command::new(&copy);
    command.env_clear().current_dir(&place).args(["--", "uname", "-sm"]);
    let ended = machine::run(&mut command, &[], LIMIT)?;
    fs::remove_dir_all(&place).at(place.display())?;
    check(ended.output == "Linux wasm32\n", || ended.output.clone())
}

/// `linnet boot --with` takes a module as it comes from the compiler.
fn own_program() -> Result<()> {
    let module = hostile::assemble(&directory().join("cli/program.wat"), host()?)?;
    let mut command = Command::new(cli::linnet()?);
    command.arg("boot").arg("--with").arg(module).args(["--", "program"]);
    let ended = machine::run(&mut command, &[], Duration::from_secs(60))?;
    let succeeded = ended.status.is_some_and(|status| status.success());
    check(succeeded, || format!("{:?}\n{}", ended.status, ended.output))
}

/// A machine that runs a script of the guest's shell and says "ready" when that says so.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(options: &[&str], script: &str) -> Result<Self> {
        Self::start_on(host()?, options, script)
    }

    fn start_on(target: Target, options: &[&str], script: &str) -> Result<Self> {
        let mut command = machine::command(target, guest::binary(target)?)?;
        Self::spawn(command.args(options).args(["--", "sh", "-c", script]))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let name = command.get_program().display().to_string();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().at(name)?;
        let output = child.stdout.take().ok_or_else(|| Error::new("no standard output"))?;
        Ok(Self { child, output: BufReader::new(output) })
    }

    /// Waits for a line of the script.
    fn wait_for(&mut self, word: &str) -> Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line).at("standard output")?;
        check(line.trim() == word, || format!("{word:?} did not come, but {line:?}"))
    }

    /// A file of the host's /proc about the process.
    fn about(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).at(path)
    }

    /// A number of /proc/PID/status.
    fn status(&self, name: &str) -> Result<u64> {
        let text = self.about("status")?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| Error::new(format!("no {name} in {text}")))
    }

    /// Ticks (10 ms) of processor time that each thread has used, most first.
    fn ticks(&self) -> Result<Vec<u64>> {
        let folder = format!("/proc/{}/task", self.child.id());
        let mut all = Vec::new();
        for entry in fs::read_dir(&folder).at(&folder)? {
            let path = entry.at(&folder)?.path().join("stat");
            let text = fs::read_to_string(&path).at(path.display())?;
            let fields: Vec<&str> =
                text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let field = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
            all.push(field(11) + field(12));
        }
        all.sort_unstable_by(|a, b| b.cmp(a));
        Ok(all)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn two_cores() -> Result<()> {
    let script = "while :; do :; done & while :; do :; done & echo ready; wait";
    let mut machine = Running::start(&["--cpus", "2"], script)?;
    machine.wait_for("ready")?;
    let started = Instant::now();
    // Another program may take its share of the host; a vCPU without work would use none at all.
    while started.elapsed() < LIMIT {
        sleep(Duration::from_millis(100));
        let ticks = machine.ticks()?;
        if ticks.get(1).is_some_and(|second| *second >= 30) {
            return Ok(());
        }
    }
    Err(Error::new(format!("ticks of the threads: {:?}", machine.ticks()?)))
}

fn idle() -> Result<()> {
    let mut machine = Running::start(&["--cpus", "2"], "echo ready; sleep 60")?;
    machine.wait_for("ready")?;
    sleep(Duration::from_secs(1));
    let before: u64 = machine.ticks()?.iter().sum();
    sleep(Duration::from_secs(3));
    let used = machine.ticks()?.iter().sum::<u64>() - before;
    check(used <= 2, || format!("{used} ticks in 3 s of idleness"))
}

fn memory_goes_back() -> Result<()> {
    let script = "echo ready; sleep 0.5; /test/five-hundred-processes-alive && echo done; sleep 60";
    let mut machine = Running::start(&[], script)?;
    machine.wait_for("ready")?;
    sleep(Duration::from_millis(300));
    let before = machine.status("VmRSS")?;
    machine.wait_for("done")?;
    let started = Instant::now();
    let mut after = 0;
    while started.elapsed() < LIMIT {
        sleep(Duration::from_millis(500));
        after = machine.status("VmRSS")?;
        if after < before + (16 << 10) {
            return Ok(());
        }
    }
    Err(Error::new(format!("{before} KiB before, {after} KiB after")))
}

/// QEMU's user mode emulation keeps something for each page that was ever mapped or unmapped, 32 MiB for
/// each memory of the guest: processes that come and go in any order must use the same few.
fn emulated_memory() -> Result<()> {
    const MOST: u64 = 600 << 10;
    let target = Target::ALL.into_iter().find(|target| host().is_ok_and(|host| host != *target));
    let target = target.ok_or_else(|| Error::new("there is no other instruction set"))?;
    let script = "for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do \
                    echo a | cat | (cat; env true) >/dev/null & sleep 0 & echo $(echo b | tr b c) >/dev/null; wait; \
                  done; echo done; sleep 60";
    let mut machine = Running::start_on(target, &["--cpus", "2"], script)?;
    machine.wait_for("done")?;
    let most = machine.status("VmHWM")?;
    check(most < MOST, || format!("{most} KiB"))
}

fn sandboxed() -> Result<()> {
    const SECCOMP_MODE_FILTER: u64 = 2;
    let mut machine = Running::start(&[], "echo ready; sleep 60")?;
    machine.wait_for("ready")?;
    check(machine.status("NoNewPrivs")? == 1, || "NoNewPrivs is off".to_owned())?;
    let mode = machine.status("Seccomp")?;
    check(mode == SECCOMP_MODE_FILTER, || format!("seccomp mode {mode}"))?;
    let maps = machine.about("maps")?;
    let bad = maps.lines().find(|line| {
        let executable = line.split_whitespace().nth(1).is_some_and(|rights| rights.contains('x'));
        executable && (line.contains(" rwx") || !line.contains('[') && !line.contains("/"))
    });
    check(bad.is_none(), || format!("executable memory: {}", bad.unwrap_or_default()))
}

/// Runs `script` with limits that a shell sets before it becomes the machine.
fn with_limits(limits: &str, options: &str, script: &str) -> Result<machine::Ended> {
    let vm = vm(host()?)?;
    let start = format!("{limits}; exec {} {options} -- sh -c '{script}'", vm.display());
    machine::run(Command::new("bash").args(["-c", &start]), &[], LIMIT)
}

fn within_limits() -> Result<()> {
    const SCRIPT: &str =
        "for i in 1 2 3 4 5 6 7 8; do echo $i | cat | cat >/dev/null; done; echo done";
    for limits in [
        "ulimit -s unlimited",
        "ulimit -s 256",
        "ulimit -l 0",
        "ulimit -v 4000000",
        "ulimit -n 16",
        "ulimit -c 0; ulimit -i 0; ulimit -q 0",
    ] {
        for options in ["", "--cpus 4", "--address-bits 39", "--tlb-budget 100"] {
            let ended = with_limits(limits, options, SCRIPT)?;
            check(ended.output == "done\n", || format!("{limits}, {options}: {}", ended.output))?;
        }
    }
    Ok(())
}

fn refused_at_start() -> Result<()> {
    const HOST: i32 = 70;
    for (limits, message) in [
        ("ulimit -v 500000", "error: the host refuses to map 1023 MiB of guest memory\nhint: "),
        ("ulimit -v 1100000", "error: the host "),
    ] {
        let ended = with_limits(limits, "", "echo done")?;
        let status = ended.status.and_then(|status| status.code());
        let is_said = status == Some(HOST) && ended.output.starts_with(message);
        check(is_said, || format!("{limits}: {status:?} {}", ended.output))?;
    }
    Ok(())
}

/// Where the host chooses places from the middle upwards, none of them is among the slots, and the runtime leaves
/// it no choice in the first place.
fn layout() -> Result<()> {
    const SLOTS: std::ops::Range<u64> = 0x1000_0000_0000..0x6dc0_0000_0000;
    const HOLE: u64 = 64 << 10;
    let vm = vm(host()?)?;
    let start =
        format!("ulimit -s unlimited; exec {} -- sh -c 'echo ready; sleep 60'", vm.display());
    let mut command = Command::new("bash");
    command.args(["-c", &start]);
    let mut machine = Running::spawn(&mut command)?;
    machine.wait_for("ready")?;
    let maps = machine.about("maps")?;
    let (mut end, mut previous) = (0, "");
    for line in maps.lines() {
        let bounds = line.split_whitespace().next().and_then(|range| range.split_once('-'));
        let parse = |text: &str| u64::from_str_radix(text, 16).unwrap_or_default();
        let (start, next) = bounds.map_or((0, 0), |(start, end)| (parse(start), parse(end)));
        let is_of_guest = line.contains("memfd:") || line.contains("---p");
        check(is_of_guest || line.contains('[') || !SLOTS.contains(&start), || {
            format!("in a slot: {line}")
        })?;
        // Stacks are what is private, may be written, and belongs to no file.
        const NO_FILE: &str = "-p 00000000 00:00 0";
        let is_stack = line.contains(NO_FILE) && line.contains(" rw-p") && !line.contains('[');
        // The index of tasks may be written in parts.
        let is_stack = is_stack && !(previous.contains(" r--p") && previous.contains(NO_FILE));
        check(!is_stack || start >= end + HOLE || start < 1 << 32, || {
            format!("no hole below {line}")
        })?;
        (end, previous) = (next, line);
    }
    Ok(())
}

fn terminal_restored() -> Result<()> {
    let mut terminal = Terminal::start(host()?, &vm(host()?)?, &[])?;
    let before = terminal.initial.clone();
    terminal.expect("# ", LIMIT)?;
    check(terminal.settings()? != before, || "the terminal was never raw".to_owned())?;
    terminal.terminate()?;
    let status = terminal.end_of_process(LIMIT)?;
    let signal = status.and_then(|status| status.signal());
    check(signal == Some(15), || format!("{status:?}"))?;
    check(terminal.settings()? == before, || "the terminal is not as it was".to_owned())
}

/// What services and servers of remote shells give a program.
fn sockets() -> Result<()> {
    let (mut ours, theirs) = UnixStream::pair().at("sockets")?;
    let stream = || Ok::<_, Error>(Stdio::from(OwnedFd::from(theirs.try_clone().at("socket")?)));
    let mut child = Command::new(vm(host()?)?)
        .args(["--", "sh", "-c", "read x; echo got $x; seq 1 100000; echo end >&2"])
        .stdin(stream()?)
        .stdout(stream()?)
        .stderr(stream()?)
        .spawn()
        .at("vm")?;
    drop(theirs);
    ours.write_all(b"one\n").at("socket")?;
    let mut output = String::new();
    ours.read_to_string(&mut output).at("socket")?;
    let status = machine::wait(&mut child, LIMIT)?;
    check(status.is_some_and(|status| status.success()), || format!("{status:?}"))?;
    let whole = output.starts_with("got one\n1\n") && output.ends_with("\n100000\nend\n");
    check(whole && output.lines().count() == 100_002, || output.clone())
}

/// A pipe that its other users have made non-blocking; its flags are theirs.
fn non_blocking() -> Result<()> {
    let (input, mut to_guest) = pipe().at("pipe")?;
    let (mut from_guest, output) = pipe().at("pipe")?;
    for fd in [input.as_fd(), output.as_fd()] {
        rustix::fs::fcntl_setfl(fd, OFlags::NONBLOCK).at("pipe")?;
    }
    let flags = rustix::fs::fcntl_getfl(&to_guest).at("pipe")?;
    let mut child = Command::new(vm(host()?)?)
        .args(["--", "sh", "-c", "cat; seq 1 100000"])
        .stdin(input)
        .stdout(output)
        .spawn()
        .at("vm")?;
    // It waits for input, and later for room.
    sleep(Duration::from_secs(1));
    to_guest.write_all(b"late\n").at("pipe")?;
    check(rustix::fs::fcntl_getfl(&to_guest).at("pipe")? == flags, || "other flags".to_owned())?;
    drop(to_guest);
    sleep(Duration::from_secs(1));
    let mut text = String::new();
    from_guest.read_to_string(&mut text).at("pipe")?;
    let status = machine::wait(&mut child, LIMIT)?;
    check(status.is_some_and(|status| status.success()), || format!("{status:?}"))?;
    check(text.starts_with("late\n1\n") && text.lines().count() == 100_001, || text.clone())
}

fn panic_names_functions() -> Result<()> {
    let mut command = Command::new(vm(host()?)?);
    command.args(["--", "sh", "-c", "echo c > /proc/sysrq-trigger"]);
    let ended = machine::run(&mut command, &[], LIMIT)?;
    let status = ended.status.and_then(|status| status.code());
    check(status == Some(99), || format!("exit status {status:?}\n{}", ended.output))?;
    for name in ["Kernel panic", "sysrq_handle_crash", "vfs_write", "linnet_syscall"] {
        check(ended.output.contains(name), || format!("no {name:?} in\n{}", ended.output))?;
    }
    Ok(())
}

fn check(right: bool, why: impl Fn() -> String) -> Result<()> {
    if right { Ok(()) } else { Err(Error::new(why())) }
}
