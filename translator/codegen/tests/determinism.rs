//! One module, one object: whatever the number of threads that compile it.

use linnet_codegen::{Options, Target, translate};
use std::fmt::Write as _;

/// A module with enough different functions that threads take them in another order each time.
fn module() -> Vec<u8> {
    let mut text = String::from(
        "(module (memory 1 1 shared) (table 80 80 funcref) (tag $t (param i32))
         (type $f (func (param i32 i32) (result i32)))\n",
    );
    for i in 0..80 {
        let other = (i * 7 + 1) % 80;
        let rounds = i % 20;
        let _ = writeln!(
            text,
            "(func $f{i} (type $f) (block $out (result i32) (try_table (catch $t $out)"
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
        let options = Options::linux(target, "test");
        let with_threads = |threads| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| translate(&wasm, &options)).expect("a translation").bytes
        };
        let one = with_threads(1);
        for threads in [2, 3] {
            assert!(with_threads(threads) == one, "{} with {threads} threads", target.name());
        }
    }
}
