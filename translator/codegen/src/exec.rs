//! The program file: what the kernel reads and maps instead of the module's own sections.

use crate::error::{Error, Result};
use crate::image;
use crate::module::{FEATURES, Module};
use linnet_abi::exec::{HEADER_OFFSET, HEADER_SIZE, IMAGE_ALIGN, SECTION};
use linnet_abi::memory::NULL_GUARD;
use linnet_abi::{ABI_VERSION, WASM_PAGE};

const NOT_A_PROGRAM: &str = "programs are linked with linnet's SDK, see `linnet cc`";

/// Makes the program file of a module: see `linnet_abi::exec`. With `strip`, without the module's
/// other sections, which the kernel does not read.
///
/// # Errors
///
/// The module is malformed, or its memory cannot be known ahead of time.
pub fn exec_file(wasm: &[u8], strip: bool) -> Result<Vec<u8>> {
    let module = Module::parse(wasm)?;
    // The start function must be valid before it is run.
    wasmparser::Validator::new_with_features(FEATURES).validate_all(wasm)?;
    // The kernel starts a program with these.
    if module.exported_function(linnet_abi::calls::START).is_none() {
        return Err(Error::new("the module exports no function _start").hint(NOT_A_PROGRAM));
    }
    if module.find_slot("__stack_pointer").is_none() {
        return Err(Error::new("the module has no variable __stack_pointer").hint(NOT_A_PROGRAM));
    }
    let image = image::evaluate(&module)?;

    let align = IMAGE_ALIGN as usize;
    let guard = NULL_GUARD as usize;
    let first = image.bytes.iter().position(|b| *b != 0).unwrap_or(guard.max(image.bytes.len()));
    if first < guard {
        return Err(Error::new(format!("data at address {first:#x}, where nothing is mapped"))
            .hint("link with --global-base=65536 or above, so that null pointers fault"));
    }
    let first = first / align * align;
    let bytes = image.bytes.get(first..).unwrap_or_default();
    let memory = module.memory_pages * WASM_PAGE;
    let heap_base = module
        .find_global("__heap_base")
        .map_or(memory, |g| module.globals[g as usize].value as u64);
    let memory_end = image.end.max(heap_base);
    let word = |value: u64, what: &str| {
        u32::try_from(value).map_err(|_| Error::new(format!("{what} is above 4 GiB: {value:#x}")))
    };

    let image_offset = (HEADER_OFFSET + HEADER_SIZE).next_multiple_of(align);
    let section_start = 8 + 1 + 5;
    let section_size = word((image_offset + bytes.len() - section_start) as u64, "the file")?;
    let mut file = b"\0asm\x01\0\0\0\0".to_vec();
    file.extend(leb128_fixed(section_size));
    file.push(SECTION.len() as u8);
    file.extend(SECTION.as_bytes());
    file.resize(HEADER_OFFSET, 0);
    file.extend(module.id);
    for field in [
        ABI_VERSION,
        word(first as u64, "the image")?,
        word(image_offset as u64, "the image")?,
        word(bytes.len() as u64, "the image")?,
        word(memory_end, "the end of static data")?,
        word(heap_base, "the heap")?,
        0,
        0,
    ] {
        file.extend(field.to_le_bytes());
    }
    debug_assert_eq!(file.len(), HEADER_OFFSET + HEADER_SIZE);
    file.resize(image_offset, 0);
    file.extend(bytes);
    if !strip {
        file.extend(&wasm[8..]);
    }
    Ok(file)
}

/// An unsigned LEB128 number in exactly five bytes.
fn leb128_fixed(value: u32) -> [u8; 5] {
    std::array::from_fn(|i| {
        let more = if i < 4 { 0x80 } else { 0 };
        (value >> (7 * i)) as u8 & 0x7f | more
    })
}
