//! Atomic accesses, all sequentially consistent. Plain ones in between are never moved across.

use super::Translator;
use crate::error::Result;
use crate::target::Ordering;
use crate::trap::trap_code;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, MemFlagsData, Type, Value};
use linnet_abi::context::offset;
use linnet_abi::trap::Trap;
use wasmparser::{MemArg, Operator};

#[derive(Clone, Copy)]
enum Access {
    Load,
    Store,
    Modify(AtomicRmwOp),
    CompareExchange,
}

/// What an operator does, the type it does it to in memory, and the type of its operands.
fn access<'o>(operator: &'o Operator) -> Option<(Access, Type, Type, &'o MemArg)> {
    use Access::{CompareExchange, Load, Modify, Store};
    macro_rules! table {
        ($($operator:ident => $access:expr, $memory:ident, $value:ident;)*) => {
            match operator {
                $(Operator::$operator { memarg } => Some(($access, $memory, $value, memarg)),)*
                _ => None,
            }
        };
    }
    table! {
        I32AtomicLoad => Load, I32, I32;
        I32AtomicLoad8U => Load, I8, I32;
        I32AtomicLoad16U => Load, I16, I32;
        I64AtomicLoad => Load, I64, I64;
        I64AtomicLoad8U => Load, I8, I64;
        I64AtomicLoad16U => Load, I16, I64;
        I64AtomicLoad32U => Load, I32, I64;
        I32AtomicStore => Store, I32, I32;
        I32AtomicStore8 => Store, I8, I32;
        I32AtomicStore16 => Store, I16, I32;
        I64AtomicStore => Store, I64, I64;
        I64AtomicStore8 => Store, I8, I64;
        I64AtomicStore16 => Store, I16, I64;
        I64AtomicStore32 => Store, I32, I64;
        I32AtomicRmwAdd => Modify(AtomicRmwOp::Add), I32, I32;
        I32AtomicRmw8AddU => Modify(AtomicRmwOp::Add), I8, I32;
        I32AtomicRmw16AddU => Modify(AtomicRmwOp::Add), I16, I32;
        I64AtomicRmwAdd => Modify(AtomicRmwOp::Add), I64, I64;
        I64AtomicRmw8AddU => Modify(AtomicRmwOp::Add), I8, I64;
        I64AtomicRmw16AddU => Modify(AtomicRmwOp::Add), I16, I64;
        I64AtomicRmw32AddU => Modify(AtomicRmwOp::Add), I32, I64;
        I32AtomicRmwSub => Modify(AtomicRmwOp::Sub), I32, I32;
        I32AtomicRmw8SubU => Modify(AtomicRmwOp::Sub), I8, I32;
        I32AtomicRmw16SubU => Modify(AtomicRmwOp::Sub), I16, I32;
        I64AtomicRmwSub => Modify(AtomicRmwOp::Sub), I64, I64;
        I64AtomicRmw8SubU => Modify(AtomicRmwOp::Sub), I8, I64;
        I64AtomicRmw16SubU => Modify(AtomicRmwOp::Sub), I16, I64;
        I64AtomicRmw32SubU => Modify(AtomicRmwOp::Sub), I32, I64;
        I32AtomicRmwAnd => Modify(AtomicRmwOp::And), I32, I32;
        I32AtomicRmw8AndU => Modify(AtomicRmwOp::And), I8, I32;
        I32AtomicRmw16AndU => Modify(AtomicRmwOp::And), I16, I32;
        I64AtomicRmwAnd => Modify(AtomicRmwOp::And), I64, I64;
        I64AtomicRmw8AndU => Modify(AtomicRmwOp::And), I8, I64;
        I64AtomicRmw16AndU => Modify(AtomicRmwOp::And), I16, I64;
        I64AtomicRmw32AndU => Modify(AtomicRmwOp::And), I32, I64;
        I32AtomicRmwOr => Modify(AtomicRmwOp::Or), I32, I32;
        I32AtomicRmw8OrU => Modify(AtomicRmwOp::Or), I8, I32;
        I32AtomicRmw16OrU => Modify(AtomicRmwOp::Or), I16, I32;
        I64AtomicRmwOr => Modify(AtomicRmwOp::Or), I64, I64;
        I64AtomicRmw8OrU => Modify(AtomicRmwOp::Or), I8, I64;
        I64AtomicRmw16OrU => Modify(AtomicRmwOp::Or), I16, I64;
        I64AtomicRmw32OrU => Modify(AtomicRmwOp::Or), I32, I64;
        I32AtomicRmwXor => Modify(AtomicRmwOp::Xor), I32, I32;
        I32AtomicRmw8XorU => Modify(AtomicRmwOp::Xor), I8, I32;
        I32AtomicRmw16XorU => Modify(AtomicRmwOp::Xor), I16, I32;
        I64AtomicRmwXor => Modify(AtomicRmwOp::Xor), I64, I64;
        I64AtomicRmw8XorU => Modify(AtomicRmwOp::Xor), I8, I64;
        I64AtomicRmw16XorU => Modify(AtomicRmwOp::Xor), I16, I64;
        I64AtomicRmw32XorU => Modify(AtomicRmwOp::Xor), I32, I64;
        I32AtomicRmwXchg => Modify(AtomicRmwOp::Xchg), I32, I32;
        I32AtomicRmw8XchgU => Modify(AtomicRmwOp::Xchg), I8, I32;
        I32AtomicRmw16XchgU => Modify(AtomicRmwOp::Xchg), I16, I32;
        I64AtomicRmwXchg => Modify(AtomicRmwOp::Xchg), I64, I64;
        I64AtomicRmw8XchgU => Modify(AtomicRmwOp::Xchg), I8, I64;
        I64AtomicRmw16XchgU => Modify(AtomicRmwOp::Xchg), I16, I64;
        I64AtomicRmw32XchgU => Modify(AtomicRmwOp::Xchg), I32, I64;
        I32AtomicRmwCmpxchg => CompareExchange, I32, I32;
        I32AtomicRmw8CmpxchgU => CompareExchange, I8, I32;
        I32AtomicRmw16CmpxchgU => CompareExchange, I16, I32;
        I64AtomicRmwCmpxchg => CompareExchange, I64, I64;
        I64AtomicRmw8CmpxchgU => CompareExchange, I8, I64;
        I64AtomicRmw16CmpxchgU => CompareExchange, I16, I64;
        I64AtomicRmw32CmpxchgU => CompareExchange, I32, I64;
    }
}

impl Translator<'_, '_, '_, '_> {
    pub(super) fn atomic(&mut self, operator: &Operator) -> Result<bool> {
        if let Some((access, memory, value, memarg)) = access(operator) {
            self.atomic_access(access, memory, value, memarg);
            return Ok(true);
        }
        match operator {
            Operator::AtomicFence { .. } => self.fence(),
            Operator::MemoryAtomicWait32 { memarg } => {
                self.environment().atomic_wait(self, I32, memarg);
            }
            Operator::MemoryAtomicWait64 { memarg } => {
                self.environment().atomic_wait(self, I64, memarg);
            }
            Operator::MemoryAtomicNotify { memarg } => {
                self.environment().atomic_notify(self, memarg);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Host address of an atomic access; traps if it is not naturally aligned.
    pub(super) fn atomic_address(&mut self, memory: Type, memarg: &MemArg) -> Value {
        let index = self.pop();
        let mask = i64::from(memory.bytes()) - 1;
        if mask != 0 {
            // Carries into the low bits come from the low bits of the offset alone.
            let low = memarg.offset as i64 & mask;
            let sum = if low == 0 { index } else { self.b.ins().iadd_imm_u(index, low) };
            let misaligned = self.b.ins().band_imm_u(sum, mask);
            self.b.ins().trapnz(misaligned, trap_code(Trap::UnalignedAtomic));
        }
        let address = self.environment().access_address(self, index, memarg);
        match memarg.offset {
            0 => address,
            offset => self.b.ins().iadd_imm_u(address, offset as i64),
        }
    }

    /// No alias region: an atomic orders every access.
    fn atomic_flags(&self) -> MemFlagsData {
        let flags = MemFlagsData::new();
        if self.environment().memory_faults_trap() { flags } else { flags.with_notrap() }
    }

    fn narrow(&mut self, value: Value, memory: Type) -> Value {
        if self.b.func.dfg.value_type(value) == memory {
            value
        } else {
            self.b.ins().ireduce(memory, value)
        }
    }

    fn atomic_access(&mut self, access: Access, memory: Type, value: Type, memarg: &MemArg) {
        let flags = self.atomic_flags();
        let result = match access {
            Access::Load => {
                let address = self.atomic_address(memory, memarg);
                self.b.ins().atomic_load(memory, flags, address)
            }
            Access::Store => {
                let operand = self.pop();
                let operand = self.narrow(operand, memory);
                let address = self.atomic_address(memory, memarg);
                match self.env.options.target.ordering() {
                    // One exchange is cheaper than a store and a full fence.
                    Ordering::TotalStore => {
                        self.b.ins().atomic_rmw(memory, flags, AtomicRmwOp::Xchg, address, operand);
                    }
                    Ordering::Weak => {
                        self.b.ins().atomic_store(flags, operand, address);
                    }
                }
                return;
            }
            Access::Modify(op) => {
                let operand = self.pop();
                let operand = self.narrow(operand, memory);
                let address = self.atomic_address(memory, memarg);
                let old = self.b.ins().atomic_rmw(memory, flags, op, address, operand);
                self.complete_order();
                old
            }
            Access::CompareExchange => {
                let new = self.pop();
                let expected = self.pop();
                let (new, expected) = (self.narrow(new, memory), self.narrow(expected, memory));
                let address = self.atomic_address(memory, memarg);
                // One that fails stores nothing, so that no release orders what is before it.
                self.complete_order();
                let old = self.b.ins().atomic_cas(flags, address, expected, new);
                self.complete_order();
                old
            }
        };
        let result = if memory == value { result } else { self.b.ins().uextend(value, result) };
        self.push(result);
    }

    /// Makes a full fence of a read-modify-write, where it is none.
    fn complete_order(&mut self) {
        if !self.env.options.target.modifies_with_fence() {
            self.b.ins().fence();
        }
    }

    /// A full fence. On x86-64 any locked instruction is one, and this one's cache line is ours: less
    /// than half the price of `mfence`.
    fn fence(&mut self) {
        match self.env.options.target.ordering() {
            Ordering::TotalStore => {
                let context = self.context();
                let address = self.b.ins().iadd_imm_u(context, i64::from(offset::FENCE));
                let zero = self.b.ins().iconst(I32, 0);
                let flags = self.atomic_flags();
                self.b.ins().atomic_rmw(I32, flags, AtomicRmwOp::Or, address, zero);
            }
            Ordering::Weak => {
                self.b.ins().fence();
            }
        }
    }
}
