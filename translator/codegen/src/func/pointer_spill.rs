//! Keeps what may be a pointer in the memory of the stack while others run.
//!
//! Locals and operands of WebAssembly lie in registers and on the native stack, where a program cannot look. A
//! collector that takes its roots from the stack finds none of them. A program that exports
//! [`SPILL_POINTERS`](linnet_abi::calls::SPILL_POINTERS) gets a frame in memory for each function that calls
//! others: before a call, and at a poll, which signal handlers run at, each 32-bit value that is needed later
//! is stored there.
//!
//! A function that `setjmp` returns to has no such frame.

use super::{Translator, Variant};
use crate::error::Result;
use crate::frames::live::{self, Live};
use cranelift_codegen::ir::immediates::Imm64;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Value, ValueDef};
use linnet_abi::calls::START;
use wasmparser::FunctionBody;

pub(super) struct PointerSpill {
    /// The stack pointer's global.
    global: u32,
    live: Live,
    /// The stack pointer of the caller, and where the values lie.
    caller: Value,
    base: Value,
    /// Bytes from one to the other, known at the end.
    size: Value,
    words: usize,
}

const ALIGN: usize = 16;

impl Translator<'_, '_, '_, '_> {
    pub(super) fn begin_pointer_spill(&mut self, body: &FunctionBody) -> Result<()> {
        let Some(global) = self.env.spill_pointers else { return Ok(()) };
        // Where a program starts, it looks for its arguments at the stack pointer.
        let is_start = self.module.exported_function(START) == Some(self.function);
        if is_start || self.return_point.is_some() || self.variant == Variant::Resume {
            return Ok(());
        }
        let live = live::find(body, self.locals.len(), None);
        if live.is_empty() {
            return Ok(());
        }
        self.global_get(global)?;
        let caller = self.pop();
        let size = self.b.ins().iconst(I32, 0);
        let base = self.b.ins().isub(caller, size);
        self.push(base);
        self.global_set(global);
        self.pointer_spill = Some(PointerSpill { global, live, caller, base, size, words: 0 });
        Ok(())
    }

    /// Stores what is needed behind the current operator.
    pub(super) fn spill_pointers(&mut self) {
        let Some(spill) = &self.pointer_spill else { return };
        let base = spill.base;
        let locals = match spill.live.get(&self.offset) {
            Some(live) => live.clone(),
            None => (0..self.locals.len() as u32).collect(),
        };
        let mut values = self.stack.clone();
        values.extend(locals.into_iter().map(|local| self.get_local(local)));
        values.retain(|value| self.b.func.dfg.value_type(*value) == I32);
        if values.is_empty() {
            return;
        }
        let address = self.heap_address(base);
        let flags = self.heap_flags();
        self.b.ins().sequence_point();
        for (number, value) in values.iter().enumerate() {
            self.b.ins().store(flags, *value, address, 4 * number as i32);
        }
        if let Some(spill) = &mut self.pointer_spill {
            spill.words = spill.words.max(values.len());
        }
    }

    /// Before the function is left.
    pub(super) fn leave_pointer_spill(&mut self) {
        if let Some(PointerSpill { global, caller, .. }) = self.pointer_spill {
            self.push(caller);
            self.global_set(global);
        }
    }

    /// Fills in the size, when everything else is there.
    pub(super) fn end_pointer_spill(&mut self) {
        let Some(spill) = self.pointer_spill.take() else { return };
        let bytes = (4 * spill.words).next_multiple_of(ALIGN) as i64;
        if let ValueDef::Result(inst, _) = self.b.func.dfg.value_def(spill.size) {
            let imm = Imm64::new(bytes);
            self.b.func.dfg.insts[inst] = InstructionData::UnaryImm { opcode: Opcode::Iconst, imm };
        }
    }
}
