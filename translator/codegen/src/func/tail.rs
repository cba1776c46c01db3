//! Tail calls: the called function takes the place of the caller, whose frame goes.

use super::call::{Callee, Direct, Entry};
use super::{Abi, Translator};
use crate::error::Result;
use crate::module::tail_calls;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use linnet_abi::frames::kind;
use linnet_abi::instance::offset;
use wasmparser::Operator;

impl Translator<'_, '_, '_, '_> {
    pub(super) fn tail_call(&mut self, operator: &Operator) -> Result<bool> {
        if tail_calls::is_one(operator) {
            self.leave_pointer_spill();
        }
        // What is called has left the clauses of this function, and so it is for calls in place of tail calls.
        match operator {
            Operator::ReturnCall { function_index } => self.return_call(*function_index)?,
            Operator::ReturnCallIndirect { type_index, table_index } => {
                self.environment().return_call_indirect(self, *type_index, *table_index)?;
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

    fn return_call(&mut self, function: u32) -> Result<()> {
        if let Some(reference) = self.environment().call_reference(self, function) {
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

    pub(super) fn return_call_entry(&mut self, ty: u32) -> Result<()> {
        let Entry { address, code, args, silent } = self.checked_entry(ty)?;
        let signature = self.signature_ref(ty)?;
        self.b.ins().return_call_indirect(signature, code, &args);
        if let Some(silent) = silent {
            self.b.switch_to_block(silent);
            let zeros = self.call_silent_entry(address, signature, &args, &[]);
            self.b.ins().return_(&zeros);
        }
        Ok(())
    }

    /// A function of a module without tail calls is called as usual: it cannot go on for ever like this.
    pub(super) fn return_call_by_reference(&mut self, reference: Value, ty: u32) -> Result<()> {
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
