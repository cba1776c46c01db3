//! Functions, memories, tables, globals and tags.

use super::host::HostFunction;
use super::types::HostType;
use super::{HostInstance, HostStore, host};
use crate::error::{Error, Result};
use crate::items::{Extern, Global, Memory, SharedMemory, Table, Tag};
use crate::types::ExternType;
use crate::value::Value;
use linnet_abi::instance::Slot;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::ffi::c_void;
use std::format;
use std::ptr;

/// `linnet_item`
#[derive(Debug)]
pub struct Item {
    pub(super) what: Extern,
    pub(super) store: *const HostStore,
}

impl Item {
    fn other(&self, kind: &str) -> Error {
        Error::Type(format!("no {kind}, but {}", self.what.ty()))
    }

    fn memory(&self) -> Result<&Memory> {
        match &self.what {
            Extern::Memory(memory) => Ok(memory),
            _ => Err(self.other("memory")),
        }
    }

    fn table(&self) -> Result<&Table> {
        match &self.what {
            Extern::Table(table) => Ok(table),
            _ => Err(self.other("table")),
        }
    }

    fn global(&self) -> Result<&Global> {
        match &self.what {
            Extern::Global(global) => Ok(global),
            _ => Err(self.other("global")),
        }
    }

    fn host(&self) -> &HostStore {
        // SAFETY: a store outlives its items.
        unsafe { &*self.store }
    }
}

/// Why an export is not what it was taken for.
fn of_export<T>(result: Result<T>, number: u32) -> Result<T> {
    result.map_err(|error| match error {
        Error::Type(reason) if reason.starts_with("no ") => {
            Error::Type(format!("export {number} is {reason}"))
        }
        other => other,
    })
}

impl HostStore {
    /// # Safety
    /// The value is of the type's, if that is a global's.
    unsafe fn make(&self, ty: &ExternType, value: *const Slot) -> Result<*mut Item> {
        let store = &self.store;
        let what = match ty {
            ExternType::Memory(ty) => Extern::Memory(Memory::new(store, ty)?),
            ExternType::Table(ty) => Extern::Table(Table::new(store, ty)?),
            ExternType::Tag(ty) => Extern::Tag(Tag::new(store, ty.params.iter().copied())),
            ExternType::Global(ty) => {
                // SAFETY: the caller's promise.
                let slot = unsafe { value.as_ref() }.copied().unwrap_or_default();
                // SAFETY: the caller's promise.
                let value = unsafe { Value::from_slot(slot, ty.value, store) };
                Extern::Global(Global::new(store, ty.value, ty.is_mutable, &value)?)
            }
            ExternType::Func(_) => {
                let reason = "linnet_function_new makes functions";
                return Err(Error::Type(reason.to_owned()));
            }
        };
        Ok(self.keep(what))
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_new(
    store: *mut HostStore,
    ty: *const HostType,
    value: *const Slot,
) -> *mut Item {
    // SAFETY: the caller's promise.
    unsafe {
        let host = &*store;
        host.pointer((*ty).read().and_then(|ty| host.make(&ty, value)))
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_function_new(
    store: *mut HostStore,
    ty: *const HostType,
    function: HostFunction,
    env: *mut c_void,
) -> *mut Item {
    // SAFETY: the caller's promise.
    let (host, ty) = unsafe { (&*store, (*ty).read()) };
    host.pointer(ty.and_then(|ty| match ty {
        ExternType::Func(ty) => {
            Ok(host.keep(Extern::Func(host::function(host, function, env, ty))))
        }
        other => Err(Error::Type(format!("{other} is no function"))),
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says; `values` as of `linnet_call`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_call(item: *const Item, values: *mut Slot) -> bool {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    item.host().ended(match &item.what {
        // SAFETY: the caller's promise.
        Extern::Func(func) => unsafe { func.call_slots(values) },
        _ => Err(item.other("function")),
    })
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_ref(item: *const Item, reference: *mut u64) -> bool {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    let get = || match &item.what {
        Extern::Func(func) => func.reference(),
        _ => Err(item.other("function")),
    };
    // SAFETY: the caller's promise.
    item.host().ended(get().map(|word| unsafe { *reference = word }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_memory(item: *const Item, size: *mut u64) -> *mut u8 {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    item.host().pointer(item.memory().map(|memory| {
        // SAFETY: the caller's promise.
        unsafe { *size = memory.size() };
        memory.base()
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_grow(
    item: *const Item,
    count: u64,
    reference: u64,
    old: *mut u64,
) -> bool {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    let grown = match &item.what {
        Extern::Memory(memory) => memory.grow(count),
        Extern::Table(table) => {
            // SAFETY: the caller's promise.
            let value =
                unsafe { Value::from_slot(Slot([reference, 0]), table.element(), &table.store) };
            table.grow(count, &value)
        }
        _ => Err(item.other("memory or table")),
    };
    item.host().ended(grown.map(|size| {
        // SAFETY: the caller's promise.
        if let Some(old) = unsafe { old.as_mut() } {
            *old = size;
        }
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_get(item: *const Item, index: u64, value: *mut Slot) -> bool {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    // SAFETY: the caller's promise.
    item.host().ended(item.get(index).map(|slot| unsafe { *value = slot }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_item_set(
    item: *const Item,
    index: u64,
    value: *const Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let (item, slot) = unsafe { (&*item, *value) };
    // SAFETY: the caller's promise.
    item.host().ended(unsafe { item.set(index, slot) })
}

impl Item {
    fn get(&self, index: u64) -> Result<Slot> {
        match &self.what {
            Extern::Global(global) => global.get().to_slot(global.ty(), &global.store),
            Extern::Table(table) => {
                let value = table.get(index).ok_or_else(|| table.outside(index))?;
                value.to_slot(table.element(), &table.store)
            }
            _ => Err(self.other("global or table")),
        }
    }

    /// # Safety
    /// The bits are of the type that is wanted.
    unsafe fn set(&self, index: u64, slot: Slot) -> Result<()> {
        match &self.what {
            Extern::Global(global) => {
                // SAFETY: the caller's promise.
                global.set(&unsafe { Value::from_slot(slot, global.ty(), &global.store) })
            }
            Extern::Table(table) => {
                // SAFETY: the caller's promise.
                let value = unsafe { Value::from_slot(slot, table.element(), &table.store) };
                table.set(index, &value)
            }
            _ => Err(self.other("global or table")),
        }
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_memory_share(item: *const Item) -> *mut SharedMemory {
    // SAFETY: the caller's promise.
    let item = unsafe { &*item };
    item.host().pointer(item.memory().and_then(|memory| {
        let shared = memory.share().map(|shared| Box::into_raw(Box::new(shared)));
        shared.ok_or_else(|| Error::Type("the memory is not a shared one".to_owned()))
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_memory_open(
    store: *mut HostStore,
    memory: *const SharedMemory,
) -> *mut Item {
    // SAFETY: the caller's promise.
    let (host, memory) = unsafe { (&*store, &*memory) };
    host.keep(Extern::Memory(memory.open(&host.store)))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_shared_memory_delete(memory: *mut SharedMemory) {
    if !memory.is_null() {
        // SAFETY: made by `linnet_memory_share`.
        drop(unsafe { Box::from_raw(memory) });
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_memory(
    instance: *mut HostInstance,
    number: u32,
    size: *mut u64,
) -> *mut u8 {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let Ok(memory) = host.export(number).and_then(Item::memory) else { return ptr::null_mut() };
    // SAFETY: the caller's promise.
    unsafe { *size = memory.size() };
    memory.base()
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_global_get(
    instance: *mut HostInstance,
    number: u32,
    value: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let get = || {
        let item = host.export(number)?;
        of_export(item.global(), number)?;
        // SAFETY: the caller's promise.
        unsafe { *value = item.get(0)? };
        Ok(())
    };
    host.ended(get())
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_global_set(
    instance: *mut HostInstance,
    number: u32,
    value: *const Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let set = || {
        let item = host.export(number)?;
        of_export(item.global(), number)?;
        // SAFETY: the caller's promise.
        unsafe { item.set(0, *value) }
    };
    host.ended(set())
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_table_size(instance: *mut HostInstance, number: u32) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { &*instance }.export(number).and_then(Item::table).map_or(0, Table::size)
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_table_get(
    instance: *mut HostInstance,
    number: u32,
    index: u64,
    reference: *mut u64,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let get = || {
        let item = host.export(number)?;
        of_export(item.table(), number)?;
        // SAFETY: the caller's promise.
        unsafe { *reference = item.get(index)?.0[0] };
        Ok(())
    };
    host.ended(get())
}

/// See `linnet.h`.
///
/// # Safety
/// As the module `capi` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_table_set(
    instance: *mut HostInstance,
    number: u32,
    index: u64,
    reference: u64,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let set = || {
        let item = host.export(number)?;
        of_export(item.table(), number)?;
        // SAFETY: the caller's promise.
        unsafe { item.set(index, Slot([reference, 0])) }
    };
    host.ended(set())
}
