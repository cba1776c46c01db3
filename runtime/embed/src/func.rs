//! Functions: calls into translated code, and host functions that it calls.

use crate::error::{Error, Result};
use crate::prelude::*;
use crate::store::{Inner, Store};
use crate::trap::{self, Ending};
use crate::unwind::PENDING_TRAP;
use crate::value::{FuncType, ValType, Value};
use alloc::rc::Rc;
use core::fmt::{self, Debug, Formatter};
use core::ptr;
use linnet_abi::instance::{FuncRef, FuncType as RawFuncType, HostFunction, Slot};

unsafe extern "C" {
    /// In `arch`: calls [`call_host`].
    fn linnet_embed_host(context: *mut HostFunction, values: *mut Slot);
}

/// What a host function does: parameters to results.
type Body = dyn Fn(&[Value]) -> Result<Vec<Value>>;

/// A function of the host.
#[repr(C)]
pub(crate) struct Host {
    /// First: its address is the context of the function's references.
    head: HostFunction,
    store: *const Inner,
    ty: FuncType,
    body: Box<Body>,
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
        let head = HostFunction { call: linnet_embed_host };
        let inner = Rc::as_ptr(&store.0);
        let host = Box::new(Host { head, store: inner, ty, body: Box::new(body) });
        let host = Box::into_raw(host);
        store.0.hosts.borrow_mut().push(host);
        // Its type is known to translated code only once it is linked with a module that has the type.
        Func::reference(store, host, ptr::null())
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
        let body: Box<Body> =
            Box::new(|_| Err(Error::Type("a function that only modules can call".to_owned())));
        let host = Host { head: HostFunction { call }, store: Rc::as_ptr(&store.0), ty, body };
        let host = Box::into_raw(Box::new(host));
        store.0.hosts.borrow_mut().push(host);
        Func::reference(store, host, ptr::null())
    }

    fn reference(store: &Store, host: *mut Host, ty: *const RawFuncType) -> Func {
        // SAFETY: a type that is not null is a module's.
        let code = unsafe { ty.as_ref() }.map_or(ptr::null(), |ty| ty.host);
        let raw = FuncRef { code, ty, context: host.cast(), tail: ptr::null() };
        let raw = Box::into_raw(Box::new(raw));
        store.0.func_refs.borrow_mut().push(raw);
        Func { store: store.clone(), raw }
    }

    /// # Safety
    /// It must be the address of a live [`FuncRef`] of that store.
    pub(crate) unsafe fn from_address(address: u64, store: &Store) -> Func {
        Func { store: store.clone(), raw: address as *const FuncRef }
    }

    pub(crate) fn address(&self) -> u64 {
        self.raw as u64
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn raw(&self) -> &FuncRef {
        // SAFETY: the handle keeps the store alive.
        unsafe { &*self.raw }
    }

    pub(crate) fn raw_type(&self) -> *const RawFuncType {
        self.raw().ty
    }

    /// The host function that this is, if its type is not known to translated code yet.
    fn unlinked(&self) -> Option<&Host> {
        let raw = self.raw();
        // SAFETY: without a type the context is a host function, which the store keeps alive.
        raw.ty.is_null().then(|| unsafe { &*raw.context.cast::<Host>() })
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

    /// The same function with a type of a module, if that is its type.
    pub(crate) fn linked(&self, wanted: *const RawFuncType) -> Option<Func> {
        if self.raw().ty == wanted {
            return Some(self.clone());
        }
        let host = self.unlinked()?;
        // SAFETY: a module's type.
        let ty = FuncType::from_raw(unsafe { &*wanted });
        let host_address = self.raw().context.cast::<Host>();
        (host.ty == ty).then(|| Func::reference(&self.store, host_address, wanted))
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// The arguments do not fit, or the call ends with a trap or an exception.
    pub fn call(&self, args: &[Value]) -> Result<Vec<Value>> {
        if let Some(host) = self.unlinked() {
            return (host.body)(args);
        }
        // SAFETY: a module's type.
        let raw_type = unsafe { &*self.raw().ty };
        let FuncType { params, results } = FuncType::from_raw(raw_type);
        if params.len() != args.len() {
            let message = format!("{} arguments instead of {}", args.len(), params.len());
            return Err(Error::Type(message));
        }
        let mut slots = vec![Slot::default(); params.len().max(results.len())];
        for ((slot, arg), ty) in slots.iter_mut().zip(args).zip(params) {
            *slot = arg.to_slot(ty, &self.store)?;
        }
        // SAFETY: the slots are as many as it needs, with values of its types.
        let ended = unsafe { trap::call(raw_type.enter, self.raw(), slots.as_mut_ptr()) };
        ended.map_err(|ending| self.store.ended(ending))?;
        let values = slots.into_iter().zip(results);
        // SAFETY: the results lie there.
        Ok(values.map(|(slot, ty)| unsafe { Value::from_slot(slot, ty, &self.store) }).collect())
    }
}

#[cfg(feature = "std")]
impl Func {
    /// Calls it with parameters in memory; the results go there.
    ///
    /// # Safety
    /// `values` must hold parameters of its type, and have room for its results.
    pub(crate) unsafe fn call_slots(&self, values: *mut Slot) -> Result<()> {
        if self.unlinked().is_some() {
            return Err(Error::Type("a function of the host that no module imports".to_owned()));
        }
        // SAFETY: the caller's promise, and a module's type.
        let ended = unsafe { trap::call((*self.raw().ty).enter, self.raw(), values) };
        ended.map_err(|ending| self.store.ended(ending))
    }
}

impl Store {
    pub(crate) fn ended(&self, ending: Ending) -> Error {
        let failure = self.0.failure.borrow_mut().take();
        match (failure, ending) {
            (Some(failure), Ending::Trap(_)) => failure,
            (_, Ending::Trap(trap)) => Error::Trap(trap),
            (_, Ending::Exception(address)) => {
                // SAFETY: it was just raised.
                Error::Exception(unsafe { crate::store::Exception::from_address(address, self) })
            }
        }
    }
}

/// Calls a host function for translated code. What it returns is thrown, unless it is 0.
pub(crate) extern "C" fn call_host(context: *mut Host, values: *mut Slot) -> u64 {
    trap::check_stack();
    // SAFETY: the store keeps its host functions alive as long as code that refers to them.
    let host = unsafe { &*context };
    // SAFETY: the store lives; this makes one more handle of it.
    let store = unsafe {
        Rc::increment_strong_count(host.store);
        Store(Rc::from_raw(host.store))
    };
    let params = host.ty.params.iter().enumerate();
    // SAFETY: the thunk has put the parameters there.
    let args: Vec<Value> =
        params.map(|(i, ty)| unsafe { Value::from_slot(*values.add(i), *ty, &store) }).collect();
    let failure = match (host.body)(&args).and_then(|results| host.results(&results, &store)) {
        Ok(slots) => {
            for (i, slot) in slots.into_iter().enumerate() {
                // SAFETY: the thunk has room for the results there.
                unsafe { *values.add(i) = slot };
            }
            return 0;
        }
        Err(Error::Exception(exception)) if exception.store().is(&store) => {
            return exception.address();
        }
        Err(failure) => failure,
    };
    store.0.failure.replace(Some(failure));
    PENDING_TRAP
}

impl Host {
    fn results(&self, results: &[Value], store: &Store) -> Result<Vec<Slot>> {
        if results.len() != self.ty.results.len() {
            return Err(Error::Host("a host function gave another number of results".to_owned()));
        }
        let typed = results.iter().zip(&self.ty.results);
        typed.map(|(value, ty): (&Value, &ValType)| value.to_slot(*ty, store)).collect()
    }
}

/// Ends the innermost call with what [`call_host`] has stored.
pub(crate) fn raise_pending() -> ! {
    trap::raise(linnet_abi::trap::Trap::Unreachable as u8)
}
