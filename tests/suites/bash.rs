//! bash's own tests, by the bash of `sysroot/packages` and by one of this machine.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;

use linnet_build::{At as _, Builder, Error, Result, host};

use crate::sides::{Side, Sides};
use crate::{Outcome, directory, read};

/// Programs that the tests run.
const PROGRAMS: [&str; 4] = ["printenv", "recho", "xcase", "zecho"];

const SCRIPT: &str = "suite/bash.sh";
const SHELL: &str = "usr/bin/bash";

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let work = sides.work("bash");
    let shell = work.join("bash");
    if !shell.exists() {
        let log = sides.logs().join("bash-native");
        let file = File::create(&log).at(log.display())?;
        let compiler = sides.native_compiler();
        let words: Vec<_> = std::iter::once(compiler.get_program())
            .chain(compiler.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        let status = Command::new(directory().join("bash-native.sh"))
            .arg(&work)
            .env("SOURCE", builder.package_source("bash")?)
            .env("CC", words.join(" "))
            .env("JOBS", thread::available_parallelism().map_or(1, usize::from).to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone().at(log.display())?)
            .stderr(file)
            .status()
            .at("bash-native.sh")?;
        if !status.success() {
            let hint = format!("see {}", log.display());
            return Err(Error::new(status).at("bash-native.sh").hint(hint));
        }
    }
    fs::copy(&shell, sides.native_file(SHELL)?).at(shell.display())?;
    let script = directory().join("bash.sh");
    fs::copy(&script, sides.native_file(SCRIPT)?).at(script.display())?;

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
    let command = ["sh".to_owned(), format!("/{SCRIPT}")];
    let command = command.each_ref().map(String::as_str);
    thread::scope(|scope| {
        let native = scope.spawn(|| sides.run("bash", Side::Native, &command, &tar));
        let guest = sides.run("bash", Side::Guest(&binary), &command, &tar)?;
        let native = native.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Outcome { expected: read(&native), guest: read(&guest) })
    })
}
