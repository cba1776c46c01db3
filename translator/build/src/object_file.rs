//! Object files of data that the linker takes beside the translator's.

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, RelocationEncoding, RelocationFlags,
    RelocationKind, SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use crate::error::{At as _, Result};

/// Section of the description: an ELF note, which stays when the rest is stripped.
pub(crate) const NOTE_SECTION: &str = ".note.linnet";
/// The note's owner.
pub(crate) const NOTE_NAME: &[u8; 8] = b"Linnet\0\0";
/// The note's type.
const NOTE_TYPE: u32 = 1;
/// Bytes before the description.
const NOTE_HEADER: usize = 12 + NOTE_NAME.len();

/// The description in the contents of a note's section.
pub(crate) fn read_note(note: &[u8]) -> Option<&[u8]> {
    let size = u32::from_le_bytes(note.get(4..8)?.try_into().ok()?);
    note.get(NOTE_HEADER..)?.get(..size as usize)
}

/// An object file under construction.
pub(crate) struct Writer<'a> {
    object: Object<'a>,
}

#[derive(Clone, Copy)]
pub(crate) struct Data {
    pub(crate) section: SectionId,
    pub(crate) symbol: SymbolId,
}

impl Writer<'_> {
    pub(crate) fn new(architecture: Architecture) -> Self {
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        if architecture == Architecture::Riscv64 {
            // The linker refuses to mix calling conventions, although no code is in this object.
            let e_flags = elf::EF_RISCV_FLOAT_ABI_DOUBLE;
            object.flags = FileFlags::Elf { os_abi: 0, abi_version: 0, e_flags };
        }
        Writer { object }
    }

    /// A read-only section with one local symbol.
    pub(crate) fn data(&mut self, name: &str, section: &str, bytes: &[u8], align: u64) -> Data {
        let kind = match section.starts_with(".rodata") {
            true => SectionKind::ReadOnlyData,
            false => SectionKind::ReadOnlyDataWithRel,
        };
        let section = self.object.add_section(Vec::new(), section.as_bytes().to_vec(), kind);
        self.object.append_section_data(section, bytes, align);
        let symbol = self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: bytes.len() as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        Data { section, symbol }
    }

    /// Lets other objects name it.
    pub(crate) fn export(&mut self, data: Data) {
        self.object.symbol_mut(data.symbol).scope = SymbolScope::Linkage;
    }

    /// An ELF note: sizes of name and description, type, name, description.
    pub(crate) fn note(&mut self, description: &[u8]) -> Result<()> {
        let mut bytes = Vec::new();
        // The terminating NUL of the name counts, its padding does not.
        let name_size = NOTE_NAME.len() as u32 - 1;
        let size = u32::try_from(description.len()).at("description")?;
        for word in [name_size, size, NOTE_TYPE] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(NOTE_NAME);
        bytes.extend_from_slice(description);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let name = NOTE_SECTION.as_bytes().to_vec();
        let section = self.object.add_section(Vec::new(), name, SectionKind::Note);
        self.object.append_section_data(section, &bytes, 4);
        self.object.section_mut(section).flags =
            SectionFlags::Elf { sh_flags: u64::from(elf::SHF_ALLOC) };
        Ok(())
    }

    /// A symbol of another object.
    pub(crate) fn undefined(&mut self, name: &str) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Data,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        })
    }

    /// Has the linker put the address of a symbol at an offset of a section.
    pub(crate) fn pointer(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
    ) -> Result<()> {
        let flags = RelocationFlags::Generic {
            kind: RelocationKind::Absolute,
            encoding: RelocationEncoding::Generic,
            size: 64,
        };
        self.object
            .add_relocation(section, Relocation { offset, symbol, addend: 0, flags })
            .at("object file")
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        self.object.write().at("object file")
    }
}
