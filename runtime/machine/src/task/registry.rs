//! All tasks, by the kernel's names of them: making, suspending, and freeing.

use super::requests::Requests;
use super::stacks::{self, NoRegion, with_room};
use super::ucontext_area::UcontextArea;
use super::{CLAIMED, Entry, RUNNING, Task};
use crate::arch::head::TaskHead;
use crate::arch::{self, ThreadRequest};
use crate::host::exit::{self, fatal};
use crate::host::lock::SpinLock;
use crate::host::sys;
use crate::memory::ids::MemoryId;
use crate::memory::layout::{
    self, GUARD, KERNEL_STACK, PAGE, Refused, TASK_OFFSET, USER_BOTTOM, USER_TOP,
};
use crate::memory::ram::Ram;
use crate::memory::slot_sharing::SlotUse;
use crate::memory::tlb;
use core::cell::{Cell, UnsafeCell};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use linnet_abi::context::Context;

/// Freed regions that stay as they are; the memory of further ones goes back to the host. A region is
/// free as soon as its task has been switched away from for the last time.
const RESIDENT_FREE_REGIONS: usize = 64;

struct FreeList {
    first: usize,
    count: usize,
}

impl FreeList {
    fn push(&mut self, task: &'static Task) {
        task.next_free.set(self.first);
        self.first = task.address();
        self.count += 1;
    }

    fn pop(&mut self) -> Option<&'static Task> {
        // SAFETY: the list holds tasks, and those are never unmapped.
        let task = unsafe { (self.first as *const Task).as_ref()? };
        self.first = task.next_free.get();
        self.count -= 1;
        Some(task)
    }
}

static FREE: SpinLock<FreeList> = SpinLock::new(FreeList { first: 0, count: 0 });

/// Task by `task_struct >> 6`, for those that lie in guest-physical memory: address space that reads as
/// nothing, and may be written where tasks lie.
static INDEX: AtomicPtr<AtomicPtr<Task>> = AtomicPtr::new(ptr::null_mut());
const INDEX_SHIFT: u32 = 6;
const INDEX_LEAF: usize = 64 << 10;
const INDEX_MAX_LEAVES: usize = (1 << (32 - INDEX_SHIFT)) * size_of::<usize>() / INDEX_LEAF;
static INDEX_LEAVES: [AtomicBool; INDEX_MAX_LEAVES] =
    [const { AtomicBool::new(false) }; INDEX_MAX_LEAVES];

/// Size of a page of the host.
static HOST_PAGE: AtomicUsize = AtomicUsize::new(PAGE);

/// Reserve the index of tasks, on a host with pages of that size.
pub fn init(host_page: usize) {
    HOST_PAGE.store(host_page, Ordering::Relaxed);
    let size = (Ram::get().size as usize >> INDEX_SHIFT) * size_of::<usize>();
    match layout::map_own(size.next_multiple_of(INDEX_LEAF), INDEX_LEAF, sys::PROT_READ) {
        Ok(index) => INDEX.store(index as *mut AtomicPtr<Task>, Ordering::Release),
        Err(errno) => {
            fatal!(exit::HOST, "the host refuses {size} bytes of address space (errno {errno})")
        }
    }
}

/// Tasks that Linux makes before the first program runs: so many of its own, and for each vCPU.
const FIRST_TASKS: (u32, u32) = (40, 8);

/// Make room for the tasks without which no machine boots: what the host refuses now is an error at once.
pub fn reserve(vcpus: u32) {
    let count = FIRST_TASKS.0 + FIRST_TASKS.1 * vcpus;
    let mut regions = FreeList { first: 0, count: 0 };
    for _ in 0..count {
        match new_region() {
            Ok(task) => regions.push(task),
            Err(_) => fatal!(
                exit::HOST,
                "the host has no room for the stacks of {count} tasks\nhint: allow this process more addresses (ulimit -v, -d) or mappings (sysctl vm.max_map_count), or give the machine fewer vCPUs with --cpus, or less --memory"
            ),
        }
    }
    *FREE.lock() = regions;
}

/// The place of a task in the index, if a task can be there.
fn index_entry(id: u32) -> Option<&'static AtomicPtr<Task>> {
    let is_possible =
        u64::from(id) < Ram::get().size && id != 0 && id.is_multiple_of(1 << INDEX_SHIFT);
    // SAFETY: the index covers all of guest-physical memory.
    is_possible
        .then(|| unsafe { &*INDEX.load(Ordering::Relaxed).add((id >> INDEX_SHIFT) as usize) })
}

/// The same, made to be written.
fn new_index_entry(id: u32) -> Result<&'static AtomicPtr<Task>, NotMade> {
    let entry = index_entry(id).ok_or(NotMade::BadId)?;
    let offset = (id >> INDEX_SHIFT) as usize * size_of::<usize>();
    let is_writable = &INDEX_LEAVES[offset / INDEX_LEAF];
    if !is_writable.load(Ordering::Acquire) {
        let leaf = INDEX.load(Ordering::Relaxed).addr() + offset / INDEX_LEAF * INDEX_LEAF;
        let allow = || {
            let prot = sys::PROT_READ | sys::PROT_WRITE;
            // SAFETY: a part of the index, which loses nothing.
            let r = unsafe { sys::mprotect(leaf, INDEX_LEAF, prot) };
            if r == 0 { Ok(()) } else { Err(Refused::NoRoom(-r as i32)) }
        };
        with_room(allow).map_err(|_| NotMade::NoMemory)?;
        is_writable.store(true, Ordering::Release);
    }
    Ok(entry)
}

/// The task of a `task_struct`. It may have ended in the meantime, but is never unmapped.
fn find(id: u32) -> Option<&'static Task> {
    // SAFETY: an entry is null or a task.
    unsafe { index_entry(id)?.load(Ordering::Acquire).as_ref() }
}

/// The `task_struct`s of all tasks, while nobody makes or ends one.
pub fn all() -> impl Iterator<Item = u32> {
    let index = INDEX.load(Ordering::Relaxed);
    let per_leaf = INDEX_LEAF / size_of::<usize>();
    let leaves = INDEX_LEAVES.iter().enumerate();
    let used = leaves.filter(|(_, is_used)| is_used.load(Ordering::Acquire));
    used.flat_map(move |(leaf, _)| leaf * per_leaf..(leaf + 1) * per_leaf).filter_map(move |n| {
        // SAFETY: in a leaf that is mapped.
        let is_task = unsafe { !(*index.add(n)).load(Ordering::Acquire).is_null() };
        is_task.then_some((n << INDEX_SHIFT) as u32)
    })
}

/// A task that no vCPU runs, and that nobody else can switch to, free or look at meanwhile.
pub struct Suspended {
    task: &'static Task,
    sp: usize,
}

/// Why a task is not suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSuspended {
    /// There is none of that name.
    NoTask,
    /// A vCPU runs it.
    Runs,
}

impl Suspended {
    pub fn claim(id: u32) -> Result<Suspended, NotSuspended> {
        let task = find(id).ok_or(NotSuspended::NoTask)?;
        loop {
            match task.kernel_sp.load(Ordering::Relaxed) {
                RUNNING => return Err(NotSuspended::Runs),
                // For a few instructions.
                CLAIMED => arch::spin_hint(),
                sp => {
                    let claim = task.kernel_sp.compare_exchange_weak(
                        sp,
                        CLAIMED,
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    );
                    if claim.is_ok() {
                        let claimed = Suspended { task, sp };
                        // Another one may be in its place by now.
                        return (task.id.get() == id)
                            .then_some(claimed)
                            .ok_or(NotSuspended::NoTask);
                    }
                }
            }
        }
    }

    pub fn task(&self) -> &'static Task {
        self.task
    }

    /// Frame pointer and program counter where its kernel code goes on.
    pub fn frame(&self) -> (u64, u64) {
        // SAFETY: `switch` left the pointer, and the task does not run.
        unsafe { arch::switched_frame(self.sp) }
    }

    /// It is the caller's to run or to end.
    pub fn take(self) -> (&'static Task, usize) {
        let Suspended { task, sp } = self;
        mem::forget(self);
        task.kernel_sp.store(RUNNING, Ordering::Relaxed);
        (task, sp)
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        self.task.kernel_sp.store(self.sp, Ordering::Release);
    }
}

/// A task that was made and that nobody can switch to yet.
pub struct NewTask {
    task: &'static Task,
    sp: usize,
}

impl NewTask {
    pub fn task(&self) -> &'static Task {
        self.task
    }

    /// For somebody else to put together.
    pub fn into_parts(self) -> (&'static Task, usize) {
        (self.task, self.sp)
    }

    /// # Safety
    /// They must come from `into_parts`, once.
    pub unsafe fn from_parts(task: &'static Task, sp: usize) -> NewTask {
        NewTask { task, sp }
    }

    /// It is not needed after all.
    pub fn discard(self) {
        free(Suspended { task: self.task, sp: self.sp });
    }

    /// From now on it can be switched to.
    pub fn make_ready(self) {
        self.task.kernel_sp.store(self.sp, Ordering::Release);
    }

    /// Run it on the calling thread, which is that vCPU's and leaves its own stack at `thread_sp`, for
    /// [`leave`].
    pub fn enter(self, vcpu: u32, thread_sp: &AtomicUsize) {
        self.task.vcpu.set(Some(vcpu));
        // SAFETY: the thread's own stack is returned to by `leave`, if at all.
        unsafe { arch::switch(thread_sp.as_ptr(), self.sp) };
    }
}

/// Why a task was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// No `task_struct` can lie there.
    BadId,
    /// There is one of that name.
    Exists,
    /// There are as many as the machine can have.
    TooMany,
    /// The host refuses the memory for its stacks.
    NoMemory,
}

fn new_region() -> Result<&'static Task, NotMade> {
    if let Some(task) = FREE.lock().pop() {
        return Ok(task);
    }
    match stacks::make_region() {
        // SAFETY: mapped just now.
        Ok(region) => Ok(unsafe { &*((region + TASK_OFFSET) as *const Task) }),
        Err(NoRegion::TooMany) => Err(NotMade::TooMany),
        Err(NoRegion::NoMemory) => Err(NotMade::NoMemory),
    }
}

/// Make a kernel task that will start in `first` on its empty kernel stack.
pub fn new(
    id: u32,
    shadow_sp: u32,
    first: extern "C" fn(&'static Task) -> !,
) -> Result<NewTask, NotMade> {
    let entry = new_index_entry(id)?;
    if !entry.load(Ordering::Relaxed).is_null() {
        return Err(NotMade::Exists);
    }
    let task = new_region()?;
    let kernel = Ram::get().kernel;
    let mut context = Context { heap_base: tlb::base(MemoryId::KERNEL), ..Context::EMPTY };
    // SAFETY: `globals` has that many entries (checked when the machine started).
    let globals =
        unsafe { core::slice::from_raw_parts(kernel.globals, kernel.global_count as usize) };
    context.globals[..globals.len()].copy_from_slice(globals);
    context.globals[kernel.stack_pointer_slot as usize] = u64::from(shadow_sp);
    // SAFETY: the region is this task's alone until it is entered in the index.
    let sp = unsafe {
        ptr::from_ref(task).cast_mut().write(Task {
            head: TaskHead {
                kernel: UnsafeCell::new(context),
                user_sp: Cell::new(0),
                action: Cell::new(0),
                forking: Cell::new(0),
                thread: Cell::new(ThreadRequest::default()),
            },
            kernel_sp: AtomicUsize::new(RUNNING),
            id: Cell::new(id),
            shadow_base: Cell::new(shadow_sp),
            previous: Cell::new(0),
            vcpu: Cell::new(None),
            mm: Cell::new(MemoryId::KERNEL),
            slot: SlotUse::new(),
            requests: Requests::new(),
            activation: Cell::new(ptr::null()),
            module: Cell::new(None),
            entry: Cell::new(Entry::New),
            is_thread: Cell::new(false),
            resumed_kernel: Cell::new(None),
            resumed_user: Cell::new(None),
            fault: Cell::new((0, 0)),
            relaxed: Cell::new(0),
            reserve: Cell::new(false),
            ucontexts: UcontextArea::new(),
            next_free: Cell::new(0),
        });
        task.user_context().write(Context::EMPTY);
        arch::prepare_stack(task.address(), first, task.address())
    };
    let address = ptr::from_ref(task).cast_mut();
    if entry
        .compare_exchange(ptr::null_mut(), address, Ordering::AcqRel, Ordering::Relaxed)
        .is_err()
    {
        free_region(task);
        return Err(NotMade::Exists);
    }
    Ok(NewTask { task, sp })
}

/// Was anything ever written to this page of a stack since it was mapped or freed? Frames leave
/// addresses behind.
fn is_used(page: usize) -> bool {
    // SAFETY: the page is mapped, and nobody runs on this stack.
    let words = unsafe { core::slice::from_raw_parts(page as *const u64, PAGE / 8) };
    words.iter().any(|word| *word != 0)
}

/// Free the stacks of a task that will never run again.
pub fn free(suspended: Suspended) {
    let (task, _) = suspended.take();
    if let Some(entry) = index_entry(task.id.get()) {
        entry.store(ptr::null_mut(), Ordering::Release);
    }
    free_region(task);
}

/// Nobody else knows of the task any more.
fn free_region(task: &'static Task) {
    let region = task.region();
    task.drop_reserve();
    task.ucontexts.unmap(region);
    task.drop_programs();
    // Only what deep recursion left is worth a call; the uppermost pages are used again at once.
    let deep = region + USER_TOP - GUARD;
    if is_used(deep - PAGE) {
        let from = region + USER_BOTTOM;
        // SAFETY: nobody runs on these stacks any more.
        unsafe { sys::madvise(from, deep - from, sys::MADV_DONTNEED) };
    }
    let mut free = FREE.lock();
    if free.count >= RESIDENT_FREE_REGIONS {
        // The host's last page of the stack may be the task's own.
        let kernel_stack = KERNEL_STACK & !(HOST_PAGE.load(Ordering::Relaxed) - 1);
        // SAFETY: as above; the task's own page stays.
        unsafe {
            sys::madvise(deep, GUARD, sys::MADV_DONTNEED);
            sys::madvise(region + TASK_OFFSET - KERNEL_STACK, kernel_stack, sys::MADV_DONTNEED);
        }
    }
    free.push(task);
}

/// Leave the stack of `task` for good, for the thread's own.
///
/// # Safety
/// The calling thread runs `task`, and [`NewTask::enter`] has left the thread's own stack at `thread_sp`.
pub unsafe fn leave(task: &'static Task, thread_sp: usize) -> ! {
    let mut unused = 0;
    task.vcpu.set(None);
    // SAFETY: the caller's promise.
    unsafe { arch::switch(&raw mut unused, thread_sp) };
    unreachable!("nobody can switch to the task")
}

/// Leave the stack of `previous` for that of a task that was taken from a [`Suspended`], with its stack
/// pointer; returns when `previous` runs again.
///
/// # Safety
/// The calling thread runs `previous`, and uses the pointer once.
pub unsafe fn switch_stack(previous: &'static Task, sp: usize) {
    // SAFETY: the caller's promise.
    unsafe { arch::switch(previous.kernel_sp.as_ptr(), sp) };
}
