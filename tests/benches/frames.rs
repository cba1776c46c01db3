//! How long it takes to capture native frames, and to check a record and lay out the frames that it
//! stands for: a recursion of a thousand calls, on this machine.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use linnet_build::{At as _, Builder, Error, Result, host};
use linnet_codegen::{Options, translate};

/// Each call passes a loop, whose polls are the events that a capture waits for.
const PROGRAM: &str = r#"
(module
  (import "linux" "syscall" (func $sys (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (memory 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (func $deeper (param $n i32) (param $f f64) (result f64) (local $i i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $f))))
    (loop $again
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2))))
    (f64.add (f64.convert_i32_s (local.get $i))
      (call $deeper (i32.sub (local.get $n) (i32.const 1)) (f64.mul (local.get $f) (f64.const 1.5)))))
  (func (export "_start")
    (drop (call $sys (i32.const 1)
      (i64.reinterpret_f64 (call $deeper (i32.const 1000) (f64.const 1)))
      (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))))
"#;

/// Events at which the stack has about so many frames.
const EVENTS: [u32; 3] = [20, 200, 1990];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let builder = Builder::new()?;
    let target = host()?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("frames");
    fs::create_dir_all(&folder).at(folder.display())?;
    let options = Options { polls: true, frames: true, ..Options::linux(target, "guest") };
    let wasm = wat::parse_str(PROGRAM).map_err(Error::new)?;
    let object = translate(&wasm, &options).map_err(Error::new)?;
    let (object_file, program) = (folder.join("program.o"), folder.join("program"));
    fs::write(&object_file, object.bytes).at(object_file.display())?;
    builder.link(&program, &object_file, &builder.frames_host(target)?)?;
    for event in EVENTS {
        let output = Command::new(&program)
            .args(["run", "time", &event.to_string()])
            .output()
            .at(program.display())?;
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|line| line.contains("captured in"));
        println!("{}", line.ok_or_else(|| Error::new(&said).at(program.display()))?);
    }
    Ok(())
}
