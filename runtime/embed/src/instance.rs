//! Instances of modules.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::items::{Extern, Global, Memory, Table, Tag};
use crate::module::{Imports, Module, list, text};
use crate::prelude::*;
use crate::store::Store;
use crate::trap;
use crate::value::{ValType, Value};
use alloc::rc::Rc;
use core::ptr;
use linnet_abi::instance::{
    FuncRef, GlobalType as RawGlobalType, Import as RawImport, Instance as Head, MemorySlot,
    MemoryType as RawMemoryType, Slot, Table as RawTable, TableType as RawTableType, Tag as RawTag,
    external,
};

/// An instance of a module.
#[derive(Debug, Clone)]
pub struct Instance {
    store: Store,
    module: Module,
    raw: *mut u8,
}

impl Imports {
    /// Adds all exports of an instance.
    pub fn instance(&mut self, module: &str, instance: &Instance) -> &mut Imports {
        for (name, value) in instance.exports() {
            self.define(module, name, value);
        }
        self
    }
}

impl Instance {
    /// Makes an instance and runs its start function.
    ///
    /// # Errors
    ///
    /// An import is missing or has another type, there is no room, or the initialisation traps.
    pub fn new(store: &Store, module: &Module, imports: &Imports) -> Result<Instance> {
        let instance = Instance::prepare(store, module, imports)?;
        // SAFETY: it is new.
        unsafe { instance.initialize()? };
        Ok(instance)
    }

    /// Makes an instance whose memories, tables and globals have no contents yet.
    ///
    /// # Errors
    ///
    /// An import is missing or has another type, or there is no room.
    pub fn prepare(store: &Store, module: &Module, imports: &Imports) -> Result<Instance> {
        let raw = store.allocate_instance(module.layout.size as usize)?;
        let instance = Instance { store: store.clone(), module: *module, raw };
        for import in module.raw_imports() {
            // SAFETY: emitted texts.
            let (from, name) = unsafe { (text(import.module), text(import.name)) };
            let Some(value) = imports.get(from, name) else {
                return Err(Error::Link(format!("unknown import: {from:?} {name:?}")));
            };
            instance.import(import, value)?.ok_or_else(|| {
                let (found, wanted) = (value.ty(), module.type_of(import.kind, import.index));
                let place = format!("{from:?} {name:?}");
                Error::Link(format!(
                    "incompatible import type: {place} is {found}, the module wants {wanted}"
                ))
            })?;
        }
        instance.fill()?;
        Ok(instance)
    }

    /// Fills in the contents and runs the start function.
    ///
    /// # Errors
    ///
    /// It traps.
    ///
    /// # Safety
    /// Once, before any of its functions is called.
    pub unsafe fn initialize(&self) -> Result<()> {
        let initialize = self.module.standalone.initialize;
        // SAFETY: emitted with the module; every instance of a type has its thunk there.
        let ended = unsafe {
            trap::call_code(&self.store, initialize, self.raw, ptr::null(), ptr::null_mut())
        };
        ended.map_err(|ending| self.store.ended(ending))
    }

    /// Address of the entry of that number in an array of the instance.
    fn entry<T>(&self, first: u32, number: u32) -> *mut T {
        // SAFETY: the layout is that of the module, and the number is one of the module's.
        unsafe { self.raw.add(first as usize).cast::<T>().add(number as usize) }
    }

    /// Takes an import; none if it has another type.
    fn import(&self, import: &RawImport, value: &Extern) -> Result<Option<()>> {
        let (index, s, l) = (import.index, self.module.standalone, &self.module.layout);
        self.store.check(value.store())?;
        // SAFETY: all entries written here are the instance's, of the type of their array; what is read
        // through handles lives as long as the store.
        unsafe {
            match (import.kind, value) {
                (external::FUNCTION, Extern::Func(func)) => {
                    let wanted = list(s.functions, s.counts.functions)[index as usize].ty;
                    let Some(func) = func.bind(wanted, self) else { return Ok(None) };
                    *self.entry::<FuncRef>(l.functions, index) = func;
                }
                (external::TABLE, Extern::Table(table)) => {
                    let wanted = &list(s.tables, s.counts.tables)[index as usize];
                    if !fits_table(table.raw(), wanted) {
                        return Ok(None);
                    }
                    *self.entry(l.tables, index) = table.raw;
                }
                (external::MEMORY, Extern::Memory(memory)) => {
                    let wanted = &list(s.memories, s.counts.memories)[index as usize];
                    let raw = memory.raw();
                    if !fits_memory(raw.size >> raw.ty.page_log2, &raw.ty, wanted) {
                        return Ok(None);
                    }
                    *self.entry(l.memories, index) =
                        MemorySlot { base: raw.base, memory: memory.raw };
                }
                (external::GLOBAL, Extern::Global(global)) => {
                    let wanted = &list(s.globals, s.counts.globals)[index as usize];
                    if !fits_global(&global.ty, wanted) {
                        return Ok(None);
                    }
                    *self.entry::<Slot>(l.globals, index) = if wanted.is_mutable != 0 {
                        Slot([global.slot as u64, 0])
                    } else {
                        *global.slot
                    };
                }
                (external::TAG, Extern::Tag(tag)) => {
                    if !tag.link(list(s.tags, s.counts.tags)[index as usize]) {
                        return Ok(None);
                    }
                    *self.entry(l.tags, index) = tag.raw;
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(()))
    }

    /// Makes what the module has itself.
    fn fill(&self) -> Result<()> {
        let Module { standalone: s, layout: l, imported, .. } = &self.module;
        let counts = &s.counts;
        // SAFETY: as in `import`.
        unsafe {
            let functions = list(s.functions, counts.functions);
            for number in imported[external::FUNCTION as usize]..counts.functions {
                let info = functions[number as usize];
                *self.entry(l.functions, number) =
                    FuncRef { code: info.code, ty: info.ty, context: self.raw, tail: info.tail };
            }
            for number in imported[external::TABLE as usize]..counts.tables {
                let ty = list(s.tables, counts.tables)[number as usize];
                *self.entry(l.tables, number) = self.store.new_table(ty, 0)?;
            }
            for number in imported[external::MEMORY as usize]..counts.memories {
                let ty = list(s.memories, counts.memories)[number as usize];
                let memory = self.store.new_memory(ty)?;
                *self.entry(l.memories, number) = MemorySlot { base: (*memory).base, memory };
            }
            for number in imported[external::TAG as usize]..counts.tags {
                let ty = list(s.tags, counts.tags)[number as usize];
                *self.entry::<*const RawTag>(l.tags, number) = self.store.new_tag(ty);
            }
            for number in 0..counts.data {
                *self.entry(l.data, number) = list(s.data, counts.data)[number as usize];
            }
            for number in 0..counts.elements {
                let len = list(s.elements, counts.elements)[number as usize].len;
                *self.entry(l.elements, number) = u64::from(len);
            }
            let head = &mut *self.raw.cast::<Head>();
            if counts.memories > 0 {
                head.heap_base = (*self.entry::<MemorySlot>(l.memories, 0)).base;
            }
            head.module = self.module.raw;
            head.host = Rc::as_ptr(&self.store.0).cast_mut().cast();
            // The instance lives as long as its store, which forgets the word before.
            self.store.0.interrupt.add(&raw mut head.poll, self.store.0.budget.get().is_some());
        }
        Ok(())
    }

    /// The entry of that number among those of a kind.
    fn extern_of(&self, kind: u32, index: u32) -> Extern {
        let l = &self.module.layout;
        let store = self.store.clone();
        // SAFETY: entries of a filled instance.
        unsafe {
            match kind {
                external::FUNCTION => {
                    let address = self.entry::<FuncRef>(l.functions, index) as u64;
                    Extern::Func(Func::from_address(address, &store))
                }
                external::TABLE => Extern::Table(Table {
                    store,
                    raw: *self.entry::<*mut RawTable>(l.tables, index),
                }),
                external::MEMORY => {
                    let raw = (*self.entry::<MemorySlot>(l.memories, index)).memory;
                    Extern::Memory(Memory { store, raw })
                }
                external::GLOBAL => Extern::Global(self.global_of(index)),
                _ => Extern::Tag(Tag { store, raw: *self.entry::<*const RawTag>(l.tags, index) }),
            }
        }
    }

    fn global_of(&self, index: u32) -> Global {
        let (s, l) = (self.module.standalone, &self.module.layout);
        let ty = list(s.globals, s.counts.globals)[index as usize];
        let slot = self.entry::<Slot>(l.globals, index);
        let is_elsewhere =
            ty.is_mutable != 0 && index < self.module.imported[external::GLOBAL as usize];
        // SAFETY: an entry of a filled instance.
        let slot = if is_elsewhere { unsafe { (*slot).0[0] as *mut Slot } } else { slot };
        Global { store: self.store.clone(), slot, ty }
    }

    /// The store that it belongs to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The module that it is one of.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn raw(&self) -> *mut u8 {
        self.raw
    }

    /// # Safety
    /// It must be the address of a live instance of that module and store.
    pub(crate) unsafe fn from_raw(raw: *mut u8, module: Module, store: Store) -> Instance {
        Instance { store, module, raw }
    }

    /// All memories.
    pub(crate) fn memories(&self) -> impl Iterator<Item = Memory> + '_ {
        let entry = |number| {
            // SAFETY: an entry of a filled instance.
            let raw =
                unsafe { (*self.entry::<MemorySlot>(self.module.layout.memories, number)).memory };
            Memory { store: self.store.clone(), raw }
        };
        (0..self.module.standalone.counts.memories).map(entry)
    }

    /// All tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> + '_ {
        let entry = |number| {
            // SAFETY: an entry of a filled instance.
            let raw = unsafe { *self.entry::<*mut RawTable>(self.module.layout.tables, number) };
            Table { store: self.store.clone(), raw }
        };
        (0..self.module.standalone.counts.tables).map(entry)
    }

    /// Globals that are imported and mutable.
    pub(crate) fn imported_variables(&self) -> impl Iterator<Item = Global> + '_ {
        let imported = 0..self.module.imported[external::GLOBAL as usize];
        imported.map(|index| self.global_of(index)).filter(Global::is_mutable)
    }

    /// What is in the instance's own memory and may change: all but its head and its functions.
    fn own_state(&self) -> (*mut u8, usize) {
        let (first, end) = (self.module.layout.globals, self.module.layout.functions);
        (self.entry::<u8>(first, 0), (end - first) as usize)
    }

    pub(crate) fn state(&self) -> &[u8] {
        let (first, len) = self.own_state();
        // SAFETY: inside the instance; nothing runs meanwhile.
        unsafe { core::slice::from_raw_parts(first, len) }
    }

    pub(crate) fn set_state(&self, bytes: &[u8]) {
        let (first, len) = self.own_state();
        assert_eq!(bytes.len(), len, "of an instance of another module");
        // SAFETY: inside the instance.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), first, len) };
    }

    /// What the instance got as the import of that number.
    #[must_use]
    pub fn imported(&self, number: usize) -> Option<Extern> {
        let import = self.module.raw_imports().get(number)?;
        Some(self.extern_of(import.kind, import.index))
    }

    /// The export of that number.
    #[must_use]
    pub fn export_at(&self, number: usize) -> Option<Extern> {
        let export = self.module.raw_exports().get(number)?;
        Some(self.extern_of(export.kind, export.index))
    }

    /// The exported function of that number.
    #[cfg(feature = "std")]
    pub(crate) fn func_ref(&self, number: usize) -> Option<&FuncRef> {
        let export = self.module.raw_exports().get(number)?;
        let is_function = export.kind == external::FUNCTION;
        // SAFETY: an entry of a filled instance.
        is_function.then(|| unsafe { &*self.entry(self.module.layout.functions, export.index) })
    }

    /// All exports.
    pub fn exports(&self) -> impl Iterator<Item = (&'static str, Extern)> + '_ {
        // SAFETY: emitted texts.
        self.module
            .raw_exports()
            .iter()
            .map(|e| (unsafe { text(e.name) }, self.extern_of(e.kind, e.index)))
    }

    /// The export of that name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<Extern> {
        // SAFETY: emitted texts.
        let export = self.module.raw_exports().iter().find(|e| unsafe { text(e.name) } == name)?;
        Some(self.extern_of(export.kind, export.index))
    }

    /// The exported function of that name.
    #[must_use]
    pub fn func(&self, name: &str) -> Option<Func> {
        match self.export(name) {
            Some(Extern::Func(func)) => Some(func),
            _ => None,
        }
    }

    /// The exported memory of that name.
    #[must_use]
    pub fn memory(&self, name: &str) -> Option<Memory> {
        match self.export(name) {
            Some(Extern::Memory(memory)) => Some(memory),
            _ => None,
        }
    }

    /// The memory that instructions use if they name none.
    #[must_use]
    pub fn first_memory(&self) -> Option<Memory> {
        self.memories().next()
    }

    /// The exported table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<Table> {
        match self.export(name) {
            Some(Extern::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The exported global of that name.
    #[must_use]
    pub fn global(&self, name: &str) -> Option<Global> {
        match self.export(name) {
            Some(Extern::Global(global)) => Some(global),
            _ => None,
        }
    }

    /// The exported tag of that name.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<Tag> {
        match self.export(name) {
            Some(Extern::Tag(tag)) => Some(tag),
            _ => None,
        }
    }

    /// Calls the exported function of that name.
    ///
    /// # Errors
    ///
    /// There is none, or as of [`Func::call`].
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Vec<Value>> {
        let func = self.func(name);
        func.ok_or_else(|| Error::Type(format!("no function {name:?} is exported")))?.call(args)
    }

    /// Calls the export of that number.
    ///
    /// # Errors
    ///
    /// It is no function, or as of [`Func::call`].
    pub fn call_at(&self, number: usize, args: &[Value]) -> Result<Vec<Value>> {
        match self.export_at(number) {
            Some(Extern::Func(func)) => func.call(args),
            _ => Err(Error::Type(format!("export {number} is no function"))),
        }
    }
}

fn fits_limits(size: u64, max: u64, wanted_min: u64, wanted_max: u64) -> bool {
    size >= wanted_min && max <= wanted_max
}

fn fits_table(table: &RawTable, wanted: &RawTableType) -> bool {
    let types = [table.ty.element, wanted.element].map(|ty| ValType::from_raw(&ty));
    types[0] == types[1]
        && table.ty.is_64 == wanted.is_64
        && fits_limits(table.len, table.ty.max, wanted.min, wanted.max)
}

fn fits_memory(pages: u64, ty: &RawMemoryType, wanted: &RawMemoryType) -> bool {
    ty.is_64 == wanted.is_64
        && ty.is_shared == wanted.is_shared
        && ty.page_log2 == wanted.page_log2
        && fits_limits(pages, ty.max, wanted.min, wanted.max)
}

fn fits_global(ty: &RawGlobalType, wanted: &RawGlobalType) -> bool {
    let types = [ty.value, wanted.value].map(|ty| ValType::from_raw(&ty));
    ty.is_mutable == wanted.is_mutable
        && (types[0] == types[1] || wanted.is_mutable == 0 && types[0].is_subtype_of(types[1]))
}
