//! Values and their types.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::items::Exception;
use crate::prelude::*;
use crate::store::Store;
use core::fmt::{self, Debug, Display, Formatter};
use core::num::NonZeroU64;
use core::ptr;
use linnet_abi::instance::{FuncType as RawFuncType, Slot, ValueType as RawValueType, kind};

/// Type of a value.
#[derive(Clone, Copy)]
pub struct ValType {
    pub(crate) kind: u32,
    pub(crate) nullable: bool,
    concrete: *const RawFuncType,
}

impl ValType {
    pub const I32: ValType = ValType::of(kind::I32);
    pub const I64: ValType = ValType::of(kind::I64);
    pub const F32: ValType = ValType::of(kind::F32);
    pub const F64: ValType = ValType::of(kind::F64);
    pub const V128: ValType = ValType::of(kind::V128);
    pub const FUNCREF: ValType = ValType::reference(kind::FUNC);
    pub const EXTERNREF: ValType = ValType::reference(kind::EXTERN);
    pub const EXNREF: ValType = ValType::reference(kind::EXN);

    const fn of(kind: u32) -> ValType {
        ValType { kind, nullable: false, concrete: ptr::null() }
    }

    const fn reference(kind: u32) -> ValType {
        ValType { kind, nullable: true, concrete: ptr::null() }
    }

    pub(crate) fn from_raw(raw: &RawValueType) -> ValType {
        ValType { kind: raw.kind, nullable: raw.nullable != 0, concrete: raw.concrete }
    }

    pub(crate) fn raw(self) -> RawValueType {
        RawValueType {
            kind: self.kind,
            nullable: u32::from(self.nullable),
            concrete: self.concrete,
        }
    }

    /// Whether every value of this type is one of `other`.
    pub(crate) fn is_subtype_of(self, other: ValType) -> bool {
        if self.nullable && !other.nullable {
            return false;
        }
        let bottom = match self.kind {
            kind::NO_FUNC => kind::FUNC,
            kind::NO_EXTERN => kind::EXTERN,
            kind::NO_EXN => kind::EXN,
            same => same,
        };
        if self.kind == other.kind {
            other.concrete.is_null() || self.concrete == other.concrete
        } else {
            bottom == other.kind
        }
    }
}

impl PartialEq for ValType {
    fn eq(&self, other: &ValType) -> bool {
        (self.kind, self.nullable, self.concrete) == (other.kind, other.nullable, other.concrete)
    }
}

impl Eq for ValType {}

impl Display for ValType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            kind::I32 => "i32",
            kind::I64 => "i64",
            kind::F32 => "f32",
            kind::F64 => "f64",
            kind::V128 => "v128",
            kind::FUNC if self.concrete.is_null() => "func",
            kind::FUNC => "a function type",
            kind::EXTERN => "extern",
            kind::EXN => "exn",
            kind::NO_FUNC => "nofunc",
            kind::NO_EXTERN => "noextern",
            _ => "noexn",
        };
        match (self.kind >= kind::FUNC, self.nullable) {
            (false, _) => f.write_str(name),
            (true, true) => write!(f, "(ref null {name})"),
            (true, false) => write!(f, "(ref {name})"),
        }
    }
}

impl Debug for ValType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// Type of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncType {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

impl FuncType {
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        FuncType { params: params.into_iter().collect(), results: results.into_iter().collect() }
    }

    pub(crate) fn from_raw(raw: &RawFuncType) -> FuncType {
        let (params, results) = (raw.param_count as usize, raw.result_count as usize);
        // SAFETY: the translator emitted that many.
        let types = unsafe { core::slice::from_raw_parts(raw.types, params + results) };
        FuncType::new(
            types[..params].iter().map(ValType::from_raw),
            types[params..].iter().map(ValType::from_raw),
        )
    }
}

impl Display for FuncType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| {
            types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        write!(f, "({}) -> ({})", list(&self.params), list(&self.results))
    }
}

/// A value. Floats are kept with all of their bits, NaN's included.
#[derive(Debug, Clone)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    V128(u128),
    FuncRef(Option<Func>),
    /// A number of the host's; zero is null.
    ExternRef(Option<NonZeroU64>),
    ExnRef(Option<Exception>),
}

impl Value {
    pub(crate) fn is_of(&self, ty: ValType) -> bool {
        let is_null = |null: bool| !null || ty.nullable;
        match self {
            Value::I32(_) => ty.kind == kind::I32,
            Value::I64(_) => ty.kind == kind::I64,
            Value::F32(_) => ty.kind == kind::F32,
            Value::F64(_) => ty.kind == kind::F64,
            Value::V128(_) => ty.kind == kind::V128,
            Value::FuncRef(None) => {
                ty.nullable && (ty.kind == kind::FUNC || ty.kind == kind::NO_FUNC)
            }
            Value::FuncRef(Some(func)) => {
                ty.kind == kind::FUNC
                    && (ty.concrete.is_null()
                        || func.reference().is_ok() && func.raw_type() == ty.concrete)
            }
            Value::ExternRef(value) => {
                (ty.kind == kind::EXTERN || ty.kind == kind::NO_EXTERN && value.is_none())
                    && is_null(value.is_none())
            }
            Value::ExnRef(value) => {
                (ty.kind == kind::EXN || ty.kind == kind::NO_EXN && value.is_none())
                    && is_null(value.is_none())
            }
        }
    }

    /// The bits, if the value is of type `ty` and of that store.
    pub(crate) fn to_slot(&self, ty: ValType, store: &Store) -> Result<Slot> {
        if !self.is_of(ty) {
            return Err(Error::Type(format!("{self:?} is no value of type {ty}")));
        }
        let word = match self {
            Value::I32(value) => u64::from(*value as u32),
            Value::I64(value) => *value as u64,
            Value::F32(value) => u64::from(value.to_bits()),
            Value::F64(value) => value.to_bits(),
            Value::V128(value) => return Ok(Slot([*value as u64, (*value >> 64) as u64])),
            Value::ExternRef(value) => value.map_or(0, NonZeroU64::get),
            Value::FuncRef(None) | Value::ExnRef(None) => 0,
            Value::FuncRef(Some(func)) => {
                store.check(func.store())?;
                func.reference()?
            }
            Value::ExnRef(Some(exception)) => {
                store.check(exception.store())?;
                exception.address()
            }
        };
        Ok(Slot([word, 0]))
    }

    /// # Safety
    /// The bits must be those of a value of type `ty` of that store.
    pub(crate) unsafe fn from_slot(slot: Slot, ty: ValType, store: &Store) -> Value {
        let word = slot.0[0];
        match ty.kind {
            kind::I32 => Value::I32(word as i32),
            kind::I64 => Value::I64(word as i64),
            kind::F32 => Value::F32(f32::from_bits(word as u32)),
            kind::F64 => Value::F64(f64::from_bits(word)),
            kind::V128 => Value::V128(u128::from(word) | u128::from(slot.0[1]) << 64),
            kind::FUNC | kind::NO_FUNC => {
                // SAFETY: the caller's promise.
                Value::FuncRef((word != 0).then(|| unsafe { Func::from_address(word, store) }))
            }
            kind::EXTERN | kind::NO_EXTERN => Value::ExternRef(NonZeroU64::new(word)),
            _ => {
                // SAFETY: the caller's promise.
                let take = || unsafe { Exception::from_address(word, store) };
                Value::ExnRef((word != 0).then(take))
            }
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        !matches!(self, Value::FuncRef(_) | Value::ExternRef(_) | Value::ExnRef(_))
    }

    /// The default of a type: zero or null. None if a reference may not be null.
    #[must_use]
    pub fn default_of(ty: ValType) -> Option<Value> {
        Some(match ty.kind {
            kind::I32 => Value::I32(0),
            kind::I64 => Value::I64(0),
            kind::F32 => Value::F32(0.0),
            kind::F64 => Value::F64(0.0),
            kind::V128 => Value::V128(0),
            _ if !ty.nullable => return None,
            kind::FUNC | kind::NO_FUNC => Value::FuncRef(None),
            kind::EXTERN | kind::NO_EXTERN => Value::ExternRef(None),
            _ => Value::ExnRef(None),
        })
    }
}

macro_rules! from {
    ($($rust:ty => $variant:ident as $as:ty;)*) => {
        $(impl From<$rust> for Value {
            fn from(value: $rust) -> Value {
                Value::$variant(value as $as)
            }
        })*
    };
}
from! {
    i32 => I32 as i32;
    u32 => I32 as i32;
    i64 => I64 as i64;
    u64 => I64 as i64;
    f32 => F32 as f32;
    f64 => F64 as f64;
    u128 => V128 as u128;
}
