//! User contexts (`makecontext(3)`): the native frames of those that do not run.
//!
//! All contexts of a task run on its one user stack. What is in it when one gives way to another is
//! copied to a store beside the stack, and copied back to the same addresses when it goes on, so that
//! frames may hold addresses of each other. The program names contexts, but cannot reach their frames.

use super::relocate::Copy;
use crate::memory::layout::{UCONTEXT_AREA, UCONTEXT_AREA_SIZE};
use crate::task::Task;
use core::ptr;

/// Contexts whose frames are saved at the same time.
const MAX_CONTEXTS: usize = 4096;

/// Room for frames is given in pieces of this size, so that a context mostly stays where it is.
const PIECE: usize = 512;

/// Saved frames.
#[derive(Debug, Clone, Copy)]
struct SavedContext {
    /// 0: none.
    name: u32,
    /// Of the shadow stack.
    sp: u32,
    /// From the start of the store; so many bytes may be there, and so many are.
    at: u32,
    room: u32,
    size: u32,
    /// Distance of the innermost activation from the end of the user stack, or 0.
    activation: u32,
}

impl SavedContext {
    const NONE: SavedContext =
        SavedContext { name: 0, sp: 0, at: 0, room: 0, size: 0, activation: 0 };
}

/// Lies at the start of the area that a task has for it; frames follow.
#[repr(C)]
struct ContextStore {
    /// So many of `saved` were ever used.
    used: usize,
    /// End of the frames.
    end: usize,
    saved: [SavedContext; MAX_CONTEXTS],
}

const FRAMES: usize = size_of::<ContextStore>().next_multiple_of(PIECE);

impl ContextStore {
    /// The store of a task that has one. No two are held of one task.
    #[allow(clippy::mut_from_ref, reason = "the store is not in the task, only beside it")]
    fn of(task: &Task) -> Option<&mut ContextStore> {
        let address = task.region() + UCONTEXT_AREA;
        // SAFETY: mapped, zeros at first, and only the thread that runs the task gets here, or the one
        // that makes it.
        task.ucontexts.is_mapped().then(|| unsafe { &mut *(address as *mut ContextStore) })
    }

    #[allow(clippy::mut_from_ref, reason = "as above")]
    fn of_or_new(task: &Task) -> Option<&mut ContextStore> {
        if !task.ucontexts.is_mapped() {
            task.ucontexts.map(task.region())?;
            ContextStore::of(task)?.end = FRAMES;
        }
        ContextStore::of(task)
    }

    fn index(&self, name: u32) -> Option<usize> {
        self.saved[..self.used].iter().position(|saved| saved.name == name)
    }

    fn find(&mut self, name: u32) -> Option<&mut SavedContext> {
        self.index(name).map(|index| &mut self.saved[index])
    }

    /// A place for `size` bytes of frames under a name.
    fn place(&mut self, name: u32, size: usize, limit: usize) -> Option<&mut SavedContext> {
        let index = self.index(name).or_else(|| self.index(0)).or_else(|| {
            (self.used < MAX_CONTEXTS).then(|| {
                self.used += 1;
                self.used - 1
            })
        })?;
        if (self.saved[index].room as usize) < size {
            self.saved[index] = SavedContext::NONE;
            let room = size.next_multiple_of(PIECE);
            if self.end + room > limit {
                self.compact();
            }
            if self.end + room > limit {
                return None;
            }
            self.saved[index].at = self.end as u32;
            self.saved[index].room = room as u32;
            self.end += room;
        }
        let saved = &mut self.saved[index];
        saved.name = name;
        saved.size = size as u32;
        Some(saved)
    }

    /// Moves all frames together.
    fn compact(&mut self) {
        // Frames lie behind what `self` may be used for.
        let base = ptr::with_exposed_provenance_mut::<u8>(ptr::from_mut(self).addr());
        self.end = FRAMES;
        let mut from = FRAMES as u32;
        while let Some(next) = (0..self.used)
            .filter(|i| self.saved[*i].name != 0 && self.saved[*i].at >= from)
            .min_by_key(|i| self.saved[*i].at)
        {
            let SavedContext { at, room, .. } = self.saved[next];
            // SAFETY: both ranges lie in the store, behind its head; `copy` lets them overlap.
            unsafe { ptr::copy(base.add(at as usize), base.add(self.end), room as usize) };
            self.saved[next].at = self.end as u32;
            self.end += room as usize;
            from = at + room;
        }
        for saved in &mut self.saved[..self.used] {
            if saved.name == 0 {
                *saved = SavedContext::NONE;
            }
        }
    }
}

/// Save the frames of the task's context under a name; false if there is no room.
pub fn save(task: &Task, name: u32) -> bool {
    let address = task.region() + UCONTEXT_AREA;
    let (start, end) = task.frames();
    let Some(store) = ContextStore::of_or_new(task) else { return false };
    let Some(saved) = store.place(name, end - start, UCONTEXT_AREA_SIZE) else { return false };
    let activation = task.activation.get();
    saved.sp = task.shadow_sp();
    saved.activation = if activation.is_null() { 0 } else { (end - activation.addr()) as u32 };
    // SAFETY: the task's user code does not run, and the place has that size.
    unsafe {
        let to = (address + saved.at as usize) as *mut u8;
        ptr::copy_nonoverlapping(start as *const u8, to, end - start);
    }
    true
}

/// Put the frames of a saved context back on the user stack; false if there is none of that name.
pub fn resume(task: &Task, name: u32) -> bool {
    let address = task.region() + UCONTEXT_AREA;
    let (_, end) = task.frames();
    let Some(saved) = ContextStore::of(task).and_then(|store| store.find(name)) else {
        return false;
    };
    let start = end - saved.size as usize;
    // SAFETY: the frames were there before, and what runs now is on the kernel stack.
    unsafe {
        let from = (address + saved.at as usize) as *const u8;
        ptr::copy_nonoverlapping(from, start as *mut u8, saved.size as usize);
    }
    task.set_frames(start, saved.sp);
    task.activation.set(match saved.activation {
        0 => ptr::null(),
        distance => ptr::with_exposed_provenance(end - distance as usize),
    });
    true
}

/// Is there a saved context of that name?
pub fn exists(task: &Task, name: u32) -> bool {
    ContextStore::of(task).is_some_and(|store| store.find(name).is_some())
}

/// Forget a saved context.
pub fn discard(task: &Task, name: u32) {
    if let Some(saved) =
        ContextStore::of(task).and_then(|store| store.find(name)).filter(|_| name != 0)
    {
        saved.name = 0;
    }
}

/// The child of a fork has its parent's contexts. False if the host has no room for them.
pub(super) fn inherit(parent: &Task, child: &Task) -> bool {
    let Some(from) = ContextStore::of(parent) else { return true };
    let Some(to) = ContextStore::of_or_new(child) else { return false };
    to.used = from.used;
    to.end = from.end;
    to.saved[..from.used].copy_from_slice(&from.saved[..from.used]);
    let (_, end) = parent.frames();
    let (parent_at, child_at) = (ptr::from_mut(from).addr(), ptr::from_mut(to).addr());
    for saved in from.saved[..from.used].iter().filter(|saved| saved.name != 0) {
        let (at, size) = (saved.at as usize, saved.size as usize);
        let activation = match saved.activation {
            0 => ptr::null(),
            distance => ptr::with_exposed_provenance(end - distance as usize),
        };
        // SAFETY: both stores have the frames there, and no code of the tasks runs.
        unsafe {
            let copy = (child_at + at) as *mut u8;
            ptr::copy_nonoverlapping((parent_at + at) as *const u8, copy, size);
            Copy::new(parent, child, end - size, child_at + at).relocate(activation);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    /// A store with room for some pieces of frames.
    struct Area {
        base: *mut u8,
        layout: Layout,
    }

    impl Area {
        fn new(pieces: usize) -> Area {
            let layout = Layout::from_size_align(FRAMES + pieces * PIECE, 16).unwrap();
            // SAFETY: not of size 0.
            let mut area = Area { base: unsafe { alloc_zeroed(layout) }, layout };
            area.base.expose_provenance();
            area.store().end = FRAMES;
            area
        }

        fn store(&mut self) -> &mut ContextStore {
            // SAFETY: zeros are a store, and the area is as large.
            unsafe { &mut *self.base.cast() }
        }

        /// Save frames that are all one byte; false if there is no room.
        fn save(&mut self, name: u32, size: usize, byte: u8) -> bool {
            let limit = self.layout.size();
            let Some(saved) = self.store().place(name, size, limit) else { return false };
            let at = saved.at as usize;
            // SAFETY: `place` has made room.
            unsafe { self.base.add(at).write_bytes(byte, size) };
            true
        }

        /// The saved bytes of a name.
        fn frames(&mut self, name: u32) -> Option<Vec<u8>> {
            let saved = *self.store().find(name)?;
            // SAFETY: written by `save`.
            let bytes = unsafe {
                std::slice::from_raw_parts(self.base.add(saved.at as usize), saved.size as usize)
            };
            Some(bytes.to_vec())
        }
    }

    impl Drop for Area {
        fn drop(&mut self) {
            // SAFETY: allocated in `new`.
            unsafe { dealloc(self.base, self.layout) };
        }
    }

    #[test]
    fn contexts_keep_their_frames_and_their_place() {
        let mut area = Area::new(4);
        assert!(area.save(7, 100, 1) && area.save(8, PIECE + 1, 2));
        let place = area.store().find(7).unwrap().at;
        assert!(area.save(7, PIECE, 3));
        assert_eq!(area.store().find(7).unwrap().at, place);
        assert_eq!(area.frames(7), Some(vec![3; PIECE]));
        assert_eq!(area.frames(8), Some(vec![2; PIECE + 1]));
        assert_eq!(area.frames(9), None);
    }

    #[test]
    fn room_between_contexts_is_found_again() {
        let mut area = Area::new(4);
        for name in 1..=4 {
            assert!(area.save(name, PIECE, name as u8));
        }
        assert!(!area.save(5, 1, 5), "the area is full");
        for name in [1, 3] {
            area.store().find(name).unwrap().name = 0;
        }
        assert!(area.save(6, 2 * PIECE, 6), "two pieces, once the others lie together");
        assert_eq!(area.frames(2), Some(vec![2; PIECE]));
        assert_eq!(area.frames(4), Some(vec![4; PIECE]));
        assert_eq!(area.frames(6), Some(vec![6; 2 * PIECE]));
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of comparisons take minutes there")]
    fn there_are_no_more_contexts_than_entries() {
        let mut area = Area::new(MAX_CONTEXTS + 1);
        assert!((1..=MAX_CONTEXTS as u32).all(|name| area.save(name, 1, 1)));
        assert!(!area.save(MAX_CONTEXTS as u32 + 1, 1, 1));
        area.store().find(MAX_CONTEXTS as u32).unwrap().name = 0;
        assert!(area.save(MAX_CONTEXTS as u32 + 1, 1, 1));
    }
}
