//! Tail calls that bodies make. They need not be valid yet.

use super::Module;
use rayon::prelude::*;
use wasmparser::{FunctionBody, Operator};

/// Whether a function of the module makes one. Errors are the validator's.
pub(crate) fn are_in(module: &Module) -> bool {
    module.bodies.par_iter().any(|body| makes_one(&body.body))
}

pub(crate) fn makes_one(body: &FunctionBody) -> bool {
    let Ok(operators) = body.get_operators_reader() else { return false };
    operators.into_iter().map_while(std::result::Result::ok).any(|operator| is_one(&operator))
}

pub(crate) fn is_one(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
    )
}
