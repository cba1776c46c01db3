//! Lanes: taken out of vectors, put together, and changed.

use super::Builder;
use Lane::{Signed as S, Unsigned as U};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value};

/// What the lanes of an operand are.
#[derive(Clone, Copy)]
pub(super) enum Lane {
    Signed(u32),
    Unsigned(u32),
    F32,
    F64,
}

impl Lane {
    pub(super) fn bits(self) -> u32 {
        match self {
            S(bits) | U(bits) => bits,
            Lane::F32 => 32,
            Lane::F64 => 64,
        }
    }

    pub(super) fn count(self) -> u32 {
        128 / self.bits()
    }
}

pub(super) fn half(b: Builder, vector: Value, high: bool) -> Value {
    let (low, upper) = b.ins().isplit(vector);
    if high { upper } else { low }
}

/// One lane of a vector: `I32` for integers up to that, else `I64`, `F32` or `F64`.
pub(super) fn lane(b: Builder, vector: Value, lane: Lane, number: u32) -> Value {
    let bit = number * lane.bits();
    let word = half(b, vector, bit >= 64);
    let word = match bit % 64 {
        0 => word,
        shift => b.ins().ushr_imm_u(word, i64::from(shift)),
    };
    let narrow = |b: Builder, ty| b.ins().ireduce(ty, word);
    match lane {
        S(64) | U(64) => word,
        S(32) | U(32) => narrow(b, I32),
        S(bits) => {
            let value = narrow(b, if bits == 8 { I8 } else { I16 });
            b.ins().sextend(I32, value)
        }
        U(bits) => {
            let value = narrow(b, if bits == 8 { I8 } else { I16 });
            b.ins().uextend(I32, value)
        }
        Lane::F32 => {
            let value = narrow(b, I32);
            b.ins().bitcast(F32, MemFlagsData::new(), value)
        }
        Lane::F64 => b.ins().bitcast(F64, MemFlagsData::new(), word),
    }
}

pub(super) fn all_lanes(b: Builder, vector: Value, of: Lane) -> Vec<Value> {
    (0..of.count()).map(|i| lane(b, vector, of, i)).collect()
}

/// Puts lanes together, of which the low bits count.
pub(super) fn join(b: Builder, lanes: &[Value]) -> Value {
    let bits = 128 / lanes.len() as u32;
    let words: Vec<Value> = lanes
        .chunks(lanes.len() / 2)
        .map(|lanes| {
            let mut word = None;
            for (i, value) in lanes.iter().enumerate() {
                let value = low_bits(b, *value, bits);
                let value = match i as u32 * bits {
                    0 => value,
                    shift => b.ins().ishl_imm_u(value, i64::from(shift)),
                };
                word = Some(word.map_or(value, |word| b.ins().bor(word, value)));
            }
            word.expect("there are lanes")
        })
        .collect();
    b.ins().iconcat(words[0], words[1])
}

/// The low bits of a lane as `I64`, zeros above.
pub(super) fn low_bits(b: Builder, value: Value, bits: u32) -> Value {
    let value = match b.func.dfg.value_type(value) {
        F32 => b.ins().bitcast(I32, MemFlagsData::new(), value),
        F64 => b.ins().bitcast(I64, MemFlagsData::new(), value),
        _ => value,
    };
    let narrow = match bits {
        8 => I8,
        16 => I16,
        32 => I32,
        _ => I64,
    };
    let ty = b.func.dfg.value_type(value);
    let value = if ty.bits() > narrow.bits() { b.ins().ireduce(narrow, value) } else { value };
    if b.func.dfg.value_type(value) == I64 { value } else { b.ins().uextend(I64, value) }
}

pub(super) fn constant(b: Builder, like: Value, value: i64) -> Value {
    let ty = b.func.dfg.value_type(like);
    let bits = if ty == I32 { i64::from(value as u32) } else { value };
    b.ins().iconst(ty, bits)
}

/// All ones if the condition holds, else zero.
pub(super) fn mask(b: Builder, condition: Value, ty: Type) -> Value {
    let bit = b.ins().uextend(ty, condition);
    b.ins().ineg(bit)
}

pub(super) fn choose(b: Builder, cc: IntCC, x: Value, y: Value) -> Value {
    let first = b.ins().icmp(cc, x, y);
    b.ins().select(first, x, y)
}

/// Limits an `I32` to a lane of so many bits.
pub(super) fn clamp(b: Builder, value: Value, low: i64, high: i64) -> Value {
    let low = constant(b, value, low);
    let value = choose(b, IntCC::SignedGreaterThan, value, low);
    let high = constant(b, value, high);
    choose(b, IntCC::SignedLessThan, value, high)
}

pub(super) fn saturate_signed(b: Builder, value: Value, bits: u32) -> Value {
    clamp(b, value, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

pub(super) fn saturate_unsigned(b: Builder, value: Value, bits: u32) -> Value {
    clamp(b, value, 0, (1 << bits) - 1)
}
