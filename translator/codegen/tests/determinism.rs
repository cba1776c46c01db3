//! One module, one object: whatever the number of threads that compile it.

use linnet_codegen::{Options, Target, translate};
use std::fmt::Write as _;

/// A module with enough different functions that threads take them in another order each time.
fn module() -> Vec<u8> {
    let mut text = String::from(
        "(module (memory 1 1 shared) (table 80 80 funcref) (tag $t (param i32))
         (type $f (func (param i32 i32) (result i32)))\n",
    );
    // Small enough to be inlined. Some of them are suited for that, and some catch exceptions.
    for i in 0..80 {
        let _ = match i % 3 {
            0 => writeln!(
                text,
                "(func $s{i} (param i32) (result i32)
                    (block $out (result i32) (try_table (catch $t $out)
                        (drop (call $s{} (local.get 0)))) (i32.const 1)))",
                (i + 5) % 80
            ),
            1 => writeln!(
                text,
                "(func $s{i} (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))"
            ),
            _ => writeln!(
                text,
                "(func $s{i} (param i32) (result i32)
                    (loop $l (br_if $l (i32.atomic.load (local.get 0)))) (i32.const {i}))"
            ),
        };
    }
    for i in 0..80 {
        let other = (i * 7 + 1) % 80;
        let rounds = i % 20;
        let _ = writeln!(
            text,
            "(func $f{i} (type $f)
                (i32.store (local.get 0) (call $s{} (local.get 1)))
                (block $out (result i32) (try_table (catch $t $out)",
            (i + 3) % 80
        );
        let _ = writeln!(text, "(drop (call $f{other} (local.get 0) (i32.const {i})))");
        for round in 0..rounds {
            let _ = writeln!(
                text,
                "(i32.store offset={round} (local.get 0) (i32.div_u (local.get 1) (local.get 0)))"
            );
        }
        let _ = writeln!(text, "(loop $l (br_if $l (i32.atomic.load (local.get 0)))))");
        let _ = writeln!(
            text,
            "(call_indirect (type $f) (local.get 0) (local.get 1) (i32.const {i}))))"
        );
        let _ = writeln!(text, "(elem (i32.const {i}) $f{other})");
    }
    text.push(')');
    wat::parse_str(&text).expect("the module's text")
}

#[test]
fn threads_do_not_change_the_object() {
    let wasm = module();
    for target in Target::ALL {
        for frames in [false, true] {
            let options = Options { frames, polls: true, ..Options::linux(target, "test") };
            let with_threads = |threads| {
                let pool =
                    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                pool.install(|| translate(&wasm, &options)).expect("a translation").bytes
            };
            let one = with_threads(1);
            for threads in [2, 3] {
                let name = target.name();
                assert!(
                    with_threads(threads) == one,
                    "{name}, {threads} threads, frames: {frames}"
                );
            }
        }
    }
}
