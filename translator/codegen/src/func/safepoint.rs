//! Polls at loop heads, and before tail calls that make loops.

use super::Translator;
use crate::compile::namespace;
use crate::error::Result;
use crate::libcall::POLL_INDEX;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, FuncRef, InstBuilder, Signature};
use cranelift_codegen::isa::CallConv;
use linnet_abi::context::offset;

impl Translator<'_, '_, '_, '_> {
    /// Lets the kernel in if it wants to: a load and a branch that is not taken.
    pub(super) fn poll(&mut self) -> Result<()> {
        if !self.env.options.polls {
            return Ok(());
        }
        self.settle();
        let flags = self.context_flags();
        let context = self.context();
        let poll = self.b.ins().load(I32, flags, context, offset::POLL);
        let (cold, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        self.b.ins().brif(poll, cold, &[], next, &[]);
        self.b.seal_block(cold);
        self.b.switch_to_block(cold);
        if self.poll_at_capture_point(next) {
            self.b.seal_block(next);
            self.b.switch_to_block(next);
            self.unsettle();
            return Ok(());
        }
        // A signal handler may run at the poll and leave it by an exception. The code that catches it
        // finds callee-saved registers only, so the call must be one that clobbers the others. The
        // libcall is the same: it preserves more than this caller asks for.
        let convention =
            if self.handlers().is_empty() { CallConv::PreserveAll } else { CallConv::SystemV };
        let poll = self.poll_function(convention);
        self.call_function(poll, &[context]);
        self.b.ins().jump(next, &[]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        Ok(())
    }
    pub(super) fn poll_function(&mut self, convention: CallConv) -> FuncRef {
        let mut signature = Signature::new(convention);
        signature.params.push(AbiParam::new(I64));
        // Both conventions may occur in one function, so this reference is not shared.
        super::import_function(self.b.func, namespace::LIBCALL, POLL_INDEX, signature)
    }
}
