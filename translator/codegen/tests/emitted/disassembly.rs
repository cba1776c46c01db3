//! The machine code in an object file as text, with what the tables beside it say of it.

use capstone::prelude::*;
use linnet_abi::module::{CallSite, Function as Row, Handler, TAG_ANY, TrapSite};
use linnet_abi::trap::Trap;
use linnet_codegen::Target;
use object::elf::FileHeader64;
use object::read::elf::ElfFile;
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SymbolIndex,
};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::{offset_of, size_of};

type File<'d> = ElfFile<'d, FileHeader64<Endianness>>;

/// One function of the object.
pub struct Function {
    pub name: String,
    pub lines: Vec<Line>,
}

/// One instruction.
pub struct Line {
    /// Offset in the function.
    pub offset: u64,
    /// Number of its label, if it is the target of a branch.
    pub label: Option<usize>,
    pub mnemonic: String,
    pub operands: String,
    /// Where it branches to inside the function.
    pub target: Option<u64>,
    /// Symbols that it names, traps that it may raise, and who catches exceptions of a call.
    pub notes: Vec<String>,
}

impl Function {
    /// The function as its expected disassembly is written.
    pub fn text(&self) -> Vec<String> {
        let mut text = Vec::new();
        for line in &self.lines {
            if let Some(label) = line.label {
                text.push(format!("L{label}:"));
            }
            let code = format!("{} {}", line.mnemonic, line.operands);
            let notes: String = line.notes.iter().map(|n| format!("  ; {n}")).collect();
            text.push(format!("  {}{notes}", code.trim()));
        }
        text
    }
}

/// The functions of an object file in the order of its function table.
pub fn functions(target: Target, object: &[u8]) -> Vec<Function> {
    let file = File::parse(object).expect("the object is an ELF file");
    let capstone = capstone(target);
    let tables = Tables::read(&file);
    tables.functions.iter().map(|row| disassemble(&capstone, target, &file, &tables, row)).collect()
}

fn capstone(target: Target) -> Capstone {
    let capstone = match target {
        Target::X86_64 => Capstone::new().x86().mode(arch::x86::ArchMode::Mode64).build(),
        Target::Aarch64 => Capstone::new().arm64().mode(arch::arm64::ArchMode::Arm).build(),
        Target::Riscv64 => {
            let compressed = [arch::riscv::ArchExtraMode::RiscVC];
            let riscv = Capstone::new().riscv().mode(arch::riscv::ArchMode::RiscV64);
            riscv.extra_mode(compressed.into_iter()).build()
        }
    };
    let mut capstone = capstone.expect("a disassembler");
    // Constants lie between instructions.
    capstone.set_skipdata(true).expect("a disassembler");
    capstone
}

/// Symbols that the relocations of one section name, by offset.
fn relocations(file: &File, section: object::SectionIndex) -> BTreeMap<u64, SymbolIndex> {
    let section = file.section_by_index(section).expect("a section");
    let symbols =
        section.relocations().filter_map(|(offset, relocation)| match relocation.target() {
            RelocationTarget::Symbol(symbol) => Some((offset, symbol)),
            _ => None,
        });
    symbols.collect()
}

/// The tables of the object, as far as the tests look at them.
struct Tables {
    functions: Vec<TableRow>,
    /// Offset and code.
    traps: Vec<(u64, u32)>,
    /// Offset and range of handlers.
    sites: Vec<(u64, usize, usize)>,
    handler_tags: Vec<u32>,
}

struct TableRow {
    name: String,
    symbol: SymbolIndex,
    len: usize,
    traps: std::ops::Range<usize>,
    sites: std::ops::Range<usize>,
    /// The site for all code without one of its own.
    wide_site: Option<usize>,
}

/// Bytes of a datum, and the symbols in it by their offset from its beginning.
fn datum<'d>(file: &File<'d>, name: &str) -> (&'d [u8], BTreeMap<u64, SymbolIndex>) {
    let symbol =
        file.symbols().find(|s| s.name() == Ok(name)).unwrap_or_else(|| panic!("no symbol {name}"));
    let index = symbol.section_index().expect("a datum is in a section");
    let section = file.section_by_index(index).expect("a section");
    let (start, size) = (symbol.address() - section.address(), symbol.size());
    let bytes = &section.data().expect("a section's bytes")[start as usize..][..size as usize];
    let symbols = relocations(file, index).into_iter();
    let symbols =
        symbols.filter(|(at, _)| (start..start + size).contains(at)).map(|(at, s)| (at - start, s));
    (bytes, symbols.collect())
}

fn word(row: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(row[at..at + 4].try_into().expect("four bytes"))
}

impl Tables {
    fn read(file: &File) -> Tables {
        let names = datum(file, "linnet.names").0;
        let (rows, starts) = datum(file, "linnet.functions");
        let functions = rows.chunks_exact(size_of::<Row>()).enumerate().filter_map(|(i, row)| {
            let start = (i * size_of::<Row>() + offset_of!(Row, start)) as u64;
            let range = |first, count| {
                let first = word(row, first) as usize;
                first..first + word(row, count) as usize
            };
            let name = &names[range(offset_of!(Row, name_offset), offset_of!(Row, name_len))];
            Some(TableRow {
                name: String::from_utf8_lossy(name).into_owned(),
                symbol: *starts.get(&start)?,
                len: word(row, offset_of!(Row, len)) as usize,
                traps: range(offset_of!(Row, first_trap), offset_of!(Row, trap_count)),
                sites: range(offset_of!(Row, first_site), offset_of!(Row, site_count)),
                wide_site: Some(word(row, offset_of!(Row, wide_site)))
                    .filter(|n| *n != u32::MAX)
                    .map(|n| n as usize),
            })
        });
        let trap = |row: &[u8]| {
            (
                u64::from(word(row, offset_of!(TrapSite, offset))),
                word(row, offset_of!(TrapSite, code)),
            )
        };
        let site = |row: &[u8]| {
            let first = word(row, offset_of!(CallSite, first_handler)) as usize;
            let count = word(row, offset_of!(CallSite, handler_count)) as usize;
            (u64::from(word(row, offset_of!(CallSite, offset))), first, count)
        };
        Tables {
            functions: functions.collect(),
            traps: datum(file, "linnet.traps")
                .0
                .chunks_exact(size_of::<TrapSite>())
                .map(trap)
                .collect(),
            sites: datum(file, "linnet.sites")
                .0
                .chunks_exact(size_of::<CallSite>())
                .map(site)
                .collect(),
            handler_tags: datum(file, "linnet.handlers")
                .0
                .chunks_exact(size_of::<Handler>())
                .map(|row| word(row, offset_of!(Handler, tag)))
                .collect(),
        }
    }
}

fn disassemble(
    capstone: &Capstone,
    target: Target,
    file: &File,
    tables: &Tables,
    row: &TableRow,
) -> Function {
    let symbol = file.symbol_by_index(row.symbol).expect("a function's symbol");
    let index = symbol.section_index().expect("a function is in a section");
    let section = file.section_by_index(index).expect("a section");
    let start = symbol.address() - section.address();
    let code = &section.data().expect("a section's bytes")[start as usize..][..row.len];
    let symbols = relocations(file, index);

    let mut lines = Vec::new();
    for instruction in capstone.disasm_all(code, 0).expect("a disassembly").iter() {
        let offset = instruction.address();
        let end = offset + instruction.bytes().len() as u64;
        let named = symbols.range(start + offset..start + end).next();
        let named = named.and_then(|(_, index)| file.symbol_by_index(*index).ok()?.name().ok());
        // Local labels have made-up names.
        let named =
            named.filter(|name| !name.is_empty() && !name.starts_with(".L")).map(str::to_owned);
        let mut notes = Vec::new();
        for (_, code) in tables.traps[row.traps.clone()].iter().filter(|t| t.0 == offset) {
            notes
                .push(format!("trap: {}", Trap::from_code(*code as u8).map_or("?", Trap::message)));
        }
        for site in row.sites.clone() {
            let (at, first, count) = tables.sites[site];
            let is_wide = row.wide_site == Some(site);
            if at != if is_wide { offset } else { end } {
                continue;
            }
            let tags = &tables.handler_tags[first..first + count];
            let tags =
                tags.iter().map(|t| if *t == TAG_ANY { "any".to_owned() } else { t.to_string() });
            let tags = tags.collect::<Vec<_>>().join(", ");
            let what = if is_wide { "catch from here" } else { "catch" };
            notes.push(format!("{what}: {}", if tags.is_empty() { "none" } else { &tags }));
        }
        // Compressed instructions are read as what they stand for.
        let mnemonic = instruction.mnemonic().unwrap_or_default();
        let mnemonic = match mnemonic.strip_prefix("c.") {
            Some(mnemonic) => mnemonic.trim_end_matches("sp").trim_end_matches("16").to_owned(),
            None => mnemonic.to_owned(),
        };
        let mut operands = instruction.op_str().unwrap_or_default().to_owned();
        let branch = if named.is_none() {
            branch_target(target, offset, &mnemonic, &operands)
        } else {
            None
        };
        let is_call = matches!(mnemonic.as_str(), "call" | "bl" | "jmp" | "b");
        if let Some(callee) = named.clone().filter(|_| is_call) {
            operands = callee;
        } else {
            notes.extend(named);
        }
        lines.push(Line { offset, label: None, mnemonic, operands, target: branch, notes });
    }
    number_labels(&mut lines);
    Function { name: row.name.clone(), lines }
}

/// Where a branch inside the function goes.
fn branch_target(target: Target, offset: u64, mnemonic: &str, operands: &str) -> Option<u64> {
    let last = operands.rsplit(", ").next()?;
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    match target {
        Target::X86_64 if mnemonic.starts_with('j') => number(last),
        Target::Aarch64
            if mnemonic.starts_with('b')
                || mnemonic.starts_with("cb")
                || mnemonic.starts_with("tb") =>
        {
            number(last.strip_prefix('#')?)
        }
        // Relative to the instruction.
        Target::Riscv64 if mnemonic.starts_with('b') || mnemonic == "j" => {
            match last.strip_prefix('-') {
                Some(back) => offset.checked_sub(number(back)?),
                None => Some(offset + number(last)?),
            }
        }
        _ => None,
    }
}

/// Writes branch targets as labels, so that a listing does not depend on the sizes of instructions.
fn number_labels(lines: &mut [Line]) {
    let starts: BTreeSet<u64> = lines.iter().map(|l| l.offset).collect();
    let targets: BTreeSet<u64> =
        lines.iter().filter_map(|l| l.target).filter(|t| starts.contains(t)).collect();
    let labels: BTreeMap<u64, usize> = targets.into_iter().zip(1..).collect();
    for line in lines {
        line.label = labels.get(&line.offset).copied();
        if let Some(label) = line.target.and_then(|t| labels.get(&t)) {
            let kept = line.operands.rfind(", ").map_or(0, |comma| comma + 2);
            line.operands.truncate(kept);
            line.operands.push_str(&format!("L{label}"));
        }
    }
}
