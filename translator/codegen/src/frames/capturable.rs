//! Which functions can be on the stack when frames are captured.
//!
//! A capture begins at a host call, at a wait or at a poll. A function that can come to none of these,
//! directly or through functions that it calls, needs no capture points, and a call of it is none.

use crate::imports::Symbol;
use crate::module::{Body, Module};
use rayon::prelude::*;
use wasmparser::Operator;

/// What one function does.
struct Function {
    capturable: bool,
    callees: Vec<u32>,
}

/// Whether each function can, by wasm index.
pub(crate) fn find(module: &Module, symbols: &[Symbol], polls: bool, never: &[u32]) -> Vec<bool> {
    let own: Vec<_> = module.bodies.par_iter().map(|body| scan(body, polls)).collect();
    let imported = module.imported() as usize;
    let mut capturable: Vec<bool> = symbols.iter().map(|s| *s != Symbol::Barrier).collect();
    capturable.extend(own.iter().map(|f| f.capturable));
    let mut callers = vec![Vec::new(); capturable.len()];
    for (i, function) in own.iter().enumerate() {
        for callee in &function.callees {
            if let Some(list) = callers.get_mut(*callee as usize) {
                list.push(imported + i);
            }
        }
    }
    for index in never {
        capturable[*index as usize] = false;
        callers[*index as usize].clear();
    }
    let mut todo: Vec<usize> = (0..capturable.len()).filter(|i| capturable[*i]).collect();
    while let Some(index) = todo.pop() {
        for caller in std::mem::take(&mut callers[index]) {
            if !capturable[caller] && !never.contains(&(caller as u32)) {
                capturable[caller] = true;
                todo.push(caller);
            }
        }
    }
    capturable
}

/// The body is not validated yet: what is wrong with it is said later.
fn scan(body: &Body, polls: bool) -> Function {
    let mut function = Function { capturable: false, callees: Vec::new() };
    let Ok(mut operators) = body.body.get_operators_reader() else { return function };
    while let Ok(operator) = operators.read() {
        match operator {
            Operator::Call { function_index } => function.callees.push(function_index),
            Operator::ReturnCall { function_index } => {
                function.callees.push(function_index);
                function.capturable |= polls;
            }
            Operator::CallIndirect { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::MemoryAtomicWait32 { .. }
            | Operator::MemoryAtomicWait64 { .. } => function.capturable = true,
            Operator::Loop { .. } => function.capturable |= polls,
            _ => {}
        }
        if operators.eof() {
            break;
        }
    }
    function.callees.sort_unstable();
    function.callees.dedup();
    function
}
