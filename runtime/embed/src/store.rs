//! Stores: what owns instances and all that belongs to them.

use crate::error::{Error, Result};
use crate::host::lock::Lock;
use crate::host::memory::Errno;
use crate::interrupt;
use crate::prelude::*;
use crate::reservation::Reservation;
use crate::value::FuncType;
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
    Memory as RawMemory, MemoryType as RawMemoryType, PAYLOAD, Slot, Table as RawTable,
    TableType as RawTableType, Tag as RawTag,
};

/// Owns instances, memories, tables and so on, which may refer to each other. It lives as long as any of
/// its handles; a thread can have many, and each belongs to one thread.
#[derive(Clone)]
pub struct Store(pub(crate) Rc<Inner>);

pub(crate) struct Inner {
    instances: RefCell<Vec<(*mut u8, Layout)>>,
    /// By the address that they begin at: a signal handler looks for the one that an address is in.
    pub(crate) memories: RefCell<BTreeMap<u64, Arc<MemoryOwner>>>,
    tables: RefCell<Vec<*mut TableOwner>>,
    globals: RefCell<Vec<*mut GlobalOwner>>,
    tags: RefCell<Vec<*mut TagOwner>>,
    pub(crate) hosts: RefCell<Vec<*mut crate::func::Host>>,
    pub(crate) bindings: RefCell<Vec<*mut crate::func::Binding>>,
    pub(crate) func_refs: RefCell<Vec<*mut FuncRef>>,
    exceptions: RefCell<BTreeMap<u64, Layout>>,
    /// Why a host function failed, until the call that it belongs to has ended.
    pub(crate) failure: RefCell<Option<Error>>,
    /// Elements that all tables together may have.
    pub(crate) table_room: Cell<u64>,
    /// Bytes that each memory may have.
    memory_limit: Cell<u64>,
    limiter: RefCell<Option<Rc<Limiter>>>,
    pub(crate) interrupt: Arc<interrupt::State>,
    /// How many times code may still poll.
    pub(crate) budget: Cell<Option<u64>>,
}

/// Says whether something may become so large.
type Limiter = dyn Fn(&Growth) -> bool;

/// What wants to become larger, or to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// A memory, in bytes.
    Memory { from: u64, to: u64 },
    /// A table, in elements.
    Table { from: u64, to: u64 },
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct MemoryOwner {
    /// First: its address is the memory's. Only its size changes, under the lock.
    pub(crate) raw: UnsafeCell<RawMemory>,
    pub(crate) reservation: Lock<Reservation>,
}

// SAFETY: only what is shared leaves its thread ([`Memory::share`]), and that changes under a lock.
unsafe impl Send for MemoryOwner {}
// SAFETY: as above.
unsafe impl Sync for MemoryOwner {}

#[repr(C)]
pub(crate) struct TableOwner {
    /// First: its address is the table's.
    pub(crate) raw: RawTable,
    pub(crate) elements: Vec<u64>,
}

#[repr(C)]
pub(crate) struct TagOwner {
    /// First: its address is the tag's. Its type is null until a module imports a tag of the host's.
    pub(crate) raw: RawTag,
    /// Types of the payload.
    pub(crate) ty: FuncType,
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

/// Addresses that are reserved for a memory of at most `max` bytes.
fn reserved_for(ty: &RawMemoryType, max: u64) -> u64 {
    if ty.is_guarded() { linnet_abi::memory::SLOT_SIZE } else { max }
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new() -> Store {
        Store(Rc::new(Inner {
            instances: RefCell::default(),
            memories: RefCell::default(),
            tables: RefCell::default(),
            globals: RefCell::default(),
            tags: RefCell::default(),
            hosts: RefCell::default(),
            bindings: RefCell::default(),
            func_refs: RefCell::default(),
            exceptions: RefCell::default(),
            failure: RefCell::default(),
            table_room: Cell::new(TABLE_ROOM),
            memory_limit: Cell::new(u64::MAX),
            limiter: RefCell::default(),
            interrupt: interrupt::State::new(),
            budget: Cell::new(None),
        }))
    }

    /// Lets no memory of this store grow beyond so many bytes. None that is larger from its beginning can be
    /// made.
    pub fn limit_memory(&self, bytes: u64) {
        self.0.memory_limit.set(bytes);
    }

    /// Asks whenever a memory or a table wants to be made or to grow, by code or by the host. Where the answer is
    /// no, it does not: `memory.grow` and `table.grow` give -1, and an instance is not made. `may_grow` must not
    /// keep handles of the store.
    pub fn limit(&self, may_grow: impl Fn(&Growth) -> bool + 'static) {
        self.0.limiter.replace(Some(Rc::new(may_grow)));
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

    pub(crate) fn new_memory(&self, ty: RawMemoryType) -> Result<*mut RawMemory> {
        let failed = |e: Errno| Error::Resources(format!("no room for a memory: {e}"));
        let page = 1u64 << ty.page_log2;
        let index_limit = if ty.is_64 == 0 { 1 << 32 } else { LARGE_MEMORY };
        let max = ty.max.saturating_mul(page).min(index_limit);
        let size =
            ty.min.checked_mul(page).filter(|size| *size <= max.min(self.0.memory_limit.get()));
        let size = size.ok_or_else(|| failed(Errno::ENOMEM))?;
        if !self.0.may_grow(&Growth::Memory { from: 0, to: size }) {
            return Err(Error::Resources(format!("a memory may not have {size} bytes")));
        }
        let mut reservation = Reservation::new(reserved_for(&ty, max)).map_err(failed)?;
        reservation.open(size).map_err(failed)?;
        let raw = RawMemory { base: reservation.base, size, max, ty };
        let reservation = Lock::new(reservation);
        let base = raw.base;
        let owner = Arc::new(MemoryOwner { raw: UnsafeCell::new(raw), reservation });
        let raw = owner.raw.get();
        self.0.memories.borrow_mut().insert(base, owner);
        Ok(raw)
    }

    pub(crate) fn new_table(&self, ty: RawTableType, init: u64) -> Result<*mut RawTable> {
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

    /// A tag of a module's type.
    pub(crate) fn new_tag(&self, ty: *const RawFuncType) -> *const RawTag {
        // SAFETY: a module's type.
        self.push_tag(ty, FuncType::from_raw(unsafe { &*ty }))
    }

    pub(crate) fn push_tag(&self, raw: *const RawFuncType, ty: FuncType) -> *const RawTag {
        let tag = Box::into_raw(Box::new(TagOwner { raw: RawTag { ty: raw }, ty }));
        self.0.tags.borrow_mut().push(tag);
        tag.cast()
    }
}

impl Inner {
    fn may_grow(&self, growth: &Growth) -> bool {
        let limiter = self.limiter.borrow().clone();
        limiter.is_none_or(|may_grow| may_grow(growth))
    }

    /// Whether the address is in one of the store's memories, or in the addresses that are reserved for it. A
    /// signal handler asks, while translated code runs, so that nothing changes the list.
    pub(crate) fn is_in_memory(&self, address: u64) -> bool {
        // Guards lie before the first byte too.
        let most = address.saturating_add(crate::reservation::GUARD);
        // SAFETY: nobody changes it now; a borrow would have to be given back.
        let memories = unsafe { &*self.memories.as_ptr() };
        // What is reserved is at least as long as the memory's type lets code go, and never changes.
        memories.range(..=most).next_back().is_some_and(|(base, owner)| {
            // SAFETY: as above; only the size of a memory changes.
            let (ty, max) = unsafe { ((*owner.raw.get()).ty, (*owner.raw.get()).max) };
            address < base + reserved_for(&ty, max) + crate::reservation::GUARD
        })
    }

    /// The owner of a memory.
    pub(crate) fn memory(&self, raw: *const RawMemory) -> Option<Arc<MemoryOwner>> {
        // SAFETY: a live memory of this store.
        self.memories.borrow().get(unsafe { &(*raw).base }).cloned()
    }

    /// Grows a table by `count` elements; the old length, if there is room.
    pub(crate) fn grow_table(&self, table: *mut RawTable, value: u64, count: u64) -> Option<u64> {
        // SAFETY: all tables are made by `new_table`.
        let (old, max) = unsafe { ((*table).len, (*table).ty.max) };
        let new = old.checked_add(count).filter(|new| *new <= max)?;
        let room = self.table_room.get().checked_sub(count)?;
        if !self.may_grow(&Growth::Table { from: old, to: new }) {
            return None;
        }
        // SAFETY: as above, and nothing else refers to one meanwhile.
        let owner = unsafe { &mut *table.cast::<TableOwner>() };
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
        if !self.may_grow(&Growth::Memory { from: size, to: new }) {
            return None;
        }
        reservation.open(new).ok()?;
        // SAFETY: as above; translated code of other threads reads the size at any time.
        unsafe { (*AtomicU64::from_ptr(&raw mut (*memory).size)).store(new, Ordering::Release) };
        Some(size >> ty.page_log2)
    }

    /// # Safety
    /// A live tag.
    pub(crate) unsafe fn new_exception(&self, tag: *const RawTag) -> u64 {
        // SAFETY: the caller's promise; all tags are made by `push_tag`.
        let params = unsafe { (*tag.cast::<TagOwner>()).ty.params.len() };
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
        self.interrupt.close();
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
            for binding in self.bindings.get_mut().drain(..) {
                drop(Box::from_raw(binding));
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
