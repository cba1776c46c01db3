//! Room for the stacks of tasks, in the host's memory: a region for each task, see `memory::layout`.

use crate::host::sys;
use crate::memory::layout::{
    self, CONTEXT_SIZE, KERNEL_STACK, Layout, REGION_SIZE, Refused, TASK_OFFSET, USER_BOTTOM,
    USER_TOP,
};
use crate::memory::tlb;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Regions that were made, or left out because something of the host is there.
static REGION_COUNT: AtomicUsize = AtomicUsize::new(0);

/// The start of the region that an address lies in, if that was made.
pub fn region_of(address: usize) -> Option<usize> {
    let Layout { regions, region_count, .. } = Layout::get();
    let made = REGION_COUNT.load(Ordering::Acquire).min(region_count);
    (regions..regions + made * REGION_SIZE)
        .contains(&address)
        .then_some(address & !(REGION_SIZE - 1))
}

/// Do what takes room of the host, once more if it has none: guest memory gives way.
pub fn with_room(take: impl Fn() -> Result<(), Refused>) -> Result<(), Refused> {
    take().or_else(|refused| match refused {
        Refused::Taken => Err(refused),
        Refused::NoRoom(_) => {
            tlb::flush_all();
            take()
        }
    })
}

pub fn map_stack(base: usize, size: usize) -> Result<(), Refused> {
    with_room(|| layout::map(base, size, sys::PROT_READ | sys::PROT_WRITE))
}

/// Both stacks of a region, and the context: all of it, and then not what is between them. A host that has no room
/// for more than them refuses them: it would have none for the memory of the guest.
fn map_stacks(base: usize) -> Result<(), Refused> {
    map_stack(base, REGION_SIZE)?;
    let holes = [(CONTEXT_SIZE, USER_BOTTOM), (USER_TOP, TASK_OFFSET - KERNEL_STACK)];
    let dig = || {
        holes.iter().try_for_each(|(start, end)| {
            // SAFETY: mapped just now, and nobody else knows of it.
            match unsafe { sys::munmap(base + start, end - start) } {
                0 => Ok(()),
                errno => Err(Refused::NoRoom(-errno as i32)),
            }
        })
    };
    with_room(dig).inspect_err(|_| {
        // SAFETY: as above.
        unsafe { sys::munmap(base, REGION_SIZE) };
    })
}

/// Why there is no further region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRegion {
    /// There are as many as the machine can have.
    TooMany,
    /// The host refuses the memory.
    NoMemory,
}

/// Make one more region: where it starts.
pub fn make_region() -> Result<usize, NoRegion> {
    let Layout { regions, region_count, .. } = Layout::get();
    loop {
        let next = |n| (n < region_count).then_some(n + 1);
        let n = REGION_COUNT
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .map_err(|_| NoRegion::TooMany)?;
        let base = regions + n * REGION_SIZE;
        match map_stacks(base) {
            Ok(()) => return Ok(base),
            // Something of the host.
            Err(Refused::Taken) => {}
            Err(Refused::NoRoom(_)) => {
                // It is tried again, unless another vCPU has taken the next one.
                let count = (Ordering::AcqRel, Ordering::Relaxed);
                let _ = REGION_COUNT.compare_exchange(n + 1, n, count.0, count.1);
                return Err(NoRegion::NoMemory);
            }
        }
    }
}
