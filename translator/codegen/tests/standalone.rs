//! Modules for hosts: what is left out is refused by name, with the offset.

use linnet_codegen::{Options, Target, translate};

const GC: &str = "garbage collection is not supported (offset 0xb)";

fn refused(text: &str) -> String {
    let wasm = wat::parse_str(text).expect("a module");
    let mut messages = Target::ALL.map(|target| {
        let Err(error) = translate(&wasm, &Options::host(target, "m")) else {
            panic!("translated: {text}")
        };
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

/// Wherever one may stand.
#[test]
fn values_of_other_references_are_refused() {
    let places = [
        ("(func (param eqref))", "eqref", " (offset 0xa)"),
        ("(func (local i31ref))", "i31ref", " (function 0, offset 0x17)"),
        ("(func (drop (ref.null any)))", "anyref", " (function 0, offset 0x17)"),
        (
            "(func (block (result structref) unreachable) drop)",
            "structref",
            " (function 0, offset 0x17)",
        ),
        ("(table 1 arrayref)", "arrayref", " (offset 0xb)"),
        ("(global nullref (ref.null none))", "nullref", " (offset 0xb)"),
        ("(elem i31ref)", "i31ref", " (offset 0xb)"),
        ("(import \"\" \"\" (global anyref))", "anyref", " (offset 0xb)"),
        ("(import \"\" \"\" (table 1 anyref))", "anyref", " (offset 0xb)"),
        ("(tag (param anyref))", "anyref", " (offset 0xa)"),
    ];
    for (place, ty, end) in places {
        let message = format!("garbage collection is not supported: values of type {ty}{end}");
        assert_eq!(refused(&format!("(module {place})")), message);
    }
}

#[test]
fn operators_of_garbage_collection_are_refused() {
    let operators = [
        ("(drop (ref.i31 (i32.const 1)))", "ref.i31"),
        ("(drop (ref.test (ref $f) (local.get 0)))", "ref.test_non_null"),
        ("(drop (ref.cast (ref $f) (local.get 0)))", "ref.cast_non_null"),
        ("(drop (br_on_cast 0 funcref (ref $f) (local.get 0)))", "br_on_cast"),
    ];
    for (operator, name) in operators {
        let text = format!(
            "(module (type $f (func)) (func (param funcref) (block (result funcref) {operator} (local.get 0)) drop))"
        );
        let message = refused(&text);
        let start = format!("garbage collection is not supported: {name} (function 0, offset 0x");
        assert!(message.starts_with(&start), "{message}");
    }
    assert_eq!(
        refused("(module (global externref (extern.convert_any (ref.null any))))"),
        "garbage collection is not supported: values of type anyref (offset 0xd)"
    );
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
fn references_to_continuations_are_refused() {
    assert_eq!(
        refused("(module (func (param contref)))"),
        "stack switching is not supported (offset 0xb)"
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
