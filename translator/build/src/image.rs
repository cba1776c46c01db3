//! Writes the object that tells the runtime what is in a boot binary (`linnet_abi::boot`).

use std::mem::{offset_of, size_of};

use linnet_abi::ABI_VERSION;
use linnet_abi::boot::{BootImage, SYMBOL};
use linnet_abi::module::SYMBOL_PREFIX;
use object::Architecture;
use object::write::SymbolId;

use crate::digest::Digest;
use crate::error::{At as _, Result};
use crate::object_file::Writer;

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
    /// `FILE` or `FILE,ro`.
    pub(crate) disks: &'a [String],
    /// What the machine starts as, or nothing.
    pub(crate) snapshot: &'a [u8],
    /// What is in the boot binary, for those who ask.
    pub(crate) description: &'a str,
}

/// Makes the object file. The same contents always give the same bytes.
pub(crate) fn write(mut contents: Contents<'_>) -> Result<Vec<u8>> {
    // The runtime searches the programs by id.
    contents.programs.sort_by_key(|program| program.id);
    let mut writer = Writer::new(contents.architecture);
    let initrd = writer.data("initrd", ".rodata.linnet.initrd", contents.initrd, PAGE);
    let append = writer.data("append", ".rodata.linnet.append", contents.append.as_bytes(), 1);
    let disks: String = contents.disks.iter().map(|disk| format!("{disk}\0")).collect();
    let disk_list = writer.data("disks", ".rodata.linnet.disks", disks.as_bytes(), 1);
    let snapshot = writer.data("snapshot", ".rodata.linnet.snapshot", contents.snapshot, PAGE);
    let modules: Vec<SymbolId> =
        contents.programs.iter().map(|program| descriptor(&mut writer, &program.prefix)).collect();
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
    put(offset_of!(BootImage, disks_size), &size(disks.as_bytes()));
    put(offset_of!(BootImage, snapshot_size), &size(contents.snapshot));
    put(offset_of!(BootImage, memory), &contents.memory.to_le_bytes());
    let image = writer.data(SYMBOL, ".data.rel.ro.linnet.image", &image, 8);
    writer.export(image);

    writer.note(contents.description.as_bytes())?;

    let kernel = descriptor(&mut writer, contents.kernel_prefix);
    for (offset, target) in [
        (offset_of!(BootImage, kernel), kernel),
        (offset_of!(BootImage, programs), programs.symbol),
        (offset_of!(BootImage, initrd), initrd.symbol),
        (offset_of!(BootImage, append), append.symbol),
        (offset_of!(BootImage, disks), disk_list.symbol),
        (offset_of!(BootImage, snapshot), snapshot.symbol),
    ] {
        writer.pointer(image.section, offset as u64, target)?;
    }
    writer.finish()
}

/// The descriptor of a translated module, in another object.
fn descriptor(writer: &mut Writer<'_>, prefix: &str) -> SymbolId {
    writer.undefined(&format!("{SYMBOL_PREFIX}{prefix}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_file::{NOTE_NAME, read_note};

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
            snapshot: &[],
            disks: &["data.img,ro".to_owned()],
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
                snapshot: &[],
                disks: &[],
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
