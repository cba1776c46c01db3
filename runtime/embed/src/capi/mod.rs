//! The library for hosts in C: `include/linnet.h`, in which everything here is described.
//!
//! | file       | what it does                                                    |
//! |------------|-----------------------------------------------------------------|
//! | this       | stores, failures, instances and calls of them                   |
//! | [`import`] | what an instance is made with                                   |
//! | [`host`]   | functions of the host                                           |
//! | [`item`]   | functions, memories, tables, globals and tags                   |
//! | [`types`]  | their types                                                     |
//!
//! Safety of all of it: pointers are what the header says, live, and used by the thread that the store is used by.

mod host;
mod import;
mod item;
mod types;

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::interrupt::Interrupter;
use crate::snapshot::Snapshot;
use crate::store::{Growth, Store};
use import::HostImport;
use item::Item;
use linnet_abi::instance::Slot;
use linnet_abi::module::Module as Raw;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::format;
use std::ptr;
use std::string::{String, ToString};
use std::vec::Vec;

/// `linnet_store`
#[derive(Debug)]
pub struct HostStore {
    // Before the store: they are handles of it.
    /// By their addresses, as translated code knows them.
    instances: RefCell<BTreeMap<usize, Box<HostInstance>>>,
    #[expect(clippy::vec_box, reason = "the addresses were handed out")]
    items: RefCell<Vec<Box<Item>>>,
    last: RefCell<Option<Error>>,
    /// What the last failure says, once somebody has asked.
    message: RefCell<Option<CString>>,
    /// How many things have failed.
    failures: Cell<u64>,
    store: Store,
    interrupter: Interrupter,
}

/// `linnet_instance`
#[derive(Debug)]
pub struct HostInstance {
    instance: Instance,
    store: *const HostStore,
    exports: OnceCell<Box<[Item]>>,
    imports: OnceCell<Box<[Item]>>,
    snapshot: RefCell<Option<Snapshot>>,
}

impl HostStore {
    fn failed(&self, error: Error) {
        self.failures.set(self.failures.get() + 1);
        self.last.replace(Some(error));
        self.message.replace(None);
    }

    /// Whether something was done; notes why not.
    fn ended(&self, result: Result<()>) -> bool {
        result.map_err(|error| self.failed(error)).is_ok()
    }

    /// The value, or null.
    fn pointer<T>(&self, result: Result<*mut T>) -> *mut T {
        result.unwrap_or_else(|error| {
            self.failed(error);
            ptr::null_mut()
        })
    }

    /// Keeps something for the host as long as the store lives.
    fn keep(&self, what: crate::items::Extern) -> *mut Item {
        let mut item = Box::new(Item { what, store: self });
        let address = &raw mut *item;
        self.items.borrow_mut().push(item);
        address
    }
}

/// See `linnet.h`.
#[unsafe(no_mangle)]
pub extern "C" fn linnet_store_new() -> *mut HostStore {
    let store = Store::new();
    Box::into_raw(Box::new(HostStore {
        instances: RefCell::default(),
        items: RefCell::default(),
        last: RefCell::default(),
        message: RefCell::default(),
        failures: Cell::new(0),
        interrupter: store.interrupter(),
        store,
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; nothing of the store is used again.
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
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_message(store: *const HostStore) -> *const c_char {
    // SAFETY: the caller's promise.
    let host = unsafe { &*store };
    let mut message = host.message.borrow_mut();
    let text = message.get_or_insert_with(|| {
        let text = host.last.borrow().as_ref().map_or_else(String::new, ToString::to_string);
        CString::new(text.replace('\0', " ")).unwrap_or_default()
    });
    // It stays where it is until something else fails.
    text.as_ptr()
}

/// `linnet_failure`
#[repr(C)]
#[derive(Debug)]
pub enum Failure {
    None,
    Trap,
    Exception,
    Link,
    Type,
    Resources,
    Host,
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_last_failure(store: *const HostStore) -> Failure {
    // SAFETY: the caller's promise.
    match &*unsafe { &*store }.last.borrow() {
        None => Failure::None,
        Some(Error::Trap(_)) => Failure::Trap,
        Some(Error::Exception(_)) => Failure::Exception,
        Some(Error::Link(_)) => Failure::Link,
        Some(Error::Type(_)) => Failure::Type,
        Some(Error::Resources(_)) => Failure::Resources,
        Some(Error::Host(_)) => Failure::Host,
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_trap(store: *const HostStore) -> c_int {
    // SAFETY: the caller's promise.
    match &*unsafe { &*store }.last.borrow() {
        Some(Error::Trap(trap)) => c_int::from(trap.code()),
        _ => 0,
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; `payload` has room for what the tag says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_exception(
    store: *const HostStore,
    tag: *const Item,
    payload: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let (host, tag) = unsafe { (&*store, &*tag) };
    let last = host.last.borrow();
    let Some(Error::Exception(exception)) = &*last else { return false };
    let crate::items::Extern::Tag(tag) = &tag.what else { return false };
    if exception.tag() != *tag {
        return false;
    }
    for (i, (value, ty)) in exception.payload().iter().zip(tag.params()).enumerate() {
        let Ok(slot) = value.to_slot(*ty, &host.store) else { return false };
        // SAFETY: the caller's promise.
        unsafe { *payload.add(i) = slot };
    }
    true
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says, but from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_interrupt(store: *const HostStore) {
    // SAFETY: the caller's promise; it never changes.
    unsafe { (*store).interrupter.interrupt() };
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_interrupt_clear(store: *const HostStore) {
    // SAFETY: the caller's promise.
    unsafe { &*store }.store.clear_interrupt();
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_budget_set(store: *const HostStore, polls: u64) {
    // SAFETY: the caller's promise.
    unsafe { &*store }.store.set_budget((polls != u64::MAX).then_some(polls));
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_budget(store: *const HostStore) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { &*store }.store.budget().unwrap_or(u64::MAX)
}

/// `linnet_limit`
type HostLimit =
    unsafe extern "C" fn(env: *mut c_void, kind: types::Kind, from: u64, to: u64) -> bool;

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_limit_growth(
    store: *const HostStore,
    may_grow: HostLimit,
    env: *mut c_void,
) {
    // SAFETY: the caller's promise.
    unsafe { &*store }.store.limit(move |growth| {
        let (kind, from, to) = match *growth {
            Growth::Memory { from, to } => (types::Kind::Memory, from, to),
            Growth::Table { from, to } => (types::Kind::Table, from, to),
        };
        // SAFETY: the host's promise about its function.
        unsafe { may_grow(env, kind, from, to) }
    });
}

impl HostStore {
    /// # Safety
    /// As of [`linnet_instantiate`].
    unsafe fn instantiate(
        &self,
        raw: *const Raw,
        imports: &[HostImport],
    ) -> Result<*mut HostInstance> {
        // SAFETY: the caller's promise.
        let module = unsafe { types::module(raw)? };
        // SAFETY: the caller's promise.
        let known = unsafe { import::all(self, &module, imports)? };
        let instance = Instance::prepare(&self.store, &module, &known)?;
        let mut host = Box::new(HostInstance {
            instance: instance.clone(),
            store: self,
            exports: OnceCell::new(),
            imports: OnceCell::new(),
            snapshot: RefCell::default(),
        });
        let address = &raw mut *host;
        // Functions of the host that its start function calls may ask for it.
        self.instances.borrow_mut().insert(instance.raw() as usize, host);
        // SAFETY: it is new.
        unsafe { instance.initialize()? };
        Ok(address)
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; the module is what the translator emitted, and the imports as many as `count` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_instantiate(
    store: *mut HostStore,
    module: *const Raw,
    imports: *const HostImport,
    count: usize,
) -> *mut HostInstance {
    // SAFETY: the caller's promise.
    unsafe {
        let imports = if count == 0 { &[] } else { std::slice::from_raw_parts(imports, count) };
        (*store).pointer((*store).instantiate(module, imports))
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; `values` hold the parameters of the function and have room for its results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_call(
    instance: *mut HostInstance,
    number: u32,
    values: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    host.ended(match host.instance.func_ref(number as usize) {
        // SAFETY: the caller's promise.
        Some(function) => unsafe { host.instance.store().call_slots(function, values) },
        None => Err(host.other_kind(number, "function")),
    })
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; `function` is a reference to a function, or 0, and `values` as of [`linnet_call`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_call_ref(
    store: *mut HostStore,
    function: u64,
    values: *mut Slot,
) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*store };
    host.ended(if function == 0 {
        Err(Error::Type("a null reference is no function".to_owned()))
    } else {
        // SAFETY: the caller's promise.
        unsafe { host.store.call_slots(&*(function as *const _), values) }
    })
}

impl HostInstance {
    fn ended(&self, result: Result<()>) -> bool {
        // SAFETY: a store outlives its instances.
        unsafe { &*self.store }.ended(result)
    }

    /// The item of an export.
    fn export(&self, number: u32) -> Result<&Item> {
        let exports = self.exports.get_or_init(|| {
            let items = self.instance.exports();
            items.map(|(_, what)| Item { what, store: self.store }).collect()
        });
        let wrong = || Error::Type(format!("there is no export {number}, but {}", exports.len()));
        exports.get(number as usize).ok_or_else(wrong)
    }

    fn import(&self, number: u32) -> Result<&Item> {
        let imports = self.imports.get_or_init(|| {
            let items = (0..).map_while(|number| self.instance.imported(number));
            items.map(|what| Item { what, store: self.store }).collect()
        });
        let wrong = || Error::Type(format!("there is no import {number}, but {}", imports.len()));
        imports.get(number as usize).ok_or_else(wrong)
    }

    fn other_kind(&self, number: u32, kind: &str) -> Error {
        match self.export(number) {
            Ok(item) => {
                Error::Type(format!("export {number} is no {kind}, but {}", item.what.ty()))
            }
            Err(error) => error,
        }
    }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_export(instance: *const HostInstance, number: u32) -> *mut Item {
    // SAFETY: the caller's promise; a store outlives its instances.
    let (instance, host) = unsafe { (&*instance, &*(*instance).store) };
    host.pointer(instance.export(number).map(|item| ptr::from_ref(item).cast_mut()))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_export_named(
    instance: *const HostInstance,
    name: *const c_char,
) -> *mut Item {
    // SAFETY: the caller's promise; a store outlives its instances.
    let (instance, host, name) = unsafe { (&*instance, &*(*instance).store, CStr::from_ptr(name)) };
    let number = instance.instance.module().export_number(name.to_bytes());
    let number = number.ok_or_else(|| Error::Type(format!("there is no export {name:?}")));
    let item = number.and_then(|number| instance.export(number));
    host.pointer(item.map(|item| ptr::from_ref(item).cast_mut()))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_imported(instance: *const HostInstance, number: u32) -> *mut Item {
    // SAFETY: the caller's promise; a store outlives its instances.
    let (instance, host) = unsafe { (&*instance, &*(*instance).store) };
    host.pointer(instance.import(number).map(|item| ptr::from_ref(item).cast_mut()))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_first_memory(
    instance: *const HostInstance,
    size: *mut u64,
) -> *mut u8 {
    // SAFETY: the caller's promise.
    let Some(memory) = (unsafe { &*instance }).instance.first_memory() else {
        return ptr::null_mut();
    };
    // SAFETY: the caller's promise.
    unsafe { *size = memory.size() };
    memory.base()
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_instance_store(instance: *const HostInstance) -> *mut HostStore {
    // SAFETY: the caller's promise.
    unsafe { (*instance).store.cast_mut() }
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_snapshot(instance: *mut HostInstance) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    host.ended(host.instance.snapshot().map(|snapshot| {
        host.snapshot.replace(Some(snapshot));
    }))
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_restore(instance: *mut HostInstance) -> bool {
    // SAFETY: the caller's promise.
    let host = unsafe { &*instance };
    host.ended(match &*host.snapshot.borrow() {
        Some(snapshot) => snapshot.restore(),
        None => Err(Error::Type("there is no snapshot of the instance".to_owned())),
    })
}

impl HostInstance {
    /// The instance, for hosts that are in both languages.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}
