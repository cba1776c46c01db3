//! The host's debugger at work on a boot binary: lines and frames of a program that was compiled with
//! `-g`, and frames of the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Error, Files, Result, Target, host};

use crate::{Outcome, Test, builder, directory, machine};

const LIMIT: Duration = Duration::from_secs(60);

/// Where the program lies in the guest.
const PROGRAM: &str = "lines";

/// Faults are how the guest's memory works. A copy of an instruction, on which gdb steps over a break, must
/// not be what a task is interrupted in.
const PREPARE: [&str; 5] = [
    "set debuginfod enabled off",
    "set pagination off",
    "set confirm off",
    "handle SIGSEGV nostop noprint pass",
    "set displaced-stepping off",
];

pub(crate) fn tests(target: Target) -> Vec<Test> {
    [
        test("stops-at-a-line-and-shows-those-of-the-callers", target, lines),
        test("walks-from-the-kernel-into-the-program", target, kernel),
    ]
    .into()
}

fn test(name: &str, target: Target, body: fn(Target) -> Outcome) -> Test {
    (format!("debugger::{name}"), Box::new(move || body(target)))
}

fn lines(target: Target) -> Outcome {
    let source = source()?;
    let stop = format!("break lines.c:{}", line(&source, "stop")?);
    // QEMU's side of the debugger takes a step of one thread for a break in another now and then.
    let cpus = if target == host()? { "2" } else { "1" };
    let output = debug(target, cpus, &[&stop], &["backtrace", "next"])?;
    let expected = [
        format!("inner () at {}:{}", source.display(), line(&source, "stop")?),
        format!("in folded () at {}:{}", source.display(), line(&source, "call of inner")?),
        format!("middle () at {}:{}", source.display(), line(&source, "call of folded")?),
        format!("in main () at {}:{}", source.display(), line(&source, "call of middle")?),
        format!("{}\t\treturn n + 1;", line(&source, "next")?),
    ];
    holds(&output, &expected)
}

fn kernel(target: Target) -> Outcome {
    let source = source()?;
    // The first break is in the program, so that the second is not for those that ran before it.
    let stop = format!("break lines.c:{}", line(&source, "call of write")?);
    // One vCPU, so that nothing else of the guest runs into the break.
    let commands = ["delete", "break ksys_write", "continue", "backtrace"];
    let output = debug(target, "1", &[&stop], &commands)?;
    let expected = [
        "in ksys_write ()".to_owned(),
        "in linnet_kernel_syscall ()".to_owned(),
        "in __syscall_cp ()".to_owned(),
        format!("in main () at {}:{}", source.display(), line(&source, "call of write")?),
        "in _start ()".to_owned(),
    ];
    holds(&output, &expected)
}

fn source() -> Result<PathBuf> {
    let path = directory().join("debugger/lines.c");
    path.canonicalize().at(path.display())
}

/// Number of the line that ends in that comment.
fn line(source: &Path, comment: &str) -> Result<usize> {
    let text = fs::read_to_string(source).at(source.display())?;
    let comment = format!("/* {comment} */");
    let found = text.lines().position(|line| line.ends_with(&comment));
    Ok(1 + found.ok_or_else(|| Error::new(format!("no line with {comment}")))?)
}

/// Whether all of it is there, in this order.
fn holds(output: &str, expected: &[String]) -> Outcome {
    let mut rest = output;
    for text in expected {
        match rest.split_once(text.as_str()) {
            Some((_, after)) => rest = after,
            None => return Err(format!("not found, or too early: {text}\n{output}").into()),
        }
    }
    Ok(())
}

/// What the debugger prints for `commands`, after it has run the program on so many vCPUs to a break of
/// `breaks`.
fn debug(target: Target, cpus: &str, breaks: &[&str], commands: &[&str]) -> Result<String> {
    let builder = builder()?;
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debugger");
    fs::create_dir_all(&work).at(work.display())?;
    let binary = build(target, &work)?;
    let mut script: Vec<String> = PREPARE.map(str::to_owned).to_vec();
    script.extend(breaks.iter().copied().map(str::to_owned));

    let arguments = ["--no-sandbox", "--cpus", cpus, "--", &format!("/{PROGRAM}")].join(" ");
    let mut emulator = None;
    if target == host()? {
        script.push(format!("run {arguments}"));
    } else {
        let socket = work.join(format!("{}-{:?}", target.name(), thread::current().id()));
        let _ = fs::remove_file(&socket);
        let child = Command::new(builder.emulator(target)?)
            .arg("-g")
            .arg(&socket)
            .arg(&binary)
            .args(arguments.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .at("emulator")?;
        emulator = Some(child);
        let started = Instant::now();
        while !socket.exists() && started.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(10));
        }
        script.push(format!("target remote {}", socket.display()));
        script.push("continue".to_owned());
    }
    script.extend(commands.iter().copied().map(str::to_owned));
    script.push("kill".to_owned());

    let mut debugger = Command::new(builder.debugger()?);
    debugger.args(["-nx", "-quiet", "-batch"]);
    for command in &script {
        debugger.args(["-ex", command]);
    }
    let ended = machine::run(debugger.arg(&binary), &[], machine::limit(target, LIMIT));
    if let Some(mut emulator) = emulator {
        machine::wait(&mut emulator, Duration::from_secs(1))?;
    }
    Ok(ended?.output)
}

fn build(target: Target, work: &Path) -> Result<PathBuf> {
    let builder = builder()?;
    let source = source()?;
    let program = work.join(format!("{PROGRAM}-{:?}.wasm", thread::current().id()));
    let mut compiler = builder.sdk()?.compiler();
    let output = compiler.args(["-g", "-O1", "-o"]).args([&program, &source]).output();
    let output = output.at("clang-19")?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr)).at(source.display()));
    }
    let mut files = Files::default();
    files.add(PROGRAM, &program)?;
    builder.boot_binary(target, &files)
}
