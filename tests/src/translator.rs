//! Programs that are no part of the boot binary: they are translated when the guest starts them.
//!
//! In the boot binary they are data, with a byte before the module: what is a module would be translated by the build.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{At as _, Error, Files, Result, Target, host};
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::linnet;
use crate::{Once, Test, boot_binary, builder, directory, freeze, machine};

const LIMIT: Duration = Duration::from_secs(120);

/// Programs of `guest`: what they test must hold for such programs, too.
const PROGRAMS: [&str; 21] = [
    "contexts-take-turns",
    "division-by-zero-dies-of-sigfpe",
    "exec-ends-the-other-threads",
    "exec-passes-arguments-and-environment",
    "exit-status-is-that-of-main-after-atexit",
    "floating-point-follows-ieee-754",
    "fork-copies-memory",
    "fork-deep-in-recursion-returns-through-every-frame",
    "fork-from-a-signal-handler-returns-twice",
    "functions-are-called-with-any-type",
    "handlers-nest",
    "kill-ends-endless-loop",
    "longjmp-unwinds-many-frames",
    "mutexes-of-every-kind-keep-their-rules",
    "null-pointer-dies-of-sigsegv",
    "siglongjmp-out-of-segv-handler",
    "stack-overflow-is-handled-on-the-alternate-stack",
    "tail-calls-need-no-stack",
    "threads-share-memory",
    "vectors-agree-with-scalars",
    "vfork-then-exec",
];

/// The smallest program that says something.
const SMALL: &str = "small";

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let test = |name: &str, run: fn(Target) -> Result<()>| -> Test {
        (format!("translator::{name}"), Box::new(move || Ok(run(target)?)))
    };
    let mut tests = vec![
        test("new-programs-do-what-those-of-the-build-do", programs),
        test("a-program-is-known-by-what-is-in-it", contents),
        test("damaged-modules-are-refused-and-harm-nobody", damage),
        test("without-it-the-log-says-why-nothing-starts", without),
        test("its-end-is-not-the-machines", ended),
    ];
    if host().is_ok_and(|host| host == target) {
        tests.extend([
            test("more-programs-than-a-machine-holds-run-in-turn", many),
            test("what-it-keeps-is-found-again-unless-damaged", kept),
            test("a-machine-that-runs-one-is-not-frozen", frozen),
            test("what-others-may-write-is-no-place-to-keep-code", others),
        ]);
    }
    tests
}

/// Makes a program of `/new`.
const SETUP: &str = r#"
cd /tmp
new() { tail -c +2 /new/$1 > $1 && chmod +x $1; }
"#;

/// The boot binary that has the programs as data.
fn binary(target: Target) -> Result<&'static Path> {
    static BINARIES: [OnceLock<Once<PathBuf>>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    let binary = &BINARIES[target as usize];
    binary.get_or_init(|| Once::new(build(target))).get().map(PathBuf::as_path)
}

fn build(target: Target) -> Result<PathBuf> {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("translator").join(target.name());
    fs::create_dir_all(&work).at(work.display())?;
    let mut sources: Vec<PathBuf> = Vec::new();
    for name in PROGRAMS {
        sources.push(directory().join(format!("guest/{name}.c")));
    }
    sources.push(directory().join(format!("translator/{SMALL}.c")));
    let modules = builder()?.guest_programs(sources.iter().map(PathBuf::as_path), target)?;
    let mut files = Files::default();
    for (source, module) in sources.iter().zip(modules) {
        let name = source.file_stem().unwrap_or_default();
        let module = module?;
        let mut data = vec![b'x'];
        data.extend(fs::read(&module).at(module.display())?);
        let place = work.join(name);
        fs::write(&place, data).at(place.display())?;
        files.add(&format!("new/{}", name.display()), &place)?;
    }
    boot_binary(target, files)
}

fn command(target: Target, options: &[&str], script: &str) -> Result<Command> {
    let mut command = machine::command(target, binary(target)?)?;
    command.args(options).args(["--", "sh", "-c", &format!("{SETUP}{script}")]);
    Ok(command)
}

/// What a machine with a translator prints.
fn output(target: Target, options: &[&str], script: &str) -> Result<String> {
    let linnet = linnet()?;
    let translator = ["--translator", linnet.to_str().unwrap_or_default()];
    let options = [&translator[..], options].concat();
    output_without(target, &options, script)
}

fn output_without(target: Target, options: &[&str], script: &str) -> Result<String> {
    let limit = machine::limit(target, LIMIT);
    let ended = machine::run(&mut command(target, options, script)?, &[], limit)?;
    let lines = ended.output.lines().filter(|line| !line.starts_with("warning: "));
    let output: String = lines.map(|line| format!("{line}\n")).collect();
    match ended.status {
        Some(status) if status.success() => Ok(output),
        status => Err(Error::new(format!("{status:?}\n{output}"))),
    }
}

fn expect(found: &str, wanted: &str) -> Result<()> {
    match found == wanted {
        true => Ok(()),
        false => Err(Error::new(format!("expected:\n{wanted}\nfound:\n{found}"))),
    }
}

fn programs(target: Target) -> Result<()> {
    let script = format!(
        "for name in {}; do new $name; ./$name || echo $name: $?; done > log 2>&1 < /dev/null; cat log",
        PROGRAMS.join(" ")
    );
    let output = output(target, &[], &script)?;
    match PROGRAMS.iter().find(|name| output.contains(&format!("{name}: "))) {
        None => Ok(()),
        Some(_) => Err(Error::new(output)),
    }
}

fn contents(target: Target) -> Result<()> {
    // A custom section, and another text in the place of that which is printed.
    let script = r#"
new small
./small one; echo $?
./small two; echo $?
cp small same && ./same three; echo $?
printf '\0\2\1a' >> small && ./small four; echo $?
sed s/arguments/ARGUMENTS/ same > other && chmod +x other && ./other five; echo $?
./same six; echo $?
(./same seven & ./other eight & wait) | sort
"#;
    let wanted = "2 arguments, the last is one\n2\n2 arguments, the last is two\n2\n\
        2 arguments, the last is three\n2\n2 arguments, the last is four\n2\n\
        2 ARGUMENTS, the last is five\n2\n2 arguments, the last is six\n2\n\
        2 ARGUMENTS, the last is eight\n2 arguments, the last is seven\n";
    expect(&output(target, &[], script)?, wanted)
}

fn damage(target: Target) -> Result<()> {
    let is_host = host().is_ok_and(|host| host == target);
    let count = if is_host { 300 } else { 30 };
    let script = format!(
        r#"
new small
size=$(stat -c %s small)
head -c 500 small > short && chmod +x short && ./short 2> /dev/null; echo $?
printf 'env.x' > foreign
sed 's/syscall/sysKall/' small > foreign && chmod +x foreign && ./foreign 2> /dev/null; echo $?
dmesg | grep -q 'short: not translated: ' || dmesg
dmesg | grep -q 'foreign: not translated: .*unknown import' || dmesg
for n in $(seq {count}); do
    cp small damaged
    at=$((($RANDOM * 32768 + $RANDOM) % $size))
    head -c 2 /dev/urandom | dd of=damaged bs=1 seek=$at conv=notrunc 2> /dev/null
    timeout -s KILL 2 ./damaged > /dev/null 2>&1
done
./small end
true
"#
    );
    // What is no program is read as a script by a shell, which then finds no command of it.
    let output = output(target, &[], &script)?;
    let mut lines = output.lines();
    let statuses: Vec<&str> = lines.by_ref().take(2).collect();
    let refused = statuses.iter().all(|status| *status != "0");
    expect(&lines.collect::<String>(), "2 arguments, the last is end")?;
    if refused { Ok(()) } else { Err(Error::new(output)) }
}

fn without(target: Target) -> Result<()> {
    let script = "new small; ./small 2> /dev/null; dmesg | grep -o 'small: .*'";
    let line = "small: WebAssembly module that is not translated, and the machine was started without --translator\n";
    let output = output_without(target, &[], script)?;
    // The shell looks twice: it tries whether that is a script.
    let found: Vec<&str> = output.split_inclusive('\n').collect();
    match !found.is_empty() && found.iter().all(|found| *found == line) {
        true => Ok(()),
        false => Err(Error::new(output)),
    }
}

/// Kills the translator of a running machine.
fn ended(target: Target) -> Result<()> {
    let script = r#"
new small
./small before
read line
printf '\0\2\1a' >> small
./small after 2> /dev/null || echo refused
new small
./small again
"#;
    let linnet = linnet()?;
    let mut machine =
        command(target, &["--translator", linnet.to_str().unwrap_or_default()], script)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .at("machine")?;
    let said = converse(&mut machine);
    // It may have ended already.
    let _ = machine.kill();
    let _ = machine.wait();
    // What was translated before is there still.
    let wanted = "2 arguments, the last is before\nrefused\n2 arguments, the last is again\n";
    expect(&said?, wanted)
}

fn converse(machine: &mut Child) -> Result<String> {
    let missing = || Error::new("not a pipe");
    let mut output = BufReader::new(machine.stdout.take().ok_or_else(missing)?);
    let mut input = machine.stdin.take().ok_or_else(missing)?;
    let mut said = String::new();
    output.read_line(&mut said).at("machine")?;
    let pid = machine.id();
    let children = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(&children).at(&children)?;
    for child in children.split_whitespace() {
        let pid = child.parse().ok().and_then(Pid::from_raw).ok_or_else(missing)?;
        kill_process(pid, Signal::KILL).at("translator")?;
    }
    input.write_all(b"go\n").at("machine")?;
    drop(input);
    while output.read_line(&mut said).at("machine")? > 0 {}
    Ok(said)
}

fn many(target: Target) -> Result<()> {
    let script = r#"
new small
for n in $(seq 700); do
    cp small other
    printf "\0\5\004$(printf %04d $n)" >> other
    ./other $n > line || echo failed
    grep -q "is $n\$" line || cat line
done
./small end
"#;
    // Its status is the number of its arguments.
    let script = script.replace("|| echo failed", "; [ $? = 2 ] || echo failed");
    let script = format!("{script}\ntrue");
    expect(&output(target, &[], &script)?, "2 arguments, the last is end\n")
}

fn kept(target: Target) -> Result<()> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("translator/kept");
    let _ = fs::remove_dir_all(&place);
    let options = ["--code-cache", place.to_str().unwrap_or_default()];
    let run = || -> Result<Vec<PathBuf>> {
        let output = output(target, &options, "new small; ./small kept; true")?;
        expect(&output, "2 arguments, the last is kept\n")?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&place).at(place.display())? {
            found.push(entry.at(place.display())?.path());
        }
        Ok(found)
    };
    let first = run()?;
    let [file] = &first[..] else { return Err(Error::new(format!("{first:?}"))) };
    let whole = fs::read(file).at(file.display())?;
    for damaged in [&whole[..whole.len() / 2], b"", &[&whole[..], b"x"].concat()] {
        fs::write(file, damaged).at(file.display())?;
        if run()? != first || fs::read(file).at(file.display())? != whole {
            return Err(Error::new("it was not made anew"));
        }
    }
    // What is found is used, and not made again.
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.created());
    let before = time(file).ok();
    run()?;
    if time(file).ok() == before { Ok(()) } else { Err(Error::new("it was made twice")) }
}

fn frozen(target: Target) -> Result<()> {
    let place = freeze::Place::new("translator-frozen")?;
    let script = r#"
cat > /tmp/small && chmod +x /tmp/small
/tmp/small waiting > /tmp/log &
until grep -qs waiting /tmp/log; do sleep 0.1; done
freeze 2> /dev/null || echo refused
dmesg | grep -o 'small ([0-9]*) was translated when it was started' | tr -d 0-9
kill $!
wait
/tmp/small gone
freeze && echo frozen
"#;
    let source = directory().join(format!("translator/{SMALL}.c"));
    let modules = builder()?.guest_programs(std::iter::once(source.as_path()), target)?;
    let module = modules.into_iter().next().ok_or_else(|| Error::new("no module"))??;
    let module = fs::read(&module).at(module.display())?;
    let linnet = linnet()?;
    let mut command = freeze::command(target)?;
    command.arg("--translator").arg(linnet).args(["--freeze-to", &place.path("snapshot")]);
    command.args(["--", "sh", "-c", script]);
    let ended = machine::run(&mut command, &module, LIMIT)?;
    let wanted = "refused\nsmall () was translated when it was started\n\
        2 arguments, the last is gone\nfrozen\n";
    let begins: String = ended.output.chars().take(wanted.len()).collect();
    expect(&begins, wanted)
}

fn others(target: Target) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("translator/others");
    fs::create_dir_all(&place).at(place.display())?;
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).at(place.display())?;
    let options = ["--code-cache", place.to_str().unwrap_or_default()];
    let script = "new small; ./small 2> /dev/null || echo refused";
    let output = output(target, &options, script)?;
    match output.contains("others may write or read it") && output.contains("refused") {
        true => Ok(()),
        false => Err(Error::new(output)),
    }
}
