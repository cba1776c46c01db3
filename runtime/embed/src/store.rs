//! Stores: what owns instances and all that belongs to them.

use crate::error::{Error, Result};
use crate::host::lock::Lock;
use crate::host::memory::Errno;
use crate::prelude::*;
use crate::reservation::Reservation;
use crate::value::{FuncType, ValType, Value};
use alloc::alloc::{Layout, alloc_zeroed, dealloc};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::fmt::{self, Debug, Formatter};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use linnet_abi::instance::{
    self, Exception as RawException, FuncRef, FuncType as RawFuncType, GlobalType as RawGlobalType,
    Memory as RawMemory, MemoryType, PAYLOAD, Slot, Table as RawTable, Tag as RawTag,
};

/// Owns instances, memories, tables and so on, which may refer to each other. It lives as long as any of
/// its handles; a thread can have many, and each belongs to one thread.
#[derive(Clone)]
pub struct Store(pub(crate) Rc<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    instances: RefCell<Vec<(*mut u8, Layout)>>,
    memories: RefCell<Vec<Arc<MemoryOwner>>>,
    tables: RefCell<Vec<*mut TableOwner>>,
    globals: RefCell<Vec<*mut GlobalOwner>>,
    tags: RefCell<Vec<*mut RawTag>>,
    pub(crate) hosts: RefCell<Vec<*mut crate::func::Host>>,
    pub(crate) func_refs: RefCell<Vec<*mut FuncRef>>,
    exceptions: RefCell<BTreeMap<u64, Layout>>,
    /// Why a host function failed, until the call that it belongs to has ended.
    pub(crate) failure: RefCell<Option<Error>>,
    /// Elements that all tables together may have.
    pub(crate) table_room: Cell<u64>,
    /// Bytes that each memory may have.
    memory_limit: Cell<u64>,
}

#[repr(C)]
#[derive(Debug)]
struct MemoryOwner {
    /// First: its address is the memory's. Only its size changes, under the lock.
    raw: UnsafeCell<RawMemory>,
    reservation: Lock<Reservation>,
}

// SAFETY: only what is shared leaves its thread ([`Memory::share`]), and that changes under a lock.
unsafe impl Send for MemoryOwner {}
// SAFETY: as above.
unsafe impl Sync for MemoryOwner {}

#[repr(C)]
pub(crate) struct TableOwner {
    /// First: its address is the table's.
    pub(crate) raw: RawTable,
    elements: Vec<u64>,
}

#[repr(C)]
struct GlobalOwner {
    slot: Slot,
    ty: RawGlobalType,
}

impl Debug for Store {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:p})", Rc::as_ptr(&self.0))
    }
}

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}

/// Elements that the tables of a store may have together: 256 MiB of them.
const TABLE_ROOM: u64 = 32 << 20;

/// Address space for a memory whose accesses are compared with its size.
const LARGE_MEMORY: u64 = 64 << 30;

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new() -> Store {
        let inner = Inner::default();
        inner.table_room.set(TABLE_ROOM);
        inner.memory_limit.set(u64::MAX);
        Store(Rc::new(inner))
    }

    /// Lets no memory of this store grow beyond so many bytes. None that is larger from its beginning can be
    /// made.
    pub fn limit_memory(&self, bytes: u64) {
        self.0.memory_limit.set(bytes);
    }

    pub(crate) fn is(&self, other: &Store) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn check(&self, other: &Store) -> Result<()> {
        if self.is(other) {
            return Ok(());
        }
        Err(Error::Type("a value of another store".to_owned()))
    }

    /// Zeroed memory of an instance, which lives as long as the store.
    pub(crate) fn allocate_instance(&self, size: usize) -> Result<*mut u8> {
        let layout = Layout::from_size_align(size, align_of::<instance::Instance>())
            .map_err(|e| Error::Resources(e.to_string()))?;
        // SAFETY: the size is not zero: an instance has a head.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            return Err(Error::Resources(format!("no {size} bytes for an instance")));
        }
        self.0.instances.borrow_mut().push((memory, layout));
        Ok(memory)
    }

    pub(crate) fn new_memory(&self, ty: MemoryType) -> Result<*mut RawMemory> {
        let failed = |e: Errno| Error::Resources(format!("no room for a memory: {e}"));
        let page = 1u64 << ty.page_log2;
        let index_limit = if ty.is_64 == 0 { 1 << 32 } else { LARGE_MEMORY };
        let max = ty.max.saturating_mul(page).min(index_limit);
        let size =
            ty.min.checked_mul(page).filter(|size| *size <= max.min(self.0.memory_limit.get()));
        let size = size.ok_or_else(|| failed(Errno::ENOMEM))?;
        let reserved = if ty.is_guarded() { linnet_abi::memory::SLOT_SIZE } else { max };
        let mut reservation = Reservation::new(reserved).map_err(failed)?;
        reservation.open(size).map_err(failed)?;
        let raw = RawMemory { base: reservation.base, size, max, ty };
        let reservation = Lock::new(reservation);
        let owner = Arc::new(MemoryOwner { raw: UnsafeCell::new(raw), reservation });
        let raw = owner.raw.get();
        self.0.memories.borrow_mut().push(owner);
        Ok(raw)
    }

    pub(crate) fn new_table(&self, ty: instance::TableType, init: u64) -> Result<*mut RawTable> {
        let raw = RawTable { elements: ptr::null_mut(), len: 0, ty };
        let table = Box::into_raw(Box::new(TableOwner { raw, elements: Vec::new() }));
        self.0.tables.borrow_mut().push(table);
        let raw = table.cast::<RawTable>();
        if self.0.grow_table(raw, init, ty.min).is_none() {
            return Err(Error::Resources(format!("no room for a table of {} elements", ty.min)));
        }
        Ok(raw)
    }

    pub(crate) fn new_global(&self, ty: RawGlobalType, slot: Slot) -> *mut Slot {
        let global = Box::into_raw(Box::new(GlobalOwner { slot, ty }));
        self.0.globals.borrow_mut().push(global);
        global.cast()
    }

    pub(crate) fn new_tag(&self, ty: *const RawFuncType) -> *const RawTag {
        let tag = Box::into_raw(Box::new(RawTag { ty }));
        self.0.tags.borrow_mut().push(tag);
        tag
    }
}

impl Inner {
    /// Grows a table by `count` elements; the old length, if there is room.
    pub(crate) fn grow_table(&self, table: *mut RawTable, value: u64, count: u64) -> Option<u64> {
        // SAFETY: all tables are made by `new_table`, and nothing else refers to one meanwhile.
        let owner = unsafe { &mut *table.cast::<TableOwner>() };
        let old = owner.raw.len;
        let new = old.checked_add(count).filter(|new| *new <= owner.raw.ty.max)?;
        let room = self.table_room.get().checked_sub(count)?;
        owner.elements.try_reserve(count as usize).ok()?;
        owner.elements.resize(new as usize, value);
        owner.raw.elements = owner.elements.as_mut_ptr();
        owner.raw.len = new;
        self.table_room.set(room);
        Some(old)
    }

    /// Grows a memory by so many pages; the old size in pages, if there is room.
    pub(crate) fn grow_memory(&self, memory: *mut RawMemory, pages: u64) -> Option<u64> {
        // SAFETY: all memories are made by `new_memory`, and this one is live.
        let owner = unsafe { &*memory.cast::<MemoryOwner>() };
        let mut reservation = owner.reservation.lock();
        // SAFETY: others only read it, and nobody else changes the size now.
        let (size, ty, max) = unsafe { ((*memory).size, (*memory).ty, (*memory).max) };
        let more = pages.checked_mul(1 << ty.page_log2)?;
        let new = size.checked_add(more).filter(|new| *new <= max.min(self.memory_limit.get()))?;
        reservation.open(new).ok()?;
        // SAFETY: as above; translated code of other threads reads the size at any time.
        unsafe { (*AtomicU64::from_ptr(&raw mut (*memory).size)).store(new, Ordering::Release) };
        Some(size >> ty.page_log2)
    }

    pub(crate) fn new_exception(&self, tag: *const RawTag) -> u64 {
        // SAFETY: a live tag.
        let params = unsafe { (*(*tag).ty).param_count } as usize;
        let size = PAYLOAD + params * size_of::<Slot>();
        let Ok(layout) = Layout::from_size_align(size, 16) else { return 0 };
        // SAFETY: the size is not zero.
        let exception = unsafe { alloc_zeroed(layout) }.cast::<RawException>();
        assert!(!exception.is_null(), "out of memory");
        // SAFETY: it is large enough.
        unsafe { (*exception).tag = tag };
        self.exceptions.borrow_mut().insert(exception as u64, layout);
        exception as u64
    }

    /// Frees an exception that has been caught, unless an `exnref` may refer to it.
    pub(crate) fn free_exception(&self, exception: u64) {
        let raw = exception as *mut RawException;
        // SAFETY: a live exception: it was just caught.
        if unsafe { (*raw).escaped } != 0 {
            return;
        }
        if let Some(layout) = self.exceptions.borrow_mut().remove(&exception) {
            // SAFETY: allocated with that layout.
            unsafe { dealloc(raw.cast(), layout) };
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: handles keep the store alive, so nothing refers to its parts any more. Each was made by
        // the function that matches the one that frees it.
        unsafe {
            for (memory, layout) in self.instances.get_mut().drain(..) {
                dealloc(memory, layout);
            }
            for table in self.tables.get_mut().drain(..) {
                drop(Box::from_raw(table));
            }
            for global in self.globals.get_mut().drain(..) {
                drop(Box::from_raw(global));
            }
            for tag in self.tags.get_mut().drain(..) {
                drop(Box::from_raw(tag));
            }
            for host in self.hosts.get_mut().drain(..) {
                drop(Box::from_raw(host));
            }
            for func_ref in self.func_refs.get_mut().drain(..) {
                drop(Box::from_raw(func_ref));
            }
            for (exception, layout) in core::mem::take(self.exceptions.get_mut()) {
                dealloc(exception as *mut u8, layout);
            }
        }
    }
}

/// A linear memory.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(crate) store: Store,
    pub(crate) raw: *mut RawMemory,
}

impl Memory {
    /// A memory with 32-bit indices and pages of 64 KiB, of `min` up to `max` pages.
    ///
    /// # Errors
    ///
    /// There is no room for it.
    pub fn new(store: &Store, min: u64, max: Option<u64>, is_shared: bool) -> Result<Memory> {
        let ty = MemoryType {
            min,
            max: max.unwrap_or(u64::MAX),
            page_log2: 16,
            is_64: 0,
            is_shared: u32::from(is_shared),
            reserved: 0,
        };
        Ok(Memory { store: store.clone(), raw: store.new_memory(ty)? })
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
        store.0.memories.borrow_mut().push(self.0.clone());
        Memory { store: store.clone(), raw: self.0.raw.get() }
    }
}

impl Memory {
    /// What other threads can open it with; none if it is not shared.
    #[must_use]
    pub fn share(&self) -> Option<SharedMemory> {
        let memories = self.store.0.memories.borrow();
        let owner = memories.iter().find(|owner| owner.raw.get() == self.raw)?;
        (self.raw().ty.is_shared != 0).then(|| SharedMemory(owner.clone()))
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) store: Store,
    pub(crate) raw: *mut RawTable,
}

impl Table {
    /// A table with 32-bit indices of `min` up to `max` elements, all null.
    ///
    /// # Errors
    ///
    /// There is no room for it.
    pub fn new(store: &Store, element: ValType, min: u64, max: Option<u64>) -> Result<Table> {
        Table::with(store, element, min, max, false)
    }

    /// The same with 64-bit indices.
    ///
    /// # Errors
    ///
    /// There is no room for it.
    pub fn new64(store: &Store, element: ValType, min: u64, max: Option<u64>) -> Result<Table> {
        Table::with(store, element, min, max, true)
    }

    fn with(
        store: &Store,
        element: ValType,
        min: u64,
        max: Option<u64>,
        is_64: bool,
    ) -> Result<Table> {
        let ty = instance::TableType {
            element: element.raw(),
            min,
            max: max.unwrap_or(u64::MAX),
            is_64: u32::from(is_64),
            reserved: 0,
        };
        Ok(Table { store: store.clone(), raw: store.new_table(ty, 0)? })
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
    /// Types of the payload.
    #[must_use]
    pub fn params(&self) -> Vec<ValType> {
        // SAFETY: the handle keeps the store alive.
        FuncType::from_raw(unsafe { &*(*self.raw).ty }).params
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

    /// Its tag.
    #[must_use]
    pub fn tag(&self) -> Tag {
        // SAFETY: the handle keeps the store alive.
        Tag { store: self.store.clone(), raw: unsafe { (*self.raw).tag } }
    }

    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> Vec<Value> {
        let types = self.tag().params().into_iter().enumerate();
        // SAFETY: the payload lies there, a slot for each.
        let first = unsafe { self.raw.byte_add(PAYLOAD).cast::<Slot>() };
        // SAFETY: the slots hold values of these types.
        types.map(|(i, ty)| unsafe { Value::from_slot(*first.add(i), ty, &self.store) }).collect()
    }
}
