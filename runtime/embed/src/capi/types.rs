//! Types, before there is an instance and after.

use super::item::Item;
use crate::error::{Error, Result};
use crate::items::Extern;
use crate::module::Module;
use crate::types::{ExternType, GlobalType, MemoryType, TableType};
use crate::value::{FuncType, ValType};
use linnet_abi::instance::ValueType;
use linnet_abi::module::Module as Raw;
use std::borrow::ToOwned;
use std::ffi::c_char;
use std::format;
use std::ptr;

/// `linnet_kind`; the numbers are `linnet_abi::instance::external`'s.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Function,
    Table,
    Memory,
    Global,
    Tag,
}

/// `linnet_type`
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HostType {
    kind: u32,
    param_count: u32,
    result_count: u32,
    has_byte_pages: bool,
    is_64: bool,
    is_shared: bool,
    is_mutable: bool,
    /// Of a function or a tag the parameters and then the results; of a table or a global one.
    values: *const ValueType,
    min: u64,
    /// All ones: none.
    max: u64,
}

/// `linnet_description`
#[repr(C)]
#[derive(Debug)]
pub struct Description {
    module: *const c_char,
    module_length: usize,
    name: *const c_char,
    name_length: usize,
    ty: HostType,
}

/// # Safety
/// What the translator emitted, if it is not null.
pub(super) unsafe fn module(raw: *const Raw) -> Result<Module> {
    // SAFETY: the caller's promise.
    let module = unsafe { raw.as_ref().and_then(|raw| Module::from_raw(raw)) };
    module.ok_or_else(|| Error::Link("not a module of this version for hosts".to_owned()))
}

impl HostType {
    /// Without the types of values, which lie elsewhere.
    fn of(ty: &ExternType, values: *const ValueType) -> HostType {
        let empty = HostType {
            kind: 0,
            param_count: 0,
            result_count: 0,
            has_byte_pages: false,
            is_64: false,
            is_shared: false,
            is_mutable: false,
            values,
            min: 0,
            max: u64::MAX,
        };
        match ty {
            ExternType::Func(FuncType { params, results }) => HostType {
                kind: Kind::Function as u32,
                param_count: params.len() as u32,
                result_count: results.len() as u32,
                ..empty
            },
            ExternType::Tag(FuncType { params, .. }) => {
                HostType { kind: Kind::Tag as u32, param_count: params.len() as u32, ..empty }
            }
            ExternType::Global(GlobalType { is_mutable, .. }) => {
                HostType { kind: Kind::Global as u32, is_mutable: *is_mutable, ..empty }
            }
            ExternType::Table(TableType { min, max, is_64, .. }) => HostType {
                kind: Kind::Table as u32,
                is_64: *is_64,
                min: *min,
                max: max.unwrap_or(u64::MAX),
                ..empty
            },
            ExternType::Memory(MemoryType { min, max, is_64, is_shared, page_log2 }) => HostType {
                kind: Kind::Memory as u32,
                has_byte_pages: *page_log2 == 0,
                is_64: *is_64,
                is_shared: *is_shared,
                min: *min,
                max: max.unwrap_or(u64::MAX),
                ..empty
            },
        }
    }

    /// # Safety
    /// As many types of values as it needs must be there.
    pub(super) unsafe fn read(&self) -> Result<ExternType> {
        let values = |first: u32, count: u32| {
            // SAFETY: the caller's promise.
            let value = move |i| unsafe { ValType::from_raw(&*self.values.add(i as usize)) };
            (first..first + count).map(value)
        };
        let max = (self.max != u64::MAX).then_some(self.max);
        let one = || values(0, 1).next().unwrap_or(ValType::I32);
        Ok(match self.kind {
            0 => ExternType::Func(FuncType::new(
                values(0, self.param_count),
                values(self.param_count, self.result_count),
            )),
            1 => ExternType::Table(TableType {
                element: one(),
                min: self.min,
                max,
                is_64: self.is_64,
            }),
            2 => ExternType::Memory(MemoryType {
                min: self.min,
                max,
                is_64: self.is_64,
                is_shared: self.is_shared,
                page_log2: if self.has_byte_pages { 0 } else { 16 },
            }),
            3 => ExternType::Global(GlobalType { value: one(), is_mutable: self.is_mutable }),
            4 => ExternType::Tag(FuncType::new(values(0, self.param_count), [])),
            other => return Err(Error::Type(format!("there is no kind {other}"))),
        })
    }
}

/// See `linnet.h`.
///
/// # Safety
/// A module that the translator emitted, and room for a description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_describe_import(
    raw: *const Raw,
    number: u32,
    description: *mut Description,
) -> bool {
    // SAFETY: the caller's promise.
    let Ok(module) = (unsafe { module(raw) }) else { return false };
    let Some((from, name, ty, values)) = module.import_at(number as usize) else { return false };
    let description_of = Description {
        module: from.as_ptr().cast(),
        module_length: from.len(),
        name: name.as_ptr().cast(),
        name_length: name.len(),
        ty: HostType::of(&ty, values),
    };
    // SAFETY: the caller's promise.
    unsafe { *description = description_of };
    true
}

/// See `linnet.h`.
///
/// # Safety
/// A module that the translator emitted, and room for a description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_describe_export(
    raw: *const Raw,
    number: u32,
    description: *mut Description,
) -> bool {
    // SAFETY: the caller's promise.
    let Ok(module) = (unsafe { module(raw) }) else { return false };
    let Some((name, ty, values)) = module.export_type(number as usize) else { return false };
    let description_of = Description {
        module: ptr::null(),
        module_length: 0,
        name: name.as_ptr().cast(),
        name_length: name.len(),
        ty: HostType::of(&ty, values),
    };
    // SAFETY: the caller's promise.
    unsafe { *description = description_of };
    true
}

/// See `linnet.h`.
///
/// # Safety
/// A live item, and room for a type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_type(item: *const Item, ty: *mut HostType) {
    // SAFETY: the caller's promise.
    let what = unsafe { &(*item).what };
    let values = match what {
        Extern::Func(func) => func.raw_types(),
        Extern::Table(table) => &raw const table.raw().ty.element,
        Extern::Global(global) => &raw const global.ty.value,
        Extern::Memory(_) => ptr::null(),
        Extern::Tag(tag) => tag.raw_types(),
    };
    // SAFETY: the caller's promise.
    unsafe { *ty = HostType::of(&what.ty(), values) };
}
