//! bash's own tests, by the bash of `sysroot/packages` and by one of this machine.

use std::fs;
use std::process::Command;

use linnet_build::{At as _, Builder, Error, Result, host};

use crate::sides::Sides;
use crate::{Outcome, directory};

/// Programs that the tests run.
const PROGRAMS: [&str; 4] = ["printenv", "recho", "xcase", "zecho"];

const SCRIPT: &str = "suite/bash.sh";
const SHELL: &str = "usr/bin/bash";

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let work = sides.work("bash");
    let shell = work.join("bash");
    if !shell.exists() {
        let compiler = sides.native_compiler();
        let words: Vec<_> = std::iter::once(compiler.get_program())
            .chain(compiler.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        let mut build = Command::new(directory().join("bash-native.sh"));
        build.arg(&work).env("SOURCE", builder.package_source("bash")?);
        sides.build(build.env("CC", words.join(" ")))?;
    }
    fs::copy(&shell, sides.native_file(SHELL)?).at(shell.display())?;
    let script = directory().join("bash.sh");
    sides.place_script(SCRIPT, &script)?;

    let mut files = builder.files("bash")?;
    files.add(SCRIPT, &script)?;
    let sdk = builder.sdk()?;
    for program in PROGRAMS {
        let path = format!("suite/{program}");
        let source = work.join("support").join(program).with_extension("c");
        let wasm = work.join(format!("{program}-{:.16}.wasm", sdk.digest().to_string()));
        // Those of BusyBox's tests have the same names.
        let native = work.join(program);
        let said = sides.compile(&sdk, &native, &wasm, |compiler, _| {
            compiler.args(["-O2", "-w", "-std=gnu89", "-I"]).arg(&work);
            compiler.args(["-DHAVE_CONFIG_H", "-Wno-implicit-function-declaration"]).arg(&source);
        })?;
        if let Some(said) = said {
            return Err(Error::new(said).at(source.display()));
        }
        fs::copy(&native, sides.native_file(&path)?).at(native.display())?;
        files.add(&path, &wasm)?;
    }
    let binary = builder.boot_binary(host()?, &files)?;
    let tar = work.join("tests.tar");
    let tar = fs::read(&tar).at(tar.display())?;
    sides.run_on_both("bash", &binary, SCRIPT, &tar)
}
