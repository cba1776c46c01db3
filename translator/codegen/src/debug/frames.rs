//! `.eh_frame`: how to get from a frame to its caller's.
//!
//! The runtime does not read it, it walks frame pointers. Debuggers do, and so do profilers and the
//! unwinders of C++ and Rust hosts. In the two instructions of an epilogue it is not right: the code
//! generator says nothing of them.

use super::{Defined, failed, section};
use crate::error::Result;
use cranelift_codegen::isa::TargetIsa;
use cranelift_object::ObjectProduct;
use gimli::write::{Address, EhFrame, FrameTable};
use object::write::StandardSection;

/// Addresses of functions: 32 bits relative to the place that holds them, right wherever the
/// executable is loaded.
const POINTERS: gimli::DwEhPe = gimli::DwEhPe(gimli::DW_EH_PE_pcrel.0 | gimli::DW_EH_PE_sdata4.0);

pub(super) fn emit(
    product: &mut ObjectProduct,
    isa: &dyn TargetIsa,
    functions: &[Defined],
) -> Result<()> {
    let Some(mut common) = isa.create_systemv_cie() else { return Ok(()) };
    common.fde_address_encoding = POINTERS;
    let mut table = FrameTable::default();
    let common = table.add_cie(common);
    let mut symbols = Vec::new();
    for function in functions {
        let Some(unwind) = &function.code.unwind else { continue };
        let start = Address::Symbol { symbol: symbols.len(), addend: 0 };
        symbols.push(product.function_symbol(function.id));
        table.add_fde(common, unwind.to_fde(start));
    }
    let mut section = EhFrame(section::Section::default());
    table.write_eh_frame(&mut section).map_err(failed)?;
    let id = product.object.section_id(StandardSection::EhFrame);
    section.0.append(&mut product.object, id, 8, &symbols, |_| None)
}
