//! BusyBox's testsuite, and those of its shells.

use std::fs;

use linnet_build::{At as _, Builder, Error, Files, Result, host};

use crate::sides::Sides;
use crate::{Outcome, directory};

/// Programs that the shells' tests run.
const PROGRAMS: [&str; 3] = ["printenv", "recho", "zecho"];

const SCRIPT: &str = "suite/busybox.sh";

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let sources = sides.native_work().join("bb/shell/ash_test");
    let script = directory().join("busybox.sh");
    sides.place_script(SCRIPT, &script)?;
    let mut files = Files::default();
    files.add(SCRIPT, &script)?;
    let sdk = builder.sdk()?;
    for program in PROGRAMS {
        let path = format!("suite/{program}");
        let source = sources.join(program).with_extension("c");
        let wasm = sides.native_work().join(program).with_extension("wasm");
        let native = sides.native_file(&path)?;
        let said = sides.compile(&sdk, &native, &wasm, |compiler, _| {
            compiler.args(["-O2", "-w"]).arg(&source);
        })?;
        if let Some(said) = said {
            return Err(Error::new(said).at(source.display()));
        }
        files.add(&path, &wasm)?;
    }
    let binary = builder.boot_binary(host()?, &files)?;
    let tar = sides.native_work().join("suite.tar");
    let tar = fs::read(&tar).at(tar.display())?;
    sides.run_on_both("busybox", &binary, SCRIPT, &tar)
}
