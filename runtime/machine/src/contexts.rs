//! User contexts (`makecontext(3)`): the native frames of those that do not run.
//!
//! All contexts of a task run on its one user stack. What is in it when one gives way to another is
//! copied to a store beside the stack, and copied back to the same addresses when it goes on, so that
//! frames may hold addresses of each other. The program names contexts, but cannot reach their frames.

use crate::arch;
use crate::task::{Task, ThreadRequest};
use crate::user;
use core::ptr;
use linnet_abi::context::Context;

const EINVAL: u32 = 22;
const ENOMEM: u32 = 12;

/// Contexts whose frames are kept at the same time.
const MOST: usize = 4096;

/// Room for frames is given in pieces of this size, so that a context mostly stays where it is.
const PIECE: usize = 512;

/// Frames that are kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
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

impl Kept {
    const NONE: Kept = Kept { name: 0, sp: 0, at: 0, room: 0, size: 0, activation: 0 };
}

/// Lies at the start of the area that a task has for it; frames follow.
#[repr(C)]
struct Store {
    /// So many of `kept` were ever used.
    used: usize,
    /// End of the frames.
    end: usize,
    kept: [Kept; MOST],
}

const FRAMES: usize = size_of::<Store>().next_multiple_of(PIECE);

impl Store {
    /// The store of a task that has one. No two are held of one task.
    #[allow(clippy::mut_from_ref, reason = "the store is not in the task, only beside it")]
    fn of(task: &Task) -> Option<&mut Store> {
        let (address, _) = task.store_area();
        // SAFETY: mapped, zeros at first, and only the thread that runs the task gets here, or the one
        // that makes it.
        task.has_store.get().then(|| unsafe { &mut *(address as *mut Store) })
    }

    #[allow(clippy::mut_from_ref, reason = "as above")]
    fn of_or_new(task: &Task) -> Option<&mut Store> {
        if !task.has_store.get() {
            task.map_store()?;
            Store::of(task)?.end = FRAMES;
        }
        Store::of(task)
    }

    fn index(&self, name: u32) -> Option<usize> {
        self.kept[..self.used].iter().position(|kept| kept.name == name)
    }

    fn find(&mut self, name: u32) -> Option<&mut Kept> {
        self.index(name).map(|index| &mut self.kept[index])
    }

    /// A place for `size` bytes of frames under a name.
    fn place(&mut self, name: u32, size: usize, limit: usize) -> Option<&mut Kept> {
        let index = self.index(name).or_else(|| self.index(0)).or_else(|| {
            (self.used < MOST).then(|| {
                self.used += 1;
                self.used - 1
            })
        })?;
        if (self.kept[index].room as usize) < size {
            self.kept[index] = Kept::NONE;
            let room = size.next_multiple_of(PIECE);
            if self.end + room > limit {
                self.compact();
            }
            if self.end + room > limit {
                return None;
            }
            self.kept[index].at = self.end as u32;
            self.kept[index].room = room as u32;
            self.end += room;
        }
        let kept = &mut self.kept[index];
        kept.name = name;
        kept.size = size as u32;
        Some(kept)
    }

    /// Moves all frames together.
    fn compact(&mut self) {
        let base = ptr::from_mut(self).cast::<u8>();
        self.end = FRAMES;
        let mut from = FRAMES as u32;
        while let Some(next) = (0..self.used)
            .filter(|i| self.kept[*i].name != 0 && self.kept[*i].at >= from)
            .min_by_key(|i| self.kept[*i].at)
        {
            let Kept { at, room, .. } = self.kept[next];
            // SAFETY: both ranges lie in the store, behind its head; `copy` lets them overlap.
            unsafe { ptr::copy(base.add(at as usize), base.add(self.end), room as usize) };
            self.kept[next].at = self.end as u32;
            self.end += room as usize;
            from = at + room;
        }
        for kept in &mut self.kept[..self.used] {
            if kept.name == 0 {
                *kept = Kept::NONE;
            }
        }
    }
}

fn keep(task: &Task, name: u32) -> bool {
    let (address, area) = task.store_area();
    let (start, end) = task.frames();
    let Some(store) = Store::of_or_new(task) else { return false };
    let Some(kept) = store.place(name, end - start, area) else { return false };
    let activation = task.activation.get();
    kept.sp = task.shadow_sp();
    kept.activation = if activation.is_null() { 0 } else { (end - activation.addr()) as u32 };
    // SAFETY: the task's user code does not run, and the place has that size.
    unsafe {
        let to = (address + kept.at as usize) as *mut u8;
        ptr::copy_nonoverlapping(start as *const u8, to, end - start);
    }
    true
}

fn go_on(task: &Task, name: u32) -> bool {
    let (address, _) = task.store_area();
    let (_, end) = task.frames();
    let Some(kept) = Store::of(task).and_then(|store| store.find(name)) else { return false };
    let start = end - kept.size as usize;
    // SAFETY: the frames were there before, and what runs now is on the kernel stack.
    unsafe {
        let from = (address + kept.at as usize) as *const u8;
        ptr::copy_nonoverlapping(from, start as *mut u8, kept.size as usize);
    }
    task.set_frames(start, kept.sp);
    task.activation.set(match kept.activation {
        0 => ptr::null(),
        distance => ptr::with_exposed_provenance(end - distance as usize),
    });
    true
}

/// User import `context_swap`, on the task's kernel stack. All of the caller's registers that matter are
/// in its frames.
pub extern "C" fn swap(
    task: &Task,
    from: u32,
    to: u32,
    function: u32,
    argument: u32,
    stack: u32,
) -> u32 {
    let is_there = |name| Store::of(task).is_some_and(|store| store.find(name).is_some());
    if to != 0 && to != from && !is_there(to) {
        return EINVAL;
    }
    if from != 0 && !keep(task, from) {
        return ENOMEM;
    }
    if to != 0 {
        return if go_on(task, to) { 0 } else { EINVAL };
    }
    if function != 0 {
        task.activation.set(ptr::null());
        task.set_frames(task.user_top(), stack);
        task.thread.set(ThreadRequest { function, argument, ..ThreadRequest::default() });
        // SAFETY: the frames on both stacks are kept or not needed any more.
        unsafe { arch::enter_user(task, user::thread_main, task.user_top()) };
    }
    0
}

#[unsafe(export_name = "linnet_user_context_drop")]
extern "C" fn context_drop(context: *mut Context, which: u32) {
    // SAFETY: translated user code calls this with its context.
    let task = unsafe { Task::of_user(context) };
    if let Some(kept) = Store::of(task).and_then(|store| store.find(which)).filter(|_| which != 0) {
        kept.name = 0;
    }
}

/// The child of a fork has its parent's contexts; `move_word` makes a word of the parent's frames one of
/// the child's.
pub fn inherit(parent: &Task, child: &Task, move_word: impl Fn(usize) -> usize) {
    let Some(from) = Store::of(parent) else { return };
    let Some(to) = Store::of_or_new(child) else { return };
    to.used = from.used;
    to.end = from.end;
    to.kept[..from.used].copy_from_slice(&from.kept[..from.used]);
    let (parent_at, child_at) = (ptr::from_mut(from).addr(), ptr::from_mut(to).addr());
    for kept in from.kept[..from.used].iter().filter(|kept| kept.name != 0) {
        for offset in (kept.at..kept.at + kept.size).step_by(size_of::<usize>()) {
            // SAFETY: both stores have the frames there, and no code of the tasks runs.
            unsafe {
                let word = *((parent_at + offset as usize) as *const usize);
                *((child_at + offset as usize) as *mut usize) = move_word(word);
            }
        }
    }
}
