//! What debuggers and profilers read beside the code.

mod frames;
mod section;

use crate::compile::Code;
use crate::error::{Error, Result};
use cranelift_codegen::isa::TargetIsa;
use cranelift_module::FuncId;
use cranelift_object::ObjectProduct;

/// Adds what there is to say of `functions` to the object that defines them.
pub(crate) fn emit(
    product: &mut ObjectProduct,
    isa: &dyn TargetIsa,
    functions: &[(FuncId, &Code)],
) -> Result<()> {
    frames::emit(product, isa, functions)
}

fn failed(e: impl std::fmt::Display) -> Error {
    Error::new(format!("debug information: {e}"))
}
