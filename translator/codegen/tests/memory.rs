//! A translation needs memory for what comes out, and for the functions that are compiled just then: 1 GiB is
//! enough for a module of 20 MB, and 1.15 GiB for functions that nobody writes.
//!
//! Each translation is a process of its own, this program once more, so that the memory is that of one.

use linnet_codegen::{Options, Target, translate};
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_encoder::{
    BlockType, CodeSection, Function, FunctionSection, InstructionSink, MemArg, MemArgTarget,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// Bytes for any module here, and for one of [`LARGE`] bytes.
const LIMIT: f64 = (1 << 30) as f64;
const LARGE: f64 = 20e6;
/// Bytes for one function of 20,000 statements with a call each.
const GIANT_LIMIT: f64 = 1.15 * LIMIT;

/// Names the module in the process that translates it.
const MODULE: &str = "LINNET_TEST_MODULE";

/// The most memory that a process has that translates a module, in bytes.
fn peak(name: &str, test: &str, wasm: &[u8]) -> f64 {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.wasm"));
    std::fs::write(&file, wasm).expect("written");
    #[expect(clippy::disallowed_methods, reason = "a test's own program")]
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", test, "--nocapture"]).env(MODULE, &file);
    let output = child.output().expect("this program");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    std::fs::remove_file(file).expect("removed");
    peak.expect("the most memory that it had") * 1024.0
}

/// In the process that translates: does so and prints how much memory that took.
fn is_child() -> bool {
    let Some(file) = std::env::var_os(MODULE) else { return false };
    let wasm = std::fs::read(Path::new(&file)).expect("the module");
    for target in Target::ALL {
        translate(&wasm, &Options::linux(target, "m")).expect("translated");
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("its own status");
    println!("\n{}", status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak"));
    true
}

/// A module of so many functions.
fn module(count: u32, body: impl Fn(u32, &mut InstructionSink)) -> Vec<u8> {
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    for number in 0..count {
        functions.function(0);
        let mut function = Function::new([(6, ValType::I32)]);
        body(number, &mut function.instructions());
        function.instructions().local_get(0).end();
        code.function(&function);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: true,
        page_size_log2: None,
    });
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&code);
    module.finish()
}

/// What C code does: loads, sums, comparisons, branches, stores and calls.
fn statements(of: u32, count: u32, callees: u32, to: &mut InstructionSink) {
    let target = MemArgTarget::Memory(0);
    let field = |number| {
        let offset = u64::from(number % 64 * 4);
        MemArg { offset, align: 2, target, ordering: None }
    };
    for number in 0..count {
        let number = number.wrapping_mul(of | 1);
        let local = |shift: u32| (number >> shift) % 8;
        to.block(BlockType::Empty);
        to.local_get(local(0)).i32_load(field(number)).local_get(local(1)).i32_add();
        to.local_tee(local(2)).i32_const(number as i32).i32_lt_u().br_if(0);
        to.local_get(local(3)).local_get(local(2)).i32_store(field(number + 1));
        to.local_get(local(4)).local_get(local(2)).call(number % callees).local_set(local(5));
        to.end();
    }
}

#[test]
fn twenty_megabytes() {
    if is_child() {
        return;
    }
    let test = |count| {
        let wasm = module(count, |number, to| statements(number, 30, count, to));
        (wasm.len() as f64, peak("large", "twenty_megabytes", &wasm))
    };
    let ((small, small_peak), (large, large_peak)) = (test(800), test(2000));
    assert!(large > 2e6, "{large} bytes");
    let each = (large_peak - small_peak) / (large - small);
    let needed = small_peak + each * (LARGE - small);
    println!("{each:.1} bytes of memory for a byte of the module, {:.0} MB", needed / 1e6);
    assert!(needed < LIMIT, "{:.0} MB", needed / 1e6);
}

#[test]
fn one_giant_function() {
    if is_child() {
        return;
    }
    let wasm = module(1, |_, to| statements(7, 20_000, 1, to));
    let peak = peak("giant", "one_giant_function", &wasm);
    println!("{} bytes of wasm, {:.0} MB", wasm.len(), peak / 1e6);
    assert!(peak < GIANT_LIMIT, "{:.0} MB", peak / 1e6);
}
