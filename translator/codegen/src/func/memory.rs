//! Globals and plain accesses of linear memory.
//!
//! Every access is emitted, in program order: a `sequence_point`, which costs no instruction, keeps
//! the code generator from merging it with others. C's `volatile` and the kernel's `READ_ONCE` mean
//! just that, and LLVM has already merged what may be merged.

use super::Translator;
use crate::error::Result;
use crate::libcall::Libcall;
use crate::module::Storage;
use crate::names::data;
use crate::trap::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8X16, I16, I32, I64};
use cranelift_codegen::ir::{
    InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, ValueDef,
};
use cranelift_frontend::FunctionBuilder;
use linnet_abi::context::offset;
use linnet_abi::trap::Trap;
use wasmparser::{MemArg, MemArgTarget, Operator};

/// Copies and fills of constant size up to this many bytes need no libcall.
const INLINE_BYTES: u64 = 64;

/// Value, address, constant offset.
type Load<'b> = fn(&mut FunctionBuilder<'b>, MemFlagsData, Value, i32) -> Value;
type Store<'b> = fn(&mut FunctionBuilder<'b>, MemFlagsData, Value, Value, i32);

impl<'b> Translator<'_, '_, '_, 'b> {
    pub(super) fn memory(&mut self, operator: &Operator) -> Result<bool> {
        use Operator as O;
        match operator {
            O::I32Load { memarg } => self.load(memarg, |b, f, a, o| b.ins().load(I32, f, a, o)),
            O::I64Load { memarg } => self.load(memarg, |b, f, a, o| b.ins().load(I64, f, a, o)),
            O::F32Load { memarg } => self.load(memarg, |b, f, a, o| b.ins().load(F32, f, a, o)),
            O::F64Load { memarg } => self.load(memarg, |b, f, a, o| b.ins().load(F64, f, a, o)),
            O::I32Load8S { memarg } => self.load(memarg, |b, f, a, o| b.ins().sload8(I32, f, a, o)),
            O::I32Load8U { memarg } => self.load(memarg, |b, f, a, o| b.ins().uload8(I32, f, a, o)),
            O::I32Load16S { memarg } => {
                self.load(memarg, |b, f, a, o| b.ins().sload16(I32, f, a, o))
            }
            O::I32Load16U { memarg } => {
                self.load(memarg, |b, f, a, o| b.ins().uload16(I32, f, a, o))
            }
            O::I64Load8S { memarg } => self.load(memarg, |b, f, a, o| b.ins().sload8(I64, f, a, o)),
            O::I64Load8U { memarg } => self.load(memarg, |b, f, a, o| b.ins().uload8(I64, f, a, o)),
            O::I64Load16S { memarg } => {
                self.load(memarg, |b, f, a, o| b.ins().sload16(I64, f, a, o))
            }
            O::I64Load16U { memarg } => {
                self.load(memarg, |b, f, a, o| b.ins().uload16(I64, f, a, o))
            }
            O::I64Load32S { memarg } => self.load(memarg, |b, f, a, o| b.ins().sload32(f, a, o)),
            O::I64Load32U { memarg } => self.load(memarg, |b, f, a, o| b.ins().uload32(f, a, o)),
            O::I32Store { memarg }
            | O::I64Store { memarg }
            | O::F32Store { memarg }
            | O::F64Store { memarg } => {
                self.store(memarg, |b, f, v, a, o| {
                    b.ins().store(f, v, a, o);
                });
            }
            O::I32Store8 { memarg } | O::I64Store8 { memarg } => {
                self.store(memarg, |b, f, v, a, o| {
                    b.ins().istore8(f, v, a, o);
                })
            }
            O::I32Store16 { memarg } | O::I64Store16 { memarg } => {
                self.store(memarg, |b, f, v, a, o| {
                    b.ins().istore16(f, v, a, o);
                })
            }
            O::I64Store32 { memarg } => self.store(memarg, |b, f, v, a, o| {
                b.ins().istore32(f, v, a, o);
            }),
            O::MemorySize { mem } => self.environment().memory_size(self, *mem),
            O::MemoryGrow { mem } => self.environment().memory_grow(self, *mem),
            O::MemoryCopy { dst_mem, src_mem } => self.memory_copy(*dst_mem, *src_mem),
            O::MemoryFill { mem } => self.memory_fill(*mem),
            O::MemoryInit { data_index, mem } => self.memory_init(*data_index, *mem),
            O::DataDrop { data_index } => self.environment().drop_segment(self, *data_index),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Flags of an access to a linear memory.
    pub(super) fn heap_flags(&self) -> MemFlagsData {
        let flags = MemFlagsData::new().with_alias_region(Some(self.regions.heap));
        if self.environment().memory_faults_trap() { flags } else { flags.with_notrap() }
    }

    /// Host address of an index into linear memory. No check: a slot of the host's address space
    /// takes any index and offset (`linnet_abi::memory`).
    pub(super) fn heap_address(&mut self, index: Value) -> Value {
        let index = self.b.ins().uextend(I64, index);
        let heap_base = self.heap_base();
        self.b.ins().iadd(heap_base, index)
    }

    /// Host address and constant offset of an access whose index is on the stack.
    fn access(&mut self, memarg: &MemArg) -> (Value, i32) {
        let index = self.pop();
        let address = self.environment().access_address(self, index, memarg);
        match i32::try_from(memarg.offset) {
            Ok(offset) => (address, offset),
            Err(_) => (self.b.ins().iadd_imm_u(address, memarg.offset as i64), 0),
        }
    }

    pub(super) fn load(&mut self, memarg: &MemArg, load: Load<'b>) {
        let (address, offset) = self.access(memarg);
        let flags = self.heap_flags();
        self.b.ins().sequence_point();
        let value = load(&mut self.b, flags, address, offset);
        self.push(value);
    }

    pub(super) fn store(&mut self, memarg: &MemArg, store: Store<'b>) {
        let value = self.pop();
        let (address, offset) = self.access(memarg);
        let flags = self.heap_flags();
        self.b.ins().sequence_point();
        store(&mut self.b, flags, value, address, offset);
    }

    /// The number that a value is known to be.
    fn constant_of(&self, value: Value) -> Option<u64> {
        let value = self.b.func.dfg.resolve_aliases(value);
        let ValueDef::Result(inst, _) = self.b.func.dfg.value_def(value) else { return None };
        match self.b.func.dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u64),
            _ => None,
        }
    }

    /// Widths that cover `size` bytes, with their offsets.
    fn pieces(&self, size: u64) -> Vec<(Type, i32)> {
        let vectors: &[Type] = if self.env.options.target.has_vectors() { &[I8X16] } else { &[] };
        let widths = [I64, I32, I16, cranelift_codegen::ir::types::I8];
        let mut pieces = Vec::new();
        let mut at = 0;
        for ty in vectors.iter().chain(&widths) {
            while size - at >= u64::from(ty.bytes()) {
                pieces.push((*ty, at as i32));
                at += u64::from(ty.bytes());
            }
        }
        pieces
    }

    fn memory_copy(&mut self, target: u32, source: u32) {
        let (size, from, to) = (self.pop(), self.pop(), self.pop());
        let constant = self.constant_of(size);
        let environment = self.environment();
        let ((to, size), (from, _)) = (
            environment.range(self, target, to, size),
            environment.range(self, source, from, size),
        );
        match constant {
            Some(bytes) if bytes <= INLINE_BYTES => {
                // The ranges may overlap: all loads come first.
                let flags = self.heap_flags();
                let pieces = self.pieces(bytes);
                let mut values = Vec::with_capacity(pieces.len());
                for (ty, at) in &pieces {
                    self.b.ins().sequence_point();
                    values.push(self.b.ins().load(*ty, flags, from, *at));
                }
                for (value, (_, at)) in values.into_iter().zip(pieces) {
                    self.b.ins().sequence_point();
                    self.b.ins().store(flags, value, to, at);
                }
            }
            _ => {
                self.copy(to, from, size, constant);
            }
        }
    }

    fn copy(&mut self, to: Value, from: Value, size: Value, constant: Option<u64>) {
        self.in_pieces(size, constant, |t, piece| {
            let Some(piece) = piece else {
                t.libcall(Libcall::memory_copy, &[to, from, size]);
                return;
            };
            // From the end, if the beginning of the target is the end of the source.
            let distance = t.b.ins().isub(to, from);
            let is_over = t.b.ins().icmp(IntCC::UnsignedLessThan, distance, size);
            let at = t.b.ins().select(is_over, piece.from_end, piece.from_start);
            let (to, from) = (t.b.ins().iadd(to, at), t.b.ins().iadd(from, at));
            t.libcall(Libcall::memory_copy, &[to, from, piece.size]);
        });
    }

    fn memory_fill(&mut self, memory: u32) {
        let (size, value, to) = (self.pop(), self.pop(), self.pop());
        let constant = self.constant_of(size);
        let (to, size) = self.environment().range(self, memory, to, size);
        match constant {
            Some(bytes) if bytes <= INLINE_BYTES => {
                let flags = self.heap_flags();
                let byte = self.b.ins().ireduce(cranelift_codegen::ir::types::I8, value);
                let wide = self.b.ins().uextend(I64, byte);
                let word = self.b.ins().imul_imm_u(wide, 0x0101_0101_0101_0101);
                for (ty, at) in self.pieces(bytes) {
                    let value = match ty {
                        I8X16 => self.b.ins().splat(ty, byte),
                        I64 => word,
                        ty => self.b.ins().ireduce(ty, word),
                    };
                    self.b.ins().sequence_point();
                    self.b.ins().store(flags, value, to, at);
                }
            }
            _ => {
                self.in_pieces(size, constant, |t, piece| {
                    let (to, size) = match piece {
                        Some(piece) => (t.b.ins().iadd(to, piece.from_start), piece.size),
                        None => (to, size),
                    };
                    t.libcall(Libcall::memory_fill, &[to, value, size]);
                });
            }
        }
    }

    /// Copies a part of a passive segment, as thread-local storage of a new thread is made.
    pub(super) fn memory_init(&mut self, segment: u32, memory: u32) {
        let (size, from, to) = (self.pop(), self.pop(), self.pop());
        let from = self.b.ins().uextend(I64, from);
        let (to, size) = self.environment().range(self, memory, to, size);
        let end = self.b.ins().iadd(from, size);
        let len = self.environment().segment_len(self, segment);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, len);
        self.b.ins().trapnz(outside, trap_code(Trap::MemoryOutOfBounds));
        let bytes = self.data_address(data::FIRST_SEGMENT + segment);
        let from = self.b.ins().iadd(bytes, from);
        let constant = self.constant_of(size);
        self.copy(to, from, size, constant);
    }

    pub(super) fn global_get(&mut self, index: u32) -> Result<()> {
        let global = self.module.globals[index as usize];
        let ty = self.env.clif_type(global.ty)?;
        let value = match global.storage {
            Storage::Slot(slot) => {
                let (flags, context) = (self.context_flags(), self.context());
                self.b.ins().load(ty, flags, context, slot_offset(slot))
            }
            Storage::Constant => self.constant(ty, global.value),
            Storage::Instance(at) => {
                let (flags, context) = (self.context_flags(), self.context());
                self.b.ins().load(ty, flags, context, at)
            }
            Storage::Imported(at) => {
                let slot = self.imported_global(at);
                let flags = self.context_flags();
                self.b.ins().load(ty, flags, slot, 0)
            }
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn global_set(&mut self, index: u32) {
        let value = self.pop();
        let (flags, context) = (self.context_flags(), self.context());
        match self.module.globals[index as usize].storage {
            Storage::Slot(slot) => {
                self.b.ins().store(flags, value, context, slot_offset(slot));
            }
            Storage::Instance(at) => {
                self.b.ins().store(flags, value, context, at);
            }
            Storage::Imported(at) => {
                let slot = self.imported_global(at);
                self.b.ins().store(flags, value, slot, 0);
            }
            Storage::Constant => {}
        }
    }
}

/// The memory that an access names. Arrays, the other target, are not supported.
pub(super) fn memory_of(memarg: &MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(memory) => memory,
        MemArgTarget::Array(_) => unreachable!("the validator knows no arrays"),
    }
}

fn slot_offset(slot: u32) -> i32 {
    offset::GLOBALS + 8 * slot as i32
}
