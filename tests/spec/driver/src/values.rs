//! Arguments and expected results.

use crate::script::Tokens;
use linnet_embed::Value;
use std::num::NonZeroU64;

fn hex(digits: &str) -> Result<u128, String> {
    u128::from_str_radix(digits, 16).map_err(|e| format!("{digits:?}: {e}"))
}

/// A host's reference of that number. None of them is null.
fn external(number: u128) -> Value {
    Value::ExternRef(NonZeroU64::new(number as u64 + 1))
}

/// An argument: `type:bits`.
pub(crate) fn parse(word: &str) -> Result<Value, String> {
    let (ty, bits) = word.split_once(':').unwrap_or((word, ""));
    Ok(match ty {
        "i32" => Value::I32(hex(bits)? as u32 as i32),
        "i64" => Value::I64(hex(bits)? as u64 as i64),
        "f32" => Value::F32(f32::from_bits(hex(bits)? as u32)),
        "f64" => Value::F64(f64::from_bits(hex(bits)? as u64)),
        "v128" => Value::V128(hex(bits)?),
        "extern" => external(hex(bits)?),
        "nullextern" => Value::ExternRef(None),
        "nullfunc" => Value::FuncRef(None),
        "nullexn" => Value::ExnRef(None),
        _ => return Err(format!("unknown value {word}")),
    })
}

/// Compares results with the expected ones, which are the rest of the line.
pub(crate) fn compare(values: &[Value], tokens: &mut Tokens) -> Result<(), String> {
    let count = tokens.number();
    if count != values.len() {
        return Err(format!("{} results, not {count}", values.len()));
    }
    for value in values {
        let wanted = tokens.next();
        if !wanted.split(';').any(|one| matches(value, one)) {
            return Err(format!("{} is not {wanted}", show(value)));
        }
    }
    Ok(())
}

pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::I32(value) => format!("i32:{value:x}"),
        Value::I64(value) => format!("i64:{value:x}"),
        Value::F32(value) => format!("f32:{:x}", value.to_bits()),
        Value::F64(value) => format!("f64:{:x}", value.to_bits()),
        Value::V128(value) => format!("v128:{value:032x}"),
        other => format!("{other:?}"),
    }
}

fn matches(value: &Value, wanted: &str) -> bool {
    let (ty, bits) = wanted.split_once(':').unwrap_or((wanted, ""));
    match (value, ty) {
        (Value::F32(value), "f32") => lane(u64::from(value.to_bits()), 32, bits),
        (Value::F64(value), "f64") => lane(value.to_bits(), 64, bits),
        (Value::V128(value), "v32x4") => bits
            .split(',')
            .enumerate()
            .all(|(i, bits)| lane(u64::from((*value >> (32 * i)) as u32), 32, bits)),
        (Value::V128(value), "v64x2") => {
            bits.split(',').enumerate().all(|(i, bits)| lane((*value >> (64 * i)) as u64, 64, bits))
        }
        (Value::FuncRef(value), "func") => value.is_some(),
        (Value::FuncRef(value), "null" | "nullfunc") => value.is_none(),
        (Value::ExternRef(value), "null" | "nullextern") => value.is_none(),
        (Value::ExnRef(value), "null" | "nullexn") => value.is_none(),
        (Value::ExternRef(value), "extern") if bits.is_empty() => value.is_some(),
        (Value::ExternRef(value), "extern") => {
            matches!(parse(wanted), Ok(Value::ExternRef(other)) if *value == other)
        }
        _ => match (value, parse(wanted)) {
            (Value::I32(value), Ok(Value::I32(other))) => *value == other,
            (Value::I64(value), Ok(Value::I64(other))) => *value == other,
            (Value::V128(value), Ok(Value::V128(other))) => *value == other,
            _ => false,
        },
    }
}

/// Bits of a float, or a kind of NaN.
fn lane(value: u64, width: u32, wanted: &str) -> bool {
    let quiet = if width == 32 { 0x7fc0_0000 } else { 0x7ff8_0000_0000_0000 };
    match wanted {
        "canonical" => value & !(1 << (width - 1)) == quiet,
        "arithmetic" => value & quiet == quiet,
        bits => hex(bits).is_ok_and(|bits| bits as u64 == value),
    }
}
