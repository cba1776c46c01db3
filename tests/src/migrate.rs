//! Machines that run and go to another one, which waits: on the same ISA and on others.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Result, Target, host};
use rustix::process::{Pid, Signal};

use crate::freeze::{Place, STATES, check, command, has_status, is_as_wanted, run};
use crate::player::number;
use crate::{Test, machine};

const LIMIT: Duration = Duration::from_secs(40);

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for (n, from) in Target::ALL.into_iter().enumerate() {
        let to = Target::ALL[(n + 1) % Target::ALL.len()];
        let name = format!("migrate::processes-go-on-from-{}-to-{}", from.name(), to.name());
        tests.push((name, Box::new(move || Ok(moves(from, to)?))));
    }
    for (name, test) in [
        ("machine-that-runs-goes-at-a-signal", by_signal as fn() -> Result<()>),
        ("machine-goes-over-loopback", over_tcp),
        ("broken-connection-leaves-the-machine-where-it-was", broken),
        ("damaged-stream-is-refused", damaged),
        ("machine-that-may-run-elsewhere-waits-for-a-decision", unknown),
        ("one-machine-runs-on-whichever-is-killed", killed),
        ("disk-belongs-to-the-machine-that-runs", disk),
        ("machine-that-cannot-go-says-why", refused),
        ("what-connects-and-is-no-machine-is-refused", strangers),
    ] {
        tests.push((format!("migrate::{name}"), Box::new(move || Ok(test()?))));
    }
    tests
}

/// A machine that waits.
pub(crate) struct Waiting {
    child: Child,
    target: Target,
    output: BufReader<std::io::PipeReader>,
}

impl Waiting {
    pub(crate) fn start(target: Target, address: &str, options: &[&str]) -> Result<Waiting> {
        let mut command = command(target)?;
        command.args(["--incoming", address]).args(options);
        Waiting::start_command(command, target)
    }

    fn start_command(mut command: Command, target: Target) -> Result<Waiting> {
        let (reader, writer) = std::io::pipe().at("pipe")?;
        command.stdin(Stdio::null());
        command.stdout(writer.try_clone().at("pipe")?).stderr(writer);
        let child = command.spawn().at("machine")?;
        drop(command);
        let mut waiting = Waiting { child, target, output: BufReader::new(reader) };
        let line = waiting.line()?;
        check(line.starts_with("note: waiting for a machine at "), || line.clone())?;
        Ok(waiting)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).at("machine")?;
        Ok(line)
    }

    /// What it does when the machine has come.
    pub(crate) fn ends(mut self) -> Result<machine::Ended> {
        let status = machine::wait(&mut self.child, machine::limit(self.target, LIMIT))?;
        let mut output = String::new();
        self.output.read_to_string(&mut output).at("machine")?;
        Ok(machine::Ended { status, output })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Programs in all states, with another number of vCPUs.
fn moves(from: Target, to: Target) -> Result<()> {
    let place = Place::new(&format!("migrate-{}-{}", from.name(), to.name()))?;
    let address = format!("unix:{}", place.path("socket"));
    let waiting = Waiting::start(to, &address, &["--cpus", "1"])?;
    let ended = run(from, &["--cpus", "2", "--migrate-to", &address, "--", STATES, "1", "end"])?;
    has_status(&ended, 0)?;
    let says = format!("note: the machine goes on at {address}\n");
    check(ended.output == says, || ended.output.clone())?;
    is_as_wanted(&waiting.ends()?)
}

/// A script that changes some megabytes of memory all the time, and what it says in the end.
const BUSY: &str = "echo ready; awk 'BEGIN { while (i++ < 3000000) a[i % 70000] += i; \
    for (k in a) s = (s + a[k]) % 1000000007; print s }'; echo end";
const BUSY_SAYS: &str = "1468500\nend\n";

/// Starts a machine that goes to `address` and runs a script, and waits for its first line.
fn start(address: &str, script: &str) -> Result<(Child, BufReader<std::io::PipeReader>)> {
    let (reader, writer) = std::io::pipe().at("pipe")?;
    let mut command = command(host()?)?;
    command.args(["--cpus", "2", "--migrate-to", address, "--", "sh", "-c", script]);
    command.stdin(Stdio::null());
    command.stdout(writer.try_clone().at("pipe")?).stderr(writer);
    let child = command.spawn().at("machine")?;
    drop(command);
    let mut output = BufReader::new(reader);
    let mut line = String::new();
    output.read_line(&mut line).at("machine")?;
    check(line == "ready\n", || line.clone())?;
    Ok((child, output))
}

/// All that a machine says and how it ends.
fn ends(mut child: Child, mut output: BufReader<std::io::PipeReader>) -> Result<machine::Ended> {
    let status = machine::wait(&mut child, LIMIT)?;
    let mut text = String::new();
    output.read_to_string(&mut text).at("machine")?;
    Ok(machine::Ended { status, output: text })
}

fn by_signal() -> Result<()> {
    let place = Place::new("migrate-signal")?;
    goes_at_a_signal(&format!("unix:{}", place.path("socket")))
}

fn over_tcp() -> Result<()> {
    let free = std::net::TcpListener::bind("[::1]:0").or_else(|_| {
        // A host without IPv6.
        std::net::TcpListener::bind("127.0.0.1:0")
    });
    let address = free.and_then(|listener| listener.local_addr()).at("port")?;
    goes_at_a_signal(&format!("tcp:{address}"))
}

fn goes_at_a_signal(address: &str) -> Result<()> {
    let waiting = Waiting::start(host()?, address, &["--cpus", "1"])?;
    let (child, output) = start(address, BUSY)?;
    machine::signal(&child, Signal::USR1)?;
    let ended = ends(child, output)?;
    has_status(&ended, 0)?;
    check(ended.output.starts_with("note: the machine goes on"), || ended.output.clone())?;
    let ended = waiting.ends()?;
    has_status(&ended, 0)?;
    check(ended.output == BUSY_SAYS, || ended.output.clone())
}

/// What a relay does to what the machine that goes sends.
#[derive(Clone, Copy)]
enum Fault {
    None,
    /// Breaks the connection in front of that byte.
    Cut(usize),
    /// Changes a bit of that byte.
    Flip(usize),
    /// Answers never come back, but for so many bytes.
    Mute(usize),
    /// That process is killed in front of that byte, as soon as its number is known.
    Kill(usize, &'static AtomicI32),
}

/// Leads one connection to a machine that waits at another path; how many bytes went there.
fn relay(from: &str, to: &str, fault: Fault) -> Result<Arc<AtomicUsize>> {
    let listener = UnixListener::bind(from).at(from)?;
    let (to, count) = (to.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || -> std::io::Result<()> {
        let (mut near, _) = listener.accept()?;
        let mut far = UnixStream::connect(to)?;
        let (mut back_from, mut back_to) = (far.try_clone()?, near.try_clone()?);
        let back = thread::spawn(move || -> std::io::Result<()> {
            let mut left = if let Fault::Mute(bytes) = fault { bytes } else { usize::MAX };
            let mut buffer = [0; 64];
            loop {
                let n = back_from.read(&mut buffer)?;
                if n == 0 {
                    return back_to.shutdown(std::net::Shutdown::Both);
                }
                let passed = n.min(left);
                left -= passed;
                back_to.write_all(&buffer[..passed])?;
                if passed < n {
                    return back_to.shutdown(std::net::Shutdown::Both);
                }
            }
        });
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = near.read(&mut buffer)?;
            let start = counted.load(Ordering::Relaxed);
            let mut bytes = &mut buffer[..n];
            match fault {
                Fault::Cut(at) if at < start + n => bytes = &mut bytes[..at - start],
                Fault::Kill(at, victim) if (start..start + n).contains(&at) => {
                    far.write_all(&bytes[..at - start])?;
                    bytes = &mut bytes[at - start..];
                    while victim.load(Ordering::SeqCst) == 0 {
                        thread::yield_now();
                    }
                    if let Some(pid) = Pid::from_raw(victim.load(Ordering::SeqCst)) {
                        // It is a child that nobody has waited for.
                        rustix::process::kill_process(pid, Signal::KILL)?;
                    }
                }
                Fault::Flip(at) if (start..start + n).contains(&at) => bytes[at - start] ^= 0x40,
                _ => {}
            }
            // It may have refused what came before.
            let written = far.write_all(bytes);
            counted.fetch_add(bytes.len(), Ordering::Relaxed);
            if n == 0 || bytes.len() < n || written.is_err() {
                break;
            }
        }
        let _ = far.shutdown(std::net::Shutdown::Both);
        let _ = near.shutdown(std::net::Shutdown::Both);
        back.join().unwrap_or(Ok(()))
    });
    Ok(count)
}

/// The guest asks for it, and tells what became of that.
const ASKS: &str = "echo ready; freeze; echo status $?";

/// A machine that asks to go, by way of a relay: what both said, and how many bytes went over it.
fn by_relay(name: &str, fault: Fault) -> Result<(machine::Ended, machine::Ended, usize)> {
    let place = Place::new(name)?;
    let (near, far) = (place.path("near"), place.path("far"));
    let waiting = Waiting::start(host()?, &format!("unix:{far}"), &[])?;
    let count = relay(&near, &far, fault)?;
    let (child, output) = start(&format!("unix:{near}"), ASKS)?;
    let source = ends(child, output)?;
    let target = waiting.ends()?;
    Ok((source, target, count.load(Ordering::Relaxed)))
}

/// How many bytes go over the line in all.
fn length() -> Result<usize> {
    static LENGTH: Mutex<usize> = Mutex::new(0);
    let mut length = LENGTH.lock().unwrap_or_else(PoisonError::into_inner);
    if *length == 0 {
        let (source, target, count) = by_relay("migrate-length", Fault::None)?;
        has_status(&source, 0)?;
        has_status(&target, 0)?;
        check(target.output == "status 0\n", || target.output.clone())?;
        *length = count;
    }
    Ok(*length)
}

/// The machine has stayed where it was, and has said so; the other one has refused it.
fn has_stayed(source: &machine::Ended, target: &machine::Ended) -> Result<()> {
    has_status(source, 0)?;
    let says = |text| source.output.contains(text);
    check(
        says("error: the machine stays here: ") && source.output.ends_with("status 1\n"),
        || source.output.clone(),
    )?;
    has_status(target, 73)
}

fn broken() -> Result<()> {
    let length = length()?;
    let everywhere = (0..16).map(|n| length * n / 16);
    // In the hello, in a run's head, in the body, in front of and inside of the last word. A machine is never
    // as long as another one by some bytes.
    let places = everywhere.chain([1, 8, 55, 56, 60, 100]);
    for at in places {
        let (source, target, _) = by_relay(&format!("migrate-cut-{at}"), Fault::Cut(at))?;
        has_stayed(&source, &target).map_err(|error| error.at(format_args!("cut at {at}")))?;
    }
    Ok(())
}

fn damaged() -> Result<()> {
    let length = length()?;
    for at in (0..14).map(|n| length * n / 15).chain([1, 8, 20, 48, 57, 65, 73, 81]) {
        let (source, target, _) = by_relay(&format!("migrate-flip-{at}"), Fault::Flip(at))?;
        has_stayed(&source, &target).map_err(|error| error.at(format_args!("changed at {at}")))?;
    }
    Ok(())
}

/// The last answer does not come back.
fn unknown() -> Result<()> {
    const READY: usize = 8;
    let place = Place::new("migrate-unknown")?;
    let (near, far) = (place.path("near"), place.path("far"));
    let waiting = Waiting::start(host()?, &format!("unix:{far}"), &[])?;
    relay(&near, &far, Fault::Mute(READY))?;
    let (child, mut output) = start(&format!("unix:{near}"), ASKS)?;
    let target = waiting.ends()?;
    has_status(&target, 0)?;
    check(target.output == "status 0\n", || target.output.clone())?;
    let mut said = String::new();
    output.read_line(&mut said).at("machine")?;
    output.read_line(&mut said).at("machine")?;
    let hint = format!("kill -USR1 {}", child.id());
    check(said.contains("it is not known") && said.contains(&hint), || said.clone())?;
    // It does not run until it is told to.
    machine::signal(&child, Signal::USR1)?;
    let source = ends(child, output)?;
    has_status(&source, 0)?;
    check(source.output.ends_with("status 1\n"), || source.output.clone())
}

/// `MIGRATE_KILLS=200` has so many killed, each at another place of what goes over the line.
fn killed() -> Result<()> {
    const KILLS: u64 = 10;
    let length = length()? as u64;
    let count = number("MIGRATE_KILLS").unwrap_or(KILLS);
    for n in 0..count {
        // Spread over all of it, and each fourth one close to the end, where the last words are said.
        let at = if n % 4 == 3 { length - 1 - n % 24 } else { length * n / count };
        for kills_source in [true, false] {
            kill(at as usize, kills_source)
                .map_err(|error| error.at(format_args!("{kills_source} killed at {at}")))?;
        }
    }
    Ok(())
}

/// Kills one of both; the other one alone says that it has come to the end, or neither does if it was the machine that
/// was killed.
fn kill(at: usize, kills_source: bool) -> Result<()> {
    let place = Place::new(&format!("migrate-kill-{at}-{kills_source}"))?;
    let (near, far) = (place.path("near"), place.path("far"));
    let waiting = Waiting::start(host()?, &format!("unix:{far}"), &[])?;
    let victim: &AtomicI32 = Box::leak(Box::default());
    relay(&near, &far, Fault::Kill(at, victim))?;
    let (child, mut output) = start(&format!("unix:{near}"), ASKS)?;
    let pid = if kills_source { child.id() } else { waiting.child.id() };
    victim.store(pid.cast_signed(), Ordering::SeqCst);
    let mut said = String::new();
    while !kills_source && !said.contains("status") {
        if output.read_line(&mut said).at("machine")? == 0 {
            break;
        }
        if said.contains("kill -USR1") {
            machine::signal(&child, Signal::USR1)?;
        }
    }
    let source = ends(child, output)?;
    let target = waiting.ends()?;
    let said = said + &source.output;
    let source_runs = said.contains("status 1\n");
    let target_runs = target.output.contains("status 0\n");
    let has_gone = said.contains("the machine goes on");
    let what = || format!("{:?} {said}\n{:?} {}", source.status, target.status, target.output);
    check(!(source_runs && target_runs), what)?;
    if kills_source {
        // It was told to run, or has refused.
        let refused = target.status.and_then(|status| status.code()) == Some(73);
        check(!source_runs && (target_runs != refused), what)
    } else {
        // Less may go over the line than the time before: then nobody was killed.
        let lives = target.status.is_some_and(|status| status.success());
        check(target_runs == lives && source_runs != has_gone && (has_gone || !lives), what)
    }
}

/// Both are given the same disk. While one has it, nobody else can.
fn disk() -> Result<()> {
    let place = Place::new("migrate-disk")?;
    let (disk, address) = (place.path("disk"), format!("unix:{}", place.path("socket")));
    fs::write(&disk, vec![0; 1 << 20]).at(&disk)?;
    let script = "echo first >/dev/vda; sync; freeze; s=$?; read x </dev/vda; echo then $x $s";
    let goes = ["--disk", &disk, "--migrate-to", &address, "--", "sh", "-c", script];
    let ended = run(host()?, &goes)?;
    check(ended.output.ends_with("then first 1\n"), || ended.output.clone())?;
    let waiting = Waiting::start(host()?, &address, &["--disk", &disk])?;
    has_status(&run(host()?, &goes)?, 0)?;
    let ended = waiting.ends()?;
    has_status(&ended, 0)?;
    check(ended.output == "then first 0\n", || ended.output.clone())?;
    // One that waits with another disk is refused, and the first one has its own back.
    let other = place.path("other");
    fs::write(&other, vec![0; 1 << 21]).at(&other)?;
    let waiting = Waiting::start(host()?, &address, &["--disk", &other])?;
    let ended = run(host()?, &goes)?;
    has_status(&waiting.ends()?, 73)?;
    check(ended.output.ends_with("then first 1\n"), || ended.output.clone())
}

fn refused() -> Result<()> {
    let place = Place::new("migrate-refused")?;
    let address = format!("unix:{}", place.path("socket"));
    let (child, output) = start(&address, ASKS)?;
    let ended = ends(child, output)?;
    has_status(&ended, 0)?;
    let says = |text| ended.output.contains(text);
    check(says("nobody waits for it\nhint: ") && says("status 1"), || ended.output.clone())?;
    // Asked from outside while the guest runs.
    let (child, mut output) = start(&address, "echo ready; sleep 1; echo end")?;
    machine::signal(&child, Signal::USR1)?;
    let mut line = String::new();
    output.read_line(&mut line).at("machine")?;
    check(line == "error: the machine stays here: nobody waits for it\n", || line.clone())?;
    let ended = ends(child, output)?;
    check(ended.output.ends_with("\nend\n"), || ended.output.clone())?;
    // The other one has another kernel, or no frames.
    let mut plain = machine::command(host()?, &crate::vm(host()?)?)?;
    plain.args(["--incoming", &address]);
    let waiting = Waiting::start_command(plain, host()?)?;
    let (child, output) = start(&address, ASKS)?;
    let (source, target) = (ends(child, output)?, waiting.ends()?);
    has_stayed(&source, &target)?;
    check(target.output.contains("hint: build"), || target.output.clone())?;
    for options in [
        &["--freeze-to", "x", "--migrate-to", "unix:y"][..],
        &["--resume", "x", "--incoming", "unix:y"],
        &["--incoming", "unix:y", "--", "true"],
        &["--incoming", "tcp:192.0.2.1:99"],
        &["--migrate-to", "here"],
    ] {
        let ended = run(host()?, options)?;
        has_status(&ended, 2)?;
        check(ended.output.contains("\nhint: "), || ended.output.clone())?;
    }
    fs::write(place.path("taken"), []).at("taken")?;
    let ended = run(host()?, &["--incoming", &format!("unix:{}", place.path("taken"))])?;
    has_status(&ended, 70)?;
    check(ended.output.contains("another program uses it"), || ended.output.clone())
}

fn strangers() -> Result<()> {
    for said in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 4096], b"LINNETMV\x09\0\0\0\0\0\0\0"] {
        let place = Place::new("migrate-strangers")?;
        let path = place.path("socket");
        let waiting = Waiting::start(host()?, &format!("unix:{path}"), &[])?;
        let until = Instant::now() + LIMIT;
        let mut stream = loop {
            match UnixStream::connect(&path) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > until => return Err(error).at(&path),
                Err(_) => thread::yield_now(),
            }
        };
        // It may have gone before all is said.
        let _ = stream.write_all(said);
        drop(stream);
        let ended = waiting.ends()?;
        has_status(&ended, 73)?;
        check(ended.output.starts_with("error: "), || ended.output.clone())?;
    }
    Ok(())
}
