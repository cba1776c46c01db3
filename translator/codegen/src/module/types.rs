//! The spelling of function types, by which the linker merges those of several objects.

use crate::error::{Error, Result};
use linnet_abi::instance::kind;
use wasmparser::{AbstractHeapType, FuncType, HeapType, RefType, UnpackedIndex, ValType};

/// Spells `ty`; `known` are the spellings of the types before it.
pub(crate) fn spell(ty: &FuncType, known: &[String]) -> Result<String> {
    let mut name = String::new();
    for param in ty.params() {
        spell_value(*param, known, &mut name)?;
    }
    name.push('_');
    for result in ty.results() {
        spell_value(*result, known, &mut name)?;
    }
    if name.len() > MAX_NAME {
        return Err(Error::new("a function type that refers to so many others is not supported"));
    }
    Ok(name)
}

/// Types that refer to types can grow exponentially.
const MAX_NAME: usize = 1 << 16;

fn spell_value(ty: ValType, known: &[String], name: &mut String) -> Result<()> {
    name.push(match ty {
        ValType::I32 => 'i',
        ValType::I64 => 'l',
        ValType::F32 => 'f',
        ValType::F64 => 'd',
        ValType::V128 => 'v',
        ValType::Ref(ty) => return spell_reference(ty, known, name),
    });
    Ok(())
}

fn spell_reference(ty: RefType, known: &[String], name: &mut String) -> Result<()> {
    let (kind, concrete) = reference(ty)?;
    name.push(if ty.is_nullable() { 'n' } else { 'r' });
    match concrete {
        Some(index) => {
            let Some(other) = known.get(index as usize) else {
                return Err(Error::new("recursive types are not supported"));
            };
            name.push('(');
            name.push_str(other);
            name.push(')');
        }
        None => name.push(match kind {
            kind::FUNC => 'p',
            kind::EXTERN => 'e',
            kind::EXN => 'x',
            kind::NO_FUNC => 'P',
            kind::NO_EXTERN => 'E',
            _ => 'X',
        }),
    }
    Ok(())
}

/// Number of a reference type in `linnet_abi::instance::kind`, and the function type that it names.
pub(crate) fn reference(ty: RefType) -> Result<(u32, Option<u32>)> {
    let kind = match ty.heap_type() {
        HeapType::Abstract { shared: false, ty: heap } => match heap {
            AbstractHeapType::Func => kind::FUNC,
            AbstractHeapType::Extern => kind::EXTERN,
            AbstractHeapType::Exn => kind::EXN,
            AbstractHeapType::NoFunc => kind::NO_FUNC,
            AbstractHeapType::NoExtern => kind::NO_EXTERN,
            AbstractHeapType::NoExn => kind::NO_EXN,
            _ => return Err(unsupported(ty)),
        },
        HeapType::Concrete(UnpackedIndex::Module(index)) => return Ok((kind::FUNC, Some(index))),
        _ => return Err(unsupported(ty)),
    };
    Ok((kind, None))
}

fn unsupported(ty: RefType) -> Error {
    Error::garbage_collection(&format!("values of type {ty}"))
}

/// Number of a value type in `linnet_abi::instance::kind`, whether it has a null, and the function type
/// that it names.
pub(crate) fn value(ty: ValType) -> Result<(u32, bool, Option<u32>)> {
    Ok(match ty {
        ValType::I32 => (kind::I32, false, None),
        ValType::I64 => (kind::I64, false, None),
        ValType::F32 => (kind::F32, false, None),
        ValType::F64 => (kind::F64, false, None),
        ValType::V128 => (kind::V128, false, None),
        ValType::Ref(ty) => {
            let (kind, concrete) = reference(ty)?;
            (kind, ty.is_nullable(), concrete)
        }
    })
}
