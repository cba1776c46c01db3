//! Modules, and what their instances are made with.

use crate::error::Result;
use crate::func::Func;
use crate::items::{Extern, Memory, Table, Tag};
use crate::modules;
use crate::prelude::*;
use crate::store::Store;
use crate::types::{ExternType, GlobalType, MemoryType, TableType};
use crate::value::{FuncType, ValType, Value};
use alloc::collections::BTreeMap;
use core::ptr;
use linnet_abi::instance::{
    Export as RawExport, FuncType as RawFuncType, Import as RawImport, Layout, Standalone, Text,
    ValueType as RawValueType, external,
};
use linnet_abi::module::Module as Raw;

/// A translated module.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    pub(crate) raw: &'static Raw,
    pub(crate) standalone: &'static Standalone,
    pub(crate) layout: Layout,
    /// How many it imports of each kind.
    pub(crate) imported: [u32; 5],
}

/// What a module imports.
#[derive(Debug, Clone)]
pub struct Import {
    pub module: &'static str,
    pub name: &'static str,
    pub ty: ExternType,
}

/// What a module exports.
#[derive(Debug, Clone)]
pub struct Export {
    pub name: &'static str,
    pub ty: ExternType,
}

/// # Safety
/// A text that the translator emitted.
pub(crate) unsafe fn text(text: Text) -> &'static str {
    // SAFETY: the caller's promise; names in modules are UTF-8.
    unsafe {
        core::str::from_utf8_unchecked(core::slice::from_raw_parts(text.bytes, text.len as usize))
    }
}

/// A list that the translator emitted.
pub(crate) fn list<T>(first: *const T, count: u32) -> &'static [T] {
    // SAFETY: emitted lists have as many rows as emitted counts say, and are never null.
    unsafe { core::slice::from_raw_parts(first, count as usize) }
}

impl Module {
    /// The module behind the symbol `linnet_module_<prefix>`. None if another version of the translator
    /// made it, or if it is no module for embedding.
    ///
    /// # Safety
    /// It must be what the translator emitted.
    #[must_use]
    pub unsafe fn from_raw(raw: &'static Raw) -> Option<Module> {
        if !modules::register(raw) {
            return None;
        }
        // SAFETY: not null, or it would not be registered.
        let standalone = unsafe { &*raw.standalone };
        let layout = Layout::of(&standalone.counts)?;
        let mut imported = [0; 5];
        for import in list(standalone.imports, standalone.import_count) {
            imported[import.kind as usize] += 1;
        }
        Some(Module { raw, standalone, layout, imported })
    }

    pub(crate) fn raw_imports(&self) -> &'static [RawImport] {
        list(self.standalone.imports, self.standalone.import_count)
    }

    /// What it imports, in order.
    #[must_use]
    pub fn imports(&self) -> Vec<Import> {
        let import = |raw: &RawImport| {
            // SAFETY: emitted texts.
            let (module, name) = unsafe { (text(raw.module), text(raw.name)) };
            Import { module, name, ty: self.type_of(raw.kind, raw.index) }
        };
        self.raw_imports().iter().map(import).collect()
    }

    /// What it exports, in order.
    #[must_use]
    pub fn exports(&self) -> Vec<Export> {
        let export = |raw: &RawExport| {
            // SAFETY: emitted texts.
            let name = unsafe { text(raw.name) };
            Export { name, ty: self.type_of(raw.kind, raw.index) }
        };
        self.raw_exports().iter().map(export).collect()
    }

    /// Type of the entry of that number among those of a kind.
    pub(crate) fn type_of(&self, kind: u32, index: u32) -> ExternType {
        let (s, counts, index) = (self.standalone, &self.standalone.counts, index as usize);
        match kind {
            external::FUNCTION => {
                // SAFETY: emitted with the module.
                let ty = unsafe { &*list(s.functions, counts.functions)[index].ty };
                ExternType::Func(FuncType::from_raw(ty))
            }
            external::TABLE => {
                ExternType::Table(TableType::from_raw(&list(s.tables, counts.tables)[index]))
            }
            external::MEMORY => {
                ExternType::Memory(MemoryType::from_raw(&list(s.memories, counts.memories)[index]))
            }
            external::GLOBAL => {
                let ty = &list(s.globals, counts.globals)[index];
                let value = ValType::from_raw(&ty.value);
                ExternType::Global(GlobalType { value, is_mutable: ty.is_mutable != 0 })
            }
            // SAFETY: emitted with the module.
            _ => ExternType::Tag(FuncType::from_raw(unsafe { &*list(s.tags, counts.tags)[index] })),
        }
    }

    /// Where the types of its values lie, which never go away.
    fn values_of(&self, kind: u32, index: u32) -> *const RawValueType {
        let (s, counts, index) = (self.standalone, &self.standalone.counts, index as usize);
        match kind {
            // SAFETY: emitted with the module.
            external::FUNCTION => unsafe { (*list(s.functions, counts.functions)[index].ty).types },
            external::TABLE => &raw const list(s.tables, counts.tables)[index].element,
            external::MEMORY => ptr::null(),
            external::GLOBAL => &raw const list(s.globals, counts.globals)[index].value,
            // SAFETY: emitted with the module.
            _ => unsafe { (*list(s.tags, counts.tags)[index]).types },
        }
    }

    /// Module, name, type, and where the types of its values lie, of the import of that number.
    pub(crate) fn import_at(
        &self,
        number: usize,
    ) -> Option<(&'static str, &'static str, ExternType, *const RawValueType)> {
        let raw = self.raw_imports().get(number)?;
        // SAFETY: emitted texts.
        let (module, name) = unsafe { (text(raw.module), text(raw.name)) };
        let values = self.values_of(raw.kind, raw.index);
        Some((module, name, self.type_of(raw.kind, raw.index), values))
    }

    /// The same of an export.
    pub(crate) fn export_type(
        &self,
        number: usize,
    ) -> Option<(&'static str, ExternType, *const RawValueType)> {
        let raw = self.raw_exports().get(number)?;
        // SAFETY: emitted texts.
        let name = unsafe { text(raw.name) };
        let values = self.values_of(raw.kind, raw.index);
        Some((name, self.type_of(raw.kind, raw.index), values))
    }

    /// Number of the export of that name.
    pub(crate) fn export_number(&self, name: &[u8]) -> Option<u32> {
        let is_it = |raw: &RawExport| {
            // SAFETY: emitted texts.
            unsafe { text(raw.name) }.as_bytes() == name
        };
        self.raw_exports().iter().position(is_it).map(|number| number as u32)
    }

    /// One of its function types, as translated code knows it.
    pub(crate) fn find_type(&self, ty: &FuncType) -> Option<*const RawFuncType> {
        let functions = list(self.standalone.functions, self.standalone.counts.functions);
        // SAFETY: emitted with the module.
        let is_it = |raw: &*const RawFuncType| unsafe { FuncType::from_raw(&**raw) == *ty };
        functions.iter().map(|function| function.ty).find(is_it)
    }

    pub(crate) fn raw_exports(&self) -> &'static [RawExport] {
        list(self.standalone.exports, self.standalone.export_count)
    }
}

/// What modules may import, by module and name.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    known: BTreeMap<String, BTreeMap<String, Extern>>,
}

impl Imports {
    /// Nothing.
    #[must_use]
    pub fn new() -> Imports {
        Imports::default()
    }

    /// Adds something, in place of what had these names.
    pub fn define(&mut self, module: &str, name: &str, value: Extern) -> &mut Imports {
        match self.known.get_mut(module) {
            Some(known) => known.insert(name.to_owned(), value),
            None => self.known.entry(module.to_owned()).or_default().insert(name.to_owned(), value),
        };
        self
    }

    /// Adds a function of the host.
    pub fn func(
        &mut self,
        store: &Store,
        module: &str,
        name: &str,
        ty: FuncType,
        body: impl Fn(&[Value]) -> Result<Vec<Value>> + 'static,
    ) -> &mut Imports {
        self.define(module, name, Extern::Func(Func::new(store, ty, body)))
    }

    /// The same with a new memory, table or tag for each one that the module imports and that is not here. Two
    /// instances share them only if both are made from the result.
    ///
    /// # Errors
    ///
    /// There is no room.
    pub fn with_missing(&self, store: &Store, module: &Module) -> Result<Imports> {
        let mut all = self.clone();
        let (s, counts) = (module.standalone, &module.standalone.counts);
        for import in module.raw_imports() {
            // SAFETY: emitted texts.
            let (from, name) = unsafe { (text(import.module), text(import.name)) };
            if all.get(from, name).is_some() {
                continue;
            }
            let (number, store) = (import.index as usize, store.clone());
            let new = match import.kind {
                external::MEMORY => {
                    let raw = store.new_memory(list(s.memories, counts.memories)[number])?;
                    Extern::Memory(Memory { store, raw })
                }
                external::TABLE => {
                    let raw = store.new_table(list(s.tables, counts.tables)[number], 0)?;
                    Extern::Table(Table { store, raw })
                }
                external::TAG => {
                    let raw = store.new_tag(list(s.tags, counts.tags)[number]);
                    Extern::Tag(Tag { store, raw })
                }
                _ => continue,
            };
            all.define(from, name, new);
        }
        Ok(all)
    }

    #[must_use]
    pub fn get(&self, module: &str, name: &str) -> Option<&Extern> {
        self.known.get(module)?.get(name)
    }
}

/// A function type of a module of this process, as translated code knows it.
pub(crate) fn find_type(ty: &FuncType) -> Option<*const RawFuncType> {
    modules::all().find_map(|tables| {
        // SAFETY: the translator emitted it.
        unsafe { Module::from_raw(tables.module) }?.find_type(ty)
    })
}
