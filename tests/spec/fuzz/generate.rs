//! Modules at random, and what is done with them.

use arbitrary::Unstructured;
use std::fmt::Write as _;
use wasm_smith::{Config, Module};
use wasmparser::{ExternalKind, FuncType, Operator, Parser, Payload, TypeRef, ValType};

/// xorshift64*: the same numbers for the same seed, everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        // Neighbouring seeds must not have neighbouring states; 0 would be the only number ever.
        Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A number of a value type, or a null reference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) ty: ValType,
    pub(crate) bits: u128,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: Vec<Argument>,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    /// Whether the translator makes all NaNs alike. Otherwise the module does.
    pub(crate) canonical_nans: bool,
    /// Whether wasmtime may do something else that is right, too.
    pub(crate) is_ambiguous: bool,
    pub(crate) wasm: Vec<u8>,
    pub(crate) calls: Vec<Call>,
}

/// Loops and calls that a module may make in all.
const FUEL: u32 = 1000;

fn config(random: &mut Random) -> Config {
    let pick = |random: &mut Random, values: &[usize]| values[random.below(values.len())];
    let relaxed = random.below(6) == 0;
    Config {
        max_imports: 0,
        export_everything: true,
        max_memories: pick(random, &[1, 1, 1, 3]),
        max_tables: pick(random, &[1, 1, 3]),
        max_memory32_bytes: 1 << 18,
        max_memory64_bytes: 1 << 18,
        memory_max_size_required: true,
        max_table_elements: 1000,
        table_max_size_required: true,
        max_funcs: 20,
        min_funcs: pick(random, &[2, 4, 8]),
        // Without types there are no functions.
        min_types: 4,
        min_memories: 1,
        min_tables: 1,
        min_globals: 2,
        // What is no code is small.
        max_types: 20,
        max_globals: 20,
        max_elements: 20,
        max_element_segments: 5,
        max_data_segments: 5,
        // Else most calls end soon.
        disallow_traps: random.below(3) != 0,
        max_instructions: pick(random, &[50, 200, 600]),
        max_type_size: 100,
        memory64_enabled: random.below(4) == 0,
        custom_page_sizes_enabled: random.below(4) == 0,
        wide_arithmetic_enabled: true,
        tail_call_enabled: random.below(3) == 0,
        simd_enabled: relaxed || random.below(2) == 0,
        relaxed_simd_enabled: relaxed,
        gc_enabled: false,
        compact_imports_enabled: false,
        threads_enabled: random.below(4) == 0,
        exceptions_enabled: random.below(3) == 0,
        // It knows no relaxed operators.
        canonicalize_nans: !relaxed && random.below(4) != 0,
        ..Config::default()
    }
}

/// The module of a seed; none if it is one that cannot be compared.
pub(crate) fn case(seed: u64) -> Option<Case> {
    let mut random = Random::new(seed);
    let config = config(&mut random);
    let canonicalized = config.canonicalize_nans;
    let size = [4000, 16_000, 64_000][random.below(3)];
    let bytes: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
    let mut module = Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(FUEL).ok()?;
    let wasm = module.to_bytes();
    let Contents { calls, has_conversions, is_ambiguous } = contents(&wasm, &mut random)?;
    // The generator leaves NaNs of conversions as they are, and processors do not.
    let canonical_nans = !canonicalized || has_conversions;
    Some(Case { seed, canonical_nans, is_ambiguous, wasm, calls })
}

struct Contents {
    /// Two of each function that the module exports.
    calls: Vec<Call>,
    /// Whether it has conversions between the types of floating-point numbers.
    has_conversions: bool,
    /// Whether the specification allows more than one outcome of an operator, and wasmtime has another.
    is_ambiguous: bool,
}

/// What is in a module. None if something in it may wait for ever.
fn contents(wasm: &[u8], random: &mut Random) -> Option<Contents> {
    let (mut has_conversions, mut is_ambiguous) = (false, false);
    let mut types: Vec<FuncType> = Vec::new();
    let mut functions: Vec<u32> = Vec::new();
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    types.push(ty.ok()?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) = import.ok()?.ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty.ok()?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    if export.kind == ExternalKind::Func {
                        names.push((export.name.to_owned(), export.index));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().ok()? {
                    match operator.ok()? {
                        Operator::MemoryAtomicWait32 { .. }
                        | Operator::MemoryAtomicWait64 { .. } => return None,
                        Operator::F32DemoteF64
                        | Operator::F64PromoteF32
                        | Operator::F32x4DemoteF64x2Zero
                        | Operator::F64x2PromoteLowF32x4 => has_conversions = true,
                        // wasmtime rounds once, the translator twice.
                        Operator::F32x4RelaxedMadd
                        | Operator::F32x4RelaxedNmadd
                        | Operator::F64x2RelaxedMadd
                        | Operator::F64x2RelaxedNmadd => is_ambiguous = true,
                        // An address may be both unaligned and out of bounds.
                        Operator::MemoryAtomicNotify { .. } => is_ambiguous = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let mut calls = Vec::new();
    for _ in 0..2 {
        for (name, function) in &names {
            let ty = types.get(*functions.get(*function as usize)? as usize)?;
            let args = ty.params().iter().map(|ty| argument(*ty, random));
            calls.push(Call { name: name.clone(), args: args.collect::<Option<_>>()? });
        }
    }
    Some(Contents { calls, has_conversions, is_ambiguous })
}

fn argument(ty: ValType, random: &mut Random) -> Option<Argument> {
    const NUMBERS: [u64; 12] = [
        0,
        1,
        2,
        8,
        u64::MAX,
        0x8000_0000,
        0x7fff_ffff,
        1 << 63,
        i64::MAX as u64,
        0x3ff8_0000_3fc0_0000,
        0x7ff0_0000_7f80_0000,
        0x7ff8_0000_7fc0_0000,
    ];
    let mut word = || match random.below(3) {
        0 => random.next(),
        1 => random.below(300) as u64,
        _ => NUMBERS[random.below(NUMBERS.len())],
    };
    let bits = match ty {
        ValType::I32 | ValType::F32 => u128::from(word() as u32),
        ValType::I64 | ValType::F64 => u128::from(word()),
        ValType::V128 => u128::from(word()) << 64 | u128::from(word()),
        ValType::Ref(ty) if ty.is_nullable() => 0,
        ValType::Ref(_) => return None,
    };
    Some(Argument { ty, bits })
}

impl Argument {
    fn word(self) -> String {
        match self.ty {
            ValType::Ref(ty) if ty.is_extern_ref() => "nullextern".to_owned(),
            ValType::Ref(ty) if ty.is_func_ref() => "nullfunc".to_owned(),
            ValType::Ref(_) => "nullexn".to_owned(),
            number => format!("{number}:{:x}", self.bits),
        }
    }
}

impl Case {
    /// What a program is to do with its module of that number: a line for each thing that is compared. The
    /// lines that it prints begin with `name`.
    pub(crate) fn script(&self, name: usize, number: usize) -> String {
        let mut text = String::new();
        for call in &self.calls {
            let function = call.name.bytes().fold(":".to_owned(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let args: Vec<_> = call.args.iter().map(|arg| arg.word()).collect();
            let (count, args) = (args.len(), args.join(" "));
            // An instance for each, as one call may use up all fuel.
            let _ = writeln!(text, "see-module {name} {number}");
            let _ = writeln!(text, "see-call {name} call - {function} {count} {args}");
            let _ = writeln!(text, "see-state {name}");
        }
        text
    }

    /// The lines that a program prints for the script.
    pub(crate) fn lines(&self) -> usize {
        3 * self.calls.len()
    }
}
