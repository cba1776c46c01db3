//! What translated code calls: `linnet_abi::calls::for_each_libcall`, as far as it is for instances.

use crate::host::lock::{self, Lock};
use crate::interrupt::State;
use crate::store::Inner;
use crate::trap;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use linnet_abi::instance::{
    ElementInfo, FuncRef, Instance, Layout, MemorySlot, MoreTrap, Standalone, Table, Tag,
};

/// What belongs to the instance that calls.
struct Caller {
    instance: *mut Instance,
    store: &'static Inner,
    standalone: &'static Standalone,
    layout: Layout,
}

impl Caller {
    /// # Safety
    /// A live instance.
    unsafe fn new(instance: *mut Instance) -> Caller {
        trap::check_stack();
        // SAFETY: the caller's promise; a store outlives the code of its instances.
        unsafe {
            let standalone = &*(*(*instance).module).standalone;
            let layout = Layout::of(&standalone.counts).expect("checked when it was loaded");
            Caller { instance, store: &*(*instance).host.cast::<Inner>(), standalone, layout }
        }
    }

    fn entry<T: Copy>(&self, first: u32, number: u32) -> *mut T {
        // SAFETY: numbers in translated code are the module's own.
        unsafe { self.instance.cast::<u8>().add(first as usize).cast::<T>().add(number as usize) }
    }

    fn table(&self, number: u32) -> *mut Table {
        // SAFETY: a filled entry.
        unsafe { *self.entry(self.layout.tables, number) }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_memory_copy(to: *mut u8, from: *const u8, size: u64) {
    // SAFETY: the translated code has checked both ranges.
    unsafe { ptr::copy(from, to, size as usize) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_memory_fill(to: *mut u8, value: u32, size: u64) {
    // SAFETY: the translated code has checked the range.
    unsafe { ptr::write_bytes(to, value as u8, size as usize) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_memory_grow(
    instance: *mut Instance,
    memory: u32,
    pages: u64,
) -> u64 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    // SAFETY: a filled entry.
    let slot = unsafe { *caller.entry::<MemorySlot>(caller.layout.memories, memory) };
    caller.store.grow_memory(slot.memory, pages).unwrap_or(u64::MAX)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_table_grow(
    instance: *mut Instance,
    table: u32,
    value: u64,
    count: u64,
) -> u64 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    caller.store.grow_table(caller.table(table), value, count).unwrap_or(u64::MAX)
}

/// Whether `count` elements from `at` on are inside of `len`.
fn is_inside(at: u64, count: u64, len: u64) -> bool {
    at.checked_add(count).is_some_and(|end| end <= len)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_table_init(
    instance: *mut Instance,
    table: u32,
    segment: u32,
    to: u64,
    from: u64,
    count: u64,
) -> u32 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    // SAFETY: a live table, filled entries and emitted tables; the ranges are checked first.
    unsafe {
        let table = &*caller.table(table);
        let len = *caller.entry::<u64>(caller.layout.elements, segment);
        if !is_inside(to, count, table.len) || !is_inside(from, count, len) {
            return 1;
        }
        let info: &ElementInfo = &*caller.standalone.elements.add(segment as usize);
        for i in 0..count {
            let number = (from + i) as u32;
            let value = if info.functions.is_null() {
                *caller.entry::<u64>(caller.layout.values, info.first_value + number)
            } else {
                match *info.functions.add(number as usize) {
                    u32::MAX => 0,
                    function => caller.entry::<FuncRef>(caller.layout.functions, function) as u64,
                }
            };
            *table.elements.add((to + i) as usize) = value;
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_table_copy(
    instance: *mut Instance,
    target: u32,
    source: u32,
    to: u64,
    from: u64,
    count: u64,
) -> u32 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    // SAFETY: live tables; the ranges are checked first.
    unsafe {
        let (target, source) = (&*caller.table(target), &*caller.table(source));
        if !is_inside(to, count, target.len) || !is_inside(from, count, source.len) {
            return 1;
        }
        if count > 0 {
            let from = source.elements.add(from as usize);
            ptr::copy(from, target.elements.add(to as usize), count as usize);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_table_fill(
    instance: *mut Instance,
    table: u32,
    at: u64,
    value: u64,
    count: u64,
) -> u32 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    // SAFETY: a live table; the range is checked first.
    unsafe {
        let table = &*caller.table(table);
        if !is_inside(at, count, table.len) {
            return 1;
        }
        for i in at..at + count {
            *table.elements.add(i as usize) = value;
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_exception_new(
    instance: *mut Instance,
    tag: *const Tag,
) -> u64 {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    // SAFETY: a tag of the instance.
    unsafe { caller.store.new_exception(tag) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_exception_free(
    instance: *mut Instance,
    exception: u64,
) {
    // SAFETY: only translated code calls, with its own instance.
    let caller = unsafe { Caller::new(instance) };
    caller.store.free_exception(exception);
}

/// A thread that waits.
struct Waiter {
    /// [`WAITS`], [`WOKEN`] or [`INTERRUPTED`].
    state: AtomicU32,
    /// Who interrupts it.
    interrupt: *const State,
}

const WAITS: u32 = 0;
const WOKEN: u32 = 1;
const INTERRUPTED: u32 = 2;

// SAFETY: the pointer is only compared.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

impl Waiter {
    fn end(&self, state: u32) {
        self.state.store(state, Ordering::Release);
        lock::wake(&self.state, 1);
    }
}

/// Threads that wait, by address.
static WAITERS: Lock<BTreeMap<u64, Vec<Arc<Waiter>>>> = Lock::new(BTreeMap::new());

/// Ends the waits of a store whose interruption is wanted.
pub(crate) fn interrupt_waits(interrupt: &State) {
    for waiter in WAITERS.lock().values().flatten() {
        if core::ptr::eq(waiter.interrupt, interrupt) {
            waiter.end(INTERRUPTED);
        }
    }
}

/// 0: woken, 1: the value is another, 2: timed out; none: interrupted.
fn wait(
    interrupt: &State,
    address: u64,
    is_expected: impl FnOnce() -> bool,
    timeout: i64,
) -> Option<u32> {
    let waiter = Arc::new(Waiter { state: AtomicU32::new(WAITS), interrupt });
    {
        let mut waiters = WAITERS.lock();
        // An interruption that comes after this finds the waiter, and so does a notification after the comparison.
        if interrupt.is_wanted() {
            return None;
        }
        if !is_expected() {
            return Some(1);
        }
        waiters.entry(address).or_default().push(waiter.clone());
    }
    let deadline = u64::try_from(timeout).ok().map(|timeout| lock::now().saturating_add(timeout));
    while waiter.state.load(Ordering::Acquire) == WAITS {
        if deadline.is_some_and(|deadline| lock::now() >= deadline) {
            break;
        }
        lock::sleep(&waiter.state, WAITS, deadline);
    }
    let mut waiters = WAITERS.lock();
    // A notification may have come in the meantime.
    if waiter.state.load(Ordering::Acquire) == WOKEN {
        return Some(0);
    }
    if let Some(list) = waiters.get_mut(&address) {
        list.retain(|other| !Arc::ptr_eq(other, &waiter));
        if list.is_empty() {
            waiters.remove(&address);
        }
    }
    (waiter.state.load(Ordering::Acquire) == WAITS).then_some(2)
}

/// The same for an instance.
///
/// # Safety
/// The instance must be live and its own code call, with nothing on the stack that needs to be dropped.
unsafe fn wait_in(
    instance: *mut Instance,
    address: u64,
    is_expected: impl FnOnce() -> bool,
    timeout: i64,
) -> u32 {
    // SAFETY: the caller's promise.
    let store = unsafe { Caller::new(instance) }.store;
    match wait(&store.interrupt, address, is_expected, timeout) {
        Some(result) => result,
        None => {
            store.clear_interrupt();
            trap::raise(MoreTrap::Interrupted as u8)
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_wait32(
    instance: *mut Instance,
    address: u64,
    expected: u32,
    timeout: i64,
) -> u32 {
    // SAFETY: the translated code has checked address and alignment.
    let word = unsafe { AtomicU32::from_ptr(address as *mut u32) };
    // SAFETY: only translated code calls, with its own instance.
    unsafe { wait_in(instance, address, || word.load(Ordering::SeqCst) == expected, timeout) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_wait64(
    instance: *mut Instance,
    address: u64,
    expected: u64,
    timeout: i64,
) -> u32 {
    // SAFETY: the translated code has checked address and alignment.
    let word = unsafe { AtomicU64::from_ptr(address as *mut u64) };
    // SAFETY: only translated code calls, with its own instance.
    unsafe { wait_in(instance, address, || word.load(Ordering::SeqCst) == expected, timeout) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_instance_notify(
    _: *mut Instance,
    address: u64,
    count: u32,
) -> u32 {
    trap::check_stack();
    let mut waiters = WAITERS.lock();
    let Some(list) = waiters.get_mut(&address) else { return 0 };
    let mut woken = 0;
    list.retain(|waiter| {
        // One that is interrupted goes by itself.
        let is_woken = woken < count && waiter.state.load(Ordering::Relaxed) == WAITS;
        if is_woken {
            waiter.end(WOKEN);
            woken += 1;
        }
        !is_woken
    });
    if list.is_empty() {
        waiters.remove(&address);
    }
    woken
}
