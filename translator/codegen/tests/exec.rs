//! Program files: the header, and the memory as the start function leaves it.

use linnet_abi::exec::{ExecHeader, HEADER_OFFSET, IMAGE_ALIGN};
use linnet_codegen::{Options, Target, exec_file, translate};
use std::mem::offset_of;

/// What wasm-ld makes of a program with shared memory: passive segments, and a start function that
/// copies them into place once.
const PROGRAM: &str = r#"(module
  (memory 3 16 shared)
  (global $__stack_pointer (mut i32) (i32.const 0x10000))
  (global $__heap_base i32 (i32.const 0x19000))
  (data $data "Hello")
  (data $more "\01\02\03\04")
  (start $__wasm_init_memory)
  (func (export "_start"))
  (func $__wasm_init_memory
    (block $done
      (block $wait
        (block $first
          (br_table $first $wait $done
            (i32.atomic.rmw.cmpxchg (i32.const 0x18ffc) (i32.const 0) (i32.const 1))))
        (memory.init $data (i32.const 0x11010) (i32.const 0) (i32.const 5))
        (memory.init $more (i32.const 0x11100) (i32.const 1) (i32.const 2))
        (memory.fill (i32.const 0x12000) (i32.const 0) (i32.const 0x6000))
        (i32.atomic.store (i32.const 0x18ffc) (i32.const 2))
        (drop (memory.atomic.notify (i32.const 0x18ffc) (i32.const -1)))
        (br $done))
      (drop (memory.atomic.wait32 (i32.const 0x18ffc) (i32.const 1) (i64.const -1))))
    (data.drop $data)))"#;

fn field(file: &[u8], offset: usize) -> usize {
    let at = HEADER_OFFSET + offset;
    u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize
}

#[test]
fn the_image_is_the_memory_after_the_start_function() {
    let wasm = wat::parse_str(PROGRAM).expect("the program's text");
    let file = exec_file(&wasm, true).expect("a program file");
    let address = field(&file, offset_of!(ExecHeader, image_address));
    let offset = field(&file, offset_of!(ExecHeader, image_offset));
    let size = field(&file, offset_of!(ExecHeader, image_size));
    assert_eq!(address, 0x10000);
    assert!(offset.is_multiple_of(IMAGE_ALIGN as usize));
    let at = |target: usize, len| &file[offset + target - address..][..len];
    assert_eq!(at(0x11010, 5), b"Hello");
    assert_eq!(at(0x11100, 3), [2, 3, 0]);
    // The image ends at the last byte that is not zero.
    assert_eq!(at(0x18ffc, 1), [2]);
    assert_eq!(offset + size, file.len());
    assert_eq!(field(&file, offset_of!(ExecHeader, memory_end)), 0x19000);
    assert_eq!(field(&file, offset_of!(ExecHeader, heap_base)), 0x19000);
}

#[test]
fn a_program_file_is_a_module() {
    let wasm = wat::parse_str(PROGRAM).expect("the program's text");
    for strip in [true, false] {
        let file = exec_file(&wasm, strip).expect("a program file");
        let sections = wasmparser::Parser::new(0).parse_all(&file).map(|p| p.expect("a section"));
        let first = sections.filter_map(|p| match p {
            wasmparser::Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        });
        assert_eq!(first.collect::<Vec<_>>().first().map(String::as_str), Some("linnet.exec"));
        assert_eq!(file.ends_with(&wasm[8..]), !strip);
    }
}

#[test]
fn names_of_globals_that_are_not_there_are_ignored() {
    let text = r#"(module
      (memory 1)
      (global (export "__stack_pointer") (mut i32) (i32.const 0x10000))
      (func (export "_start"))
      (@custom "name" "\07\1f\02\1a\0f__stack_pointer\1b\0b__heap_base"))"#;
    let wasm = wat::parse_str(text).expect("the module's text");
    let options = Options::linux(Target::X86_64, "test");
    translate(&wasm, &options).expect("a translation");
    let file = exec_file(&wasm, true).expect("a program file");
    assert_eq!(field(&file, offset_of!(ExecHeader, heap_base)), 0x10000);
}

#[test]
fn what_the_kernel_cannot_start_is_no_program() {
    for text in [
        "(module (memory 1) (global $__stack_pointer (mut i32) (i32.const 0)))",
        r#"(module (memory 1) (func (export "_start")))"#,
        r#"(module (memory 1) (func (export "_start"))
          (global $__stack_pointer i32 (i32.const 0)))"#,
        r#"(module (memory 1) (func (export "_start")) (data (i32.const 16) "low")
          (global $__stack_pointer (mut i32) (i32.const 0)))"#,
    ] {
        let wasm = wat::parse_str(text).expect("the module's text");
        assert!(exec_file(&wasm, true).is_err(), "{text}");
    }
}
