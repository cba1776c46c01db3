//! Functions of the host.

use super::item::Item;
use super::{HostInstance, HostStore};
use crate::error::{Error, Result};
use crate::func::{Caller, Func};
use crate::items::{Exception, Extern};
use crate::value::{FuncType, ValType, Value};
use linnet_abi::instance::Slot;
use std::borrow::ToOwned;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

/// `linnet_function`
pub type HostFunction = unsafe extern "C" fn(env: *mut c_void, values: *mut Slot) -> bool;

/// A function of the host that runs.
struct Call {
    store: *const HostStore,
    /// Address of the instance that imports it, or 0.
    instance: usize,
    /// What it says that it fails with.
    failure: RefCell<Option<Error>>,
}

std::thread_local! {
    /// The innermost one.
    static CALL: Cell<*const Call> = const { Cell::new(ptr::null()) };
}

/// The innermost one that runs on this thread.
fn call() -> Option<&'static Call> {
    // SAFETY: it lives on this thread's stack as long as it is there; nobody here keeps it.
    CALL.with(|call| unsafe { call.get().as_ref() })
}

/// Makes a function with the type that a module wants.
pub(super) fn function(
    host: &HostStore,
    function: HostFunction,
    env: *mut c_void,
    ty: FuncType,
) -> Func {
    let store = ptr::from_ref(host);
    // SAFETY: the host's promise about its function.
    unsafe {
        Func::in_memory(&host.store, ty, move |caller, values| {
            run(store, function, env, caller, values)
        })
    }
}

/// # Safety
/// As of a [`HostFunction`].
unsafe fn run(
    store: *const HostStore,
    function: HostFunction,
    env: *mut c_void,
    caller: &Caller<'_>,
    values: *mut Slot,
) -> Result<()> {
    // SAFETY: a store outlives the code of its instances.
    let host = unsafe { &*store };
    let instance = caller.instance().map_or(0, |instance| instance.raw() as usize);
    let call = Call { store, instance, failure: RefCell::new(None) };
    let outer = CALL.replace(&call);
    let failures = host.failures.get();
    // SAFETY: the caller's promise.
    let is_done = unsafe { function(env, values) };
    CALL.set(outer);
    if is_done {
        return Ok(());
    }
    if let Some(failure) = call.failure.take() {
        return Err(failure);
    }
    // It passes on what it met.
    let met = host.last.borrow().clone().filter(|_| host.failures.get() != failures);
    Err(met.unwrap_or_else(|| Error::Host("a function of the host failed".to_owned())))
}

/// See `linnet.h`.
#[unsafe(no_mangle)]
pub extern "C" fn linnet_caller() -> *mut HostInstance {
    let Some(call) = call() else { return ptr::null_mut() };
    // SAFETY: a store outlives the calls of its functions.
    let instances = unsafe { &*call.store }.instances.borrow();
    instances.get(&call.instance).map_or(ptr::null_mut(), |host| ptr::from_ref(&**host).cast_mut())
}

/// See `linnet.h`.
///
/// # Safety
/// A C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_fail(message: *const c_char) -> bool {
    if let Some(call) = call() {
        // SAFETY: the caller's promise.
        let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
        call.failure.replace(Some(Error::Host(text)));
    }
    false
}

/// See `linnet.h`.
///
/// # Safety
/// As the module says; `payload` holds what the tag says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linnet_throw(tag: *const Item, payload: *const Slot) -> bool {
    let Some(call) = call() else { return false };
    // SAFETY: the caller's promise.
    let tag = unsafe { &*tag };
    let thrown = match &tag.what {
        Extern::Tag(tag) => {
            let params = tag.params().iter().enumerate();
            // SAFETY: the caller's promise.
            let value = |(i, ty): (usize, &ValType)| unsafe {
                Value::from_slot(*payload.add(i), *ty, &tag.store)
            };
            Exception::new(tag, &params.map(value).collect::<std::vec::Vec<_>>())
        }
        other => Err(Error::Type(std::format!("a tag is thrown, not {}", other.ty()))),
    };
    call.failure.replace(Some(thrown.map_or_else(|error| error, Error::Exception)));
    false
}
