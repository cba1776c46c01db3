//! What functions call: read once, before any of them is translated.

use crate::imports::Symbol;
use crate::module::{Body, Module};
use rayon::prelude::*;
use wasmparser::Operator;

/// What one function does.
#[derive(Default)]
pub(crate) struct Function {
    /// Bytes of wasm.
    pub size: u64,
    /// Functions that it calls, in place of itself or not: once for each call.
    pub callees: Vec<u32>,
    /// Calls through the table, and of a host module's imports: they come to code that is not known.
    pub indirect: u64,
    /// Copies and fills of memory.
    pub bulk: u64,
    pub has_loop: bool,
    pub waits: bool,
}

/// Those that the module defines, in order.
pub(crate) fn find(module: &Module, symbols: &[Symbol]) -> Vec<Function> {
    // What a module for hosts imports may be another one's, and call this one.
    let foreign = if module.standalone.is_some() { module.imported() } else { 0 };
    module.bodies.par_iter().map(|body| scan(body, symbols, foreign)).collect()
}

/// The body is not validated yet: what is wrong with it is said later.
fn scan(body: &Body, symbols: &[Symbol], foreign: u32) -> Function {
    use Operator as O;
    let range = body.body.range();
    let mut function = Function { size: range.end - range.start, ..Function::default() };
    let Ok(mut operators) = body.body.get_operators_reader() else { return function };
    while let Ok(operator) = operators.read() {
        match operator {
            O::Call { function_index } | O::ReturnCall { function_index } => {
                match symbols.get(function_index as usize) {
                    Some(Symbol::CallHandler) => function.indirect += 1,
                    _ if function_index < foreign => function.indirect += 1,
                    _ => function.callees.push(function_index),
                }
            }
            O::CallIndirect { .. }
            | O::ReturnCallIndirect { .. }
            | O::CallRef { .. }
            | O::ReturnCallRef { .. } => function.indirect += 1,
            O::MemoryCopy { .. }
            | O::MemoryFill { .. }
            | O::MemoryInit { .. }
            | O::TableCopy { .. }
            | O::TableFill { .. }
            | O::TableInit { .. } => function.bulk += 1,
            O::MemoryAtomicWait32 { .. } | O::MemoryAtomicWait64 { .. } => function.waits = true,
            O::Loop { .. } => function.has_loop = true,
            _ => {}
        }
        if operators.eof() {
            break;
        }
    }
    function
}
