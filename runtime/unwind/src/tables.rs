//! The tables of a module's code, `linnet_abi::module`, as slices.

use core::slice;
use core::str;
use linnet_abi::module::{CallSite, Function, Handler, Module, SavedRegister, TAG_ANY, TrapSite};

/// A module's tables.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'m> {
    pub module: &'m Module,
    /// Sorted by address.
    pub functions: &'m [Function],
}

/// A place in translated code.
#[derive(Debug, Clone, Copy)]
pub struct Place<'m> {
    pub tables: Tables<'m>,
    /// Number of the function in [`Tables::functions`].
    pub number: usize,
    pub function: &'m Function,
    /// From the function's start.
    pub offset: u32,
    /// Whether a call returns here. If not, the instruction here was interrupted.
    pub is_return: bool,
}

/// # Safety
/// `first` must point to `count` values that stay, or `count` be 0.
unsafe fn range<'m, T>(first: *const T, start: u32, count: u32) -> &'m [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(first.add(start as usize), count as usize) }
}

impl<'m> Tables<'m> {
    /// # Safety
    /// `module` must be what the translator emitted, or tables of the same form: its ranges are not checked.
    #[must_use]
    pub unsafe fn of(module: &'m Module) -> Tables<'m> {
        // SAFETY: the caller's promise.
        let functions = unsafe { range(module.functions, 0, module.function_count) };
        Tables { module, functions }
    }

    /// The function that `pc` lies in; of a return address, the last byte of the call counts.
    #[must_use]
    pub fn find(&self, pc: u64, is_return: bool) -> Option<Place<'m>> {
        let at = pc.wrapping_sub(u64::from(is_return));
        let number = self.functions.partition_point(|f| f.start as u64 <= at).checked_sub(1)?;
        let function = &self.functions[number];
        let start = function.start as u64;
        (at - start < u64::from(function.len)).then(|| Place {
            tables: *self,
            number,
            function,
            offset: (pc - start) as u32,
            is_return,
        })
    }

    /// Name of a function; empty if the module has none.
    #[must_use]
    pub fn name(&self, function: &Function) -> &'m str {
        // SAFETY: the promise of `of`.
        let bytes = unsafe { range(self.module.names, function.name_offset, function.name_len) };
        // Names in modules are UTF-8.
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<'m> Place<'m> {
    /// Code of the trap that the instruction raises.
    #[must_use]
    pub fn trap(&self) -> Option<u8> {
        let Function { first_trap, trap_count, .. } = *self.function;
        // SAFETY: the promise of `Tables::of`.
        let traps: &[TrapSite] = unsafe { range(self.tables.module.traps, first_trap, trap_count) };
        let n = traps.binary_search_by_key(&self.offset, |trap| trap.offset).ok()?;
        Some(traps[n].code as u8)
    }

    /// The call that returns here, if it has handlers; else what takes the exceptions of all other code.
    fn site(&self) -> Option<&'m CallSite> {
        let Function { first_site, site_count, wide_site, .. } = *self.function;
        let module = self.tables.module;
        if self.is_return {
            // SAFETY: the promise of `Tables::of`.
            let sites: &[CallSite] = unsafe { range(module.sites, first_site, site_count) };
            if let Ok(n) = sites.binary_search_by_key(&self.offset, |site| site.offset) {
                return Some(&sites[n]);
            }
        }
        if wide_site == u32::MAX {
            return None;
        }
        // SAFETY: the promise of `Tables::of`.
        let wide = unsafe { &*module.sites.add(wide_site as usize) };
        (self.offset >= wide.offset).then_some(wide)
    }

    /// Who takes an exception of that tag here: the size of the frame and the address of the landing pad.
    #[must_use]
    pub fn handler(&self, tag: u32) -> Option<(u32, u64)> {
        let site = self.site()?;
        // SAFETY: the promise of `Tables::of`.
        let handlers: &[Handler] =
            unsafe { range(self.tables.module.handlers, site.first_handler, site.handler_count) };
        let handler = handlers.iter().find(|h| h.tag == tag || h.tag == TAG_ANY)?;
        Some((site.frame_size, self.function.start as u64 + u64::from(handler.offset)))
    }

    /// The callee-saved registers that the function's prologue stored.
    #[must_use]
    pub fn saved(&self) -> &'m [SavedRegister] {
        let Function { first_saved, saved_count, .. } = *self.function;
        // SAFETY: the promise of `Tables::of`.
        unsafe { range(self.tables.module.saved, first_saved, saved_count) }
    }

    /// Name of the function; empty if the module has none.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.tables.name(self.function)
    }
}
