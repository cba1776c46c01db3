//! Tail calls: the called function takes the place of the caller, whose frame goes.

use super::call::{Callee, Direct, Entry};
use super::{Abi, Translator};
use crate::error::Result;
use crate::module::Module;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use linnet_abi::frames::kind;
use linnet_abi::instance::offset;
use rayon::prelude::*;
use wasmparser::{FunctionBody, Operator};

/// Whether a function of the module makes one. Errors are the validator's.
pub(crate) fn are_in(module: &Module) -> bool {
    module.bodies.par_iter().any(|body| makes_one(&body.body))
}

pub(super) fn makes_one(body: &FunctionBody) -> bool {
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

impl Translator<'_, '_, '_, '_> {
    pub(super) fn tail_call(&mut self, operator: &Operator) -> Result<bool> {
        if self.may_go_round(operator) {
            self.poll()?;
        }
        // What is called has left the clauses of this function, and so it is for calls in place of tail calls.
        match operator {
            Operator::ReturnCall { function_index } => self.return_call(*function_index)?,
            Operator::ReturnCallIndirect { type_index, table_index } => {
                if self.module.standalone.is_some() {
                    let index = self.pop();
                    let callee = self.checked_reference(*table_index, index, *type_index)?;
                    self.return_call_by_reference(callee, *type_index)?;
                } else {
                    self.return_call_entry(*type_index)?;
                }
            }
            Operator::ReturnCallRef { type_index } => {
                let reference = self.pop();
                self.trap_if_null(reference);
                self.return_call_by_reference(reference, *type_index)?;
            }
            _ => return Ok(false),
        }
        self.reachable = false;
        Ok(true)
    }

    /// Whether such calls can follow each other for ever: who does not call through the table comes to a
    /// function that is not behind its own.
    fn may_go_round(&self, operator: &Operator) -> bool {
        match operator {
            Operator::ReturnCall { function_index } => *function_index <= self.function,
            operator => is_one(operator),
        }
    }

    fn return_call(&mut self, function: u32) -> Result<()> {
        if self.module.standalone.is_some() && function < self.module.imported() {
            let reference = self.function_reference(function);
            let ty = self.module.functions[function as usize];
            return self.return_call_by_reference(reference, ty);
        }
        let Some(Direct { callee, args, abi }) = self.direct(function)? else {
            self.barrier();
            self.b.ins().return_(&[]);
            return Ok(());
        };
        if abi == Abi::Internal {
            self.b.ins().return_call(callee, &args);
            return Ok(());
        }
        // The runtime's functions have the C convention: they return to this one first.
        if self.is_capturable(function) {
            self.announce_capture_point(kind::HOST);
        }
        let results = self.emit_call_with(Callee::Direct(callee), &args, &[]);
        self.b.ins().return_(&results);
        Ok(())
    }

    fn return_call_entry(&mut self, ty: u32) -> Result<()> {
        let Entry { address, args, silent } = self.checked_entry(ty)?;
        let signature = self.signature_ref(ty)?;
        let code = self.entry_code(address);
        self.b.ins().return_call_indirect(signature, code, &args);
        if let Some(silent) = silent {
            self.b.switch_to_block(silent);
            let zeros = self.call_silent_entry(address, signature, &args, &[]);
            self.b.ins().return_(&zeros);
        }
        Ok(())
    }

    /// A function of a module without tail calls is called as usual: it cannot go on for ever like this.
    fn return_call_by_reference(&mut self, reference: Value, ty: u32) -> Result<()> {
        let args = self.reference_args(reference, ty);
        let tail = self.reference_field(reference, offset::FUNC_TAIL, I64);
        let (direct, usual) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(tail, direct, &[], usual, &[]);
        self.b.seal_block(direct);
        self.b.seal_block(usual);
        self.b.switch_to_block(direct);
        let signature = self.env.signature(&self.module.types[ty as usize], Abi::Internal)?;
        let signature = self.b.import_signature(signature);
        self.b.ins().return_call_indirect(signature, tail, &args);
        self.b.switch_to_block(usual);
        let signature = self.cross_module_signature(ty)?;
        let code = self.reference_field(reference, offset::FUNC_CODE, I64);
        let results = self.plain_call(Callee::Indirect(signature, code), &args);
        self.b.ins().return_(&results);
        Ok(())
    }
}
