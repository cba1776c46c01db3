//! Writes the object that tells the runtime what is in a boot binary (`linnet_abi::boot`).

use std::mem::{offset_of, size_of};

use linnet_abi::ABI_VERSION;
use linnet_abi::boot::{BootImage, SYMBOL};
use linnet_abi::module::SYMBOL_PREFIX;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, RelocationEncoding, RelocationFlags,
    RelocationKind, SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use crate::digest::Digest;
use crate::error::{At as _, Result};

/// The initrd starts at a page of the host, whatever the page size.
const PAGE: u64 = 65536;

/// Size of a host pointer. All hosts have 64 bits.
const POINTER: usize = 8;

/// A translated program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Of its module.
    pub(crate) id: Digest,
    /// That it was translated with.
    pub(crate) prefix: String,
}

/// What goes into a boot image.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) architecture: Architecture,
    pub(crate) kernel_prefix: &'a str,
    pub(crate) programs: Vec<Program>,
    pub(crate) initrd: &'a [u8],
    /// Kernel arguments that always apply.
    pub(crate) append: &'a str,
    /// Guest memory in bytes unless the command line says otherwise; 0 for the runtime's default.
    pub(crate) memory: u64,
    /// What is in the boot binary, for those who ask.
    pub(crate) description: &'a str,
}

/// Section of the description: an ELF note, which stays when the rest is stripped.
pub(crate) const NOTE_SECTION: &str = ".note.linnet";
/// The note's owner.
const NOTE_NAME: &[u8; 8] = b"Linnet\0\0";
/// The note's type.
const NOTE_TYPE: u32 = 1;
/// Bytes before the description.
const NOTE_HEADER: usize = 12 + NOTE_NAME.len();

/// The description in the contents of a note's section.
pub(crate) fn read_note(note: &[u8]) -> Option<&[u8]> {
    let size = u32::from_le_bytes(note.get(4..8)?.try_into().ok()?);
    note.get(NOTE_HEADER..)?.get(..size as usize)
}

/// Makes the object file. The same contents always give the same bytes.
pub(crate) fn write(mut contents: Contents<'_>) -> Result<Vec<u8>> {
    // The runtime searches the programs by id.
    contents.programs.sort_by_key(|program| program.id);
    let object = Object::new(BinaryFormat::Elf, contents.architecture, Endianness::Little);
    let mut writer = Writer { object };
    if contents.architecture == Architecture::Riscv64 {
        // The linker refuses to mix calling conventions, although no code is in this object.
        let e_flags = elf::EF_RISCV_FLOAT_ABI_DOUBLE;
        writer.object.flags = FileFlags::Elf { os_abi: 0, abi_version: 0, e_flags };
    }

    let initrd = writer.data("initrd", ".rodata.linnet.initrd", contents.initrd, PAGE);
    let append = writer.data("append", ".rodata.linnet.append", contents.append.as_bytes(), 1);
    let modules: Vec<SymbolId> =
        contents.programs.iter().map(|program| writer.module(&program.prefix)).collect();
    let list = vec![0; modules.len() * POINTER];
    let programs = writer.data("programs", ".data.rel.ro.linnet.programs", &list, 8);
    for (offset, module) in (0..).step_by(POINTER).zip(modules) {
        writer.pointer(programs.section, offset, module)?;
    }

    let mut image = [0; size_of::<BootImage>()];
    let count = u32::try_from(contents.programs.len()).at("number of programs")?;
    let mut put = |offset: usize, bytes: &[u8]| {
        image[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(offset_of!(BootImage, abi_version), &ABI_VERSION.to_le_bytes());
    put(offset_of!(BootImage, program_count), &count.to_le_bytes());
    let size = |bytes: &[u8]| (bytes.len() as u64).to_le_bytes();
    put(offset_of!(BootImage, initrd_size), &size(contents.initrd));
    put(offset_of!(BootImage, append_size), &size(contents.append.as_bytes()));
    put(offset_of!(BootImage, memory), &contents.memory.to_le_bytes());
    let image = writer.data(SYMBOL, ".data.rel.ro.linnet.image", &image, 8);
    writer.object.symbol_mut(image.symbol).scope = SymbolScope::Linkage;

    writer.note(contents.description)?;

    let kernel = writer.module(contents.kernel_prefix);
    for (offset, target) in [
        (offset_of!(BootImage, kernel), kernel),
        (offset_of!(BootImage, programs), programs.symbol),
        (offset_of!(BootImage, initrd), initrd.symbol),
        (offset_of!(BootImage, append), append.symbol),
    ] {
        writer.pointer(image.section, offset as u64, target)?;
    }
    writer.object.write().at("boot image")
}

struct Writer<'a> {
    object: Object<'a>,
}

#[derive(Clone, Copy)]
struct Data {
    section: SectionId,
    symbol: SymbolId,
}

impl Writer<'_> {
    /// A read-only section with one local symbol.
    fn data(&mut self, name: &str, section: &str, bytes: &[u8], align: u64) -> Data {
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

    /// An ELF note: sizes of name and description, type, name, description.
    fn note(&mut self, description: &str) -> Result<()> {
        let mut bytes = Vec::new();
        // The terminating NUL of the name counts, its padding does not.
        let name_size = NOTE_NAME.len() as u32 - 1;
        let size = u32::try_from(description.len()).at("description")?;
        for word in [name_size, size, NOTE_TYPE] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(NOTE_NAME);
        bytes.extend_from_slice(description.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let name = NOTE_SECTION.as_bytes().to_vec();
        let section = self.object.add_section(Vec::new(), name, SectionKind::Note);
        self.object.append_section_data(section, &bytes, 4);
        self.object.section_mut(section).flags =
            SectionFlags::Elf { sh_flags: u64::from(elf::SHF_ALLOC) };
        Ok(())
    }

    /// The descriptor of a translated module, in another object.
    fn module(&mut self, prefix: &str) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: format!("{SYMBOL_PREFIX}{prefix}").into_bytes(),
            value: 0,
            size: 0,
            kind: SymbolKind::Data,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        })
    }

    fn pointer(&mut self, section: SectionId, offset: u64, symbol: SymbolId) -> Result<()> {
        let flags = RelocationFlags::Generic {
            kind: RelocationKind::Absolute,
            encoding: RelocationEncoding::Generic,
            size: 64,
        };
        self.object
            .add_relocation(section, Relocation { offset, symbol, addend: 0, flags })
            .at("boot image")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(programs: &[u8]) -> Vec<u8> {
        let programs = programs.iter().map(|&first| {
            let mut id = [0; 32];
            id[0] = first;
            Program { id: Digest(id), prefix: format!("p{first}") }
        });
        write(Contents {
            architecture: Architecture::X86_64,
            kernel_prefix: "kernel",
            programs: programs.collect(),
            initrd: b"070701",
            append: "quiet",
            memory: 1 << 28,
            description: "{}",
        })
        .expect("an object")
    }

    #[test]
    fn all_architectures_are_written() {
        for architecture in [Architecture::X86_64, Architecture::Aarch64, Architecture::Riscv64] {
            let contents = Contents {
                architecture,
                kernel_prefix: "kernel",
                programs: Vec::new(),
                initrd: &[],
                append: "",
                memory: 0,
                description: "",
            };
            assert!(write(contents).is_ok(), "{architecture:?}");
        }
    }

    #[test]
    fn notes_are_read_as_they_are_written() {
        let bytes = image(&[]);
        let start = bytes.windows(NOTE_NAME.len()).position(|part| part == NOTE_NAME);
        let note = &bytes[start.expect("a note") - 12..];
        assert_eq!(read_note(note), Some(b"{}".as_slice()));
        assert_eq!(read_note(&note[..20]), None);
        assert_eq!(read_note(b""), None);
    }

    #[test]
    fn order_of_programs_does_not_matter() {
        let bytes = |programs: &[u8]| image(programs);
        let text = String::from_utf8_lossy(&bytes(&[1, 2])).into_owned();
        assert!(text.contains("linnet_module_p1") && text.contains("linnet_boot_image"));
        assert_eq!(bytes(&[1, 2]), bytes(&[2, 1]));
    }
}
