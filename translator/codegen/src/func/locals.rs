//! Where the locals of a function are: in variables, for which the code generator finds registers. In a
//! giant function they are in memory, as that search takes time with the square of the function's
//! length, and memory with the number of its locals times that of its blocks.

use super::capture_point::{flags, words};
use super::{Translator, Variant};
use crate::error::Result;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Function, InstBuilder, StackSlotData, StackSlotKind, Type, Value};
use cranelift_frontend::Variable;
use wasmparser::FunctionBody;

/// Length of a body in bytes up to which its locals are variables. Among the guest's packages, the longest
/// one has 231,206.
const MAX_LENGTH: u64 = 256 << 10;

/// The same of the length times the number of locals. There it is 30,750,398 at most.
const MAX_PRODUCT: u64 = 1 << 27;

/// Arguments that branches may have for block parameters, for each byte of the body, and in any body. Among the
/// guest's packages and the kernel there are fewer than bytes.
const MAX_PHIS: u64 = 16;
const FEW_PHIS: u64 = 1 << 12;

/// Whether there are so many of them that the locals had better be in memory.
pub(super) fn has_many_phis(func: &Function, body: &FunctionBody) -> bool {
    let dfg = &func.dfg;
    let args = |inst| -> usize {
        let calls = dfg.insts[inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        calls.iter().map(|call| call.len(&dfg.value_lists)).sum()
    };
    let branches = func.layout.blocks().filter_map(|block| func.layout.last_inst(block));
    let length = body.range().end - body.range().start;
    branches.map(args).sum::<usize>() as u64 > FEW_PHIS.max(MAX_PHIS * length)
}

#[derive(Clone, Copy)]
pub(super) enum Local {
    Variable(Variable),
    /// At this address and offset. The address is that of all of them: one of its own for each local would
    /// have to be kept as the local would.
    Memory(Value, i32, Type),
}

fn is_giant(body: &FunctionBody, locals: u64) -> bool {
    let length = body.range().end - body.range().start;
    length > MAX_LENGTH || length.saturating_mul(locals) > MAX_PRODUCT
}

impl<'a> Translator<'_, '_, 'a, '_> {
    /// Parameters have what they were called with, the others zero.
    pub(super) fn declare_locals(&mut self, body: &FunctionBody<'a>) -> Result<()> {
        let params = self.module.function_type(self.function).params();
        let mut types = self.env.clif_types(params)?;
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            let ty = self.env.clif_type(ty).map_err(|e| e.at(offset))?;
            types.resize(types.len() + count as usize, ty);
        }
        // The landing pad of `setjmp` finds no value of the function in its place, and so no address.
        let mut memory = None;
        if (self.has_many_phis || is_giant(body, types.len() as u64)) && self.return_point.is_none()
        {
            let size = types.iter().map(|ty| 8 * words(*ty)).sum();
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
            let slot = self.b.create_sized_stack_slot(slot);
            let address = self.b.ins().stack_addr(I64, slot, 0);
            memory = Some(address);
        }
        let entry = self.b.func.layout.entry_block().filter(|_| self.variant == Variant::Call);
        let (mut at, mut zeros) = (0, Vec::new());
        for (i, ty) in types.into_iter().enumerate() {
            let value = match entry {
                Some(block) if i < params.len() => self.b.block_params(block)[i + 1],
                _ => self.zero_once(ty, &mut zeros),
            };
            let local = match memory {
                Some(memory) => Local::Memory(memory, at, ty),
                None => Local::Variable(self.b.declare_var(ty)),
            };
            at += 8 * words(ty) as i32;
            self.locals.push(local);
            self.set_local(i as u32, value);
        }
        Ok(())
    }

    fn zero_once(&mut self, ty: Type, zeros: &mut Vec<(Type, Value)>) -> Value {
        if let Some((_, zero)) = zeros.iter().find(|known| known.0 == ty) {
            return *zero;
        }
        let zero = self.zero(ty);
        zeros.push((ty, zero));
        zero
    }

    pub(super) fn get_local(&mut self, index: u32) -> Value {
        match self.locals[index as usize] {
            Local::Variable(variable) => self.b.use_var(variable),
            Local::Memory(memory, at, ty) => self.b.ins().load(ty, flags(), memory, at),
        }
    }

    pub(super) fn set_local(&mut self, index: u32, value: Value) {
        match self.locals[index as usize] {
            Local::Variable(variable) => self.b.def_var(variable, value),
            Local::Memory(memory, at, _) => {
                self.b.ins().store(flags(), value, memory, at);
            }
        }
    }
}
