//! What modules import and export besides functions, and exceptions: handles of what a store owns.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::prelude::*;
use crate::store::{MemoryOwner, Store, TagOwner};
use crate::types::{ExternType, GlobalType, MemoryType, TableType};
use crate::value::{FuncType, ValType, Value};
use alloc::sync::Arc;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "std")]
use linnet_abi::instance::ValueType as RawValueType;
use linnet_abi::instance::{
    Exception as RawException, FuncType as RawFuncType, GlobalType as RawGlobalType,
    Memory as RawMemory, PAYLOAD, Slot, Table as RawTable, Tag as RawTag,
};

/// A linear memory.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(crate) store: Store,
    pub(crate) raw: *mut RawMemory,
}

impl Memory {
    /// A memory of zeros.
    ///
    /// # Errors
    ///
    /// There is no room for it.
    pub fn new(store: &Store, ty: &MemoryType) -> Result<Memory> {
        if !matches!(ty.page_log2, 0 | 16) || ty.is_shared && ty.max.is_none() {
            return Err(Error::Type("there is no such type of memories".to_owned()));
        }
        Ok(Memory { store: store.clone(), raw: store.new_memory(ty.raw())? })
    }

    /// Its type, with its size now as the least one.
    #[must_use]
    pub fn ty(&self) -> MemoryType {
        let ty = MemoryType::from_raw(&self.raw().ty);
        MemoryType { min: self.size() >> ty.page_log2, ..ty }
    }

    pub(crate) fn raw(&self) -> &RawMemory {
        // SAFETY: the handle keeps the store alive.
        unsafe { &*self.raw }
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        // SAFETY: the handle keeps the store alive; another thread may make a shared memory grow.
        unsafe { (*AtomicU64::from_ptr(&raw mut (*self.raw).size)).load(Ordering::Acquire) }
    }

    /// Address of byte 0. It never changes; [`Memory::size`] bytes from there on are accessible.
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.raw().base as *mut u8
    }

    /// The memory as translated code knows it, for a host that looks at it without the store. It lives as long
    /// as the store.
    #[must_use]
    pub fn as_raw(&self) -> *mut RawMemory {
        self.raw
    }

    /// Grows it by so many pages; the old size in pages.
    ///
    /// # Errors
    ///
    /// It may not become so large, or there is no room.
    pub fn grow(&self, pages: u64) -> Result<u64> {
        let old = self.store.0.grow_memory(self.raw, pages);
        old.ok_or_else(|| Error::Resources(format!("a memory cannot grow by {pages} pages")))
    }

    fn range(&self, at: u64, len: usize) -> Result<*mut u8> {
        let end = at.checked_add(len as u64).filter(|end| *end <= self.size());
        if end.is_none() {
            return Err(Error::Type(format!("{len} bytes at {at:#x} are outside of the memory")));
        }
        // SAFETY: inside of the memory.
        Ok(unsafe { self.base().add(at as usize) })
    }

    /// Copies bytes out of the memory.
    ///
    /// # Errors
    ///
    /// The range is out of bounds.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        let from = self.range(at, bytes.len())?;
        // SAFETY: the range is in bounds, and Rust's own memory lies elsewhere.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies bytes into the memory.
    ///
    /// # Errors
    ///
    /// The range is out of bounds.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<()> {
        let to = self.range(at, bytes.len())?;
        // SAFETY: as in `read`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }
}

/// A shared memory on its way to another thread's store.
#[derive(Debug, Clone)]
pub struct SharedMemory(Arc<MemoryOwner>);

impl SharedMemory {
    /// The same memory in a store of the calling thread.
    #[must_use]
    pub fn open(&self, store: &Store) -> Memory {
        let raw = self.0.raw.get();
        // SAFETY: its base never changes.
        let base = unsafe { (*raw).base };
        store.0.memories.borrow_mut().insert(base, self.0.clone());
        Memory { store: store.clone(), raw }
    }
}

impl Memory {
    /// What other threads can open it with; none if it is not shared.
    #[must_use]
    pub fn share(&self) -> Option<SharedMemory> {
        if self.raw().ty.is_shared == 0 {
            return None;
        }
        self.store.0.memory(self.raw).map(SharedMemory)
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) store: Store,
    pub(crate) raw: *mut RawTable,
}

impl Table {
    /// A table of nulls.
    ///
    /// # Errors
    ///
    /// There is no room for it, or its elements may not be null.
    pub fn new(store: &Store, ty: &TableType) -> Result<Table> {
        if Value::default_of(ty.element).is_none_or(|value| value.is_number()) {
            return Err(Error::Type(format!(
                "a table of nulls cannot have elements of {}",
                ty.element
            )));
        }
        Ok(Table { store: store.clone(), raw: store.new_table(ty.raw(), 0)? })
    }

    /// Its type, with its size now as the least one.
    #[must_use]
    pub fn ty(&self) -> TableType {
        TableType { min: self.size(), ..TableType::from_raw(&self.raw().ty) }
    }

    /// Grows it by so many elements of that value; the old size.
    ///
    /// # Errors
    ///
    /// It may not become so large, there is no room, or the value has another type.
    pub fn grow(&self, count: u64, value: &Value) -> Result<u64> {
        let slot = value.to_slot(self.element(), &self.store)?;
        let old = self.store.0.grow_table(self.raw, slot.0[0], count);
        old.ok_or_else(|| Error::Resources(format!("a table cannot grow by {count} elements")))
    }

    pub(crate) fn raw(&self) -> &RawTable {
        // SAFETY: the handle keeps the store alive.
        unsafe { &*self.raw }
    }

    /// Number of elements.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.raw().len
    }

    /// Type of the elements.
    #[must_use]
    pub fn element(&self) -> ValType {
        ValType::from_raw(&self.raw().ty.element)
    }

    pub(crate) fn outside(&self, index: u64) -> Error {
        Error::Type(format!("element {index} of a table of {}", self.size()))
    }

    /// The element of that index.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<Value> {
        let raw = self.raw();
        if index >= raw.len {
            return None;
        }
        // SAFETY: in bounds; elements are values of the table's type.
        unsafe {
            let slot = Slot([*raw.elements.add(index as usize), 0]);
            Some(Value::from_slot(slot, self.element(), &self.store))
        }
    }

    /// Sets the element of that index.
    ///
    /// # Errors
    ///
    /// It is out of bounds, or the value has another type.
    pub fn set(&self, index: u64, value: &Value) -> Result<()> {
        let raw = self.raw();
        let slot = value.to_slot(self.element(), &self.store)?;
        if index >= raw.len {
            return Err(self.outside(index));
        }
        // SAFETY: in bounds.
        unsafe { *raw.elements.add(index as usize) = slot.0[0] };
        Ok(())
    }
}

/// A global variable.
#[derive(Debug, Clone)]
pub struct Global {
    pub(crate) store: Store,
    pub(crate) slot: *mut Slot,
    pub(crate) ty: RawGlobalType,
}

impl Global {
    /// A global of type `ty`.
    ///
    /// # Errors
    ///
    /// The value has another type.
    pub fn new(store: &Store, ty: ValType, is_mutable: bool, value: &Value) -> Result<Global> {
        let slot = value.to_slot(ty, store)?;
        let ty = RawGlobalType { value: ty.raw(), is_mutable: u32::from(is_mutable), reserved: 0 };
        Ok(Global { store: store.clone(), slot: store.new_global(ty, slot), ty })
    }

    /// Type of its value.
    #[must_use]
    pub fn ty(&self) -> ValType {
        ValType::from_raw(&self.ty.value)
    }

    /// Whether its value may change.
    #[must_use]
    pub fn is_mutable(&self) -> bool {
        self.ty.is_mutable != 0
    }

    /// Its value.
    #[must_use]
    pub fn get(&self) -> Value {
        // SAFETY: the handle keeps the store alive; the slot holds a value of that type.
        unsafe { Value::from_slot(*self.slot, self.ty(), &self.store) }
    }

    /// Sets its value.
    ///
    /// # Errors
    ///
    /// It is immutable, or the value has another type.
    pub fn set(&self, value: &Value) -> Result<()> {
        if self.ty.is_mutable == 0 {
            return Err(Error::Type("the global is immutable".to_owned()));
        }
        let slot = value.to_slot(self.ty(), &self.store)?;
        // SAFETY: the handle keeps the store alive.
        unsafe { *self.slot = slot };
        Ok(())
    }
}

/// An exception tag.
#[derive(Debug, Clone)]
pub struct Tag {
    pub(crate) store: Store,
    pub(crate) raw: *const RawTag,
}

impl Tag {
    /// A tag of exceptions with a payload of these types.
    #[must_use]
    pub fn new(store: &Store, params: impl IntoIterator<Item = ValType>) -> Tag {
        // Its type is known to translated code only once a module imports it.
        let raw = store.push_tag(ptr::null(), FuncType::new(params, []));
        Tag { store: store.clone(), raw }
    }

    fn owner(&self) -> &TagOwner {
        // SAFETY: the handle keeps the store alive, and all tags are made by `push_tag`.
        unsafe { &*self.raw.cast() }
    }

    /// Types of the payload.
    #[must_use]
    pub fn params(&self) -> &[ValType] {
        &self.owner().ty.params
    }

    /// Where the types of its payload lie; null if no module knows it.
    #[cfg(feature = "std")]
    pub(crate) fn raw_types(&self) -> *const RawValueType {
        // SAFETY: a module's type.
        unsafe { self.owner().raw.ty.as_ref() }.map_or(ptr::null(), |ty| ty.types)
    }

    pub(crate) fn func_type(&self) -> &FuncType {
        &self.owner().ty
    }

    /// Whether it has that type of a module's, which becomes its own if it had none.
    pub(crate) fn link(&self, wanted: *const RawFuncType) -> bool {
        if self.owner().raw.ty.is_null() {
            // SAFETY: a module's type; nothing refers to the tag meanwhile.
            unsafe {
                if FuncType::from_raw(&*wanted) == self.owner().ty {
                    (*self.raw.cast::<RawTag>().cast_mut()).ty = wanted;
                }
            }
        }
        self.owner().raw.ty == wanted
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Tag) -> bool {
        self.raw == other.raw
    }
}

/// An exception. It lives as long as its store.
#[derive(Debug, Clone)]
pub struct Exception {
    store: Store,
    raw: *mut RawException,
}

impl Exception {
    /// # Safety
    /// It must be the address of a live exception of that store.
    pub(crate) unsafe fn from_address(address: u64, store: &Store) -> Exception {
        let raw = address as *mut RawException;
        // SAFETY: the caller's promise. A handle may refer to it from now on.
        unsafe { (*raw).escaped = 1 };
        Exception { store: store.clone(), raw }
    }

    pub(crate) fn address(&self) -> u64 {
        self.raw as u64
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// An exception of that tag.
    ///
    /// # Errors
    ///
    /// The payload has not the types that the tag says.
    pub fn new(tag: &Tag, payload: &[Value]) -> Result<Exception> {
        let (types, store) = (tag.params(), &tag.store);
        if types.len() != payload.len() {
            let message = format!("a payload of {} instead of {}", payload.len(), types.len());
            return Err(Error::Type(message));
        }
        let slots = payload.iter().zip(types).map(|(value, ty)| value.to_slot(*ty, store));
        let slots = slots.collect::<Result<Vec<_>>>()?;
        // SAFETY: the handle keeps the tag alive.
        let address = unsafe { store.0.new_exception(tag.raw) };
        // SAFETY: it was just made, with room for these.
        unsafe {
            let first = (address as *mut RawException).byte_add(PAYLOAD).cast::<Slot>();
            ptr::copy_nonoverlapping(slots.as_ptr(), first, slots.len());
            Ok(Exception::from_address(address, store))
        }
    }

    /// Its tag.
    #[must_use]
    pub fn tag(&self) -> Tag {
        // SAFETY: the handle keeps the store alive.
        Tag { store: self.store.clone(), raw: unsafe { (*self.raw).tag } }
    }

    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> Vec<Value> {
        let tag = self.tag();
        let types = tag.params().iter().enumerate();
        // SAFETY: the payload lies there, a slot for each.
        let first = unsafe { self.raw.byte_add(PAYLOAD).cast::<Slot>() };
        // SAFETY: the slots hold values of these types.
        types.map(|(i, ty)| unsafe { Value::from_slot(*first.add(i), *ty, &self.store) }).collect()
    }
}

impl Extern {
    /// Its type; of what can grow, with the size that it has now.
    #[must_use]
    pub fn ty(&self) -> ExternType {
        match self {
            Extern::Func(func) => ExternType::Func(func.ty()),
            Extern::Table(table) => ExternType::Table(table.ty()),
            Extern::Memory(memory) => ExternType::Memory(memory.ty()),
            Extern::Global(global) => ExternType::Global(GlobalType {
                value: global.ty(),
                is_mutable: global.is_mutable(),
            }),
            Extern::Tag(tag) => ExternType::Tag(tag.func_type().clone()),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        match self {
            Extern::Func(func) => func.store(),
            Extern::Table(table) => &table.store,
            Extern::Memory(memory) => &memory.store,
            Extern::Global(global) => &global.store,
            Extern::Tag(tag) => &tag.store,
        }
    }
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
