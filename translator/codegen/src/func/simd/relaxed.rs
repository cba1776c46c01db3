//! Operators of relaxed SIMD, with the results that are the same on every target.

use super::super::Translator;
use super::{multiply, signed_high, signed_low};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16};
use cranelift_codegen::ir::{InstBuilder, Type};
use wasmparser::Operator;

impl Translator<'_, '_, '_, '_> {
    /// The relaxed operators, in the way that all processors can do exactly and alike: what the
    /// specification's deterministic profile says.
    pub(super) fn vector_relaxed(&mut self, operator: &Operator) -> bool {
        use Operator as O;
        match operator {
            O::I8x16RelaxedSwizzle => self.binary(|b, x, y| b.ins().swizzle(x, y)),
            O::I32x4RelaxedTruncF32x4S => {
                self.vector_float(&O::I32x4TruncSatF32x4S);
            }
            O::I32x4RelaxedTruncF32x4U => {
                self.vector_float(&O::I32x4TruncSatF32x4U);
            }
            O::I32x4RelaxedTruncF64x2SZero => {
                self.vector_float(&O::I32x4TruncSatF64x2SZero);
            }
            O::I32x4RelaxedTruncF64x2UZero => {
                self.vector_float(&O::I32x4TruncSatF64x2UZero);
            }
            O::F32x4RelaxedMadd => self.vector_multiply_add(F32X4, false),
            O::F64x2RelaxedMadd => self.vector_multiply_add(F64X2, false),
            O::F32x4RelaxedNmadd => self.vector_multiply_add(F32X4, true),
            O::F64x2RelaxedNmadd => self.vector_multiply_add(F64X2, true),
            O::I8x16RelaxedLaneselect
            | O::I16x8RelaxedLaneselect
            | O::I32x4RelaxedLaneselect
            | O::I64x2RelaxedLaneselect => {
                self.vector_lanes(&O::V128Bitselect);
            }
            O::F32x4RelaxedMin => {
                self.vector_float(&O::F32x4Min);
            }
            O::F32x4RelaxedMax => {
                self.vector_float(&O::F32x4Max);
            }
            O::F64x2RelaxedMin => {
                self.vector_float(&O::F64x2Min);
            }
            O::F64x2RelaxedMax => {
                self.vector_float(&O::F64x2Max);
            }
            O::I16x8RelaxedQ15mulrS => {
                self.vector_integer(&O::I16x8Q15MulrSatS);
            }
            O::I16x8RelaxedDotI8x16I7x16S => self.vector_dot_bytes(),
            O::I32x4RelaxedDotI8x16I7x16AddS => {
                let sum = self.pop();
                self.vector_dot_bytes();
                self.vector_widening(&O::I32x4ExtAddPairwiseI16x8S);
                self.push(sum);
                self.vector_integer(&O::I32x4Add);
            }
            _ => return false,
        }
        true
    }

    /// With two roundings: not every processor has an instruction with one.
    fn vector_multiply_add(&mut self, shape: Type, negate: bool) {
        let z = self.pop();
        self.vector_binary(shape, |b, x, y| b.ins().fmul(x, y));
        if negate {
            self.vector_unary(shape, |b, x| b.ins().fneg(x));
        }
        self.push(z);
        self.vector_binary(shape, |b, x, y| b.ins().fadd(x, y));
    }

    /// Sums of the products of neighbouring bytes, as words.
    fn vector_dot_bytes(&mut self) {
        self.vector_binary(I8X16, |b, x, y| {
            let low = multiply(b, x, y, signed_low);
            let high = multiply(b, x, y, signed_high);
            b.ins().iadd_pairwise(low, high)
        });
    }
}
