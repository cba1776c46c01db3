//! 128-bit vectors on processors that have none: lane by lane in general registers.
//!
//! There every vector is an `I128`, lane 0 in its lowest bits. An operator takes the two halves apart
//! into lanes, works on each, and puts them together. Integer lanes below 32 bits are worked on as
//! `I32`: extended on the way in, cut on the way out.

mod float;
mod lane;
mod memory;

use super::Translator;
use crate::error::Result;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use lane::Lane::{self, Signed as S, Unsigned as U};
use lane::{all_lanes, choose, half, join, lane, mask, saturate_signed, saturate_unsigned};
use wasmparser::Operator;

type Builder<'f, 'b> = &'f mut FunctionBuilder<'b>;

impl<'b> Translator<'_, '_, '_, 'b> {
    /// Says whether the operator is one of vectors.
    pub(super) fn lanes(&mut self, operator: &Operator) -> Result<bool> {
        Ok(self.lanes_memory(operator)
            || self.lanes_moves(operator)
            || self.lanes_bits(operator)
            || self.lanes_integer(operator)
            || self.lanes_widening(operator)
            || self.lanes_float(operator)
            || self.lanes_compare(operator)
            || self.lanes_relaxed(operator))
    }

    fn map(&mut self, of: Lane, f: impl Fn(&mut FunctionBuilder<'b>, Value) -> Value) {
        let x = self.pop();
        let b = &mut self.b;
        let lanes: Vec<Value> = all_lanes(b, x, of).into_iter().map(|x| f(b, x)).collect();
        let value = join(b, &lanes);
        self.push(value);
    }

    fn zip(&mut self, of: Lane, f: impl Fn(&mut FunctionBuilder<'b>, Value, Value) -> Value) {
        let y = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let (xs, ys) = (all_lanes(b, x, of), all_lanes(b, y, of));
        let lanes: Vec<Value> = xs.into_iter().zip(ys).map(|(x, y)| f(b, x, y)).collect();
        let value = join(b, &lanes);
        self.push(value);
    }

    /// The second operand is a number of bits, taken modulo the lane's width.
    fn shift(&mut self, of: Lane, f: impl Fn(&mut FunctionBuilder<'b>, Value, Value) -> Value) {
        let count = self.pop();
        let count = self.b.ins().band_imm_u(count, i64::from(of.bits() - 1));
        self.map(of, |b, x| f(b, x, count));
    }

    /// Does something to each half.
    fn halves(&mut self, f: impl Fn(&mut FunctionBuilder<'b>, Value, Value) -> Value) {
        self.zip(U(64), f);
    }

    fn splat_lanes(&mut self, of: Lane) {
        let value = self.pop();
        let lanes = vec![value; of.count() as usize];
        let vector = join(&mut self.b, &lanes);
        self.push(vector);
    }

    fn replace_lane(&mut self, of: Lane, number: u8) {
        let value = self.pop();
        let vector = self.pop();
        let mut lanes = all_lanes(&mut self.b, vector, of);
        lanes[usize::from(number)] = value;
        let vector = join(&mut self.b, &lanes);
        self.push(vector);
    }

    fn extract_lane(&mut self, of: Lane, number: u8) {
        let vector = self.pop();
        let value = lane(&mut self.b, vector, of, u32::from(number));
        self.push(value);
    }

    fn lanes_moves(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::V128Const { value } => {
                let value = self.vector_constant(*value.bytes());
                self.push(value);
            }
            O::I8x16Shuffle { lanes } => {
                let y = self.pop();
                let x = self.pop();
                let b = &mut self.b;
                let mut bytes = all_lanes(b, x, U(8));
                bytes.extend(all_lanes(b, y, U(8)));
                let picked: Vec<Value> = lanes.iter().map(|i| bytes[usize::from(*i)]).collect();
                let value = join(b, &picked);
                self.push(value);
            }
            O::I8x16Swizzle | O::I8x16RelaxedSwizzle => self.swizzle(),
            O::I8x16Splat => self.splat_lanes(U(8)),
            O::I16x8Splat => self.splat_lanes(U(16)),
            O::I32x4Splat => self.splat_lanes(U(32)),
            O::I64x2Splat => self.splat_lanes(U(64)),
            O::F32x4Splat => self.splat_lanes(Lane::F32),
            O::F64x2Splat => self.splat_lanes(Lane::F64),
            O::I8x16ExtractLaneS { lane } => self.extract_lane(S(8), *lane),
            O::I8x16ExtractLaneU { lane } => self.extract_lane(U(8), *lane),
            O::I16x8ExtractLaneS { lane } => self.extract_lane(S(16), *lane),
            O::I16x8ExtractLaneU { lane } => self.extract_lane(U(16), *lane),
            O::I32x4ExtractLane { lane } => self.extract_lane(U(32), *lane),
            O::I64x2ExtractLane { lane } => self.extract_lane(U(64), *lane),
            O::F32x4ExtractLane { lane } => self.extract_lane(Lane::F32, *lane),
            O::F64x2ExtractLane { lane } => self.extract_lane(Lane::F64, *lane),
            O::I8x16ReplaceLane { lane } => self.replace_lane(U(8), *lane),
            O::I16x8ReplaceLane { lane } => self.replace_lane(U(16), *lane),
            O::I32x4ReplaceLane { lane } => self.replace_lane(U(32), *lane),
            O::I64x2ReplaceLane { lane } => self.replace_lane(U(64), *lane),
            O::F32x4ReplaceLane { lane } => self.replace_lane(Lane::F32, *lane),
            O::F64x2ReplaceLane { lane } => self.replace_lane(Lane::F64, *lane),
            _ => return false,
        }
        true
    }

    /// Bytes picked by the bytes of the second operand; 0 for those from 16 on.
    fn swizzle(&mut self) {
        let indices = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let (low, high) = b.ins().isplit(x);
        let pick = |b: Builder, index: Value| {
            let bit = b.ins().ishl_imm_u(index, 3);
            // The shift's count is taken modulo 64.
            let (low, high) = (b.ins().ushr(low, bit), b.ins().ushr(high, bit));
            let is_high = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, index, 7);
            let word = b.ins().select(is_high, high, low);
            let outside = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, index, 15);
            let zero = b.ins().iconst(I64, 0);
            b.ins().select(outside, zero, word)
        };
        let indices = all_lanes(b, indices, U(8));
        let bytes: Vec<Value> = indices.into_iter().map(|index| pick(b, index)).collect();
        let value = join(b, &bytes);
        self.push(value);
    }

    fn bitselect(&mut self) {
        let mask = self.pop();
        let y = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let words: Vec<Value> = [false, true]
            .into_iter()
            .map(|high| {
                let (x, y, mask) = (half(b, x, high), half(b, y, high), half(b, mask, high));
                let ones = b.ins().band(x, mask);
                let zeros = b.ins().band_not(y, mask);
                b.ins().bor(ones, zeros)
            })
            .collect();
        let value = b.ins().iconcat(words[0], words[1]);
        self.push(value);
    }

    fn lanes_bits(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::V128Not => self.map(U(64), |b, x| b.ins().bnot(x)),
            O::V128And => self.halves(|b, x, y| b.ins().band(x, y)),
            O::V128AndNot => self.halves(|b, x, y| b.ins().band_not(x, y)),
            O::V128Or => self.halves(|b, x, y| b.ins().bor(x, y)),
            O::V128Xor => self.halves(|b, x, y| b.ins().bxor(x, y)),
            O::V128Bitselect
            | O::I8x16RelaxedLaneselect
            | O::I16x8RelaxedLaneselect
            | O::I32x4RelaxedLaneselect
            | O::I64x2RelaxedLaneselect => self.bitselect(),
            O::V128AnyTrue => {
                let x = self.pop();
                let (low, high) = self.b.ins().isplit(x);
                let any = self.b.ins().bor(low, high);
                let any = self.b.ins().icmp_imm_u(IntCC::NotEqual, any, 0);
                let any = self.b.ins().uextend(I32, any);
                self.push(any);
            }
            O::I8x16AllTrue => self.lanes_all_true(U(8)),
            O::I16x8AllTrue => self.lanes_all_true(U(16)),
            O::I32x4AllTrue => self.lanes_all_true(U(32)),
            O::I64x2AllTrue => self.lanes_all_true(U(64)),
            O::I8x16Bitmask => self.lanes_bitmask(S(8)),
            O::I16x8Bitmask => self.lanes_bitmask(S(16)),
            O::I32x4Bitmask => self.lanes_bitmask(S(32)),
            O::I64x2Bitmask => self.lanes_bitmask(S(64)),
            _ => return false,
        }
        true
    }

    fn lanes_all_true(&mut self, of: Lane) {
        let x = self.pop();
        let b = &mut self.b;
        let mut all = None;
        for lane in all_lanes(b, x, of) {
            let is_true = b.ins().icmp_imm_u(IntCC::NotEqual, lane, 0);
            all = Some(all.map_or(is_true, |all| b.ins().band(all, is_true)));
        }
        let all = b.ins().uextend(I32, all.expect("there are lanes"));
        self.push(all);
    }

    fn lanes_bitmask(&mut self, of: Lane) {
        let x = self.pop();
        let b = &mut self.b;
        let mut bits = b.ins().iconst(I32, 0);
        for (i, lane) in all_lanes(b, x, of).into_iter().enumerate() {
            let negative = b.ins().icmp_imm_s(IntCC::SignedLessThan, lane, 0);
            let bit = b.ins().uextend(I32, negative);
            let bit = b.ins().ishl_imm_u(bit, i as i64);
            bits = b.ins().bor(bits, bit);
        }
        self.push(bits);
    }

    fn lanes_integer(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::I8x16Abs => self.map(S(8), |b, x| absolute(b, x)),
            O::I16x8Abs => self.map(S(16), |b, x| absolute(b, x)),
            O::I32x4Abs => self.map(S(32), |b, x| absolute(b, x)),
            O::I64x2Abs => self.map(S(64), |b, x| absolute(b, x)),
            O::I8x16Neg => self.map(S(8), |b, x| b.ins().ineg(x)),
            O::I16x8Neg => self.map(S(16), |b, x| b.ins().ineg(x)),
            O::I32x4Neg => self.map(S(32), |b, x| b.ins().ineg(x)),
            O::I64x2Neg => self.map(S(64), |b, x| b.ins().ineg(x)),
            O::I8x16Popcnt => self.map(U(8), |b, x| b.ins().popcnt(x)),
            O::I8x16Shl => self.shift(U(8), |b, x, y| b.ins().ishl(x, y)),
            O::I16x8Shl => self.shift(U(16), |b, x, y| b.ins().ishl(x, y)),
            O::I32x4Shl => self.shift(U(32), |b, x, y| b.ins().ishl(x, y)),
            O::I64x2Shl => self.shift(U(64), |b, x, y| b.ins().ishl(x, y)),
            O::I8x16ShrS => self.shift(S(8), |b, x, y| b.ins().sshr(x, y)),
            O::I16x8ShrS => self.shift(S(16), |b, x, y| b.ins().sshr(x, y)),
            O::I32x4ShrS => self.shift(S(32), |b, x, y| b.ins().sshr(x, y)),
            O::I64x2ShrS => self.shift(S(64), |b, x, y| b.ins().sshr(x, y)),
            O::I8x16ShrU => self.shift(U(8), |b, x, y| b.ins().ushr(x, y)),
            O::I16x8ShrU => self.shift(U(16), |b, x, y| b.ins().ushr(x, y)),
            O::I32x4ShrU => self.shift(U(32), |b, x, y| b.ins().ushr(x, y)),
            O::I64x2ShrU => self.shift(U(64), |b, x, y| b.ins().ushr(x, y)),
            O::I8x16Add => self.zip(U(8), |b, x, y| b.ins().iadd(x, y)),
            O::I16x8Add => self.zip(U(16), |b, x, y| b.ins().iadd(x, y)),
            O::I32x4Add => self.zip(U(32), |b, x, y| b.ins().iadd(x, y)),
            O::I64x2Add => self.zip(U(64), |b, x, y| b.ins().iadd(x, y)),
            O::I8x16Sub => self.zip(U(8), |b, x, y| b.ins().isub(x, y)),
            O::I16x8Sub => self.zip(U(16), |b, x, y| b.ins().isub(x, y)),
            O::I32x4Sub => self.zip(U(32), |b, x, y| b.ins().isub(x, y)),
            O::I64x2Sub => self.zip(U(64), |b, x, y| b.ins().isub(x, y)),
            O::I16x8Mul => self.zip(U(16), |b, x, y| b.ins().imul(x, y)),
            O::I32x4Mul => self.zip(U(32), |b, x, y| b.ins().imul(x, y)),
            O::I64x2Mul => self.zip(U(64), |b, x, y| b.ins().imul(x, y)),
            O::I8x16AddSatS => self.zip(S(8), |b, x, y| {
                let sum = b.ins().iadd(x, y);
                saturate_signed(b, sum, 8)
            }),
            O::I16x8AddSatS => self.zip(S(16), |b, x, y| {
                let sum = b.ins().iadd(x, y);
                saturate_signed(b, sum, 16)
            }),
            O::I8x16AddSatU => self.zip(U(8), |b, x, y| {
                let sum = b.ins().iadd(x, y);
                saturate_unsigned(b, sum, 8)
            }),
            O::I16x8AddSatU => self.zip(U(16), |b, x, y| {
                let sum = b.ins().iadd(x, y);
                saturate_unsigned(b, sum, 16)
            }),
            O::I8x16SubSatS => self.zip(S(8), |b, x, y| {
                let difference = b.ins().isub(x, y);
                saturate_signed(b, difference, 8)
            }),
            O::I16x8SubSatS => self.zip(S(16), |b, x, y| {
                let difference = b.ins().isub(x, y);
                saturate_signed(b, difference, 16)
            }),
            O::I8x16SubSatU => self.zip(U(8), |b, x, y| {
                let difference = b.ins().isub(x, y);
                saturate_unsigned(b, difference, 8)
            }),
            O::I16x8SubSatU => self.zip(U(16), |b, x, y| {
                let difference = b.ins().isub(x, y);
                saturate_unsigned(b, difference, 16)
            }),
            O::I8x16MinS => self.zip(S(8), |b, x, y| choose(b, IntCC::SignedLessThan, x, y)),
            O::I16x8MinS => self.zip(S(16), |b, x, y| choose(b, IntCC::SignedLessThan, x, y)),
            O::I32x4MinS => self.zip(S(32), |b, x, y| choose(b, IntCC::SignedLessThan, x, y)),
            O::I8x16MinU => self.zip(U(8), |b, x, y| choose(b, IntCC::UnsignedLessThan, x, y)),
            O::I16x8MinU => self.zip(U(16), |b, x, y| choose(b, IntCC::UnsignedLessThan, x, y)),
            O::I32x4MinU => self.zip(U(32), |b, x, y| choose(b, IntCC::UnsignedLessThan, x, y)),
            O::I8x16MaxS => self.zip(S(8), |b, x, y| choose(b, IntCC::SignedGreaterThan, x, y)),
            O::I16x8MaxS => self.zip(S(16), |b, x, y| choose(b, IntCC::SignedGreaterThan, x, y)),
            O::I32x4MaxS => self.zip(S(32), |b, x, y| choose(b, IntCC::SignedGreaterThan, x, y)),
            O::I8x16MaxU => self.zip(U(8), |b, x, y| choose(b, IntCC::UnsignedGreaterThan, x, y)),
            O::I16x8MaxU => self.zip(U(16), |b, x, y| choose(b, IntCC::UnsignedGreaterThan, x, y)),
            O::I32x4MaxU => self.zip(U(32), |b, x, y| choose(b, IntCC::UnsignedGreaterThan, x, y)),
            O::I8x16AvgrU => self.zip(U(8), |b, x, y| average(b, x, y)),
            O::I16x8AvgrU => self.zip(U(16), |b, x, y| average(b, x, y)),
            O::I16x8Q15MulrSatS | O::I16x8RelaxedQ15mulrS => self.zip(S(16), |b, x, y| {
                let product = b.ins().imul(x, y);
                let rounded = b.ins().iadd_imm_u(product, 0x4000);
                let value = b.ins().sshr_imm_u(rounded, 15);
                saturate_signed(b, value, 16)
            }),
            _ => return false,
        }
        true
    }

    /// Half of the lanes, each twice as wide.
    fn widen(&mut self, from: Lane, high: bool) {
        let x = self.pop();
        let value = widened(&mut self.b, x, from, high);
        let value = join(&mut self.b, &value);
        self.push(value);
    }

    /// Products of half of the lanes, twice as wide.
    fn widen_multiply(&mut self, from: Lane, high: bool) {
        let y = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let (xs, ys) = (widened(b, x, from, high), widened(b, y, from, high));
        let products: Vec<Value> =
            xs.into_iter().zip(ys).map(|(x, y)| b.ins().imul(x, y)).collect();
        let value = join(b, &products);
        self.push(value);
    }

    /// Both operands' lanes, limited to half of their width.
    fn narrow_lanes(&mut self, from: u32, signed: bool) {
        let y = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let mut lanes = all_lanes(b, x, S(from));
        lanes.extend(all_lanes(b, y, S(from)));
        let limit = if signed { saturate_signed } else { saturate_unsigned };
        let lanes: Vec<Value> = lanes.into_iter().map(|lane| limit(b, lane, from / 2)).collect();
        let value = join(b, &lanes);
        self.push(value);
    }

    /// Sums of neighbours, twice as wide.
    fn add_neighbours(&mut self, from: Lane) {
        let x = self.pop();
        let b = &mut self.b;
        let lanes = all_lanes(b, x, from);
        let sums: Vec<Value> = lanes.chunks(2).map(|pair| b.ins().iadd(pair[0], pair[1])).collect();
        let value = join(b, &sums);
        self.push(value);
    }

    /// Sums of the products of neighbours, twice as wide.
    fn dot(&mut self, from: Lane) {
        let y = self.pop();
        let x = self.pop();
        let b = &mut self.b;
        let (xs, ys) = (all_lanes(b, x, from), all_lanes(b, y, from));
        let products: Vec<Value> =
            xs.into_iter().zip(ys).map(|(x, y)| b.ins().imul(x, y)).collect();
        let sums: Vec<Value> =
            products.chunks(2).map(|pair| b.ins().iadd(pair[0], pair[1])).collect();
        let value = join(b, &sums);
        self.push(value);
    }

    fn lanes_widening(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::I8x16NarrowI16x8S => self.narrow_lanes(16, true),
            O::I8x16NarrowI16x8U => self.narrow_lanes(16, false),
            O::I16x8NarrowI32x4S => self.narrow_lanes(32, true),
            O::I16x8NarrowI32x4U => self.narrow_lanes(32, false),
            O::I16x8ExtendLowI8x16S => self.widen(S(8), false),
            O::I16x8ExtendHighI8x16S => self.widen(S(8), true),
            O::I16x8ExtendLowI8x16U => self.widen(U(8), false),
            O::I16x8ExtendHighI8x16U => self.widen(U(8), true),
            O::I32x4ExtendLowI16x8S => self.widen(S(16), false),
            O::I32x4ExtendHighI16x8S => self.widen(S(16), true),
            O::I32x4ExtendLowI16x8U => self.widen(U(16), false),
            O::I32x4ExtendHighI16x8U => self.widen(U(16), true),
            O::I64x2ExtendLowI32x4S => self.widen(S(32), false),
            O::I64x2ExtendHighI32x4S => self.widen(S(32), true),
            O::I64x2ExtendLowI32x4U => self.widen(U(32), false),
            O::I64x2ExtendHighI32x4U => self.widen(U(32), true),
            O::I16x8ExtMulLowI8x16S => self.widen_multiply(S(8), false),
            O::I16x8ExtMulHighI8x16S => self.widen_multiply(S(8), true),
            O::I16x8ExtMulLowI8x16U => self.widen_multiply(U(8), false),
            O::I16x8ExtMulHighI8x16U => self.widen_multiply(U(8), true),
            O::I32x4ExtMulLowI16x8S => self.widen_multiply(S(16), false),
            O::I32x4ExtMulHighI16x8S => self.widen_multiply(S(16), true),
            O::I32x4ExtMulLowI16x8U => self.widen_multiply(U(16), false),
            O::I32x4ExtMulHighI16x8U => self.widen_multiply(U(16), true),
            O::I64x2ExtMulLowI32x4S => self.widen_multiply(S(32), false),
            O::I64x2ExtMulHighI32x4S => self.widen_multiply(S(32), true),
            O::I64x2ExtMulLowI32x4U => self.widen_multiply(U(32), false),
            O::I64x2ExtMulHighI32x4U => self.widen_multiply(U(32), true),
            O::I16x8ExtAddPairwiseI8x16S => self.add_neighbours(S(8)),
            O::I16x8ExtAddPairwiseI8x16U => self.add_neighbours(U(8)),
            O::I32x4ExtAddPairwiseI16x8S => self.add_neighbours(S(16)),
            O::I32x4ExtAddPairwiseI16x8U => self.add_neighbours(U(16)),
            O::I32x4DotI16x8S => self.dot(S(16)),
            _ => return false,
        }
        true
    }

    fn compare_lanes(&mut self, of: Lane, cc: IntCC) {
        let ty = if of.bits() == 64 { I64 } else { I32 };
        self.zip(of, |b, x, y| {
            let holds = b.ins().icmp(cc, x, y);
            mask(b, holds, ty)
        });
    }

    fn compare_float_lanes(&mut self, of: Lane, cc: FloatCC) {
        let ty = if of.bits() == 64 { I64 } else { I32 };
        self.zip(of, |b, x, y| {
            let holds = b.ins().fcmp(cc, x, y);
            mask(b, holds, ty)
        });
    }

    fn lanes_compare(&mut self, operator: &Operator) -> bool {
        if let Some((shape, condition)) = super::simd::integer_comparison(operator) {
            let bits = shape.lane_bits();
            let of = if super::simd::is_signed(condition) { S(bits) } else { U(bits) };
            self.compare_lanes(of, condition);
            return true;
        }
        if let Some((ty, condition)) = super::simd::float_comparison(operator) {
            let of = if ty == F32 { Lane::F32 } else { Lane::F64 };
            self.compare_float_lanes(of, condition);
            return true;
        }
        false
    }

    fn lanes_relaxed(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::F32x4RelaxedMadd => self.multiply_add(Lane::F32, false),
            O::F64x2RelaxedMadd => self.multiply_add(Lane::F64, false),
            O::F32x4RelaxedNmadd => self.multiply_add(Lane::F32, true),
            O::F64x2RelaxedNmadd => self.multiply_add(Lane::F64, true),
            O::I16x8RelaxedDotI8x16I7x16S => self.dot(S(8)),
            O::I32x4RelaxedDotI8x16I7x16AddS => {
                let sum = self.pop();
                self.dot(S(8));
                self.add_neighbours(S(16));
                self.push(sum);
                self.zip(U(32), |b, x, y| b.ins().iadd(x, y));
            }
            _ => return false,
        }
        true
    }

    fn multiply_add(&mut self, of: Lane, negate: bool) {
        let z = self.pop();
        self.zip(of, |b, x, y| {
            let x = if negate { b.ins().fneg(x) } else { x };
            b.ins().fmul(x, y)
        });
        self.push(z);
        self.zip(of, |b, x, y| b.ins().fadd(x, y));
    }
}

fn absolute(b: Builder, x: Value) -> Value {
    let negative = b.ins().icmp_imm_s(IntCC::SignedLessThan, x, 0);
    let negated = b.ins().ineg(x);
    b.ins().select(negative, negated, x)
}

fn average(b: Builder, x: Value, y: Value) -> Value {
    let sum = b.ins().iadd(x, y);
    let sum = b.ins().iadd_imm_u(sum, 1);
    b.ins().ushr_imm_u(sum, 1)
}

/// `then` if `x < y`, else `otherwise`.
fn first_if_less(b: Builder, x: Value, y: Value, then: Value, otherwise: Value) -> Value {
    let less = b.ins().fcmp(FloatCC::LessThan, x, y);
    b.ins().select(less, then, otherwise)
}

/// Half of the lanes, extended to twice their width.
fn widened(b: Builder, vector: Value, from: Lane, high: bool) -> Vec<Value> {
    let count = from.count() / 2;
    let first = if high { count } else { 0 };
    (first..first + count)
        .map(|i| {
            let value = lane(b, vector, from, i);
            match from {
                S(32) => b.ins().sextend(I64, value),
                U(32) => b.ins().uextend(I64, value),
                _ => value,
            }
        })
        .collect()
}
