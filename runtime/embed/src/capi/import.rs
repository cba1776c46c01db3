//! What an instance is made with.

use super::host::{self, HostFunction};
use super::item::Item;
use super::{HostInstance, HostStore};
use crate::error::{Error, Result};
use crate::items::{Extern, Global};
use crate::module::{Imports, Module};
use crate::types::ExternType;
use crate::value::Value;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::format;

/// `linnet_import`
#[repr(C)]
#[derive(Debug)]
pub struct HostImport {
    module: *const c_char,
    name: *const c_char,
    function: Option<HostFunction>,
    env: *mut c_void,
    instance: *const HostInstance,
    number: u32,
}

/// `LINNET_ITEM`: `env` is an item.
const ITEM: u32 = u32::MAX;

/// What the host gives for the imports of a module, and new memories, tables and tags for what it does not.
///
/// # Safety
/// As of [`super::linnet_instantiate`].
pub(super) unsafe fn all(
    host: &HostStore,
    module: &Module,
    given: &[HostImport],
) -> Result<Imports> {
    // SAFETY: the caller's promise.
    let bytes = |text: *const c_char| unsafe { CStr::from_ptr(text) }.to_bytes();
    let mut by_name = BTreeMap::new();
    for import in given {
        // Of two the first one counts.
        by_name.entry((bytes(import.module), bytes(import.name))).or_insert(import);
    }
    let mut known = Imports::new();
    for wanted in module.imports() {
        let names = (wanted.module.as_bytes(), wanted.name.as_bytes());
        let Some(import) = by_name.get(&names) else { continue };
        // SAFETY: the caller's promise.
        let what = unsafe { import.what(host, &wanted.ty) }.map_err(|reason| {
            Error::Link(format!("import {:?} {:?}: {reason}", wanted.module, wanted.name))
        })?;
        known.define(wanted.module, wanted.name, what);
    }
    known.with_missing(&host.store, module)
}

impl HostImport {
    /// # Safety
    /// As of [`super::linnet_instantiate`].
    unsafe fn what(&self, host: &HostStore, wanted: &ExternType) -> Result<Extern> {
        if let Some(call) = self.function {
            return match wanted {
                ExternType::Func(ty) => {
                    Ok(Extern::Func(host::function(host, call, self.env, ty.clone())))
                }
                other => Err(Error::Link(format!("a function is given, the module wants {other}"))),
            };
        }
        // SAFETY: the caller's promise.
        if let Some(instance) = unsafe { self.instance.as_ref() } {
            let item = instance
                .export(self.number)
                .map_err(|reason| Error::Link(format!("of the instance that is given {reason}")))?;
            return Ok(item.what.clone());
        }
        if self.env.is_null() {
            return Err(Error::Link(format!("nothing is given, the module wants {wanted}")));
        }
        if self.number == ITEM {
            // SAFETY: the caller's promise.
            return Ok(unsafe { &*self.env.cast::<Item>() }.what.clone());
        }
        let ExternType::Global(ty) = wanted else {
            return Err(Error::Link(format!("a value is given, the module wants {wanted}")));
        };
        // SAFETY: the caller's promise: without the others it is the value of a new global.
        let value = unsafe { Value::from_slot(*self.env.cast(), ty.value, &host.store) };
        Global::new(&host.store, ty.value, ty.is_mutable, &value).map(Extern::Global)
    }
}
