//! Functions of shapes that nobody writes, for which the translator goes other ways: they run, and give what they
//! should. How long their translation takes is tested beside it (`translator/codegen/tests/linear.rs`).

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use linnet_build::{At as _, Error, Executable, Result, Target};

use crate::{Outcome, Test, builder, machine};

const LIMIT: Duration = Duration::from_secs(20);

/// What the function is called with.
const X: i32 = 5;

/// The body of a function of type `(i32) -> i32`, with its locals, and what it gives for [`X`].
struct Shape {
    name: &'static str,
    locals: usize,
    body: String,
    wanted: i32,
}

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let shapes = [
        many_operands,
        loops_in_a_row,
        choices_in_a_row,
        locals_changed_in_a_loop,
        locals_changed_in_ifs,
        deep_ifs,
        deep_loops,
        deep_blocks,
        blocks_in_a_row,
        large_branch_table,
    ];
    let shapes = shapes.map(|shape| -> Test {
        let Shape { name, .. } = shape();
        let test = move || -> Outcome { Ok(check(target, name, &module(&shape()))?) };
        (format!("giant::{name}"), Box::new(test))
    });
    let data = move || -> Outcome { Ok(check(target, "data-segments", &data_segments())?) };
    shapes.into_iter().chain([("giant::data-segments".to_owned(), Box::new(data) as _)]).collect()
}

fn module(shape: &Shape) -> String {
    let Shape { locals, body, wanted, .. } = shape;
    let locals = "i32 ".repeat(*locals);
    format!(
        "(module (memory (export \"memory\") 1)
          (func $f (param i32) (result i32) (local {locals}) {body})
          (func (export \"_start\")
            (if (i32.ne (call $f (i32.const {X})) (i32.const {wanted})) (then unreachable))))"
    )
}

/// Builds a program of a module, and runs it.
fn check(target: Target, name: &str, text: &str) -> Result<()> {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let place = place.join(format!("giant-{name}-{}.wasm", target.name()));
    let wasm = wat::parse_str(text).at(name)?;
    fs::write(&place, &wasm).at(place.display())?;
    let binary = builder()?.executable(&Executable::new(&place, &wasm, target)?)?;
    let limit = machine::limit(target, LIMIT);
    let ended = machine::run(&mut machine::command(target, &binary)?, &[], limit)?;
    if ended.status.is_some_and(|status| status.success()) {
        return Ok(());
    }
    Err(Error::new(ended.output).at(name))
}

/// Each is made before the first is needed.
fn many_operands() -> Shape {
    let numbers = 1..8000;
    let mut body = String::new();
    for number in numbers.clone() {
        let _ = write!(body, "local.get 0 i32.const {number} i32.mul ");
    }
    body += &"i32.xor ".repeat(numbers.len() - 1);
    let wanted = numbers.fold(0, |all, number| all ^ (X * number));
    Shape { name: "many-operands", locals: 0, body, wanted }
}

fn loops_in_a_row() -> Shape {
    let count = 12_000;
    let round = "(loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if 0 (i32.gt_s (local.get 0) (i32.const 2)))) ";
    let body = round.repeat(count as usize) + "(local.get 0)";
    Shape { name: "loops-in-a-row", locals: 0, body, wanted: 2 - (count - 1) }
}

fn choices_in_a_row() -> Shape {
    let count = 12_000;
    let choice = "(local.set 0 (if (result i32) (i32.and (local.get 0) (i32.const 1))
        (then (i32.mul (local.get 0) (i32.const 3))) (else (i32.add (local.get 0) (i32.const 7))))) ";
    let body = choice.repeat(count) + "(local.get 0)";
    let next = |x: i32| if x & 1 == 1 { x.wrapping_mul(3) } else { x.wrapping_add(7) };
    let wanted = (0..count).fold(X, |x, _| next(x));
    Shape { name: "choices-in-a-row", locals: 0, body, wanted }
}

/// Each branch takes all of them along.
fn locals_changed_in_a_loop() -> Shape {
    let count = 900;
    let mut body = "(loop ".to_owned();
    for number in 1..=count {
        let _ = write!(
            body,
            "(local.set {number} (i32.add (local.get {number}) (i32.const {number})))
             (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
             (br_if 0 (i32.eq (local.get 0) (i32.const {})))",
            X - count / 2
        );
    }
    body += ") (local.get 0) ";
    for number in 1..=count {
        let _ =
            write!(body, "(i32.mul (local.get {number}) (i32.const {})) i32.xor ", 2 * number + 1);
    }
    let mut locals = vec![0_i32; count as usize + 1];
    locals[0] = X;
    let mut number = 1;
    while number <= count {
        locals[number as usize] += number;
        locals[0] -= 1;
        number = if locals[0] == X - count / 2 { 1 } else { number + 1 };
    }
    let values = (1..=count).map(|number| locals[number as usize] * (2 * number + 1));
    let wanted = values.fold(locals[0], |all, value| all ^ value);
    Shape { name: "locals-changed-in-a-loop", locals: count as usize, body, wanted }
}

fn locals_changed_in_ifs() -> Shape {
    let (count, locals) = (5000, 500);
    let (mut body, mut values) = (String::new(), vec![0_i32; locals + 1]);
    for number in 0..count {
        let (from, to) = (1 + number % locals, 1 + (number + 1) % locals);
        let _ = write!(
            body,
            "(if (i32.and (i32.add (local.get 0) (i32.const {number})) (i32.const 3))
              (then (local.set {to} (i32.add (local.get {from}) (i32.const {number}))))) "
        );
        if (X as usize + number) & 3 != 0 {
            values[to] = values[from] + number as i32;
        }
    }
    body += "(i32.const 0) ";
    for local in 1..=locals {
        let _ = write!(body, "(i32.rotl (local.get {local}) (i32.const {})) i32.xor ", local % 32);
    }
    let rotated = (1..=locals).map(|local| values[local].rotate_left(local as u32 % 32));
    let wanted = rotated.fold(0, |all, value| all ^ value);
    Shape { name: "locals-changed-in-ifs", locals, body, wanted }
}

fn deep_ifs() -> Shape {
    let depth = 12_000;
    let begin = "local.get 0 if ".repeat(depth);
    let end = " local.get 0 i32.const 1 i32.add local.set 0 end".repeat(depth);
    let body = format!("{begin} {end} local.get 0");
    Shape { name: "deep-ifs", locals: 0, body, wanted: X + depth as i32 }
}

fn deep_loops() -> Shape {
    let depth = 1000;
    let begin = "loop local.get 0 i32.const 1 i32.sub local.set 0 ".repeat(depth);
    let end = "local.get 0 i32.const 0 i32.gt_s br_if 0 end ".repeat(depth);
    let wanted = X - depth as i32;
    Shape { name: "deep-loops", locals: 0, body: format!("{begin} {end} local.get 0"), wanted }
}

fn deep_blocks() -> Shape {
    let depth = 100_000;
    let body = "block ".repeat(depth)
        + &format!("local.get 0 br_if {} ", depth - 1)
        + "i32.const 1 local.set 0 "
        + &"end ".repeat(depth)
        + "local.get 0";
    Shape { name: "deep-blocks", locals: 0, body, wanted: X }
}

/// Each is dominated by all before it.
fn blocks_in_a_row() -> Shape {
    let count = 60_000;
    let block = "(block (local.set 0 (i32.add (local.get 0) (i32.const 1)))) ";
    let body = block.repeat(count) + "(local.get 0)";
    Shape { name: "blocks-in-a-row", locals: 0, body, wanted: X + count as i32 }
}

/// Goes from one target to the next.
fn large_branch_table() -> Shape {
    let targets = 1500;
    let mut body = "(local.set 1 (i32.rem_u (local.get 0) (i32.const 7))) (loop ".to_owned();
    body += &"(block ".repeat(targets);
    body += "(br_table ";
    for target in 0..targets {
        let _ = write!(body, "{target} ");
    }
    let _ = write!(body, "{} (local.get 1)) ", targets - 1);
    let next = |state: usize| (state * 7 + 3) % (targets + 1);
    for state in 0..targets - 1 {
        let _ = write!(
            body,
            ") (local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const 5)) (i32.const {state})))
             (local.set 1 (i32.const {}))
             (local.set 2 (i32.add (local.get 2) (i32.const 1)))
             (br_if {} (i32.lt_u (local.get 2) (i32.const 100)))
             (return (local.get 0)) ",
            next(state),
            targets - 1 - state
        );
    }
    body += ")) (i32.const -1)";
    let (mut x, mut state, mut wanted) = (X, X as usize % 7, -1);
    for round in 1..=100 {
        if state >= targets - 1 {
            break;
        }
        x = x.wrapping_mul(5) ^ state as i32;
        state = next(state);
        if round == 100 {
            wanted = x;
        }
    }
    Shape { name: "large-branch-table", locals: 2, body, wanted }
}

/// Runs of segments that follow on each other, and others between them. A segment that was copied is dropped.
fn data_segments() -> String {
    let (mut data, mut checks) = (String::new(), String::new());
    for number in 0..3000 {
        let (at, byte) = (16 + number * 21, number % 251);
        let place = if number % 100 == 50 { "(global.get $place)" } else { "(i32.const 8)" };
        let _ = match number % 100 {
            50 => write!(data, "(data {place} \"\\{byte:02x}\")"),
            75 => write!(data, "(data \"not copied\")"),
            _ => write!(data, "(data (i32.const {at}) \"\\{byte:02x}\\00\\{byte:02x}\")"),
        };
        let (at, wanted) = match number % 100 {
            50 => (8, 2950 % 251),
            75 => (at, 0),
            _ => (at, byte | byte << 16),
        };
        let _ = write!(
            checks,
            "(if (i32.ne (i32.load (i32.const {at})) (i32.const {wanted})) (then unreachable))"
        );
    }
    format!(
        "(module (memory (export \"memory\") 1) (global $place i32 (i32.const 8)) {data}
          (func (export \"_start\") {checks}
            (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 0))
            (memory.init 75 (i32.const 8) (i32.const 0) (i32.const 3))
            (if (i32.ne (i32.load (i32.const 8)) (i32.const 0x746f6e)) (then unreachable))))"
    )
}
