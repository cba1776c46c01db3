//! Links the object file of one program to code that lacks nothing but addresses.
//!
//! Calls of the runtime, which may lie anywhere, go through stubs behind the code, each with an address of its own.

use std::collections::HashMap;

use linnet_abi::calls::{LIBCALL_PREFIX, LIBCALLS, POLL, USER_CALLS, USER_PREFIX};
use linnet_abi::frames::CAPTURED;
use linnet_abi::module::SYMBOL_PREFIX;
use linnet_abi::translator::{ALIGN, PROGRAM_LIBCALLS};
use linnet_codegen::Target;
use object::read::elf::ElfFile64;
use object::{
    LittleEndian, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags,
    RelocationTarget, SectionIndex, SymbolIndex, elf,
};

use super::linked::Linked;
use crate::error::{At as _, Error, Result};

type File<'a> = ElfFile64<'a, LittleEndian>;

/// Sections that the program needs, the code first. What only debuggers read is left out.
const CODE: &str = ".text";
const TABLES: [&str; 2] = [".data.rel.ro", ".rodata"];

/// Names of what code may call, in the order of `linnet_abi::translator::IMPORTS`.
fn import_names() -> impl Iterator<Item = String> {
    let user = USER_CALLS.iter().map(|call| format!("{USER_PREFIX}{}", call.name));
    let libcalls = LIBCALLS[..PROGRAM_LIBCALLS].iter();
    let libcalls = libcalls.map(|call| format!("{LIBCALL_PREFIX}{}", call.name));
    user.chain(libcalls).chain([POLL.to_owned(), CAPTURED.to_owned()])
}

/// A jump to an address that lies in the stub's last eight bytes. It changes no register but one that the compiler
/// keeps nothing in across calls.
fn stub(target: Target) -> &'static [u8] {
    match target {
        // jmp *2(%rip)
        Target::X86_64 => b"\xff\x25\x02\0\0\0\xcc\xcc\0\0\0\0\0\0\0\0",
        // ldr x16, 8; br x16
        Target::Aarch64 => b"\x50\0\0\x58\0\x02\x1f\xd6\0\0\0\0\0\0\0\0",
        // auipc t6, 0; ld t6, 16(t6); jr t6; nop
        Target::Riscv64 => b"\x97\x0f\0\0\x83\xbf\x0f\x01\x67\x80\x0f\0\x13\0\0\0\0\0\0\0\0\0\0\0",
    }
}

/// `object` is the translator's own.
pub(crate) fn link(object: &[u8], target: Target) -> Result<Linked> {
    let file = File::parse(object).at("object file")?;
    let mut linker = Linker {
        file: &file,
        target,
        linked: Linked::default(),
        sections: HashMap::new(),
        stubs: HashMap::new(),
    };
    linker.lay_out()?;
    for name in [CODE].iter().chain(&TABLES) {
        linker.relocate(name)?;
    }
    linker.find_descriptor()?;
    Ok(linker.linked)
}

struct Linker<'f, 'a> {
    file: &'f File<'a>,
    target: Target,
    linked: Linked,
    /// Where sections lie, from the beginning of the code.
    sections: HashMap<SectionIndex, u64>,
    /// Where the stubs of imports lie.
    stubs: HashMap<SymbolIndex, u64>,
}

impl Linker<'_, '_> {
    fn lay_out(&mut self) -> Result<()> {
        self.add_section(CODE, 64)?;
        self.add_stubs()?;
        self.linked.code_size = self.linked.bytes.len() as u64;
        self.align(ALIGN);
        for name in TABLES {
            // The initial memory asks for a page.
            self.add_section(name, 4096)?;
        }
        self.align(8);
        match i32::try_from(self.linked.bytes.len()) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::new("the code has more than 2 GiB")),
        }
    }

    fn align(&mut self, align: u64) {
        let end = self.linked.bytes.len().next_multiple_of(align as usize);
        self.linked.bytes.resize(end, 0);
    }

    fn add_section(&mut self, name: &str, align: u64) -> Result<()> {
        let Some(section) = self.file.section_by_name(name) else { return Ok(()) };
        if section.align() > align {
            return Err(Error::new(format!("{name} is aligned to {}", section.align())));
        }
        self.align(align);
        self.sections.insert(section.index(), self.linked.bytes.len() as u64);
        self.linked.bytes.extend_from_slice(section.data().at(name)?);
        Ok(())
    }

    /// One for each import that the code calls.
    fn add_stubs(&mut self) -> Result<()> {
        let numbers: HashMap<String, u32> = import_names().zip(0..).collect();
        let Some(code) = self.file.section_by_name(CODE) else { return Ok(()) };
        for (_, relocation) in code.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else { continue };
            let symbol = self.file.symbol_by_index(index).at("object file")?;
            if !symbol.is_undefined() || self.stubs.contains_key(&index) {
                continue;
            }
            let name = symbol.name().at("object file")?;
            let Some(number) = numbers.get(name) else {
                return Err(Error::new(format!("no program may call {name}")));
            };
            self.align(16);
            let stub = stub(self.target);
            let at = self.linked.bytes.len();
            self.stubs.insert(index, at as u64);
            self.linked.bytes.extend_from_slice(stub);
            self.linked.imports.push([(at + stub.len() - 8) as u32, *number]);
        }
        Ok(())
    }

    /// Where the target of a relocation lies, without its addend.
    fn place(&self, target: RelocationTarget) -> Result<u64> {
        let unknown = || Error::new("a reference to nothing").at("object file");
        let index = match target {
            RelocationTarget::Symbol(index) => index,
            RelocationTarget::Section(index) => {
                return self.sections.get(&index).copied().ok_or_else(unknown);
            }
            _ => return Err(unknown()),
        };
        if let Some(stub) = self.stubs.get(&index) {
            return Ok(*stub);
        }
        let symbol = self.file.symbol_by_index(index).at("object file")?;
        let section = symbol.section_index().and_then(|index| self.sections.get(&index));
        Ok(section.ok_or_else(unknown)? + symbol.address())
    }

    fn relocate(&mut self, name: &str) -> Result<()> {
        let Some(section) = self.file.section_by_name(name) else { return Ok(()) };
        let start = self.sections[&section.index()];
        // RISC-V: what the upper halves of addresses are about, for the lower ones.
        let mut upper = HashMap::new();
        let mut lower = Vec::new();
        for (offset, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            let at = start + offset;
            let target = self.place(relocation.target())?.wrapping_add_signed(relocation.addend());
            let distance = target.wrapping_sub(at) as i64;
            match (self.target, r_type) {
                (Target::X86_64, elf::R_X86_64_64)
                | (Target::Aarch64, elf::R_AARCH64_ABS64)
                | (Target::Riscv64, elf::R_RISCV_64) => {
                    self.linked.places.push([at as u32, target as u32]);
                }
                (Target::X86_64, elf::R_X86_64_PC32 | elf::R_X86_64_PLT32) => {
                    self.put(at, (near(distance)?) as u32)?;
                }
                (Target::Aarch64, elf::R_AARCH64_CALL26 | elf::R_AARCH64_JUMP26) => {
                    if !(-(1 << 27)..1 << 27).contains(&distance) {
                        return Err(Error::new("the code has more than 128 MiB"));
                    }
                    let word = self.word(at)? & !0x03ff_ffff;
                    self.put(at, word | (distance >> 2) as u32 & 0x03ff_ffff)?;
                }
                // The whole is placed at a multiple of these pages.
                (Target::Aarch64, elf::R_AARCH64_ADR_PREL_PG_HI21) => {
                    let pages = near((target >> 12) as i64 - (at >> 12) as i64)? as u32;
                    let word = self.word(at)? & !(3 << 29 | 0x7_ffff << 5);
                    let (low, high) = (pages & 3, pages >> 2 & 0x7_ffff);
                    self.put(at, word | low << 29 | high << 5)?;
                }
                (Target::Aarch64, elf::R_AARCH64_ADD_ABS_LO12_NC) => {
                    let word = self.word(at)? & !(0xfff << 10);
                    self.put(at, word | (target as u32 & 0xfff) << 10)?;
                }
                (Target::Riscv64, elf::R_RISCV_CALL_PLT) => {
                    let distance = near(distance)?;
                    self.put_upper(at, distance)?;
                    self.put_lower(at + 4, distance)?;
                }
                (Target::Riscv64, elf::R_RISCV_PCREL_HI20) => {
                    let distance = near(distance)?;
                    self.put_upper(at, distance)?;
                    upper.insert(at, distance);
                }
                (Target::Riscv64, elf::R_RISCV_PCREL_LO12_I) => lower.push((at, target)),
                (Target::Riscv64, elf::R_RISCV_RELAX) => {}
                (_, other) => {
                    return Err(Error::new(format!("unknown relocation {other} in {name}")));
                }
            }
        }
        for (at, of) in lower {
            let distance = upper.get(&of).ok_or_else(|| Error::new("half of an address"))?;
            self.put_lower(at, *distance)?;
        }
        Ok(())
    }

    fn word(&self, at: u64) -> Result<u32> {
        let bytes = self.linked.bytes.get(at as usize..at as usize + 4);
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or_else(outside)
    }

    fn put(&mut self, at: u64, word: u32) -> Result<()> {
        let bytes = self.linked.bytes.get_mut(at as usize..at as usize + 4);
        bytes.ok_or_else(outside)?.copy_from_slice(&word.to_le_bytes());
        Ok(())
    }

    /// The immediate of a RISC-V instruction of U type; the lower half is signed.
    fn put_upper(&mut self, at: u64, value: i32) -> Result<()> {
        let word = self.word(at)? & 0xfff;
        self.put(at, word | (value.wrapping_add(0x800) as u32 & !0xfff))
    }

    /// The immediate of a RISC-V instruction of I type.
    fn put_lower(&mut self, at: u64, value: i32) -> Result<()> {
        let word = self.word(at)? & 0xf_ffff;
        self.put(at, word | (value as u32 & 0xfff) << 20)
    }

    fn find_descriptor(&mut self) -> Result<()> {
        for symbol in self.file.symbols() {
            let is_descriptor = |name: &str| name.starts_with(SYMBOL_PREFIX);
            if symbol.is_global()
                && symbol.is_definition()
                && symbol.name().is_ok_and(is_descriptor)
            {
                self.linked.descriptor = self.place(RelocationTarget::Symbol(symbol.index()))?;
                return Ok(());
            }
        }
        Err(Error::new("the object has no descriptor"))
    }
}

fn near(distance: i64) -> Result<i32> {
    i32::try_from(distance).map_err(|_| Error::new("the code has more than 2 GiB"))
}

fn outside() -> Error {
    Error::new("a relocation outside of its section")
}
