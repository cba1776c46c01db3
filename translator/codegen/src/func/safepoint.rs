//! Polls: at loop heads, behind `setjmp`, and where [`crate::polls`] wants them.

use super::Translator;
use crate::error::Result;
use crate::libcall::POLL_INDEX;
use crate::names::namespace;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Block, FuncRef, InstBuilder, Signature, Value};
use cranelift_codegen::isa::CallConv;
use linnet_abi::context::offset;

/// Bytes that a copy or fill of memory takes without a poll.
const LONG_BULK: u64 = 65536;

/// A part of a copy or fill.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    /// How far behind the start it begins, if the pieces before it came from the start on.
    pub(super) from_start: Value,
    /// The same, if they came from the end on.
    pub(super) from_end: Value,
    pub(super) size: Value,
}

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
        self.spill_pointers();
        if self.poll_at_capture_point(next) {
            self.b.seal_block(next);
            self.b.switch_to_block(next);
            self.unsettle();
            return Ok(());
        }
        self.call_poll(next);
        Ok(())
    }

    /// Emits a copy or fill of `size` bytes by `emit`: all of them at once, or, if they are many, piece by piece
    /// with a poll before each. No frames are captured there: no cycle is without another poll.
    pub(super) fn in_pieces(
        &mut self,
        size: Value,
        constant: Option<u64>,
        mut emit: impl FnMut(&mut Self, Option<Piece>),
    ) {
        if !self.env.options.polls || constant.is_some_and(|bytes| bytes <= LONG_BULK) {
            return emit(self, None);
        }
        let [short, long, cold, next, end] = [(); 5].map(|()| self.b.create_block());
        for block in [long, cold, next] {
            self.b.set_cold_block(block);
        }
        let is_long = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, size, LONG_BULK as i64);
        let zero = self.b.ins().iconst(I64, 0);
        self.b.ins().brif(is_long, long, &[zero.into()], short, &[]);
        self.b.seal_block(short);
        self.b.switch_to_block(short);
        emit(self, None);
        self.b.ins().jump(end, &[]);

        let done = self.b.append_block_param(long, I64);
        self.b.switch_to_block(long);
        let flags = self.context_flags();
        let context = self.context();
        let poll = self.b.ins().load(I32, flags, context, offset::POLL);
        self.b.ins().brif(poll, cold, &[], next, &[]);
        self.b.seal_block(cold);
        self.b.switch_to_block(cold);
        self.call_poll(next);
        let left = self.b.ins().isub(size, done);
        let most = self.b.ins().iconst(I64, LONG_BULK as i64);
        let bytes = self.b.ins().umin(left, most);
        let from_end = self.b.ins().isub(left, bytes);
        emit(self, Some(Piece { from_start: done, from_end, size: bytes }));
        let done = self.b.ins().iadd(done, bytes);
        let is_more = self.b.ins().icmp(IntCC::UnsignedLessThan, done, size);
        self.b.ins().brif(is_more, long, &[done.into()], end, &[]);
        self.b.seal_block(long);
        self.b.seal_block(end);
        self.b.switch_to_block(end);
    }

    /// Ends the cold block by a call of the libcall, and goes on in `next`.
    fn call_poll(&mut self, next: Block) {
        // A signal handler may run at the poll and leave it by an exception. The code that catches it
        // finds callee-saved registers only, so the call must be one that clobbers the others. The
        // libcall is the same: it preserves more than this caller asks for.
        // Hosts' support library preserves no more than others do.
        let preserves = self.handlers().is_empty() && !self.env.options.standalone;
        let convention = if preserves { CallConv::PreserveAll } else { CallConv::SystemV };
        let poll = self.poll_function(convention);
        let context = self.context();
        self.call_function(poll, &[context]);
        self.b.ins().jump(next, &[]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    pub(super) fn poll_function(&mut self, convention: CallConv) -> FuncRef {
        let mut signature = Signature::new(convention);
        signature.params.push(AbiParam::new(I64));
        // Both conventions may occur in one function, so this reference is not shared.
        super::import_function(self.b.func, namespace::LIBCALL, POLL_INDEX, signature)
    }
}
