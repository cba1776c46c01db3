//! Programs of WASI as executables. `wasi/NAME.c` and `wasi/NAME.wat` end with 0 if all is as it should be; some
//! have more to show, which is here. Each gets a new directory, of which it sees what is in `in`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_abi::wasi;
use linnet_build::{At as _, Error, Executable, Result, Target, host};

use crate::{Outcome, Test, builder, directory, files, machine};

const LIMIT: Duration = Duration::from_secs(20);

/// What is said of a small program (docs/src/guides/executables-of-modules.md).
const MOST_BYTES: u64 = 200_000;
const MOST_TIME: Duration = Duration::from_millis(1);

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let mut tests: Vec<Test> = Vec::new();
    for extension in ["c", "wat"] {
        for (name, source) in files("wasi", extension)? {
            let test = move || -> Outcome { Ok(check(&Program { target, source })?) };
            tests.push((format!("wasi::{name}"), Box::new(test)));
        }
    }
    if target == host()? {
        let name = "wasi::small-program-is-small-and-starts-at-once".to_owned();
        tests.push((name, Box::new(move || Ok(small(target)?))));
    }
    Ok(tests)
}

struct Program {
    target: Target,
    source: PathBuf,
}

impl Program {
    fn name(&self) -> String {
        self.source.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A new directory for a run.
    fn place(&self) -> Result<PathBuf> {
        let name = format!("wasi-{}-{}", self.name(), self.target.name());
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        if place.exists() {
            fs::remove_dir_all(&place).at(place.display())?;
        }
        let inside = place.join("in");
        fs::create_dir_all(&inside).at(inside.display())?;
        Ok(place)
    }

    fn module(&self, place: &Path) -> Result<Vec<u8>> {
        if self.source.extension().is_some_and(|extension| extension == "wat") {
            return wat::parse_file(&self.source).at(self.source.display());
        }
        builder()?;
        let module = place.join("module.wasm");
        let mut clang = Command::new("clang-19");
        clang.args(["-O1", "-Wall", "-Wextra", "-Werror", "--target=wasm32", "-mbulk-memory"]);
        clang.args(["-nostdlib", "-ffreestanding", "-o"]).arg(&module).arg(&self.source);
        let ended = machine::run(&mut clang, &[], Duration::from_secs(60))?;
        if !ended.status.is_some_and(|status| status.success()) {
            return Err(Error::new(ended.output).at(self.source.display()));
        }
        let bytes = fs::read(&module).at(module.display())?;
        fs::remove_file(&module).at(module.display())?;
        Ok(bytes)
    }

    /// The executable, with options that are built in.
    fn executable(&self, place: &Path, words: &[&str]) -> Result<PathBuf> {
        let wasm = self.module(place)?;
        let mut what = Executable::new(&self.source, &wasm, self.target)?;
        what.words = words.iter().map(Into::into).collect();
        builder()?.executable(&what)
    }
}

fn check(program: &Program) -> Result<()> {
    let place = program.place()?;
    let name = program.name();
    let words: &[&str] = match name.as_str() {
        "arguments-and-environment" => &["--env=A=b", "--env=EMPTY=", "--env=A=c", "--dir=in::/"],
        "sockets" => &["--listenfd"],
        _ => &["--dir=in::/"],
    };
    let binary = program.executable(&place, words)?;
    let start = || -> Result<Command> {
        let mut command = machine::command(program.target, &binary)?;
        command.current_dir(&place);
        Ok(command)
    };
    let trapped = i32::try_from(wasi::TRAP_STATUS).unwrap_or_default();
    let run = |command: &mut Command, input: &[u8]| -> Result<(i32, String)> {
        let ended = machine::run(command, input, machine::limit(program.target, LIMIT))?;
        let status = ended.status.and_then(|status| status.code());
        Ok((status.unwrap_or(-1), ended.output))
    };
    let wanted = match name.as_str() {
        "arguments-and-environment" => {
            let found = run(start()?.args(["one", "", "two words"]), &[])?;
            return same(&found, 0, "");
        }
        "escapes" => return escapes(&place, &run, &start),
        "events" => return events(&mut start()?),
        "sockets" => return sockets(&place, program.target, &binary),
        "streams" => {
            let found = run(&mut start()?, b"some input\n")?;
            same(&found, trapped, "some input\nerror: trap: unreachable executed\n  in function ")?;
            let mut closed = Command::new("sh");
            closed.args(["-c", "exec \"$@\" closed <&-", "sh"]).current_dir(&place);
            let (first, more) = machine::program(program.target, &binary)?;
            return same(&run(closed.arg(first).args(more), &[])?, 0, "");
        }
        "whatever-the-caller-left" => {
            let (first, more) = machine::program(program.target, &binary)?;
            let start = |script: &str, options: &str| {
                let mut command = Command::new("sh");
                command.args(["-c", script, "sh"]).current_dir(&place);
                command.arg(&first).args(&more).env(wasi::VARIABLE, options);
                run(&mut command, &[])
            };
            let full = start("exec \"$@\" 2 3 > /dev/full", "--invoke=add")?;
            same(&full, 1, "error: standard output: No space left on device\n")?;
            let blocked =
                start("exec env --block-signal=ALRM \"$@\"", "--invoke=spin --timeout=50ms")?;
            let status = i32::try_from(wasi::TIMEOUT_STATUS).unwrap_or_default();
            return same(&blocked, status, "error: the time that --timeout gives is over\n");
        }
        "trap-in-a-thread" => {
            (trapped, "error: trap: unreachable executed\n  in function 1 \"inner\", offset 0x")
        }
        "exhausted-stack" => (trapped, "error: trap: call stack exhausted\n"),
        "exceptions" => (trapped, "error: uncaught exception\n"),
        _ => (0, ""),
    };
    same(&run(&mut start()?, &[])?, wanted.0, wanted.1)
}

/// Whether a program ended so, and what it said begins so.
fn same((status, output): &(i32, String), wanted: i32, begin: &str) -> Result<()> {
    let is_whole = !begin.is_empty() || output.is_empty();
    if *status == wanted && output.starts_with(begin) && is_whole {
        return Ok(());
    }
    Err(Error::new(format!("status {status} in place of {wanted}\n{output}")))
}

type Run<'a> = dyn Fn(&mut Command, &[u8]) -> Result<(i32, String)> + 'a;

/// On this host its kernel walks the paths; emulated, the runtime does, for the emulator has no `openat2`.
fn escapes(place: &Path, run: &Run<'_>, start: &dyn Fn() -> Result<Command>) -> Result<()> {
    let make = |path: &str, text: &str| {
        let path = place.join(path);
        fs::write(&path, text).at(path.display())
    };
    for directory in ["secrets", "in/deep"] {
        let directory = place.join(directory);
        fs::create_dir(&directory).at(directory.display())?;
    }
    make("secret", "secret")?;
    make("secrets/secret", "secret")?;
    make("in/file", "file")?;
    let absolute = place.join("secret");
    let absolute = absolute.to_string_lossy();
    for (name, target) in [
        ("absolute", &*absolute),
        ("up", "../secret"),
        ("parent", ".."),
        ("root", "/"),
        ("deep/up", "../../secret"),
        ("deep/over", "../parent"),
        ("loop", "self/loop"),
        ("self", "."),
        ("inside", "deep/../file"),
        ("process", "/proc/self/root"),
    ] {
        let path = place.join("in").join(name);
        symlink(target, &path).at(path.display())?;
    }
    let before = listing(place)?;
    same(&run(&mut start()?, &[])?, 0, "")?;
    let after = listing(place)?;
    if before == after {
        return Ok(());
    }
    Err(Error::new(format!("before: {before:?}\nafter: {after:?}")))
}

/// Names, times and sizes of what lies beside the directory.
fn listing(place: &Path) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for path in ["", "secret", "secrets", "secrets/secret"] {
        let path = place.join(path);
        let about = fs::symlink_metadata(&path).at(path.display())?;
        all.push(format!("{} {:?} {}", path.display(), about.modified().ok(), about.len()));
    }
    Ok(all)
}

/// The pipe stays open after what was written.
fn events(command: &mut Command) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .at("events")?;
    let mut input = child.stdin.take().ok_or_else(|| Error::new("no pipe"))?;
    input.write_all(b"input").at("pipe")?;
    let status = machine::wait(&mut child, LIMIT)?;
    drop(input);
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut said).at("pipe")?;
    }
    same(&(status.and_then(|status| status.code()).unwrap_or(-1), said), 0, "")
}

fn sockets(place: &Path, target: Target, binary: &Path) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").at("socket")?;
    let address = listener.local_addr().at("socket")?;
    let (first, more) = machine::program(target, binary)?;
    // Not every shell knows descriptors of two digits.
    let mut command = Command::new("bash");
    let script = format!("exec 3<&{}; LISTEN_FDS=1 exec \"$@\"", listener.as_raw_fd());
    command.args(["-c", &script, "bash"]).arg(first).args(more).current_dir(place);
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).at("socket")?;
    let client = thread::spawn(move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"question")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    let ended = machine::run(&mut command, &[], machine::limit(target, LIMIT))?;
    let status = ended.status.and_then(|status| status.code()).unwrap_or(-1);
    same(&(status, ended.output), 0, "")?;
    let answer = client.join().map_err(|_| Error::new("the client failed"))?.at("socket")?;
    if answer == "answer" { Ok(()) } else { Err(Error::new(format!("{answer:?}"))) }
}

/// What a program costs that does next to nothing.
fn small(target: Target) -> Result<()> {
    const ROUNDS: u32 = 100;
    let program = Program { target, source: directory().join("cli/wasi.wat") };
    let place = program.place()?;
    let binary = program.executable(&place, &[])?;
    let size = fs::metadata(&binary).at(binary.display())?.len();
    if size > MOST_BYTES {
        return Err(Error::new(format!("{size} bytes")));
    }
    // The machine may be busy: the best of some.
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let status = Command::new(&binary).stdin(Stdio::null()).status().at(binary.display())?;
        best = best.min(started.elapsed());
        if !status.success() {
            return Err(Error::new(status));
        }
    }
    if best < MOST_TIME { Ok(()) } else { Err(Error::new(format!("{best:?}"))) }
}
