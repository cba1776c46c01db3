//! Loads and stores of vectors and of their lanes.

use super::super::Translator;
use super::cast;
use cranelift_codegen::ir::types::{I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{InstBuilder, Type};
use wasmparser::{MemArg, Operator};

impl Translator<'_, '_, '_, '_> {
    pub(super) fn vector_memory(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::V128Load { memarg } => self.load(memarg, |b, f, a, o| b.ins().load(I8X16, f, a, o)),
            O::V128Store { memarg } => self.store(memarg, |b, f, v, a, o| {
                b.ins().store(f, v, a, o);
            }),
            O::V128Load8x8S { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().sload8x8(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load8x8U { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().uload8x8(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load16x4S { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().sload16x4(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load16x4U { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().uload16x4(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load32x2S { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().sload32x2(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load32x2U { memarg } => self.load(memarg, |b, f, a, o| {
                let value = b.ins().uload32x2(f, a, o);
                cast(b, value, I8X16)
            }),
            O::V128Load8Splat { memarg } => self.load_splat(memarg, I8X16),
            O::V128Load16Splat { memarg } => self.load_splat(memarg, I16X8),
            O::V128Load32Splat { memarg } => self.load_splat(memarg, I32X4),
            O::V128Load64Splat { memarg } => self.load_splat(memarg, I64X2),
            O::V128Load32Zero { memarg } => self.load(memarg, |b, f, a, o| {
                let low = b.ins().load(I32, f, a, o);
                let value = b.ins().scalar_to_vector(I32X4, low);
                cast(b, value, I8X16)
            }),
            O::V128Load64Zero { memarg } => self.load(memarg, |b, f, a, o| {
                let low = b.ins().load(I64, f, a, o);
                let value = b.ins().scalar_to_vector(I64X2, low);
                cast(b, value, I8X16)
            }),
            O::V128Load8Lane { memarg, lane } => self.load_lane(memarg, I8X16, *lane),
            O::V128Load16Lane { memarg, lane } => self.load_lane(memarg, I16X8, *lane),
            O::V128Load32Lane { memarg, lane } => self.load_lane(memarg, I32X4, *lane),
            O::V128Load64Lane { memarg, lane } => self.load_lane(memarg, I64X2, *lane),
            O::V128Store8Lane { memarg, lane } => self.store_lane(memarg, I8X16, *lane),
            O::V128Store16Lane { memarg, lane } => self.store_lane(memarg, I16X8, *lane),
            O::V128Store32Lane { memarg, lane } => self.store_lane(memarg, I32X4, *lane),
            O::V128Store64Lane { memarg, lane } => self.store_lane(memarg, I64X2, *lane),
            _ => return false,
        }
        true
    }

    fn load_splat(&mut self, memarg: &MemArg, shape: Type) {
        self.load_as(memarg, shape.lane_type());
        self.unary(|b, x| {
            let value = b.ins().splat(shape, x);
            cast(b, value, I8X16)
        });
    }

    fn load_as(&mut self, memarg: &MemArg, ty: Type) {
        match ty {
            I8 => self.load(memarg, |b, f, a, o| b.ins().load(I8, f, a, o)),
            I16 => self.load(memarg, |b, f, a, o| b.ins().load(I16, f, a, o)),
            I32 => self.load(memarg, |b, f, a, o| b.ins().load(I32, f, a, o)),
            _ => self.load(memarg, |b, f, a, o| b.ins().load(I64, f, a, o)),
        }
    }

    /// Stack: address, vector.
    fn load_lane(&mut self, memarg: &MemArg, shape: Type, lane: u8) {
        let vector = self.pop();
        self.load_as(memarg, shape.lane_type());
        self.unary(|b, x| {
            let vector = cast(b, vector, shape);
            let value = b.ins().insertlane(vector, x, lane);
            cast(b, value, I8X16)
        });
    }

    fn store_lane(&mut self, memarg: &MemArg, shape: Type, lane: u8) {
        self.unary(|b, x| {
            let vector = cast(b, x, shape);
            b.ins().extractlane(vector, lane)
        });
        self.store(memarg, |b, f, v, a, o| {
            b.ins().store(f, v, a, o);
        });
    }
}
