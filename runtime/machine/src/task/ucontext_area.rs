//! The area in a task's region for the frames of its contexts that do not run.

use super::stacks;
use crate::host::sys;
use crate::memory::layout::{UCONTEXT_AREA, UCONTEXT_AREA_SIZE};
use core::cell::Cell;

/// Is it mapped? Lies in the task's block.
pub struct UcontextArea(Cell<bool>);

impl UcontextArea {
    pub const fn new() -> UcontextArea {
        UcontextArea(Cell::new(false))
    }

    /// Has the task made a context?
    pub fn is_mapped(&self) -> bool {
        self.0.get()
    }

    /// In the task's region.
    pub fn map(&self, region: usize) -> Option<()> {
        let is_mapped = stacks::map_stack(region + UCONTEXT_AREA, UCONTEXT_AREA_SIZE).is_ok();
        self.0.set(is_mapped);
        is_mapped.then_some(())
    }

    /// All contexts are gone.
    pub fn unmap(&self, region: usize) {
        if self.0.replace(false) {
            // SAFETY: mapped by `map`, and only the task's thread uses it.
            unsafe { sys::munmap(region + UCONTEXT_AREA, UCONTEXT_AREA_SIZE) };
        }
    }
}
