//! What debuggers read of an object: frames of every function, and lines if the module has them.

use gimli::write;
use gimli::{BaseAddresses, CfaRule, EndianSlice, LittleEndian, UnwindContext, UnwindSection as _};
use linnet_codegen::{Options, Target, translate};
use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _};
use object::{RelocationFlags, RelocationKind, RelocationTarget};
use std::collections::BTreeMap;
use std::ops::Range;

const PROGRAM: &str = r#"
    (module
        (import "env" "memory" (memory 1 65536 shared))
        (func $inner (param i32) (result i32)
            local.get 0
            i32.load
            call $outer
            i32.const 1
            i32.add)
        (func $outer (export "outer") (param i32) (result i32)
            local.get 0
            call $inner
            i32.const 0
            i32.store offset=70000
            local.get 0)
        (func $unknown (param i32)
            local.get 0
            call $inner
            drop))
"#;

/// Lines of the operators of `inner`; that of the function is before them.
const LINES: [u64; 5] = [11, 11, 12, 13, 13];
const FUNCTION_LINE: u64 = 10;

/// A part of a boot binary, and a module for hosts.
fn both(target: Target) -> [Options; 2] {
    [Options::linux(target, "p"), Options::host(target, "p")]
}

fn translated(wasm: &[u8], options: &Options) -> Vec<u8> {
    translate(wasm, options).expect("a module").bytes
}

fn object(wasm: &[u8], target: Target) -> Vec<u8> {
    translated(wasm, &Options::linux(target, "p"))
}

/// Addresses of a function in the code section: itself, and each operator.
struct Body {
    range: Range<u64>,
    operators: Vec<u64>,
}

fn bodies(wasm: &[u8]) -> Vec<Body> {
    let mut start = 0;
    let mut bodies = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        match payload.expect("a module") {
            wasmparser::Payload::CodeSectionStart { unchecked_range, .. } => {
                start = unchecked_range.start;
            }
            wasmparser::Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().expect("a body");
                let operators = operators.into_iter_with_offsets();
                bodies.push(Body {
                    range: body.range().start - start..body.range().end - start,
                    operators: operators.map(|o| o.expect("an operator").1 - start).collect(),
                });
            }
            _ => {}
        }
    }
    bodies
}

/// DWARF as a compiler writes it for [`PROGRAM`], by section.
fn dwarf(wasm: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let encoding = gimli::Encoding { format: gimli::Format::Dwarf32, version: 4, address_size: 4 };
    let [inner, outer, _] = &bodies(wasm)[..] else { panic!("three functions") };
    let text = |text: &str| write::LineString::String(text.into());
    let mut lines = write::LineProgram::new(
        encoding,
        gimli::LineEncoding::default(),
        text("/src"),
        None,
        text("a.c"),
        None,
    );
    let file = lines.add_file(text("a.c"), lines.default_directory(), None);
    lines.begin_sequence(Some(write::Address::Constant(inner.range.start)));
    let rows = inner.operators.iter().zip(LINES).map(|(at, line)| (at - inner.range.start, line));
    for (offset, line) in [(0, FUNCTION_LINE)].into_iter().chain(rows) {
        let row = lines.row();
        (row.address_offset, row.file, row.line) = (offset, file, line);
        lines.generate_row();
    }
    lines.end_sequence(inner.range.end - inner.range.start);

    let mut dwarf = write::Dwarf::new();
    let unit = dwarf.units.add(write::Unit::new(encoding, lines));
    let unit = dwarf.units.get_mut(unit);
    let root = unit.root();
    let string = |text: &str| write::AttributeValue::String(text.into());
    unit.get_mut(root).set(gimli::DW_AT_name, string("a.c"));
    unit.get_mut(root).set(gimli::DW_AT_comp_dir, string("/src"));
    unit.get_mut(root)
        .set(gimli::DW_AT_low_pc, write::AttributeValue::Address(write::Address::Constant(0)));
    let mut function = |name: &str, body: &Body| {
        let entry = unit.add(root, gimli::DW_TAG_subprogram);
        let start = write::Address::Constant(body.range.start);
        let len = body.range.end - body.range.start;
        let entry_data = unit.get_mut(entry);
        entry_data.set(gimli::DW_AT_name, string(name));
        entry_data.set(gimli::DW_AT_low_pc, write::AttributeValue::Address(start));
        entry_data.set(gimli::DW_AT_high_pc, write::AttributeValue::Udata(len));
        entry
    };
    let entry = function("inner", inner);
    function("outer", outer);
    // The last operators come from a function that was inlined.
    let origin = unit.add(root, gimli::DW_TAG_subprogram);
    unit.get_mut(origin).set(gimli::DW_AT_name, string("folded"));
    let call = unit.add(entry, gimli::DW_TAG_inlined_subroutine);
    let call = unit.get_mut(call);
    let start = write::Address::Constant(inner.operators[3]);
    call.set(gimli::DW_AT_abstract_origin, write::AttributeValue::UnitRef(origin));
    call.set(gimli::DW_AT_low_pc, write::AttributeValue::Address(start));
    let len = inner.range.end - inner.operators[3];
    call.set(gimli::DW_AT_high_pc, write::AttributeValue::Udata(len));
    call.set(gimli::DW_AT_call_line, write::AttributeValue::Udata(LINES[3]));

    let mut sections = write::Sections::new(write::EndianVec::new(LittleEndian));
    dwarf.write(&mut sections).expect("DWARF");
    let mut written = Vec::new();
    sections
        .for_each(|id, data| {
            if !data.slice().is_empty() {
                written.push((id.name(), data.slice().to_vec()));
            }
            Ok::<_, gimli::write::Error>(())
        })
        .expect("DWARF");
    written
}

fn with_sections(wasm: &[u8], sections: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let mut wasm = wasm.to_vec();
    for (name, data) in sections {
        let len = 1 + name.len() + data.len();
        wasm.push(0);
        wasm.extend((0..5).map(|i| (len >> (7 * i)) as u8 & 0x7f | if i < 4 { 0x80 } else { 0 }));
        wasm.push(name.len() as u8);
        wasm.extend(name.as_bytes());
        wasm.extend(data);
    }
    wasm
}

/// A section as the linker would leave it if every section began at 0.
fn linked(file: &object::File, name: &str) -> Vec<u8> {
    let Some(section) = file.section_by_name(name) else { return Vec::new() };
    let mut bytes = section.data().expect("data").to_vec();
    for (offset, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { panic!("a symbol") };
        let symbol = file.symbol_by_index(symbol).expect("a symbol");
        let mut value = symbol.address().wrapping_add(relocation.addend() as u64);
        let relative =
            relocation.flags() == RelocationFlags::Elf { r_type: object::elf::R_RISCV_32_PCREL };
        let size = if relative { 4 } else { usize::from(relocation.size() / 8) };
        if relative || relocation.kind() == RelocationKind::Relative {
            value = value.wrapping_sub(offset);
        }
        assert_ne!(size, 0, "{relocation:?}");
        bytes[offset as usize..][..size].copy_from_slice(&value.to_le_bytes()[..size]);
    }
    bytes
}

fn functions(file: &object::File) -> BTreeMap<String, u64> {
    let symbols = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
    let defined = symbols.filter(|symbol| !symbol.is_undefined());
    defined.map(|s| (s.name().expect("a name").to_owned(), s.address())).collect()
}

#[test]
fn every_function_says_how_to_reach_its_caller() {
    let wasm = wat::parse_str(PROGRAM).expect("a module");
    for options in Target::ALL.into_iter().flat_map(both) {
        let (bytes, target) = (translated(&wasm, &options), options.target);
        let file = object::File::parse(&*bytes).expect("an object");
        let data = linked(&file, ".eh_frame");
        let frames = gimli::EhFrame::new(&data, LittleEndian);
        let bases = BaseAddresses::default().set_eh_frame(0);
        let mut starts = Vec::new();
        let mut entries = frames.entries(&bases);
        while let Some(entry) = entries.next().expect("an entry") {
            let gimli::CieOrFde::Fde(partial) = entry else { continue };
            let fde = partial.parse(gimli::EhFrame::cie_from_offset).expect("an entry");
            starts.push(fde.initial_address());
            let last = fde.initial_address() + fde.len() - 1;
            let mut context = UnwindContext::new();
            let row = fde.unwind_info_for_address(&frames, &bases, &mut context, last);
            let row = row.expect("a rule");
            let fp = match target {
                Target::X86_64 => gimli::X86_64::RBP,
                Target::Aarch64 => gimli::AArch64::X29,
                Target::Riscv64 => gimli::RiscV::X8,
            };
            assert_eq!(row.cfa(), &CfaRule::RegisterAndOffset { register: fp, offset: 16 });
        }
        let mut expected: Vec<u64> = functions(&file).into_values().collect();
        expected.sort_unstable();
        starts.sort_unstable();
        assert_eq!(starts, expected, "{}", target.name());
    }
}

/// The program with its lines.
fn described() -> Vec<u8> {
    let wasm = wat::parse_str(PROGRAM).expect("a module");
    with_sections(&wasm, &dwarf(&wasm))
}

#[test]
fn native_code_has_the_lines_of_its_operators() {
    let wasm = described();
    for options in Target::ALL.into_iter().flat_map(both) {
        let (bytes, target) = (translated(&wasm, &options), options.target);
        let file = object::File::parse(&*bytes).expect("an object");
        let names = file.sections().filter_map(|s| s.name().ok().map(str::to_owned));
        let data: BTreeMap<String, Vec<u8>> = names
            .filter(|name| name.starts_with(".debug"))
            .map(|name| (name.clone(), linked(&file, &name)))
            .collect();
        let load = |id: gimli::SectionId| -> Result<_, gimli::Error> {
            let bytes = data.get(id.name()).map_or(&[][..], Vec::as_slice);
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        let dwarf = gimli::Dwarf::load(load).expect("DWARF");
        let header = dwarf.units().next().expect("a unit").expect("a unit");
        let unit = dwarf.unit(header).expect("a unit");
        assert_eq!(unit.comp_dir.map(|s| s.to_string_lossy().into_owned()), Some("/src".into()));

        // With another alignment, a linker leaves gaps between those of several objects.
        let mut sections =
            file.sections().filter(|s| s.name().is_ok_and(|n| n.starts_with(".debug")));
        assert!(sections.all(|section| section.align() == 1), "{}", target.name());

        let start = functions(&file)["inner"];
        let mut found = Vec::new();
        let mut rows = unit.line_program.clone().expect("lines").rows();
        while let Some((header, row)) = rows.next_row().expect("a row") {
            if row.address() < start || row.end_sequence() {
                continue;
            }
            let name = row.file(header).expect("a file").path_name();
            let name = dwarf.attr_string(&unit, name).expect("a name");
            assert_eq!(name.to_string_lossy(), "a.c");
            found.push(row.line().expect("a line").get());
        }
        found.dedup();
        assert_eq!(found, [10, 11, 12, 13], "{}", target.name());

        let mut names = Vec::new();
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs().expect("an entry") {
            let text = |value| dwarf.attr_string(&unit, value).expect("a name");
            let name = entry.attr_value(gimli::DW_AT_name).map(|v| text(v).to_string_lossy());
            let address = match entry.attr_value(gimli::DW_AT_low_pc) {
                Some(gimli::AttributeValue::Addr(address)) => Some(address),
                _ => None,
            };
            if entry.tag() == gimli::DW_TAG_inlined_subroutine {
                assert!(address.is_some_and(|inlined| inlined > start), "{}", target.name());
                names.push("an inlined call".to_owned());
            } else if entry.tag() == gimli::DW_TAG_subprogram {
                let name = name.expect("a name").into_owned();
                let symbol = functions(&file).get(&name).copied();
                assert_eq!(address, symbol, "{name}");
                names.push(name);
            }
        }
        assert_eq!(names, ["inner", "an inlined call", "folded", "outer"]);
    }
}

#[test]
fn modules_without_lines_give_objects_without() {
    let wasm = wat::parse_str(PROGRAM).expect("a module");
    for target in Target::ALL {
        let bytes = object(&wasm, target);
        let file = object::File::parse(&*bytes).expect("an object");
        let mut names = file.sections().filter_map(|s| s.name().ok().map(str::to_owned));
        assert_eq!(names.find(|name| name.starts_with(".debug")), None);
    }
}

#[test]
fn lines_do_not_change_the_code() {
    let wasm = wat::parse_str(PROGRAM).expect("a module");
    let described = described();
    for target in Target::ALL {
        // What calls it differs: a function with lines is not inlined.
        let text = |wasm: &[u8]| {
            let bytes = object(wasm, target);
            let file = object::File::parse(&*bytes).expect("an object");
            let symbol = file.symbol_by_name("inner").expect("a function");
            let text = file.section_by_name(".text").expect("code").data().expect("code");
            text[symbol.address() as usize..][..symbol.size() as usize].to_vec()
        };
        assert_eq!(text(&wasm), text(&described), "{}", target.name());
    }
}

/// The order of sections in the table of symbols was another one in each run.
#[test]
fn lines_are_the_same_in_every_object() {
    let described = described();
    for target in Target::ALL {
        let first = object(&described, target);
        assert!((0..8).all(|_| object(&described, target) == first), "{}", target.name());
    }
}

#[test]
fn damaged_lines_are_no_error() {
    let wasm = wat::parse_str(PROGRAM).expect("a module");
    let sections = dwarf(&wasm);
    for (number, (_, data)) in sections.iter().enumerate() {
        for (at, byte) in data.iter().enumerate() {
            for value in [0, 0x7f, 0xff, byte ^ 1] {
                let mut damaged = sections.clone();
                damaged[number].1[at] = value;
                object(&with_sections(&wasm, &damaged), Target::X86_64);
            }
            let mut damaged = sections.clone();
            damaged[number].1.truncate(at);
            object(&with_sections(&wasm, &damaged), Target::X86_64);
        }
    }
}
