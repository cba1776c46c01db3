//! The library for hosts in C: `include/linnet.h`.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::instance::{Extern, Imports, Instance, Module};
use crate::store::{Global, Store, Table};
use crate::value::{FuncType, Value};
use linnet_abi::instance::Slot;
use linnet_abi::module::Module as Raw;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

/// `linnet_store`
pub struct HostStore {
    store: Store,
    message: RefCell<CString>,
    // A pointer to each was handed out.
    #[expect(clippy::vec_box, reason = "the addresses were handed out")]
    instances: RefCell<Vec<Box<HostInstance>>>,
}

/// `linnet_instance`
pub struct HostInstance {
    instance: Instance,
    store: *const HostStore,
    exports: Vec<Extern>,
}

/// `linnet_import`
#[repr(C)]
pub struct HostImport {
    module: *const c_char,
    name: *const c_char,
    function: Option<HostFunction>,
    env: *mut c_void,
    instance: *const HostInstance,
    number: u32,
}

/// `linnet_function`
type HostFunction = unsafe extern "C" fn(env: *mut c_void, values: *mut Slot) -> bool;

impl HostStore {
    fn failed(&self, error: &Error) {
        let text = error.to_string().replace('\0', " ");
        self.message.replace(CString::new(text).unwrap_or_default());
    }

    /// Whether something was done; notes why not.
    fn ended(&self, result: Result<()>) -> bool {
        result.inspect_err(|error| self.failed(error)).is_ok()
    }
}

/// See `linnet.h`.
#[unsafe(no_mangle)]
pub extern "C" fn linnet_store_new() -> *mut HostStore {
    Box::into_raw(Box::new(HostStore {
        store: Store::new(),
        message: RefCell::default(),
        instances: RefCell::default(),
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// The store must be live; its instances are not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_store_delete(store: *mut HostStore) {
    if !store.is_null() {
        // SAFETY: made by `linnet_store_new`.
        drop(unsafe { Box::from_raw(store) });
    }
}

/// See `linnet.h`.
///
/// # Safety
/// The store must be live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_message(store: *const HostStore) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { (*store).message.borrow().as_ptr() }
}

/// # Safety
/// A C string.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A function of the host with the type that a module wants.
fn function(store: &Store, call: HostFunction, env: *mut c_void, ty: FuncType) -> Func {
    let (params, results) = (ty.params.clone(), ty.results.clone());
    let inner = std::rc::Rc::downgrade(&store.0);
    Func::new(store, ty, move |args| {
        let store = Store(inner.upgrade().ok_or_else(|| Error::Host("no store".to_owned()))?);
        let mut slots = vec![Slot::default(); params.len().max(results.len()).max(1)];
        for ((slot, arg), ty) in slots.iter_mut().zip(args).zip(&params) {
            *slot = arg.to_slot(*ty, &store)?;
        }
        // SAFETY: the host's promise about its function.
        if !unsafe { call(env, slots.as_mut_ptr()) } {
            return Err(Error::Host("a function of the host failed".to_owned()));
        }
        let values = slots.iter().zip(&results);
        // SAFETY: the host's function has put values of these types there.
        Ok(values.map(|(slot, ty)| unsafe { Value::from_slot(*slot, *ty, &store) }).collect())
    })
}

/// # Safety
/// As of [`linnet_instantiate`].
unsafe fn instantiate(
    store: &HostStore,
    module: &'static Raw,
    imports: &[HostImport],
) -> Result<Instance> {
    // SAFETY: the caller's promise.
    let module = unsafe { Module::from_raw(module) };
    let module =
        module.ok_or_else(|| Error::Link("not a module of this version for hosts".to_owned()))?;
    let mut known = Imports::new();
    for wanted in module.imports() {
        let found = imports.iter().find(|import| {
            // SAFETY: the caller's promise.
            let (from, name) = unsafe { (text(import.module), text(import.name)) };
            from == wanted.module && name == wanted.name
        });
        let Some(import) = found else { continue };
        let given = if let Some(call) = import.function {
            wanted.func.map(|ty| Extern::Func(function(&store.store, call, import.env, ty)))
        // SAFETY: the caller's promise: without a function it is another instance's export.
        } else if let Some(instance) = unsafe { import.instance.as_ref() } {
            instance.exports.get(import.number as usize).cloned()
        } else if let (Some((ty, is_mutable)), false) = (wanted.global, import.env.is_null()) {
            // SAFETY: the caller's promise: without both it is the value of a new global.
            let value = unsafe { Value::from_slot(*import.env.cast(), ty, &store.store) };
            Some(Extern::Global(Global::new(&store.store, ty, is_mutable, &value)?))
        } else {
            None
        };
        if let Some(given) = given {
            known.define(wanted.module, wanted.name, given);
        }
    }
    known.missing(&store.store, &module)?;
    Instance::new(&store.store, &module, &known)
}

/// See `linnet.h`.
///
/// # Safety
/// The store must be live, the module what the translator emitted, and the imports as many as `count` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_instantiate(
    store: *mut HostStore,
    module: *const Raw,
    imports: *const HostImport,
    count: usize,
) -> *mut HostInstance {
    // SAFETY: the caller's promise.
    let (host, imports) = unsafe {
        let imports = if count == 0 { &[] } else { std::slice::from_raw_parts(imports, count) };
        (&*store, imports)
    };
    // SAFETY: the caller's promise.
    match unsafe { instantiate(host, &*module, imports) } {
        Ok(instance) => {
            let exports = instance.exports().map(|(_, export)| export).collect();
            let mut instance = Box::new(HostInstance { instance, store, exports });
            let address = &raw mut *instance;
            host.instances.borrow_mut().push(instance);
            address
        }
        Err(error) => {
            host.failed(&error);
            std::ptr::null_mut()
        }
    }
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `values` hold the parameters of the function and have room for its
/// results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_call(
    instance: *mut HostInstance,
    number: u32,
    values: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    host.ended(match host.exports.get(number as usize) {
        // SAFETY: the caller's promise.
        Some(Extern::Func(func)) => unsafe { func.call_slots(values) },
        _ => Err(Error::Type(format!("export {number} is no function"))),
    })
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `size` point to a word.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_memory(
    instance: *mut HostInstance,
    number: u32,
    size: *mut u64,
) -> *mut u8 {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let Some(Extern::Memory(memory)) = host.exports.get(number as usize) else {
        return std::ptr::null_mut();
    };
    // SAFETY: the caller's promise.
    unsafe { *size = memory.size() };
    memory.base()
}

/// See `linnet.h`.
///
/// # Safety
/// The store must be live, `function` one of its references to functions or 0, and `values` as of
/// [`linnet_call`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_call_ref(
    store: *mut HostStore,
    function: u64,
    values: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let store = unsafe { &*store };
    store.ended(if function == 0 {
        Err(Error::Type("a null reference is no function".to_owned()))
    } else {
        // SAFETY: the caller's promise.
        unsafe { Func::from_address(function, &store.store).call_slots(values) }
    })
}

impl HostInstance {
    fn global(&self, number: u32) -> Result<&Global> {
        match self.exports.get(number as usize) {
            Some(Extern::Global(global)) => Ok(global),
            _ => Err(Error::Type(format!("export {number} is no global"))),
        }
    }

    fn table(&self, number: u32) -> Result<&Table> {
        match self.exports.get(number as usize) {
            Some(Extern::Table(table)) => Ok(table),
            _ => Err(Error::Type(format!("export {number} is no table"))),
        }
    }

    fn ended(&self, result: Result<()>) -> bool {
        // SAFETY: a store outlives its instances.
        unsafe { &*self.store }.ended(result)
    }
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `value` point to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_global_get(
    instance: *mut HostInstance,
    number: u32,
    value: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let get = || {
        let global = host.global(number)?;
        // SAFETY: the caller's promise.
        unsafe { *value = global.get().to_slot(global.ty(), &global.store)? };
        Ok(())
    };
    host.ended(get())
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `value` point to one of the global's type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_global_set(
    instance: *mut HostInstance,
    number: u32,
    value: *const Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    let set = || {
        let global = host.global(number)?;
        // SAFETY: the caller's promise.
        global.set(&unsafe { Value::from_slot(*value, global.ty(), &global.store) })
    };
    host.ended(set())
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_table_size(instance: *mut HostInstance, number: u32) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { &*instance }.table(number).map_or(0, Table::size)
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `reference` point to a word.
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
        let table = host.table(number)?;
        let value = table.get(index).ok_or_else(|| table.outside(index))?;
        // SAFETY: the caller's promise.
        unsafe { *reference = value.to_slot(table.element(), &table.store)?.0[0] };
        Ok(())
    };
    host.ended(get())
}

/// See `linnet.h`.
///
/// # Safety
/// The instance must be live, and `reference` one of the table's type.
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
        let table = host.table(number)?;
        let slot = Slot([reference, 0]);
        // SAFETY: the caller's promise.
        table.set(index, &unsafe { Value::from_slot(slot, table.element(), &table.store) })
    };
    host.ended(set())
}

impl HostInstance {
    /// The instance, for hosts that are in both languages.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}
