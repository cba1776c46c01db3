//! Modules and their instances.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::modules;
use crate::prelude::*;
use crate::store::{Global, Memory, Store, Table, Tag};
use crate::trap;
use crate::value::{FuncType, ValType, Value};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::ptr;
use linnet_abi::instance::{
    Export as RawExport, FuncRef, GlobalType, Import as RawImport, Instance as Head, Layout,
    MemorySlot, MemoryType, Slot, Standalone, Table as RawTable, TableType, Tag as RawTag, Text,
    external,
};
use linnet_abi::module::Module as Raw;

/// A translated module.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    raw: &'static Raw,
    standalone: &'static Standalone,
    layout: Layout,
}

/// Something that modules import and export.
#[derive(Debug, Clone)]
pub enum Extern {
    Func(Func),
    Table(Table),
    Memory(Memory),
    Global(Global),
    Tag(Tag),
}

/// Kind of an import or export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

impl Kind {
    fn from_raw(kind: u32) -> Kind {
        match kind {
            external::FUNCTION => Kind::Func,
            external::TABLE => Kind::Table,
            external::MEMORY => Kind::Memory,
            external::GLOBAL => Kind::Global,
            _ => Kind::Tag,
        }
    }
}

/// What a module imports.
#[derive(Debug, Clone)]
pub struct Import {
    pub module: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    /// Type of an imported function.
    pub func: Option<FuncType>,
    /// Type of an imported global's value, and whether it is mutable.
    pub global: Option<(ValType, bool)>,
}

/// # Safety
/// A text that the translator emitted.
unsafe fn text(text: Text) -> &'static str {
    // SAFETY: the caller's promise; names in modules are UTF-8.
    unsafe {
        core::str::from_utf8_unchecked(core::slice::from_raw_parts(text.bytes, text.len as usize))
    }
}

/// A list that the translator emitted.
fn list<T>(first: *const T, count: u32) -> &'static [T] {
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
        Some(Module { raw, standalone, layout })
    }

    fn raw_imports(&self) -> &'static [RawImport] {
        list(self.standalone.imports, self.standalone.import_count)
    }

    /// What it imports, in order.
    #[must_use]
    pub fn imports(&self) -> Vec<Import> {
        let import = |raw: &RawImport| {
            let func = (raw.kind == external::FUNCTION).then(|| {
                let functions = list(self.standalone.functions, self.standalone.counts.functions);
                // SAFETY: emitted with the module.
                FuncType::from_raw(unsafe { &*functions[raw.index as usize].ty })
            });
            let global = (raw.kind == external::GLOBAL).then(|| {
                let globals = list(self.standalone.globals, self.standalone.counts.globals);
                let ty = &globals[raw.index as usize];
                (ValType::from_raw(&ty.value), ty.is_mutable != 0)
            });
            // SAFETY: emitted texts.
            let (module, name) = unsafe { (text(raw.module), text(raw.name)) };
            Import { module, name, kind: Kind::from_raw(raw.kind), func, global }
        };
        self.raw_imports().iter().map(import).collect()
    }

    fn exports(&self) -> &'static [RawExport] {
        list(self.standalone.exports, self.standalone.export_count)
    }
}

/// What modules may import, by module and name.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    known: BTreeMap<(String, String), Extern>,
}

impl Imports {
    /// Nothing.
    #[must_use]
    pub fn new() -> Imports {
        Imports::default()
    }

    /// Adds something, in place of what had these names.
    pub fn define(&mut self, module: &str, name: &str, value: Extern) -> &mut Imports {
        self.known.insert((module.to_owned(), name.to_owned()), value);
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

    /// Adds all exports of an instance.
    pub fn instance(&mut self, module: &str, instance: &Instance) -> &mut Imports {
        for (name, value) in instance.exports() {
            self.define(module, name, value);
        }
        self
    }

    /// Adds a new memory, table or tag for each one that a module imports and that is not here yet.
    ///
    /// # Errors
    ///
    /// There is no room.
    pub fn missing(&mut self, store: &Store, module: &Module) -> Result<&mut Imports> {
        let (s, counts) = (module.standalone, &module.standalone.counts);
        for import in module.raw_imports() {
            // SAFETY: emitted texts.
            let (from, name) = unsafe { (text(import.module), text(import.name)) };
            if self.get(from, name).is_some() {
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
            self.define(from, name, new);
        }
        Ok(self)
    }

    #[must_use]
    pub fn get(&self, module: &str, name: &str) -> Option<&Extern> {
        self.known.get(&(module.to_owned(), name.to_owned()))
    }
}

/// An instance of a module.
#[derive(Debug, Clone)]
pub struct Instance {
    store: Store,
    module: Module,
    raw: *mut u8,
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
        let mut imported = [0u32; 5];
        for import in module.raw_imports() {
            // SAFETY: emitted texts.
            let (from, name) = unsafe { (text(import.module), text(import.name)) };
            let Some(value) = imports.get(from, name) else {
                return Err(Error::Link(format!("unknown import: {from:?} {name:?}")));
            };
            instance.import(import, value)?.ok_or_else(|| {
                Error::Link(format!("incompatible import type: {from:?} {name:?} is {value:?}"))
            })?;
            imported[import.kind as usize] += 1;
        }
        instance.fill(&imported)?;
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
        let ended = unsafe { trap::call_code(initialize, self.raw, ptr::null(), ptr::null_mut()) };
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
        let store = match value {
            Extern::Func(func) => func.store(),
            Extern::Table(table) => &table.store,
            Extern::Memory(memory) => &memory.store,
            Extern::Global(global) => &global.store,
            Extern::Tag(tag) => &tag.store,
        };
        self.store.check(store)?;
        // SAFETY: all entries written here are the instance's, of the type of their array; what is read
        // through handles lives as long as the store.
        unsafe {
            match (import.kind, value) {
                (external::FUNCTION, Extern::Func(func)) => {
                    let wanted = list(s.functions, s.counts.functions)[index as usize].ty;
                    let Some(func) = func.linked(wanted) else { return Ok(None) };
                    *self.entry::<FuncRef>(l.functions, index) = *func.raw();
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
                    if (*tag.raw).ty != list(s.tags, s.counts.tags)[index as usize] {
                        return Ok(None);
                    }
                    *self.entry(l.tags, index) = tag.raw;
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(()))
    }

    /// Makes what the module has itself; `imported` are the numbers of imports by kind.
    fn fill(&self, imported: &[u32; 5]) -> Result<()> {
        let (s, l) = (self.module.standalone, &self.module.layout);
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
        }
        Ok(())
    }

    fn extern_of(&self, export: &RawExport) -> Extern {
        let (s, l, index) = (self.module.standalone, &self.module.layout, export.index);
        let store = self.store.clone();
        // SAFETY: entries of a filled instance.
        unsafe {
            match export.kind {
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
                external::GLOBAL => {
                    let ty = list(s.globals, s.counts.globals)[index as usize];
                    let slot = self.entry::<Slot>(l.globals, index);
                    let slot = if ty.is_mutable != 0 && index < self.imported_globals() {
                        (*slot).0[0] as *mut Slot
                    } else {
                        slot
                    };
                    Extern::Global(Global { store, slot, ty })
                }
                _ => Extern::Tag(Tag { store, raw: *self.entry::<*const RawTag>(l.tags, index) }),
            }
        }
    }

    fn imported_globals(&self) -> u32 {
        let imports = self.module.raw_imports().iter();
        imports.filter(|i| i.kind == external::GLOBAL).count() as u32
    }

    /// All exports.
    pub fn exports(&self) -> impl Iterator<Item = (&'static str, Extern)> + '_ {
        // SAFETY: emitted texts.
        self.module.exports().iter().map(|e| (unsafe { text(e.name) }, self.extern_of(e)))
    }

    /// The export of that name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<Extern> {
        // SAFETY: emitted texts.
        let export = self.module.exports().iter().find(|e| unsafe { text(e.name) } == name)?;
        Some(self.extern_of(export))
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
        if self.module.standalone.counts.memories == 0 {
            return None;
        }
        // SAFETY: a filled entry.
        let raw = unsafe { (*self.entry::<MemorySlot>(self.module.layout.memories, 0)).memory };
        Some(Memory { store: self.store.clone(), raw })
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
}

fn fits_limits(size: u64, max: u64, wanted_min: u64, wanted_max: u64) -> bool {
    size >= wanted_min && max <= wanted_max
}

fn fits_table(table: &RawTable, wanted: &TableType) -> bool {
    let types = [table.ty.element, wanted.element].map(|ty| ValType::from_raw(&ty));
    types[0] == types[1]
        && table.ty.is_64 == wanted.is_64
        && fits_limits(table.len, table.ty.max, wanted.min, wanted.max)
}

fn fits_memory(pages: u64, ty: &MemoryType, wanted: &MemoryType) -> bool {
    ty.is_64 == wanted.is_64
        && ty.is_shared == wanted.is_shared
        && ty.page_log2 == wanted.page_log2
        && fits_limits(pages, ty.max, wanted.min, wanted.max)
}

fn fits_global(ty: &GlobalType, wanted: &GlobalType) -> bool {
    let types = [ty.value, wanted.value].map(|ty| ValType::from_raw(&ty));
    ty.is_mutable == wanted.is_mutable
        && (types[0] == types[1] || wanted.is_mutable == 0 && types[0].is_subtype_of(types[1]))
}
