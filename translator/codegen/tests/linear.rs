//! Neither time nor memory of a translation grow with the square of a function's size, whatever it looks like.
//!
//! Each shape is translated in two sizes, one four times the other, for all instruction sets, as a module for hosts
//! and as a program of Linux. Each translation is a process of its own, this program once more, whose time on
//! a CPU and memory the system counts.

use linnet_codegen::{Options, Target, translate};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much more four times as much may take.
const TIMES: f64 = 7.0;

/// What does not count: seconds, and bytes.
const LITTLE_TIME: f64 = 0.4;
const LITTLE_MEMORY: f64 = 64e6;

/// Seconds for a byte of wasm, for all instruction sets together, and bytes for one.
const MOST_TIME: f64 = 100e-6;
const MOST_MEMORY: f64 = 4000.0;

/// Names the module in the process that translates it.
const MODULE: &str = "LINNET_TEST_MODULE";
const IS_PROGRAM: &str = "LINNET_TEST_IS_PROGRAM";

/// Ticks of a second in `/proc/self/stat`.
const TICKS: f64 = 100.0;

struct Cost {
    time: f64,
    memory: f64,
}

/// In the process that translates: does so and prints what it took.
fn is_child() -> bool {
    let Some(file) = std::env::var_os(MODULE) else { return false };
    let wasm = std::fs::read(Path::new(&file)).expect("the module");
    for target in Target::ALL {
        let options = match std::env::var_os(IS_PROGRAM) {
            Some(_) => Options::linux(target, "m"),
            None => Options::host(target, "m"),
        };
        translate(&wasm, &options).expect("translated");
    }
    let own = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).expect(name);
    let status = own("status");
    println!("\n{}", status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak"));
    println!("stat: {}", own("stat"));
    true
}

#[expect(clippy::disallowed_methods, reason = "a test's own program")]
fn cost(test: &str, wasm: &[u8], is_program: bool) -> Cost {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("linear-{test}.wasm"));
    std::fs::write(&file, wasm).expect("written");
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", test, "--nocapture"]).env(MODULE, &file);
    if is_program {
        child.env(IS_PROGRAM, "");
    }
    let output = child.output().expect("this program");
    std::fs::remove_file(file).expect("removed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let line = |name| text.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let memory = line("VmHWM:").trim().trim_end_matches(" kB").trim().parse::<f64>();
    // The fields behind the name of the program, which may have blanks in it: user and system time.
    let fields = line("stat: ").rsplit_once(')').expect("a name").1.split_whitespace();
    let ticks: f64 =
        fields.skip(11).take(2).map(|field| field.parse::<f64>().expect("ticks")).sum();
    Cost { time: ticks / TICKS, memory: memory.expect("a number") * 1024.0 }
}

fn is_linear(test: &str, size: usize, module: impl Fn(usize) -> String) {
    if is_child() {
        return;
    }
    for is_program in [false, true] {
        let [small, large] = [size, 4 * size].map(|size| {
            let wasm = wat::parse_str(module(size)).expect("a module");
            (cost(test, &wasm, is_program), wasm.len() as f64)
        });
        let ((small, _), (large, bytes)) = (small, large);
        let what = format!(
            "{test}{}: {bytes} bytes, {:.2} s after {:.2} s, {:.0} MB after {:.0} MB",
            if is_program { " of Linux" } else { "" },
            large.time,
            small.time,
            large.memory / 1e6,
            small.memory / 1e6
        );
        println!("{what}");
        assert!(large.time <= TIMES * small.time + LITTLE_TIME, "{what}");
        assert!(large.time <= MOST_TIME * bytes + LITTLE_TIME, "{what}");
        assert!(large.memory <= TIMES * small.memory, "{what}");
        assert!(large.memory <= MOST_MEMORY * bytes + LITTLE_MEMORY, "{what}");
    }
}

/// One function that is `body`, and small ones of the same type.
fn function(locals: usize, body: &str) -> String {
    format!(
        "(module (memory 1 1 shared) (func (export \"f\") (param i32) (result i32) (local {}) {body})
          (func $g (export \"g\") (param i32) (result i32)
            (loop (br_if 0 (i32.load (local.get 0)))) (local.get 0)))",
        "i32 ".repeat(locals)
    )
}

/// So often, with the number of the time.
fn repeated(count: usize, each: impl Fn(usize, &mut String)) -> String {
    let mut text = String::new();
    for number in 0..count {
        each(number, &mut text);
    }
    text
}

macro_rules! shapes {
    ($($name:ident, $size:expr, $module:expr;)*) => {
        $(#[test]
        fn $name() {
            is_linear(stringify!($name), $size, $module);
        })*
    };
}

shapes! {
    many_operands, 1500, |n| {
        let operands = repeated(n, |i, to| {
            let _ = write!(to, "local.get 0 i32.const {i} i32.mul ");
        });
        function(0, &(operands + &"i32.xor ".repeat(n - 1)))
    };
    operands_over_calls, 1000, |n| {
        let operands = "local.get 0 call $g ".repeat(n);
        function(0, &(operands + &"i32.xor ".repeat(n - 1)))
    };
    stores, 4000, |n| {
        let stores = repeated(n, |i, to| {
            let number = i % 60_000;
            let _ = write!(to, "(i32.store (i32.add (local.get 0) (i32.const {number})) (i32.const {i}))");
        });
        function(0, &(stores + "local.get 0"))
    };
    calls, 3000, |n| function(0, &("local.get 0 ".to_owned() + &"call $g ".repeat(n)));
    blocks_in_a_row, 6000, |n| {
        let block = "(block (local.set 0 (i32.add (local.get 0) (i32.const 1))))";
        function(0, &(block.repeat(n) + "local.get 0"))
    };
    branches_in_a_row, 2500, |n| {
        let block = "(block (br_if 0 (local.get 0)) (local.set 0 (i32.add (local.get 0) (i32.const 1))))";
        function(0, &(block.repeat(n) + "local.get 0"))
    };
    loops_in_a_row, 1500, |n| {
        let one = "(loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))";
        function(0, &(one.repeat(n) + "local.get 0"))
    };
    choices_in_a_row, 2000, |n| {
        let one = "(local.set 0 (if (result i32) (local.get 0)
            (then (i32.mul (local.get 0) (i32.const 3))) (else (i32.const 7))))";
        function(0, &(one.repeat(n) + "local.get 0"))
    };
    deep_blocks, 10_000, |n| {
        let begin = "block ".repeat(n);
        function(0, &format!("{begin} local.get 0 br_if {} {} local.get 0", n - 1, "end ".repeat(n)))
    };
    deep_ifs, 1500, |n| {
        let (begin, end) = ("local.get 0 if ".repeat(n), "end ".repeat(n));
        function(0, &format!("{begin} (local.set 0 (i32.const 1)) {end} local.get 0"))
    };
    deep_loops, 500, |n| {
        let begin = "loop local.get 0 i32.const 1 i32.sub local.set 0 ".repeat(n);
        function(0, &format!("{begin} {} local.get 0", "local.get 0 br_if 0 end ".repeat(n)))
    };
    deep_loops_with_locals, 60, |n| {
        let locals = repeated(2 * n, |i, to| {
            let _ = write!(to, "(local.set {} (i32.add (local.get {}) (i32.const 1)))", i + 1, i + 1);
        });
        let (begin, end) = ("loop ".repeat(n), "local.get 0 br_if 0 end ".repeat(n));
        function(2 * n, &format!("{begin} {locals} {end} local.get 1"))
    };
    locals_that_branches_take_along, 150, |n| {
        let locals = repeated(n, |i, to| {
            let i = i + 1;
            let _ = write!(to, "(local.set {i} (i32.add (local.get {i}) (i32.const {i}))) (br_if 0 (local.get {i}))");
        });
        function(n, &format!("(loop {locals}) local.get 1"))
    };
    locals_in_ifs, 800, |n| {
        let locals = n / 10;
        let ifs = repeated(n, |i, to| {
            let (from, to_local) = (1 + i % locals, 1 + i * 7 % locals);
            let _ = write!(to, "(if (local.get 0) (then (local.set {to_local} (i32.add (local.get {from}) (i32.const {i})))))");
        });
        function(locals, &(ifs + "local.get 1"))
    };
    locals_over_calls, 200, |n| {
        let sets = repeated(n, |i, to| {
            let _ = write!(to, "(local.set {} (call $g (local.get 0)))", i + 1);
        });
        let sums = repeated(n, |i, to| {
            let _ = write!(to, "(local.set 0 (i32.xor (local.get 0) (local.get {})))", i + 1);
        });
        let calls = "(local.set 0 (call $g (local.get 0)))".repeat(n);
        function(n, &(sets + &calls + &sums + "local.get 0"))
    };
    branch_table, 500, |n| {
        let targets = repeated(4 * n, |i, to| {
            let _ = write!(to, "{} ", i * 7 % n);
        });
        let ends = ") (local.set 0 (i32.mul (local.get 0) (i32.const 3)))".repeat(n);
        function(0, &format!("{} (br_table {targets} (local.get 0)) {ends} local.get 0", "(block ".repeat(n)))
    };
    branch_table_with_values, 400, |n| {
        let targets = repeated(4 * n, |i, to| {
            let _ = write!(to, "{} ", i * 7 % n);
        });
        let ends = "i32.const 1 i32.add end ".repeat(n);
        function(0, &format!("{} local.get 0 local.get 0 br_table {targets} {ends}", "block (result i32) ".repeat(n)))
    };
    addresses, 800, |n| {
        let loads = repeated(n, |i, to| {
            let _ = write!(to, "(drop (i32.load (i32.add (local.get 0) (i32.const {}))))", 4096 * i);
        });
        let ifs = "(if (local.get 1) (then (local.set 1 (i32.add (local.get 1) (i32.const 1)))))".repeat(n);
        function(1, &format!("{loads} {ifs} (drop (call $g (local.get 1))) {loads} local.get 1"))
    };
    data_segments, 3000, |n| {
        let data = repeated(n, |i, to| {
            let _ = write!(to, "(data (i32.const {}) \"abc\")", 8 * i % 65_000);
        });
        format!("(module (memory 1 1 shared) {data})")
    };
    functions_and_exports, 1000, |n| {
        let functions = repeated(n, |i, to| {
            let _ = write!(to, "(func (export \"f{i}\") (param i32) (result i32) (local.get 0))");
        });
        format!("(module (memory 1 1 shared) {functions})")
    };
}
