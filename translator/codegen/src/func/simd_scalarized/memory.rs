//! Loads and stores of vectors and of their lanes.

use super::super::Translator;
use super::lane::Lane::{Signed as S, Unsigned as U};
use super::lane::{Lane, lane, low_bits};
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::{I32, I64};
use wasmparser::{MemArg, Operator};

impl Translator<'_, '_, '_, '_> {
    pub(super) fn lanes_memory(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::V128Load { memarg } => self.load(memarg, |b, f, a, o| {
                let low = b.ins().load(I64, f, a, o);
                // The offset behind the greatest one is no offset any more.
                let (a, o) = match o.checked_add(8) {
                    Some(next) => (a, next),
                    None => (b.ins().iadd_imm_u(a, i64::from(o) + 8), 0),
                };
                let high = b.ins().load(I64, f, a, o);
                b.ins().iconcat(low, high)
            }),
            O::V128Store { memarg } => self.store(memarg, |b, f, v, a, o| {
                let (low, high) = b.ins().isplit(v);
                let (a, next) = match o.checked_add(8) {
                    Some(next) => (a, next),
                    None => (b.ins().iadd_imm_u(a, i64::from(o)), 8),
                };
                // The upper half first: if it faults, nothing has been stored.
                b.ins().store(f, high, a, next);
                b.ins().store(f, low, a, next - 8);
            }),
            O::V128Load8x8S { memarg } => self.load_widened(memarg, S(8)),
            O::V128Load8x8U { memarg } => self.load_widened(memarg, U(8)),
            O::V128Load16x4S { memarg } => self.load_widened(memarg, S(16)),
            O::V128Load16x4U { memarg } => self.load_widened(memarg, U(16)),
            O::V128Load32x2S { memarg } => self.load_widened(memarg, S(32)),
            O::V128Load32x2U { memarg } => self.load_widened(memarg, U(32)),
            O::V128Load8Splat { memarg } => self.load_and_splat(memarg, U(8)),
            O::V128Load16Splat { memarg } => self.load_and_splat(memarg, U(16)),
            O::V128Load32Splat { memarg } => self.load_and_splat(memarg, U(32)),
            O::V128Load64Splat { memarg } => self.load_and_splat(memarg, U(64)),
            O::V128Load32Zero { memarg } => self.load_zero(memarg, U(32)),
            O::V128Load64Zero { memarg } => self.load_zero(memarg, U(64)),
            O::V128Load8Lane { memarg, lane } => self.load_one(memarg, U(8), *lane),
            O::V128Load16Lane { memarg, lane } => self.load_one(memarg, U(16), *lane),
            O::V128Load32Lane { memarg, lane } => self.load_one(memarg, U(32), *lane),
            O::V128Load64Lane { memarg, lane } => self.load_one(memarg, U(64), *lane),
            O::V128Store8Lane { memarg, lane } => self.store_one(memarg, U(8), *lane),
            O::V128Store16Lane { memarg, lane } => self.store_one(memarg, U(16), *lane),
            O::V128Store32Lane { memarg, lane } => self.store_one(memarg, U(32), *lane),
            O::V128Store64Lane { memarg, lane } => self.store_one(memarg, U(64), *lane),
            _ => return false,
        }
        true
    }

    /// Loads one unsigned lane: `I32` or `I64`.
    fn load_lane_value(&mut self, memarg: &MemArg, of: Lane) {
        match of.bits() {
            8 => self.load(memarg, |b, f, a, o| b.ins().uload8(I32, f, a, o)),
            16 => self.load(memarg, |b, f, a, o| b.ins().uload16(I32, f, a, o)),
            32 => self.load(memarg, |b, f, a, o| b.ins().load(I32, f, a, o)),
            _ => self.load(memarg, |b, f, a, o| b.ins().load(I64, f, a, o)),
        }
    }

    fn load_widened(&mut self, memarg: &MemArg, from: Lane) {
        self.load_lane_value(memarg, U(64));
        let low = self.pop();
        let zero = self.b.ins().iconst(I64, 0);
        let vector = self.b.ins().iconcat(low, zero);
        self.push(vector);
        self.widen(from, false);
    }

    fn load_and_splat(&mut self, memarg: &MemArg, of: Lane) {
        self.load_lane_value(memarg, of);
        self.splat_lanes(of);
    }

    fn load_zero(&mut self, memarg: &MemArg, of: Lane) {
        self.load_lane_value(memarg, of);
        let low = self.pop();
        let low = low_bits(&mut self.b, low, of.bits());
        let zero = self.b.ins().iconst(I64, 0);
        let vector = self.b.ins().iconcat(low, zero);
        self.push(vector);
    }

    fn load_one(&mut self, memarg: &MemArg, of: Lane, number: u8) {
        let vector = self.pop();
        self.load_lane_value(memarg, of);
        let value = self.pop();
        self.push(vector);
        self.push(value);
        self.replace_lane(of, number);
    }

    fn store_one(&mut self, memarg: &MemArg, of: Lane, number: u8) {
        let vector = self.pop();
        let value = lane(&mut self.b, vector, of, u32::from(number));
        self.push(value);
        self.store(memarg, |b, f, v, a, o| {
            b.ins().store(f, v, a, o);
        });
    }
}
