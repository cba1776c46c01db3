//! Functions: calls into translated code, and host functions that it calls.

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::items::Exception;
use crate::module::{self, Module};
use crate::prelude::*;
use crate::store::{Inner, Store};
use crate::trap::{self, Ending};
use crate::unwind::PENDING_TRAP;
use crate::value::{FuncType, Value};
use alloc::rc::Rc;
use core::fmt::{self, Debug, Formatter};
use core::ptr;
#[cfg(feature = "std")]
use linnet_abi::instance::ValueType;
use linnet_abi::instance::{FuncRef, FuncType as RawFuncType, HostFunction, Slot};

unsafe extern "C" {
    /// In `arch`: calls [`call_host`].
    fn linnet_embed_host(context: *mut HostFunction, values: *mut Slot);
}

/// Who calls a function of the host.
#[derive(Debug)]
pub struct Caller<'a> {
    store: &'a Store,
    instance: Option<Instance>,
}

impl Caller<'_> {
    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.store
    }

    /// The instance that imports the function: its memory is where addresses among the parameters point to. None if
    /// the host itself calls.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        self.instance.as_ref()
    }
}

/// Parameters to results.
type OfValues = dyn Fn(&Caller<'_>, &[Value]) -> Result<Vec<Value>>;
/// The same in memory.
#[cfg(feature = "std")]
type OfSlots = dyn Fn(&Caller<'_>, *mut Slot) -> Result<()>;

/// What a host function does.
enum Body {
    Values(Box<OfValues>),
    #[cfg(feature = "std")]
    Slots(Box<OfSlots>),
    /// Translated code calls it by itself.
    Code,
}

/// A function of the host.
pub(crate) struct Host {
    store: *const Inner,
    ty: FuncType,
    body: Body,
    call: unsafe extern "C" fn(*mut HostFunction, *mut Slot),
}

/// A function of the host as an instance imports it.
#[repr(C)]
pub(crate) struct Binding {
    /// First: its address is the context of the function's references.
    head: HostFunction,
    host: *const Host,
    /// Its address and its module; none for a function that is no import.
    instance: Option<(*mut u8, Module)>,
}

/// A function.
#[derive(Clone)]
pub struct Func {
    store: Store,
    raw: *const FuncRef,
}

impl Debug for Func {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Func({:p})", self.raw)
    }
}

impl PartialEq for Func {
    fn eq(&self, other: &Func) -> bool {
        self.raw == other.raw
    }
}

impl Func {
    /// A function of the host. It must not keep handles of the store: the store keeps it.
    pub fn new(
        store: &Store,
        ty: FuncType,
        body: impl Fn(&[Value]) -> Result<Vec<Value>> + 'static,
    ) -> Func {
        Func::with_caller(store, ty, move |_, args| body(args))
    }

    /// A function of the host that wants to know who calls it.
    pub fn with_caller(
        store: &Store,
        ty: FuncType,
        body: impl Fn(&Caller<'_>, &[Value]) -> Result<Vec<Value>> + 'static,
    ) -> Func {
        Func::host(store, ty, Body::Values(Box::new(body)), linnet_embed_host)
    }

    /// The same with parameters and results in memory.
    ///
    /// # Safety
    /// `body` must leave results of the type there, unless it fails.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn in_memory(
        store: &Store,
        ty: FuncType,
        body: impl Fn(&Caller<'_>, *mut Slot) -> Result<()> + 'static,
    ) -> Func {
        Func::host(store, ty, Body::Slots(Box::new(body)), linnet_embed_host)
    }

    /// A function of the host that takes parameters from memory and leaves results there. It costs less than one
    /// of [`Func::new`], and must not fail. `call` gets the head of the function, which is of no use to it.
    ///
    /// # Safety
    /// `call` must do with the values what the type says. Frames of it may be left by a trap.
    pub unsafe fn with_slots(
        store: &Store,
        ty: FuncType,
        call: unsafe extern "C" fn(*mut HostFunction, *mut Slot),
    ) -> Func {
        Func::host(store, ty, Body::Code, call)
    }

    fn host(
        store: &Store,
        ty: FuncType,
        body: Body,
        call: unsafe extern "C" fn(*mut HostFunction, *mut Slot),
    ) -> Func {
        let host = Box::into_raw(Box::new(Host { store: Rc::as_ptr(&store.0), ty, body, call }));
        store.0.hosts.borrow_mut().push(host);
        // Its type is known to translated code only once a module imports it.
        let context = Binding::new(store, host, None).cast();
        let raw = FuncRef { code: ptr::null(), ty: ptr::null(), context, tail: ptr::null() };
        let raw = Box::into_raw(Box::new(raw));
        store.0.func_refs.borrow_mut().push(raw);
        Func { store: store.clone(), raw }
    }

    /// # Safety
    /// It must be the address of a live [`FuncRef`] of that store.
    pub(crate) unsafe fn from_address(address: u64, store: &Store) -> Func {
        Func { store: store.clone(), raw: address as *const FuncRef }
    }

    /// What translated code has for it.
    pub(crate) fn reference(&self) -> Result<u64> {
        if let Some(host) = self.unlinked() {
            // A module that knows the type may call it from now on.
            let raw = module::find_type(&host.ty).ok_or_else(|| {
                Error::Type(format!("no module has functions of the type {}", host.ty))
            })?;
            // SAFETY: references to functions of the host are the store's, and a module's type.
            unsafe {
                let own = &mut *self.raw.cast_mut();
                (own.ty, own.code) = (raw, (*raw).host);
            }
        }
        Ok(self.raw as u64)
    }

    /// Where the types of its values lie; null if no module knows its type.
    #[cfg(feature = "std")]
    pub(crate) fn raw_types(&self) -> *const ValueType {
        // SAFETY: a module's type.
        unsafe { self.raw().ty.as_ref() }.map_or(ptr::null(), |ty| ty.types)
    }

    /// Calls it with parameters in memory; the results go there.
    ///
    /// # Safety
    /// As of [`Store::call_slots`].
    #[cfg(feature = "std")]
    pub(crate) unsafe fn call_slots(&self, values: *mut Slot) -> Result<()> {
        if let Some(Host { body: Body::Slots(body), .. }) = self.unlinked() {
            return body(&Caller { store: &self.store, instance: None }, values);
        }
        // SAFETY: the caller's promise.
        unsafe { self.store.call_slots(self.raw(), values) }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    fn raw(&self) -> &FuncRef {
        // SAFETY: the handle keeps the store alive.
        unsafe { &*self.raw }
    }

    pub(crate) fn raw_type(&self) -> *const RawFuncType {
        self.raw().ty
    }

    /// The host function that this is, if its type is not known to translated code.
    fn unlinked(&self) -> Option<&Host> {
        let raw = self.raw();
        // SAFETY: without a type the context is the binding of a host function, which the store keeps alive.
        raw.ty.is_null().then(|| unsafe { &*(*raw.context.cast::<Binding>()).host })
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> FuncType {
        match self.unlinked() {
            Some(host) => host.ty.clone(),
            // SAFETY: a module's type.
            None => FuncType::from_raw(unsafe { &*self.raw().ty }),
        }
    }

    /// What an instance that imports it as of a type of its module has for it; none if that is another type.
    pub(crate) fn bind(&self, wanted: *const RawFuncType, instance: &Instance) -> Option<FuncRef> {
        // SAFETY: a module's type.
        let raw = unsafe { &*wanted };
        let host = match self.unlinked() {
            Some(host) if host.ty == FuncType::from_raw(raw) => host,
            None if self.raw().ty == wanted && self.raw().code == raw.host => {
                // SAFETY: such code has the binding of a host function as its context, which the store keeps.
                unsafe { &*(*self.raw().context.cast::<Binding>()).host }
            }
            None if self.raw().ty == wanted => return Some(*self.raw()),
            _ => return None,
        };
        let caller = Some((instance.raw(), *instance.module()));
        let context = Binding::new(&self.store, host, caller).cast();
        Some(FuncRef { code: raw.host, ty: wanted, context, tail: ptr::null() })
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// The arguments do not fit, or the call ends with a trap or an exception.
    pub fn call(&self, args: &[Value]) -> Result<Vec<Value>> {
        if let Some(host) = self.unlinked() {
            let caller = Caller { store: &self.store, instance: None };
            return match &host.body {
                Body::Values(body) => body(&caller, args),
                _ => Err(Error::Type("a function that only modules can call".to_owned())),
            };
        }
        // SAFETY: a module's type.
        let FuncType { params, results } = FuncType::from_raw(unsafe { &*self.raw().ty });
        if params.len() != args.len() {
            let message = format!("{} arguments instead of {}", args.len(), params.len());
            return Err(Error::Type(message));
        }
        let mut slots = vec![Slot::default(); params.len().max(results.len())];
        for ((slot, arg), ty) in slots.iter_mut().zip(args).zip(params) {
            *slot = arg.to_slot(ty, &self.store)?;
        }
        // SAFETY: the slots are as many as it needs, with values of its types.
        unsafe { self.store.call_slots(self.raw(), slots.as_mut_ptr())? };
        let values = slots.into_iter().zip(results);
        // SAFETY: the results lie there.
        Ok(values.map(|(slot, ty)| unsafe { Value::from_slot(slot, ty, &self.store) }).collect())
    }
}

impl Store {
    /// Calls a function with parameters in memory; the results go there.
    ///
    /// # Safety
    /// `function` must be live and of this store, and `values` hold parameters of its type, and have room for its
    /// results.
    pub(crate) unsafe fn call_slots(&self, function: &FuncRef, values: *mut Slot) -> Result<()> {
        if function.ty.is_null() {
            return Err(Error::Type("a function of the host that no module imports".to_owned()));
        }
        // SAFETY: the caller's promise, and a module's type.
        let ended = unsafe {
            trap::call_code(self, (*function.ty).enter, function.context, function.code, values)
        };
        ended.map_err(|ending| self.ended(ending))
    }

    pub(crate) fn ended(&self, ending: Ending) -> Error {
        let failure = self.0.failure.borrow_mut().take();
        match (failure, ending) {
            // The call in the host's function trapped, and so this one did.
            (Some(Error::Trap(inner)), Ending::Trap(outer)) => Error::Trap(inner.within(outer)),
            (Some(failure), Ending::Trap(_)) => failure,
            (_, Ending::Trap(trap)) => Error::Trap(trap),
            (_, Ending::Exception(address)) => {
                // SAFETY: it was just raised.
                Error::Exception(unsafe { Exception::from_address(address, self) })
            }
        }
    }
}

impl Binding {
    fn new(store: &Store, host: *const Host, instance: Option<(*mut u8, Module)>) -> *mut Binding {
        // SAFETY: the store keeps it alive.
        let head = HostFunction { call: unsafe { (*host).call } };
        let binding = Box::into_raw(Box::new(Binding { head, host, instance }));
        store.0.bindings.borrow_mut().push(binding);
        binding
    }
}

/// Calls a host function for translated code. What it returns is thrown, unless it is 0.
pub(crate) extern "C" fn call_host(binding: *mut Binding, values: *mut Slot) -> u64 {
    trap::check_stack();
    // SAFETY: the store keeps its host functions alive as long as code that refers to them.
    let (binding, host) = unsafe { (&*binding, &*(*binding).host) };
    // SAFETY: the store lives; this makes one more handle of it.
    let store = unsafe {
        Rc::increment_strong_count(host.store);
        Store(Rc::from_raw(host.store))
    };
    let instance = binding.instance.map(|(raw, module)| {
        // SAFETY: instances live as long as their store.
        unsafe { Instance::from_raw(raw, module, store.clone()) }
    });
    let caller = Caller { store: &store, instance };
    // SAFETY: the thunk has put the parameters there, and has room for the results.
    let failure = match unsafe { host.run(&caller, values) } {
        Ok(()) => return 0,
        Err(Error::Exception(exception)) if exception.store().is(&store) => {
            return exception.address();
        }
        Err(failure) => failure,
    };
    store.0.failure.replace(Some(failure));
    PENDING_TRAP
}

impl Host {
    /// # Safety
    /// `values` must hold parameters of the type, and have room for the results.
    unsafe fn run(&self, caller: &Caller<'_>, values: *mut Slot) -> Result<()> {
        let body = match &self.body {
            Body::Values(body) => body,
            #[cfg(feature = "std")]
            Body::Slots(body) => return body(caller, values),
            Body::Code => unreachable!("translated code calls it by itself"),
        };
        let params = self.ty.params.iter().enumerate();
        // SAFETY: the caller's promise.
        let args =
            params.map(|(i, ty)| unsafe { Value::from_slot(*values.add(i), *ty, caller.store) });
        let results = body(caller, &args.collect::<Vec<_>>())?;
        if results.len() != self.ty.results.len() {
            return Err(Error::Host("a host function gave another number of results".to_owned()));
        }
        for (i, (value, ty)) in results.iter().zip(&self.ty.results).enumerate() {
            // SAFETY: the caller's promise.
            unsafe { *values.add(i) = value.to_slot(*ty, caller.store)? };
        }
        Ok(())
    }
}
