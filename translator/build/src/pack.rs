//! Puts a boot binary into another executable, compressed (`linnet_abi::packed`).

use std::io::Write as _;
use std::mem::{offset_of, size_of};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use linnet_abi::packed::{Packed, SYMBOL, Segment};
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Architecture, Endianness, Object as _, ObjectSection as _};

use crate::error::{At as _, Error, Result};
use crate::object_file::{NOTE_SECTION, Writer, read_note};
use crate::parallel;

/// What the errors of a file that was just made are about.
const PLACE: &str = "boot binary";

/// Makes the object file that holds a boot binary. The same bytes always give the same bytes.
pub(crate) fn write(architecture: Architecture, binary: &[u8], jobs: usize) -> Result<Vec<u8>> {
    let header = FileHeader64::<Endianness>::parse(binary).at(PLACE)?;
    let endian = header.endian().at(PLACE)?;
    let headers = header.program_headers(endian, binary).at(PLACE)?;
    let loads: Vec<_> = headers.iter().filter(|h| h.p_type(endian) == elf::PT_LOAD).collect();
    let contents = loads
        .iter()
        .map(|load| load.data(endian, binary).map_err(|()| Error::new("truncated").at(PLACE)))
        .collect::<Result<Vec<_>>>()?;
    let packed = parallel::map(jobs, &contents, |bytes| compress(bytes));

    let mut writer = Writer::new(architecture);
    let mut rows = vec![0; loads.len() * size_of::<Segment>()];
    let (mut start, mut end) = (u64::MAX, 0);
    let mut places = Vec::new();
    for (i, (load, packed)) in loads.iter().zip(packed).enumerate() {
        let packed = packed?;
        let address = load.p_vaddr(endian);
        let align = load.p_align(endian).max(1);
        let first_page = address / align * align;
        let end_page = (address + load.p_memsz(endian)).next_multiple_of(align);
        (start, end) = (start.min(first_page), end.max(end_page));
        let mut put = |field: usize, value: u64| {
            let at = i * size_of::<Segment>() + field;
            rows[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(offset_of!(Segment, address), address);
        put(offset_of!(Segment, len), load.p_filesz(endian));
        put(offset_of!(Segment, packed_len), packed.len() as u64);
        put(offset_of!(Segment, first_page), first_page);
        put(offset_of!(Segment, end_page), end_page);
        put(offset_of!(Segment, protection), protection(load.p_flags(endian)));
        let name = format!("packed.{i}");
        let data = writer.data(&name, &format!(".rodata.linnet.{name}"), &packed, 1);
        places.push(((i * size_of::<Segment>() + offset_of!(Segment, packed)) as u64, data.symbol));
    }
    let segments = writer.data("segments", ".data.rel.ro.linnet.segments", &rows, 8);
    for (at, symbol) in places {
        writer.pointer(segments.section, at, symbol)?;
    }

    let mut row = [0; size_of::<Packed>()];
    for (field, value) in [
        (offset_of!(Packed, entry), header.e_entry(endian)),
        (offset_of!(Packed, start), start),
        (offset_of!(Packed, end), end),
        (offset_of!(Packed, segment_count), loads.len() as u64),
    ] {
        row[field..field + 8].copy_from_slice(&value.to_le_bytes());
    }
    let data = writer.data(SYMBOL, ".data.rel.ro.linnet.packed", &row, 8);
    writer.pointer(data.section, offset_of!(Packed, segments) as u64, segments.symbol)?;
    writer.export(data);

    // It still says what is in it.
    let file = object::File::parse(binary).at(PLACE)?;
    if let Some(note) = file.section_by_name(NOTE_SECTION)
        && let Some(description) = read_note(note.data().at(PLACE)?)
    {
        writer.note(description)?;
    }
    writer.finish()
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).at(PLACE)?;
    encoder.finish().at(PLACE)
}

/// ELF's flags as mprotect(2) takes them.
fn protection(flags: u32) -> u64 {
    [(elf::PF_R, 1), (elf::PF_W, 2), (elf::PF_X, 4)]
        .into_iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, bit)| bit)
        .sum()
}
