//! Lanes of floats, and conversions of them.

use super::super::Translator;
use super::first_if_less;
use super::lane::Lane::{Signed as S, Unsigned as U};
use super::lane::{Lane, all_lanes, join, lane};
use cranelift_codegen::ir::types::{F32, F64, I32};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use wasmparser::Operator;

impl<'b> Translator<'_, '_, '_, 'b> {
    pub(super) fn lanes_float(&mut self, operator: &Operator) -> bool {
        use Lane::{F32 as F, F64 as D};
        use Operator as O;
        match operator {
            O::F32x4Ceil => self.map(F, |b, x| b.ins().ceil(x)),
            O::F64x2Ceil => self.map(D, |b, x| b.ins().ceil(x)),
            O::F32x4Floor => self.map(F, |b, x| b.ins().floor(x)),
            O::F64x2Floor => self.map(D, |b, x| b.ins().floor(x)),
            O::F32x4Trunc => self.map(F, |b, x| b.ins().trunc(x)),
            O::F64x2Trunc => self.map(D, |b, x| b.ins().trunc(x)),
            O::F32x4Nearest => self.map(F, |b, x| b.ins().nearest(x)),
            O::F64x2Nearest => self.map(D, |b, x| b.ins().nearest(x)),
            O::F32x4Abs => self.map(F, |b, x| b.ins().fabs(x)),
            O::F64x2Abs => self.map(D, |b, x| b.ins().fabs(x)),
            O::F32x4Neg => self.map(F, |b, x| b.ins().fneg(x)),
            O::F64x2Neg => self.map(D, |b, x| b.ins().fneg(x)),
            O::F32x4Sqrt => self.map(F, |b, x| b.ins().sqrt(x)),
            O::F64x2Sqrt => self.map(D, |b, x| b.ins().sqrt(x)),
            O::F32x4Add => self.zip(F, |b, x, y| b.ins().fadd(x, y)),
            O::F64x2Add => self.zip(D, |b, x, y| b.ins().fadd(x, y)),
            O::F32x4Sub => self.zip(F, |b, x, y| b.ins().fsub(x, y)),
            O::F64x2Sub => self.zip(D, |b, x, y| b.ins().fsub(x, y)),
            O::F32x4Mul => self.zip(F, |b, x, y| b.ins().fmul(x, y)),
            O::F64x2Mul => self.zip(D, |b, x, y| b.ins().fmul(x, y)),
            O::F32x4Div => self.zip(F, |b, x, y| b.ins().fdiv(x, y)),
            O::F64x2Div => self.zip(D, |b, x, y| b.ins().fdiv(x, y)),
            O::F32x4Min | O::F32x4RelaxedMin => self.zip(F, |b, x, y| b.ins().fmin(x, y)),
            O::F64x2Min | O::F64x2RelaxedMin => self.zip(D, |b, x, y| b.ins().fmin(x, y)),
            O::F32x4Max | O::F32x4RelaxedMax => self.zip(F, |b, x, y| b.ins().fmax(x, y)),
            O::F64x2Max | O::F64x2RelaxedMax => self.zip(D, |b, x, y| b.ins().fmax(x, y)),
            O::F32x4PMin => self.zip(F, |b, x, y| first_if_less(b, y, x, y, x)),
            O::F64x2PMin => self.zip(D, |b, x, y| first_if_less(b, y, x, y, x)),
            O::F32x4PMax => self.zip(F, |b, x, y| first_if_less(b, x, y, y, x)),
            O::F64x2PMax => self.zip(D, |b, x, y| first_if_less(b, x, y, y, x)),
            O::I32x4TruncSatF32x4S | O::I32x4RelaxedTruncF32x4S => {
                self.map(F, |b, x| b.ins().fcvt_to_sint_sat(I32, x))
            }
            O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4U => {
                self.map(F, |b, x| b.ins().fcvt_to_uint_sat(I32, x))
            }
            O::F32x4ConvertI32x4S => self.map(S(32), |b, x| b.ins().fcvt_from_sint(F32, x)),
            O::F32x4ConvertI32x4U => self.map(U(32), |b, x| b.ins().fcvt_from_uint(F32, x)),
            O::I32x4TruncSatF64x2SZero | O::I32x4RelaxedTruncF64x2SZero => {
                self.halve(|b, x| b.ins().fcvt_to_sint_sat(I32, x));
            }
            O::I32x4TruncSatF64x2UZero | O::I32x4RelaxedTruncF64x2UZero => {
                self.halve(|b, x| b.ins().fcvt_to_uint_sat(I32, x));
            }
            O::F32x4DemoteF64x2Zero => self.halve(|b, x| b.ins().fdemote(F32, x)),
            O::F64x2ConvertLowI32x4S => {
                self.double(S(32), |b, x| b.ins().fcvt_from_sint(F64, x));
            }
            O::F64x2ConvertLowI32x4U => {
                self.double(U(32), |b, x| b.ins().fcvt_from_uint(F64, x));
            }
            O::F64x2PromoteLowF32x4 => self.double(F, |b, x| b.ins().fpromote(F64, x)),
            _ => return false,
        }
        true
    }

    /// Two doubles to two narrow lanes and two zeros.
    fn halve(&mut self, f: impl Fn(&mut FunctionBuilder<'b>, Value) -> Value) {
        let x = self.pop();
        let b = &mut self.b;
        let mut lanes: Vec<Value> =
            all_lanes(b, x, Lane::F64).into_iter().map(|x| f(b, x)).collect();
        let zero = b.ins().iconst(I32, 0);
        lanes.extend([zero, zero]);
        let value = join(b, &lanes);
        self.push(value);
    }

    /// The two lower lanes of four, made twice as wide.
    fn double(&mut self, from: Lane, f: impl Fn(&mut FunctionBuilder<'b>, Value) -> Value) {
        let x = self.pop();
        let b = &mut self.b;
        let lanes: Vec<Value> = (0..2)
            .map(|i| {
                let x = lane(b, x, from, i);
                f(b, x)
            })
            .collect();
        let value = join(b, &lanes);
        self.push(value);
    }
}
