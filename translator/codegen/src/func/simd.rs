//! 128-bit vectors.
//!
//! Between operators every vector is `I8X16`; an operator casts to the shape it works on.

mod memory;
mod relaxed;

use super::Translator;
use crate::error::Result;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F32X4, F64, F64X2, I8X16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::FunctionBuilder;
use wasmparser::Operator;

type Binary<'b> = fn(&mut FunctionBuilder<'b>, Value, Value) -> Value;
type Unary<'b> = fn(&mut FunctionBuilder<'b>, Value) -> Value;

/// Lane 0 is in the lowest bits, whatever the shape.
fn cast(b: &mut FunctionBuilder, value: Value, to: Type) -> Value {
    if b.func.dfg.value_type(value) == to {
        value
    } else {
        b.ins().bitcast(to, MemFlagsData::new().with_endianness(Endianness::Little), value)
    }
}

impl<'b> Translator<'_, '_, '_, 'b> {
    pub(super) fn simd(&mut self, operator: &Operator) -> Result<bool> {
        if !self.env.options.target.has_vectors() {
            return self.lanes(operator);
        }
        Ok(self.vector_memory(operator)
            || self.vector_lanes(operator)
            || self.vector_integer(operator)
            || self.vector_widening(operator)
            || self.vector_float(operator)
            || self.vector_relaxed(operator)
            || self.vector_compare(operator))
    }

    /// Constants, splats, lanes, shuffles and bits.
    fn vector_lanes(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::V128Const { value } => {
                let value = self.vector_constant(*value.bytes());
                self.push(value);
            }
            O::I8x16Shuffle { lanes } => {
                let lanes = lanes.to_vec();
                self.binary(|b, x, y| {
                    let mask = b.func.dfg.immediates.push(lanes.into());
                    b.ins().shuffle(x, y, mask)
                });
            }
            O::I8x16Swizzle => self.binary(|b, x, y| b.ins().swizzle(x, y)),
            O::I8x16Splat => self.splat(I8X16),
            O::I16x8Splat => self.splat(I16X8),
            O::I32x4Splat => self.splat(I32X4),
            O::I64x2Splat => self.splat(I64X2),
            O::F32x4Splat => self.splat(F32X4),
            O::F64x2Splat => self.splat(F64X2),
            O::I8x16ExtractLaneS { lane } => {
                self.extract(I8X16, *lane, |b, x| b.ins().sextend(I32, x))
            }
            O::I8x16ExtractLaneU { lane } => {
                self.extract(I8X16, *lane, |b, x| b.ins().uextend(I32, x))
            }
            O::I16x8ExtractLaneS { lane } => {
                self.extract(I16X8, *lane, |b, x| b.ins().sextend(I32, x))
            }
            O::I16x8ExtractLaneU { lane } => {
                self.extract(I16X8, *lane, |b, x| b.ins().uextend(I32, x))
            }
            O::I32x4ExtractLane { lane } => self.extract(I32X4, *lane, |_, x| x),
            O::I64x2ExtractLane { lane } => self.extract(I64X2, *lane, |_, x| x),
            O::F32x4ExtractLane { lane } => self.extract(F32X4, *lane, |_, x| x),
            O::F64x2ExtractLane { lane } => self.extract(F64X2, *lane, |_, x| x),
            O::I8x16ReplaceLane { lane } => self.replace(I8X16, *lane),
            O::I16x8ReplaceLane { lane } => self.replace(I16X8, *lane),
            O::I32x4ReplaceLane { lane } => self.replace(I32X4, *lane),
            O::I64x2ReplaceLane { lane } => self.replace(I64X2, *lane),
            O::F32x4ReplaceLane { lane } => self.replace(F32X4, *lane),
            O::F64x2ReplaceLane { lane } => self.replace(F64X2, *lane),
            O::V128Not => self.unary(|b, x| b.ins().bnot(x)),
            O::V128And => self.binary(|b, x, y| b.ins().band(x, y)),
            O::V128AndNot => self.binary(|b, x, y| b.ins().band_not(x, y)),
            O::V128Or => self.binary(|b, x, y| b.ins().bor(x, y)),
            O::V128Xor => self.binary(|b, x, y| b.ins().bxor(x, y)),
            O::V128Bitselect => {
                let mask = self.pop();
                self.binary(|b, x, y| b.ins().bitselect(mask, x, y));
            }
            O::V128AnyTrue => self.unary(|b, x| {
                let any = b.ins().vany_true(x);
                b.ins().uextend(I32, any)
            }),
            O::I8x16AllTrue => self.all_true(I8X16),
            O::I16x8AllTrue => self.all_true(I16X8),
            O::I32x4AllTrue => self.all_true(I32X4),
            O::I64x2AllTrue => self.all_true(I64X2),
            O::I8x16Bitmask => self.bitmask(I8X16),
            O::I16x8Bitmask => self.bitmask(I16X8),
            O::I32x4Bitmask => self.bitmask(I32X4),
            O::I64x2Bitmask => self.bitmask(I64X2),
            _ => return false,
        }
        true
    }

    fn splat(&mut self, shape: Type) {
        self.unary(|b, x| {
            let lane = shape.lane_type();
            let x = if b.func.dfg.value_type(x) == lane { x } else { b.ins().ireduce(lane, x) };
            let value = b.ins().splat(shape, x);
            cast(b, value, I8X16)
        });
    }

    fn extract(&mut self, shape: Type, lane: u8, widen: Unary<'b>) {
        self.unary(|b, x| {
            let vector = cast(b, x, shape);
            let value = b.ins().extractlane(vector, lane);
            widen(b, value)
        });
    }

    fn replace(&mut self, shape: Type, lane: u8) {
        self.binary(|b, x, y| {
            let ty = shape.lane_type();
            let y = if b.func.dfg.value_type(y) == ty { y } else { b.ins().ireduce(ty, y) };
            let vector = cast(b, x, shape);
            let value = b.ins().insertlane(vector, y, lane);
            cast(b, value, I8X16)
        });
    }

    fn all_true(&mut self, shape: Type) {
        self.unary(|b, x| {
            let vector = cast(b, x, shape);
            let all = b.ins().vall_true(vector);
            b.ins().uextend(I32, all)
        });
    }

    fn bitmask(&mut self, shape: Type) {
        self.unary(|b, x| {
            let vector = cast(b, x, shape);
            b.ins().vhigh_bits(I32, vector)
        });
    }

    fn vector_unary(&mut self, shape: Type, f: Unary<'b>) {
        self.unary(|b, x| {
            let x = cast(b, x, shape);
            let value = f(b, x);
            cast(b, value, I8X16)
        });
    }

    fn vector_binary(&mut self, shape: Type, f: Binary<'b>) {
        self.binary(|b, x, y| {
            let (x, y) = (cast(b, x, shape), cast(b, y, shape));
            let value = f(b, x, y);
            cast(b, value, I8X16)
        });
    }

    /// The second operand is a scalar number of bits, taken modulo the lane's width.
    fn vector_shift(&mut self, shape: Type, f: Binary<'b>) {
        self.binary(|b, x, y| {
            let x = cast(b, x, shape);
            let value = f(b, x, y);
            cast(b, value, I8X16)
        });
    }

    /// Arithmetic within the lanes.
    fn vector_integer(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::I8x16Abs => self.vector_unary(I8X16, |b, x| b.ins().iabs(x)),
            O::I16x8Abs => self.vector_unary(I16X8, |b, x| b.ins().iabs(x)),
            O::I32x4Abs => self.vector_unary(I32X4, |b, x| b.ins().iabs(x)),
            O::I64x2Abs => self.vector_unary(I64X2, |b, x| b.ins().iabs(x)),
            O::I8x16Neg => self.vector_unary(I8X16, |b, x| b.ins().ineg(x)),
            O::I16x8Neg => self.vector_unary(I16X8, |b, x| b.ins().ineg(x)),
            O::I32x4Neg => self.vector_unary(I32X4, |b, x| b.ins().ineg(x)),
            O::I64x2Neg => self.vector_unary(I64X2, |b, x| b.ins().ineg(x)),
            O::I8x16Popcnt => self.vector_unary(I8X16, |b, x| b.ins().popcnt(x)),
            O::I8x16Shl => self.vector_shift(I8X16, |b, x, y| b.ins().ishl(x, y)),
            O::I16x8Shl => self.vector_shift(I16X8, |b, x, y| b.ins().ishl(x, y)),
            O::I32x4Shl => self.vector_shift(I32X4, |b, x, y| b.ins().ishl(x, y)),
            O::I64x2Shl => self.vector_shift(I64X2, |b, x, y| b.ins().ishl(x, y)),
            O::I8x16ShrS => self.vector_shift(I8X16, |b, x, y| b.ins().sshr(x, y)),
            O::I16x8ShrS => self.vector_shift(I16X8, |b, x, y| b.ins().sshr(x, y)),
            O::I32x4ShrS => self.vector_shift(I32X4, |b, x, y| b.ins().sshr(x, y)),
            O::I64x2ShrS => self.vector_shift(I64X2, |b, x, y| b.ins().sshr(x, y)),
            O::I8x16ShrU => self.vector_shift(I8X16, |b, x, y| b.ins().ushr(x, y)),
            O::I16x8ShrU => self.vector_shift(I16X8, |b, x, y| b.ins().ushr(x, y)),
            O::I32x4ShrU => self.vector_shift(I32X4, |b, x, y| b.ins().ushr(x, y)),
            O::I64x2ShrU => self.vector_shift(I64X2, |b, x, y| b.ins().ushr(x, y)),
            O::I8x16Add => self.vector_binary(I8X16, |b, x, y| b.ins().iadd(x, y)),
            O::I16x8Add => self.vector_binary(I16X8, |b, x, y| b.ins().iadd(x, y)),
            O::I32x4Add => self.vector_binary(I32X4, |b, x, y| b.ins().iadd(x, y)),
            O::I64x2Add => self.vector_binary(I64X2, |b, x, y| b.ins().iadd(x, y)),
            O::I8x16Sub => self.vector_binary(I8X16, |b, x, y| b.ins().isub(x, y)),
            O::I16x8Sub => self.vector_binary(I16X8, |b, x, y| b.ins().isub(x, y)),
            O::I32x4Sub => self.vector_binary(I32X4, |b, x, y| b.ins().isub(x, y)),
            O::I64x2Sub => self.vector_binary(I64X2, |b, x, y| b.ins().isub(x, y)),
            O::I16x8Mul => self.vector_binary(I16X8, |b, x, y| b.ins().imul(x, y)),
            O::I32x4Mul => self.vector_binary(I32X4, |b, x, y| b.ins().imul(x, y)),
            O::I64x2Mul => self.vector_binary(I64X2, |b, x, y| b.ins().imul(x, y)),
            O::I8x16AddSatS => self.vector_binary(I8X16, |b, x, y| b.ins().sadd_sat(x, y)),
            O::I16x8AddSatS => self.vector_binary(I16X8, |b, x, y| b.ins().sadd_sat(x, y)),
            O::I8x16AddSatU => self.vector_binary(I8X16, |b, x, y| b.ins().uadd_sat(x, y)),
            O::I16x8AddSatU => self.vector_binary(I16X8, |b, x, y| b.ins().uadd_sat(x, y)),
            O::I8x16SubSatS => self.vector_binary(I8X16, |b, x, y| b.ins().ssub_sat(x, y)),
            O::I16x8SubSatS => self.vector_binary(I16X8, |b, x, y| b.ins().ssub_sat(x, y)),
            O::I8x16SubSatU => self.vector_binary(I8X16, |b, x, y| b.ins().usub_sat(x, y)),
            O::I16x8SubSatU => self.vector_binary(I16X8, |b, x, y| b.ins().usub_sat(x, y)),
            O::I8x16MinS => self.vector_binary(I8X16, |b, x, y| b.ins().smin(x, y)),
            O::I16x8MinS => self.vector_binary(I16X8, |b, x, y| b.ins().smin(x, y)),
            O::I32x4MinS => self.vector_binary(I32X4, |b, x, y| b.ins().smin(x, y)),
            O::I8x16MinU => self.vector_binary(I8X16, |b, x, y| b.ins().umin(x, y)),
            O::I16x8MinU => self.vector_binary(I16X8, |b, x, y| b.ins().umin(x, y)),
            O::I32x4MinU => self.vector_binary(I32X4, |b, x, y| b.ins().umin(x, y)),
            O::I8x16MaxS => self.vector_binary(I8X16, |b, x, y| b.ins().smax(x, y)),
            O::I16x8MaxS => self.vector_binary(I16X8, |b, x, y| b.ins().smax(x, y)),
            O::I32x4MaxS => self.vector_binary(I32X4, |b, x, y| b.ins().smax(x, y)),
            O::I8x16MaxU => self.vector_binary(I8X16, |b, x, y| b.ins().umax(x, y)),
            O::I16x8MaxU => self.vector_binary(I16X8, |b, x, y| b.ins().umax(x, y)),
            O::I32x4MaxU => self.vector_binary(I32X4, |b, x, y| b.ins().umax(x, y)),
            O::I8x16AvgrU => self.vector_binary(I8X16, |b, x, y| b.ins().avg_round(x, y)),
            O::I16x8AvgrU => self.vector_binary(I16X8, |b, x, y| b.ins().avg_round(x, y)),
            O::I16x8Q15MulrSatS => {
                self.vector_binary(I16X8, |b, x, y| b.ins().sqmul_round_sat(x, y))
            }
            _ => return false,
        }
        true
    }

    /// Operators whose result has lanes of another width.
    fn vector_widening(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::I8x16NarrowI16x8S => self.vector_binary(I16X8, |b, x, y| b.ins().snarrow(x, y)),
            O::I8x16NarrowI16x8U => self.vector_binary(I16X8, |b, x, y| b.ins().unarrow(x, y)),
            O::I16x8NarrowI32x4S => self.vector_binary(I32X4, |b, x, y| b.ins().snarrow(x, y)),
            O::I16x8NarrowI32x4U => self.vector_binary(I32X4, |b, x, y| b.ins().unarrow(x, y)),
            O::I16x8ExtendLowI8x16S => self.vector_unary(I8X16, |b, x| b.ins().swiden_low(x)),
            O::I16x8ExtendHighI8x16S => self.vector_unary(I8X16, |b, x| b.ins().swiden_high(x)),
            O::I16x8ExtendLowI8x16U => self.vector_unary(I8X16, |b, x| b.ins().uwiden_low(x)),
            O::I16x8ExtendHighI8x16U => self.vector_unary(I8X16, |b, x| b.ins().uwiden_high(x)),
            O::I32x4ExtendLowI16x8S => self.vector_unary(I16X8, |b, x| b.ins().swiden_low(x)),
            O::I32x4ExtendHighI16x8S => self.vector_unary(I16X8, |b, x| b.ins().swiden_high(x)),
            O::I32x4ExtendLowI16x8U => self.vector_unary(I16X8, |b, x| b.ins().uwiden_low(x)),
            O::I32x4ExtendHighI16x8U => self.vector_unary(I16X8, |b, x| b.ins().uwiden_high(x)),
            O::I64x2ExtendLowI32x4S => self.vector_unary(I32X4, |b, x| b.ins().swiden_low(x)),
            O::I64x2ExtendHighI32x4S => self.vector_unary(I32X4, |b, x| b.ins().swiden_high(x)),
            O::I64x2ExtendLowI32x4U => self.vector_unary(I32X4, |b, x| b.ins().uwiden_low(x)),
            O::I64x2ExtendHighI32x4U => self.vector_unary(I32X4, |b, x| b.ins().uwiden_high(x)),
            O::I16x8ExtMulLowI8x16S => {
                self.vector_binary(I8X16, |b, x, y| multiply(b, x, y, signed_low))
            }
            O::I16x8ExtMulHighI8x16S => {
                self.vector_binary(I8X16, |b, x, y| multiply(b, x, y, signed_high))
            }
            O::I16x8ExtMulLowI8x16U => {
                self.vector_binary(I8X16, |b, x, y| multiply(b, x, y, unsigned_low))
            }
            O::I16x8ExtMulHighI8x16U => {
                self.vector_binary(I8X16, |b, x, y| multiply(b, x, y, unsigned_high))
            }
            O::I32x4ExtMulLowI16x8S => {
                self.vector_binary(I16X8, |b, x, y| multiply(b, x, y, signed_low))
            }
            O::I32x4ExtMulHighI16x8S => {
                self.vector_binary(I16X8, |b, x, y| multiply(b, x, y, signed_high))
            }
            O::I32x4ExtMulLowI16x8U => {
                self.vector_binary(I16X8, |b, x, y| multiply(b, x, y, unsigned_low))
            }
            O::I32x4ExtMulHighI16x8U => {
                self.vector_binary(I16X8, |b, x, y| multiply(b, x, y, unsigned_high))
            }
            O::I64x2ExtMulLowI32x4S => {
                self.vector_binary(I32X4, |b, x, y| multiply(b, x, y, signed_low))
            }
            O::I64x2ExtMulHighI32x4S => {
                self.vector_binary(I32X4, |b, x, y| multiply(b, x, y, signed_high))
            }
            O::I64x2ExtMulLowI32x4U => {
                self.vector_binary(I32X4, |b, x, y| multiply(b, x, y, unsigned_low))
            }
            O::I64x2ExtMulHighI32x4U => {
                self.vector_binary(I32X4, |b, x, y| multiply(b, x, y, unsigned_high))
            }
            O::I16x8ExtAddPairwiseI8x16S => {
                self.vector_unary(I8X16, |b, x| add_pairs(b, x, signed_low, signed_high))
            }
            O::I16x8ExtAddPairwiseI8x16U => {
                self.vector_unary(I8X16, |b, x| add_pairs(b, x, unsigned_low, unsigned_high));
            }
            O::I32x4ExtAddPairwiseI16x8S => {
                self.vector_unary(I16X8, |b, x| add_pairs(b, x, signed_low, signed_high))
            }
            O::I32x4ExtAddPairwiseI16x8U => {
                self.vector_unary(I16X8, |b, x| add_pairs(b, x, unsigned_low, unsigned_high));
            }
            O::I32x4DotI16x8S => self.vector_binary(I16X8, |b, x, y| {
                let low = multiply(b, x, y, signed_low);
                let high = multiply(b, x, y, signed_high);
                b.ins().iadd_pairwise(low, high)
            }),
            _ => return false,
        }
        true
    }

    fn vector_float(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::F32x4Ceil => self.vector_unary(F32X4, |b, x| b.ins().ceil(x)),
            O::F64x2Ceil => self.vector_unary(F64X2, |b, x| b.ins().ceil(x)),
            O::F32x4Floor => self.vector_unary(F32X4, |b, x| b.ins().floor(x)),
            O::F64x2Floor => self.vector_unary(F64X2, |b, x| b.ins().floor(x)),
            O::F32x4Trunc => self.vector_unary(F32X4, |b, x| b.ins().trunc(x)),
            O::F64x2Trunc => self.vector_unary(F64X2, |b, x| b.ins().trunc(x)),
            O::F32x4Nearest => self.vector_unary(F32X4, |b, x| b.ins().nearest(x)),
            O::F64x2Nearest => self.vector_unary(F64X2, |b, x| b.ins().nearest(x)),
            O::F32x4Abs => self.vector_unary(F32X4, |b, x| b.ins().fabs(x)),
            O::F64x2Abs => self.vector_unary(F64X2, |b, x| b.ins().fabs(x)),
            O::F32x4Neg => self.vector_unary(F32X4, |b, x| b.ins().fneg(x)),
            O::F64x2Neg => self.vector_unary(F64X2, |b, x| b.ins().fneg(x)),
            O::F32x4Sqrt => self.vector_unary(F32X4, |b, x| b.ins().sqrt(x)),
            O::F64x2Sqrt => self.vector_unary(F64X2, |b, x| b.ins().sqrt(x)),
            O::F32x4Add => self.vector_binary(F32X4, |b, x, y| b.ins().fadd(x, y)),
            O::F64x2Add => self.vector_binary(F64X2, |b, x, y| b.ins().fadd(x, y)),
            O::F32x4Sub => self.vector_binary(F32X4, |b, x, y| b.ins().fsub(x, y)),
            O::F64x2Sub => self.vector_binary(F64X2, |b, x, y| b.ins().fsub(x, y)),
            O::F32x4Mul => self.vector_binary(F32X4, |b, x, y| b.ins().fmul(x, y)),
            O::F64x2Mul => self.vector_binary(F64X2, |b, x, y| b.ins().fmul(x, y)),
            O::F32x4Div => self.vector_binary(F32X4, |b, x, y| b.ins().fdiv(x, y)),
            O::F64x2Div => self.vector_binary(F64X2, |b, x, y| b.ins().fdiv(x, y)),
            O::F32x4Min => self.vector_binary(F32X4, |b, x, y| b.ins().fmin(x, y)),
            O::F64x2Min => self.vector_binary(F64X2, |b, x, y| b.ins().fmin(x, y)),
            O::F32x4Max => self.vector_binary(F32X4, |b, x, y| b.ins().fmax(x, y)),
            O::F64x2Max => self.vector_binary(F64X2, |b, x, y| b.ins().fmax(x, y)),
            O::F32x4PMin => self.vector_binary(F32X4, |b, x, y| select_if_less(b, y, x, y, x)),
            O::F64x2PMin => self.vector_binary(F64X2, |b, x, y| select_if_less(b, y, x, y, x)),
            O::F32x4PMax => self.vector_binary(F32X4, |b, x, y| select_if_less(b, x, y, y, x)),
            O::F64x2PMax => self.vector_binary(F64X2, |b, x, y| select_if_less(b, x, y, y, x)),
            O::I32x4TruncSatF32x4S => {
                self.vector_unary(F32X4, |b, x| b.ins().fcvt_to_sint_sat(I32X4, x))
            }
            O::I32x4TruncSatF32x4U => {
                self.vector_unary(F32X4, |b, x| b.ins().fcvt_to_uint_sat(I32X4, x))
            }
            O::F32x4ConvertI32x4S => {
                self.vector_unary(I32X4, |b, x| b.ins().fcvt_from_sint(F32X4, x))
            }
            O::F32x4ConvertI32x4U => {
                self.vector_unary(I32X4, |b, x| b.ins().fcvt_from_uint(F32X4, x))
            }
            O::I32x4TruncSatF64x2SZero => self.vector_unary(F64X2, |b, x| {
                let wide = b.ins().fcvt_to_sint_sat(I64X2, x);
                let zero = zero_lanes(b);
                b.ins().snarrow(wide, zero)
            }),
            O::I32x4TruncSatF64x2UZero => self.vector_unary(F64X2, |b, x| {
                let wide = b.ins().fcvt_to_uint_sat(I64X2, x);
                let zero = zero_lanes(b);
                b.ins().uunarrow(wide, zero)
            }),
            O::F64x2ConvertLowI32x4S => self.vector_unary(I32X4, |b, x| {
                let wide = b.ins().swiden_low(x);
                b.ins().fcvt_from_sint(F64X2, wide)
            }),
            O::F64x2ConvertLowI32x4U => self.vector_unary(I32X4, |b, x| {
                let wide = b.ins().uwiden_low(x);
                b.ins().fcvt_from_uint(F64X2, wide)
            }),
            O::F32x4DemoteF64x2Zero => self.vector_unary(F64X2, |b, x| b.ins().fvdemote(x)),
            O::F64x2PromoteLowF32x4 => self.vector_unary(F32X4, |b, x| b.ins().fvpromote_low(x)),
            _ => return false,
        }
        true
    }

    fn vector_compare(&mut self, operator: &Operator) -> bool {
        if let Some((shape, condition)) = integer_comparison(operator) {
            self.binary(|b, x, y| {
                let (x, y) = (cast(b, x, shape), cast(b, y, shape));
                let mask = b.ins().icmp(condition, x, y);
                cast(b, mask, I8X16)
            });
            return true;
        }
        if let Some((lane, condition)) = float_comparison(operator) {
            let shape = if lane == F32 { F32X4 } else { F64X2 };
            self.binary(|b, x, y| {
                let (x, y) = (cast(b, x, shape), cast(b, y, shape));
                let mask = b.ins().fcmp(condition, x, y);
                cast(b, mask, I8X16)
            });
            return true;
        }
        false
    }
}

/// Whether a condition compares signed numbers.
pub(super) fn is_signed(condition: IntCC) -> bool {
    condition != condition.unsigned()
}

/// Shape and condition of an operator that compares integers.
pub(super) fn integer_comparison(operator: &Operator) -> Option<(Type, IntCC)> {
    use Operator as O;
    Some(match operator {
        O::I8x16Eq => (I8X16, IntCC::Equal),
        O::I16x8Eq => (I16X8, IntCC::Equal),
        O::I32x4Eq => (I32X4, IntCC::Equal),
        O::I64x2Eq => (I64X2, IntCC::Equal),
        O::I8x16Ne => (I8X16, IntCC::NotEqual),
        O::I16x8Ne => (I16X8, IntCC::NotEqual),
        O::I32x4Ne => (I32X4, IntCC::NotEqual),
        O::I64x2Ne => (I64X2, IntCC::NotEqual),
        O::I8x16LtS => (I8X16, IntCC::SignedLessThan),
        O::I16x8LtS => (I16X8, IntCC::SignedLessThan),
        O::I32x4LtS => (I32X4, IntCC::SignedLessThan),
        O::I64x2LtS => (I64X2, IntCC::SignedLessThan),
        O::I8x16LtU => (I8X16, IntCC::UnsignedLessThan),
        O::I16x8LtU => (I16X8, IntCC::UnsignedLessThan),
        O::I32x4LtU => (I32X4, IntCC::UnsignedLessThan),
        O::I8x16GtS => (I8X16, IntCC::SignedGreaterThan),
        O::I16x8GtS => (I16X8, IntCC::SignedGreaterThan),
        O::I32x4GtS => (I32X4, IntCC::SignedGreaterThan),
        O::I64x2GtS => (I64X2, IntCC::SignedGreaterThan),
        O::I8x16GtU => (I8X16, IntCC::UnsignedGreaterThan),
        O::I16x8GtU => (I16X8, IntCC::UnsignedGreaterThan),
        O::I32x4GtU => (I32X4, IntCC::UnsignedGreaterThan),
        O::I8x16LeS => (I8X16, IntCC::SignedLessThanOrEqual),
        O::I16x8LeS => (I16X8, IntCC::SignedLessThanOrEqual),
        O::I32x4LeS => (I32X4, IntCC::SignedLessThanOrEqual),
        O::I64x2LeS => (I64X2, IntCC::SignedLessThanOrEqual),
        O::I8x16LeU => (I8X16, IntCC::UnsignedLessThanOrEqual),
        O::I16x8LeU => (I16X8, IntCC::UnsignedLessThanOrEqual),
        O::I32x4LeU => (I32X4, IntCC::UnsignedLessThanOrEqual),
        O::I8x16GeS => (I8X16, IntCC::SignedGreaterThanOrEqual),
        O::I16x8GeS => (I16X8, IntCC::SignedGreaterThanOrEqual),
        O::I32x4GeS => (I32X4, IntCC::SignedGreaterThanOrEqual),
        O::I64x2GeS => (I64X2, IntCC::SignedGreaterThanOrEqual),
        O::I8x16GeU => (I8X16, IntCC::UnsignedGreaterThanOrEqual),
        O::I16x8GeU => (I16X8, IntCC::UnsignedGreaterThanOrEqual),
        O::I32x4GeU => (I32X4, IntCC::UnsignedGreaterThanOrEqual),
        _ => return None,
    })
}

/// Lane type and condition of an operator that compares floats.
pub(super) fn float_comparison(operator: &Operator) -> Option<(Type, FloatCC)> {
    use Operator as O;
    Some(match operator {
        O::F32x4Eq => (F32, FloatCC::Equal),
        O::F64x2Eq => (F64, FloatCC::Equal),
        O::F32x4Ne => (F32, FloatCC::NotEqual),
        O::F64x2Ne => (F64, FloatCC::NotEqual),
        O::F32x4Lt => (F32, FloatCC::LessThan),
        O::F64x2Lt => (F64, FloatCC::LessThan),
        O::F32x4Gt => (F32, FloatCC::GreaterThan),
        O::F64x2Gt => (F64, FloatCC::GreaterThan),
        O::F32x4Le => (F32, FloatCC::LessThanOrEqual),
        O::F64x2Le => (F64, FloatCC::LessThanOrEqual),
        O::F32x4Ge => (F32, FloatCC::GreaterThanOrEqual),
        O::F64x2Ge => (F64, FloatCC::GreaterThanOrEqual),
        _ => return None,
    })
}

fn signed_low(b: &mut FunctionBuilder, x: Value) -> Value {
    b.ins().swiden_low(x)
}

fn signed_high(b: &mut FunctionBuilder, x: Value) -> Value {
    b.ins().swiden_high(x)
}

fn unsigned_low(b: &mut FunctionBuilder, x: Value) -> Value {
    b.ins().uwiden_low(x)
}

fn unsigned_high(b: &mut FunctionBuilder, x: Value) -> Value {
    b.ins().uwiden_high(x)
}

/// Products of half of the lanes.
fn multiply(
    b: &mut FunctionBuilder,
    x: Value,
    y: Value,
    half: fn(&mut FunctionBuilder, Value) -> Value,
) -> Value {
    let (x, y) = (half(b, x), half(b, y));
    b.ins().imul(x, y)
}

/// Sums of neighbouring lanes.
fn add_pairs(
    b: &mut FunctionBuilder,
    x: Value,
    low: fn(&mut FunctionBuilder, Value) -> Value,
    high: fn(&mut FunctionBuilder, Value) -> Value,
) -> Value {
    let (low, high) = (low(b, x), high(b, x));
    b.ins().iadd_pairwise(low, high)
}

/// Per lane: `then` if `x < y`, else `otherwise`. Comparisons with NaN are false.
fn select_if_less(
    b: &mut FunctionBuilder,
    x: Value,
    y: Value,
    then: Value,
    otherwise: Value,
) -> Value {
    let shape = b.func.dfg.value_type(then);
    let mask = b.ins().fcmp(FloatCC::LessThan, x, y);
    let mask = cast(b, mask, I8X16);
    let (then, otherwise) = (cast(b, then, I8X16), cast(b, otherwise, I8X16));
    let value = b.ins().bitselect(mask, then, otherwise);
    cast(b, value, shape)
}

fn zero_lanes(b: &mut FunctionBuilder) -> Value {
    let zero = b.func.dfg.constants.insert(vec![0; 16].into());
    b.ins().vconst(I64X2, zero)
}
