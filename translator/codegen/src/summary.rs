//! What a module is, for people.

use crate::error::{Error, Result};
use crate::imports;
use crate::module::Module;

/// What stands in a module's sections.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Functions of its own.
    pub functions: usize,
    /// `module.name` of what it imports as functions.
    pub imports: Vec<String>,
    /// Names of its functions that others may call.
    pub exports: Vec<String>,
    /// Bytes that its memory has at the start at least.
    pub memory: u64,
    /// Bytes of its data segments.
    pub data: usize,
    /// Entries of its function table.
    pub table: usize,
    /// Whether it has exception tags, as programs with `longjmp` or C++ exceptions have.
    pub exceptions: bool,
    /// Why it cannot be translated, if its imports are not Linnet's.
    pub problem: Option<Error>,
}

/// Reads a module's sections. The bodies of its functions are not checked.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported.
pub fn summary(wasm: &[u8]) -> Result<Summary> {
    const PAGE: u64 = 65536;
    let module = Module::parse(wasm)?;
    Ok(Summary {
        functions: module.bodies.len(),
        imports: module
            .imports
            .iter()
            .map(|import| format!("{}.{}", import.module, import.name))
            .collect(),
        exports: module.function_exports.iter().map(|(name, _)| (*name).to_owned()).collect(),
        memory: module.memory_pages * PAGE,
        data: module.segments.iter().map(|segment| segment.bytes.len()).sum(),
        table: module.table.len(),
        exceptions: !module.tags.is_empty(),
        problem: imports::resolve(&module, false)
            .or_else(|problem| imports::resolve(&module, true).map_err(|_| problem))
            .err(),
    })
}
