//! The translated modules of the process, for whoever has only an address in their code.
//!
//! A signal handler asks, so that nothing here may lock or free: the list only grows, by nodes that never
//! go away.

use crate::host::lock::Lock;
use alloc::boxed::Box;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use linnet_abi::module::{MAGIC, Module as Raw};
use linnet_unwind::{Place, Tables};

struct Node {
    tables: Tables<'static>,
    next: *mut Node,
}

static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// Held while the list grows.
static GROWING: Lock<()> = Lock::new(());

/// Makes a module known. Says no if it was made by another version of the translator.
pub(crate) fn register(raw: &'static Raw) -> bool {
    if raw.magic != MAGIC || raw.abi_version != linnet_abi::ABI_VERSION || raw.standalone.is_null()
    {
        return false;
    }
    let _growing = GROWING.lock();
    if all().any(|tables| ptr::eq(tables.module, raw)) {
        return true;
    }
    // SAFETY: the translator emitted it.
    let tables = unsafe { Tables::of(raw) };
    let node = Node { tables, next: FIRST.load(Ordering::Acquire) };
    FIRST.store(Box::leak(Box::new(node)), Ordering::Release);
    true
}

/// The tables of all.
pub(crate) fn all() -> impl Iterator<Item = Tables<'static>> {
    let mut next = FIRST.load(Ordering::Acquire);
    core::iter::from_fn(move || {
        // SAFETY: nodes are never freed.
        let node = unsafe { next.as_ref()? };
        next = node.next;
        Some(node.tables)
    })
}

/// The function that `pc` lies in; of a return address, the last byte of the call counts.
pub(crate) fn find(pc: u64, is_return: bool) -> Option<Place<'static>> {
    all().find_map(|tables| tables.find(pc, is_return))
}

/// Offset in the WebAssembly file of the operator that the code is for; none in code that the translator
/// added. Of a return address, the call counts.
pub(crate) fn wasm_offset(place: &Place<'_>) -> Option<u32> {
    let module = place.tables.module;
    // SAFETY: standalone modules have these lists, whose ranges are the functions'.
    let places = unsafe {
        let (firsts, places) = ((*module.standalone).first_places, (*module.standalone).places);
        let (first, end) = (*firsts.add(place.number), *firsts.add(place.number + 1));
        core::slice::from_raw_parts(places.add(first as usize), (end - first) as usize)
    };
    let at = place.offset - u32::from(place.is_return);
    let number = places.partition_point(|place| place.offset <= at).checked_sub(1)?;
    Some(places[number].wasm_offset)
}
