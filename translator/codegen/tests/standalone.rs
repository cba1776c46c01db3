//! Modules for hosts: what is left out is refused by name, with the offset.

use linnet_codegen::{Options, Target, translate};

const GC: &str = "garbage collection is not supported (offset 0xb)";

fn refused(text: &str) -> String {
    let wasm = wat::parse_str(text).expect("a module");
    let mut messages = Target::ALL.map(|target| {
        let error = translate(&wasm, &Options::host(target, "m")).expect_err("refused");
        assert!(error.offset().is_some(), "{error}");
        error.to_string()
    });
    messages.sort();
    assert_eq!(messages[0], messages[2], "the same on every target");
    messages[0].clone()
}

#[test]
fn structs_are_refused() {
    assert_eq!(refused("(module (type (struct)))"), GC);
}

#[test]
fn arrays_are_refused() {
    let module =
        "(module (type $a (array i8)) (func (drop (array.new $a (i32.const 1) (i32.const 1)))))";
    assert_eq!(refused(module), GC);
}

#[test]
fn abstract_references_are_refused() {
    let message = "values of type anyref are not supported (offset 0xa)";
    assert_eq!(refused("(module (func (param anyref)))"), message);
}

#[test]
fn recursive_types_are_refused() {
    assert_eq!(
        refused("(module (rec (type $f (func (param (ref null $f))))))"),
        "recursive types are not supported (offset 0xa)"
    );
}

#[test]
fn continuations_are_refused() {
    assert_eq!(
        refused("(module (type $f (func)) (type (cont $f)))"),
        "stack switching is not supported (offset 0xe)"
    );
}

#[test]
fn components_are_refused() {
    assert_eq!(
        refused("(component)"),
        "components are not supported, only core modules (offset 0x4)"
    );
}

#[test]
fn shared_everything_is_refused() {
    assert_eq!(
        refused("(module (global (shared i32) (i32.const 0)))"),
        "shared-everything-threads are not supported (offset 0xb)"
    );
}

#[test]
fn descriptors_are_refused() {
    assert_eq!(
        refused(
            "(module (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))))"
        ),
        "custom descriptors are not supported (offset 0xb)"
    );
}
