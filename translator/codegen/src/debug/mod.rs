//! What debuggers and profilers read beside the code.
//!
//! | file        | what it writes or reads                                                    |
//! |-------------|----------------------------------------------------------------------------|
//! | [`frames`]  | `.eh_frame`, for every function                                            |
//! | [`source`]  | reads the module's DWARF, if it was compiled with `-g`                     |
//! | [`lines`]   | DWARF for the functions that the module's own tells of                     |
//! | [`section`] | bytes and relocations of one section                                       |

mod frames;
mod lines;
mod section;
mod source;

pub(crate) use source::Sources;

use crate::compile::Code;
use crate::error::{Error, Result};
use cranelift_codegen::isa::TargetIsa;
use cranelift_module::FuncId;
use cranelift_object::ObjectProduct;

/// A function of the object.
pub(crate) struct Defined<'c> {
    pub id: FuncId,
    pub code: &'c Code,
    /// Where its body begins in the module's code section, if it is one of the module.
    pub address: Option<u32>,
}

/// Adds what there is to say of `functions` to the object that defines them.
pub(crate) fn emit(
    product: &mut ObjectProduct,
    isa: &dyn TargetIsa,
    sources: &Sources,
    functions: &[Defined],
) -> Result<()> {
    frames::emit(product, isa, functions)?;
    lines::emit(product, sources, functions)
}

fn failed(e: impl std::fmt::Display) -> Error {
    Error::new(format!("debug information: {e}"))
}
