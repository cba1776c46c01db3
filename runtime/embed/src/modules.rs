//! The translated modules of the process, for whoever has only an address in their code.
//!
//! A signal handler asks, so that nothing here may lock or free: the list only grows, by nodes that never
//! go away.

use linnet_abi::module::{CallSite, Function, MAGIC, Module as Raw, SavedRegister, TrapSite};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

struct Node {
    tables: Tables,
    next: *mut Node,
}

static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// Held while the list grows.
static GROWING: Mutex<()> = Mutex::new(());

/// A module's tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tables {
    pub(crate) raw: &'static Raw,
    functions: &'static [Function],
}

/// A place in translated code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) tables: Tables,
    pub(crate) function: &'static Function,
    /// Offset from the function's start.
    pub(crate) offset: u32,
}

/// Makes a module known. Says no if it was made by another version of the translator.
pub(crate) fn register(raw: &'static Raw) -> bool {
    if raw.magic != MAGIC || raw.abi_version != linnet_abi::ABI_VERSION || raw.standalone.is_null()
    {
        return false;
    }
    let _growing = GROWING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if iterate().any(|tables| ptr::eq(tables.raw, raw)) {
        return true;
    }
    // SAFETY: the translator emitted that many.
    let functions =
        unsafe { std::slice::from_raw_parts(raw.functions, raw.function_count as usize) };
    let node = Node { tables: Tables { raw, functions }, next: FIRST.load(Ordering::Acquire) };
    FIRST.store(Box::leak(Box::new(node)), Ordering::Release);
    true
}

fn iterate() -> impl Iterator<Item = Tables> {
    let mut next = FIRST.load(Ordering::Acquire);
    std::iter::from_fn(move || {
        // SAFETY: nodes are never freed.
        let node = unsafe { next.as_ref()? };
        next = node.next;
        Some(node.tables)
    })
}

/// The function that `pc` lies in; of a return address, the last byte of the call counts.
pub(crate) fn find(pc: u64, is_return: bool) -> Option<Place> {
    let at = pc - u64::from(is_return);
    iterate().find_map(|tables| {
        let (first, last) = (tables.functions.first()?, tables.functions.last()?);
        if at < first.start as u64 || at >= last.start as u64 + u64::from(last.len) {
            return None;
        }
        let n = tables.functions.partition_point(|f| f.start as u64 <= at).checked_sub(1)?;
        let function = &tables.functions[n];
        let start = function.start as u64;
        (at - start < u64::from(function.len)).then(|| Place {
            tables,
            function,
            offset: (pc - start) as u32,
        })
    })
}

impl Place {
    /// Offset in the WebAssembly file of the operator that the code is for; none in code that the
    /// translator added. Of a return address, the call counts.
    pub(crate) fn wasm_offset(&self, is_return: bool) -> Option<u32> {
        let raw = self.tables.raw;
        // SAFETY: the function is one of the table; standalone modules have these lists, whose ranges
        // are the function's.
        let places = unsafe {
            let number = ptr::from_ref(self.function).offset_from(raw.functions) as usize;
            let (firsts, places) = ((*raw.standalone).first_places, (*raw.standalone).places);
            let (first, end) = (*firsts.add(number), *firsts.add(number + 1));
            std::slice::from_raw_parts(places.add(first as usize), (end - first) as usize)
        };
        let at = self.offset - u32::from(is_return);
        let number = places.partition_point(|place| place.offset <= at).checked_sub(1)?;
        Some(places[number].wasm_offset)
    }

    /// Name of the function; empty if the module has none.
    pub(crate) fn name(&self) -> &'static str {
        let (raw, f) = (self.tables.raw, self.function);
        // SAFETY: the translator emitted the name there; names in modules are UTF-8.
        unsafe {
            let bytes = raw.names.add(f.name_offset as usize);
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(bytes, f.name_len as usize))
        }
    }

    /// Code of the trap that the instruction raises.
    pub(crate) fn trap(&self) -> Option<u8> {
        let f = self.function;
        // SAFETY: the range is one of the module's table.
        let traps: &[TrapSite] = unsafe {
            std::slice::from_raw_parts(
                self.tables.raw.traps.add(f.first_trap as usize),
                f.trap_count as usize,
            )
        };
        let i = traps.binary_search_by_key(&self.offset, |t| t.offset).ok()?;
        Some(traps[i].code as u8)
    }

    /// The call that returns here, if it has a handler: the frame's size and the landing pad.
    pub(crate) fn handler(&self) -> Option<(u32, u64)> {
        let (raw, f) = (self.tables.raw, self.function);
        // SAFETY: the range is one of the module's table.
        let sites: &[CallSite] = unsafe {
            std::slice::from_raw_parts(raw.sites.add(f.first_site as usize), f.site_count as usize)
        };
        let i = sites.binary_search_by_key(&self.offset, |s| s.offset).ok()?;
        let site = &sites[i];
        if site.handler_count == 0 {
            return None;
        }
        // SAFETY: the range is one of the module's table.
        let handler = unsafe { &*raw.handlers.add(site.first_handler as usize) };
        Some((site.frame_size, f.start as u64 + u64::from(handler.offset)))
    }

    /// The callee-saved registers that the function's prologue stored.
    pub(crate) fn saved(&self) -> &'static [SavedRegister] {
        let f = self.function;
        // SAFETY: the range is one of the module's table.
        unsafe {
            std::slice::from_raw_parts(
                self.tables.raw.saved.add(f.first_saved as usize),
                f.saved_count as usize,
            )
        }
    }
}
