//! Functions of a size that nobody writes: neither time nor memory grow with its square.

use linnet_codegen::{Options, Target, translate};
use std::time::{Duration, Instant};

/// Time for what takes some seconds, or else minutes.
const LIMIT: Duration = Duration::from_secs(60);

fn translates(text: &str) {
    let wasm = wat::parse_str(text).expect("a module");
    for target in Target::ALL {
        let started = Instant::now();
        translate(&wasm, &Options::host(target, "m")).expect("translated");
        assert!(started.elapsed() < LIMIT, "{}: {:?}", target.name(), started.elapsed());
    }
}

#[test]
fn a_hundred_thousand_loops() {
    let count = "(loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))";
    translates(&format!(
        "(module (func (export \"f\") (param i32) (result i32) {} (local.get 0)))",
        count.repeat(100_000)
    ));
}

#[test]
fn many_locals_and_many_branches() {
    let mut text =
        format!("(module (func (param i32) (result i32) (local {})", "i32 ".repeat(2000));
    for i in 0..50_000 {
        let (from, to) = (i % 2000, i * 7 % 2000);
        text += "(if (local.get 0) (then ";
        text += &format!("(local.set {to} (i32.add (local.get {from}) (i32.const 1)))))");
    }
    translates(&format!("{text} (local.get 7)))"));
}
