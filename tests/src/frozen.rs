//! Systems that are booted where they are built, and start from there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, System, Target, host};
use rustix::process::Signal;

use crate::freeze::{Place, check, has_status};
use crate::pty::Terminal;
use crate::{Once, Test, builder, machine};

const LIMIT: Duration = Duration::from_secs(40);

/// Leaves a file, a process, and a server behind.
const SCRIPT: &str = "echo $((40 + 2)) >/tmp/made; head -c 8 /dev/urandom | od -An -tx1 >/tmp/drawn; \
    sleep 100000 & nc -ll -p 7 -e cat >/dev/null 2>&1 </dev/null & \
    until pidof sleep && grep ':0007 ' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done >/dev/null";

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for target in Target::ALL {
        let name = format!("frozen::system-starts-where-it-was-frozen-on-{}", target.name());
        tests.push((name, Box::new(move || Ok(starts(target)?))));
    }
    for (name, test) in [
        ("shell-has-the-terminal", shell as fn() -> Result<()>),
        ("machines-draw-numbers-of-their-own", random),
        ("what-it-was-not-frozen-with-makes-it-boot", boots),
        ("restart-begins-where-it-was-frozen", restart),
        ("script-that-fails-stops-the-build", refused),
    ] {
        tests.push((format!("frozen::{name}"), Box::new(move || Ok(test()?))));
    }
    tests
}

fn binary(target: Target) -> Result<PathBuf> {
    static BINARIES: [OnceLock<Once<PathBuf>>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    let system = System { frozen: Some(SCRIPT.to_owned()), ..System::default() };
    let build = || -> Result<PathBuf> { builder()?.boot_binary_of(target, &system) };
    Ok(BINARIES[target as usize].get_or_init(|| Once::new(build())).get()?.clone())
}

fn run(target: Target, arguments: &[&str], input: &str) -> Result<machine::Ended> {
    let mut command = machine::command(target, &binary(target)?)?;
    if target != host()? {
        command.arg("--no-sandbox");
    }
    machine::run(command.args(arguments), input.as_bytes(), machine::limit(target, LIMIT))
}

/// The command, its input, the environment and the exit status are those of the start, and all that there was is there.
fn starts(target: Target) -> Result<()> {
    let script = "read line; echo $line $(cat /tmp/made) $(pidof sleep | wc -w) $TERM; \
        echo over the net | nc 127.0.0.1 7; exit 5";
    for cpus in ["1", "2"] {
        let ended = run(target, &["--cpus", cpus, "--", "sh", "-c", script], "a line\n")?;
        has_status(&ended, 5)?;
        let term = std::env::var("TERM").unwrap_or_else(|_| "linux".to_owned());
        let says = format!("a line 42 1 {term}\nover the net\n");
        check(ended.output == says, || ended.output.clone())?;
    }
    // A shell reads commands from what is no terminal.
    let ended = run(target, &[], "echo status $?\nexit 4\n")?;
    has_status(&ended, 4)?;
    check(ended.output == "status 0\n", || ended.output.clone())
}

fn shell() -> Result<()> {
    let mut terminal = Terminal::start(host()?, &binary(host()?)?, &[])?;
    terminal.expect("# ", LIMIT)?;
    terminal.send("stty size; tty; echo $TERM\r")?;
    terminal.expect("24 80\r\n/dev/hvc0\r\nxterm\r\n", LIMIT)?;
    terminal.send("sh -c 'echo up-$((20+2)); exec sleep 1000'\r")?;
    terminal.expect("up-22\r\n", LIMIT)?;
    terminal.send("\x1a")?;
    terminal.expect("Stopped", LIMIT)?;
    terminal.send("exit\rexit\r")?;
    let status = terminal.end(LIMIT)?;
    check(status == Some(0), || format!("{status:?}"))
}

fn random() -> Result<()> {
    let draw = "cat /tmp/drawn; head -c 8 /dev/urandom | od -An -tx1";
    let mut said = Vec::new();
    for _ in 0..2 {
        let ended = run(host()?, &["--", "sh", "-c", draw], "")?;
        has_status(&ended, 0)?;
        let (frozen, own) =
            ended.output.split_once('\n').ok_or_else(|| Error::new(&ended.output))?;
        said.push((frozen.to_owned(), own.to_owned()));
    }
    check(said[0].0 == said[1].0 && said[0].1 != said[1].1, || format!("{said:?}"))
}

/// A disk, other memory, arguments of the kernel: the system boots as any other, and the script runs then.
fn boots() -> Result<()> {
    let place = Place::new("frozen-boots")?;
    let disk = place.path("disk");
    fs::write(&disk, vec![0; 1 << 20]).at(&disk)?;
    let script =
        "cat /tmp/made; pidof sleep | wc -w; echo $(cat /proc/cmdline) | grep -c here; ls /dev/vda";
    let ended = run(host()?, &["--disk", &disk, "--", "sh", "-c", script], "")?;
    check(ended.output == "42\n1\n0\n/dev/vda\n", || ended.output.clone())?;
    let ended = run(host()?, &["--append", "here=1", "--", "sh", "-c", script], "")?;
    check(ended.output.starts_with("42\n1\n1\n"), || ended.output.clone())?;
    let script = "cat /tmp/made; grep MemTotal /proc/meminfo";
    let ended = run(host()?, &["--memory", "256M", "--", "sh", "-c", script], "")?;
    let size = ended.output.split_whitespace().nth(2).and_then(|size| size.parse::<u64>().ok());
    check(size.is_some_and(|kib| kib < 256 << 10), || ended.output.clone())
}

/// What a machine has done since is gone when it begins again.
fn restart() -> Result<()> {
    let script = "n=$(cat /tmp/made); echo 7 >/tmp/made; echo start $n; reboot -f";
    let mut command = machine::command(host()?, &binary(host()?)?)?;
    command.args(["--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut machine = command.spawn().at("machine")?;
    let output = machine.stdout.take().map(BufReader::new);
    let lines: std::io::Result<Vec<String>> =
        output.into_iter().flat_map(BufReader::lines).take(3).collect();
    // Whether it comes before or after a start, nothing makes the machine forget it.
    machine::signal(&machine, Signal::TERM)?;
    let status = machine::wait(&mut machine, LIMIT)?.and_then(|status| status.signal());
    let lines = lines.at("machine")?;
    check(lines == ["start 42"; 3] && status == Some(15), || format!("{lines:?} {status:?}"))
}

fn refused() -> Result<()> {
    let fails = |system: System, why: &str| -> Result<()> {
        match builder()?.boot_binary_of(host()?, &system) {
            Err(error) => check(error.to_string().contains(why), || error.to_string()),
            Ok(path) => Err(Error::new(format!("there is {}", path.display()))),
        }
    };
    let frozen = |script: &str| System { frozen: Some(script.to_owned()), ..System::default() };
    fails(frozen("echo because; exit 3"), "because")?;
    fails(frozen("poweroff -f"), "before it could be frozen")?;
    fails(System { disks: vec!["x".to_owned()], ..frozen("") }, "no disks")?;
    fails(System { append: "rdinit=/bin/sh".to_owned(), ..frozen("") }, "no first process")
}
