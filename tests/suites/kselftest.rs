//! The selftests of the kernel's source, program by program, each in a machine of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Builder, Files, Result, Sdk, Target, host};

use crate::sides::{Side, Sides};
use crate::{Outcome, Results, directory, in_parallel, read, run_to_end};

/// Where the suite lies in the guest.
const PLACE: &str = "kselftest";
const SELFTESTS: &str = "tools/testing/selftests";
const SCRIPT: &str = "suite/kselftest.sh";

/// Files for the name of a program, besides its own.
const PARTS: [(&str, &[&str]); 3] = [
    ("openat2/", &["openat2/helpers.c"]),
    ("cgroup/", &["cgroup/cgroup_util.c"]),
    ("mm/", &["mm/vm_util.c", "mm/thp_settings.c"]),
];
const USERFAULTFD: (&str, &str) = ("mm/uffd", "mm/uffd-common.c");

/// What of the archive is unpacked.
const UNPACKED: [&str; 6] = ["Makefile", "arch", "include", "mm/gup_test.h", "scripts", "tools"];

/// Where the tests of seccomp stop if they do not know the registers that hold a system call, and what
/// they are told of the guest's.
const UNKNOWN_REGISTERS: (&str, &str) = (
    "seccomp/seccomp_bpf.c",
    "# error \"Do not know how to find your architecture's registers and syscalls\"",
);
const REGISTERS: &str = "# define ARCH_REGS struct user_regs_struct
# define SYSCALL_NUM(_regs) (_regs).nr
# define SYSCALL_RET(_regs) (_regs).ret";

/// What fails in the guest alone is run again so many times, and passes if it passes once: some tests
/// measure time, on a host that does other work as well.
const AGAIN: usize = 2;

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let source = unpack(builder, sides)?;
    let list = directory().join("kselftest.txt");
    let list = fs::read_to_string(&list).at(list.display())?;
    let tests: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let script = directory().join("kselftest.sh");
    sides.place_script(SCRIPT, &script)?;
    let mut files = Files::default();
    files.add(SCRIPT, &script)?;

    let sdk = builder.sdk()?;
    let mut programs: Vec<&str> = tests.iter().filter_map(|test| test.split(' ').next()).collect();
    // Programs that others run.
    programs.extend(["splice/default_file_splice_read", "splice/splice_read"]);
    programs.dedup();
    for (place, file) in
        in_parallel(&programs, |program| compile(sides, &sdk, &source, program))?.iter().flatten()
    {
        files.add(place, file)?;
    }
    let execveat = source.join(SELFTESTS).join("exec/script");
    fs::write(&execveat, "#!/bin/sh\nexit $*\n").at(execveat.display())?;
    let place = format!("{PLACE}/exec/script");
    sides.place_script(&place, &execveat)?;
    files.add(&place, &execveat)?;

    let binary = builder.boot_binary(host()?, &files)?;
    let outcomes = in_parallel(&tests, |test| both(sides, &binary, test))?;
    Ok(outcomes.into_iter().collect())
}

/// Unpacks the kernel's source, with its headers for native programs in `headers`.
fn unpack(builder: &Builder, sides: &Sides) -> Result<PathBuf> {
    let source = sides.work("kselftest");
    let headers = source.join("headers");
    if headers.exists() {
        return Ok(source);
    }
    fs::create_dir_all(&source).at(source.display())?;
    let archive = builder.source_file("linux-6.12")?;
    let mut tar = Command::new("tar");
    tar.arg("xf").arg(&archive).args(["--strip-components=1", "--wildcards", "-C"]).arg(&source);
    run_to_end(tar.args(UNPACKED.map(|part| format!("*-6.*/{part}"))))?;

    let tests = source.join(SELFTESTS);
    let (test, unknown) = UNKNOWN_REGISTERS;
    let seccomp = tests.join(test);
    let text = fs::read_to_string(&seccomp).at(seccomp.display())?;
    fs::write(&seccomp, text.replace(unknown, REGISTERS)).at(seccomp.display())?;
    // liburing is not used.
    let configured = tests.join("mm/local_config.h");
    fs::write(&configured, "").at(configured.display())?;

    let architecture = match host()? {
        Target::X86_64 => "x86",
        Target::Aarch64 => "arm64",
        Target::Riscv64 => "riscv",
    };
    let mut make = Command::new("make");
    make.arg("-C").arg(&source).args(["-s", "headers_install"]).arg(format!("ARCH={architecture}"));
    let staging = source.join("headers.new");
    run_to_end(make.arg(format!("INSTALL_HDR_PATH={}", staging.display())))?;
    fs::rename(staging.join("include"), &headers).at(headers.display())?;
    Ok(source)
}

/// A place in the guest and what lies there, if the program can be compiled for both sides.
fn compile(
    sides: &Sides,
    sdk: &Sdk,
    source: &Path,
    program: &str,
) -> Result<Option<(String, PathBuf)>> {
    let tests = source.join(SELFTESTS);
    let place = format!("{PLACE}/{program}");
    if program.ends_with(".sh") {
        let file = tests.join(program);
        sides.place_script(&place, &file)?;
        return Ok(Some((place, file)));
    }
    let wasm = sides.work(&format!("kselftest-{:.16}", sdk.digest().to_string())).join(program);
    fs::create_dir_all(wasm.parent().unwrap_or(&wasm)).at(wasm.display())?;
    let mut parts = vec![format!("{program}.c")];
    for (prefix, more) in PARTS {
        if program.starts_with(prefix) {
            parts.extend(more.iter().map(|part| (*part).to_owned()));
        }
    }
    if program.starts_with(USERFAULTFD.0) {
        parts.push(USERFAULTFD.1.to_owned());
    }
    let folder = Path::new(program).parent().unwrap_or(Path::new("."));
    let said = sides.compile(sdk, &sides.native_file(&place)?, &wasm, |compiler, side| {
        compiler.current_dir(&tests).args(["-O2", "-w", "-pthread", "-D_GNU_SOURCE"]);
        compiler.args(["-Wno-int-conversion", "-Wno-implicit-function-declaration"]);
        compiler.arg("-include").arg(directory().join("kselftest.h"));
        compiler.arg("-I").arg(directory().join("include")).arg("-I.").arg("-I").arg(folder);
        compiler.arg("-I").arg(folder.join("../include")).arg("-I").arg(source);
        if matches!(side, Side::Native) {
            compiler.arg("-isystem").arg(source.join("headers"));
        }
        compiler.args(&parts).arg("-lm");
    })?;
    match said {
        None => Ok(Some((place, wasm))),
        Some(said) => {
            let log = sides.logs().join(format!("kselftest-{}", program.replace('/', "-")));
            fs::write(&log, said).at(log.display())?;
            println!("  not compiled: {program}, see {}", log.display());
            Ok(None)
        }
    }
}

/// Runs a test on both sides.
fn both(sides: &Sides, binary: &Path, test: &str) -> Result<(Results, Results)> {
    let name = format!("kselftest-{}", test.replace(['/', ' '], "-"));
    let input = format!("{test}\n");
    let native = read(&sides.run_script(&name, Side::Native, SCRIPT, input.as_bytes())?);
    let mut guest = Results::new();
    for _ in 0..=AGAIN {
        let results =
            read(&sides.run_script(&name, Side::Guest(binary), SCRIPT, input.as_bytes())?);
        for (test, passed) in results {
            *guest.entry(test).or_default() |= passed;
        }
        if native.iter().all(|(test, passed)| !passed || guest.get(test) == Some(&true)) {
            break;
        }
    }
    Ok((native, guest))
}
