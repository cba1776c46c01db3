//! Tasks: what the runtime knows of a Linux task, and its native stacks.

pub mod fork;
mod relocate;
pub mod ucontext;

use crate::arch::head::{FRAMES, TaskHead};
use crate::arch::{self, Activation, TaskBlock, ThreadRequest};
use crate::host::exit::{self, fatal};
use crate::host::lock::SpinLock;
use crate::host::sys;
use crate::memory::ids::MemoryId;
use crate::memory::layout::{self, Refused};
use crate::memory::layout::{
    CONTEXT_SIZE, GUARD, KERNEL_STACK, Layout, PAGE, REGION_SIZE, RESERVE, RESERVE_BOTTOM, ROOM,
    TASK_OFFSET, UCONTEXT_AREA, UCONTEXT_AREA_SIZE, USER_BOTTOM, USER_TOP,
};
use crate::memory::ram::Ram;
use crate::memory::slot_sharing::SlotUse;
use crate::memory::tlb;
use core::cell::{Cell, UnsafeCell};
use core::mem::{self, offset_of};
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use linnet_abi::context::{Context, offset};
use linnet_abi::module::Module;

/// Freed regions that stay as they are; the memory of further ones goes back to the host. A region is
/// free as soon as its task has been switched away from for the last time.
const RESIDENT_FREE_REGIONS: usize = 64;

/// What a task does when it enters user mode for the first time.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// Nothing was prepared: the kernel must have asked for a program.
    Program,
    /// Go on in a copy of the parent's frames.
    Forked,
    /// Call the function in the task's [`ThreadRequest`].
    Thread,
}

/// A signal handler to run.
#[derive(Debug, Clone, Copy)]
pub struct SignalRequest {
    pub sp: u32,
    pub restorer: u32,
    pub handler: u32,
    pub signal: u32,
    pub info: u32,
    pub ucontext: u32,
}

/// What a call of the kernel that makes a child gives to it: a copy of the frames that begin at `frames` in
/// the task's region, or a function to call. `kind` is that of [`TaskHead::forking`].
#[derive(Debug, Clone, Copy)]
pub struct ChildRequest {
    kind: u32,
    frames: usize,
    thread: ThreadRequest,
}

/// A program to run.
#[derive(Debug, Clone, Copy)]
pub struct ExecRequest {
    pub mm: MemoryId,
    pub program: &'static Module,
    pub sp: u32,
}

/// A task. Lies at the top of its region, right above its kernel stack, so that its address is
/// that stack's top. Used by the vCPU that runs the task, and by the one that makes it.
#[repr(C, align(4096))]
pub struct Task {
    head: TaskHead,
    /// Where its kernel code goes on; [`RUNNING`] or [`CLAIMED`] if nobody may make it.
    kernel_sp: AtomicUsize,
    /// Address of the kernel's `task_struct`.
    pub id: Cell<u32>,
    /// The kernel's shadow stack pointer when its stack is empty.
    shadow_base: Cell<u32>,
    /// The task that this one took over from at its last switch.
    pub previous: Cell<u32>,
    /// Number of the vCPU that runs it.
    pub vcpu: Cell<Option<u32>>,
    /// Of its program; the kernel's if it has none.
    pub mm: Cell<MemoryId>,
    pub slot: SlotUse,
    pub start: Cell<Start>,
    pub signal: Cell<Option<SignalRequest>>,
    pub exec: Cell<Option<ExecRequest>>,
    /// Innermost interrupted user code that a signal handler runs on top of.
    pub activation: Cell<*const Activation>,
    pub module: Cell<Option<&'static Module>>,
    /// Frame pointer and program counter of kernel code that faulted, while the kernel handles it.
    pub fault: Cell<(u64, u64)>,
    relaxed: Cell<u32>,
    reserve: Cell<bool>,
    /// Is the area for frames of contexts mapped? See `contexts`.
    pub has_ucontext_area: Cell<bool>,
    next_free: Cell<usize>,
}

/// Bits of the action word.
pub mod action {
    pub const EXEC: u32 = 1;
    pub const SIGNAL: u32 = 2;
    /// Wait until the memory's slot is free: see `slot_sharing`.
    pub const SLOT: u32 = 4;
}

/// Values of the kernel stack pointer that are none: a vCPU runs the task, or it is new or free;
/// somebody has claimed it for a moment.
const RUNNING: usize = 0;
const CLAIMED: usize = 1;

const _: () = assert!(offset_of!(Task, head) == 0);
const _: () = assert!(size_of::<Task>() == PAGE);

// SAFETY: the fields that other threads reach (the poll word, the slot) are
// accessed atomically; all others belong to the thread that runs the task, and hand-over between
// threads goes through the scheduler's locks in the guest kernel.
unsafe impl Sync for Task {}

// SAFETY: the head is the first field, and regions have the block right above the kernel stack.
unsafe impl TaskBlock for Task {}

impl Deref for Task {
    type Target = TaskHead;
    fn deref(&self) -> &TaskHead {
        &self.head
    }
}

impl Task {
    /// The task of a kernel context.
    ///
    /// # Safety
    /// `context` must come from translated kernel code.
    pub unsafe fn of_kernel(context: *mut Context) -> &'static Task {
        // SAFETY: the context is the first field of a task that is never unmapped.
        unsafe { &*context.cast::<Task>() }
    }

    /// The task of a user context.
    ///
    /// # Safety
    /// `context` must come from translated user code.
    pub unsafe fn of_user(context: *mut Context) -> &'static Task {
        // SAFETY: as above; it lies at the start of the task's region.
        unsafe { &*context.byte_add(TASK_OFFSET).cast::<Task>() }
    }

    /// The task that this code runs for. Code that has called user code finds it so: that may have come back
    /// as another task.
    #[inline(always)]
    pub fn current() -> &'static Task {
        Task::of_stack(arch::frame_pointer() as usize).expect("on a stack of a task")
    }

    /// The task whose stacks `sp` lies in.
    pub fn of_stack(sp: usize) -> Option<&'static Task> {
        let Layout { regions, region_count, .. } = Layout::get();
        let made = REGION_COUNT.load(Ordering::Acquire).min(region_count);
        if !(regions..regions + made * REGION_SIZE).contains(&sp) {
            return None;
        }
        let task = (sp & !(REGION_SIZE - 1)) + TASK_OFFSET;
        // SAFETY: a region that was made holds a task, and is never unmapped.
        Some(unsafe { &*(task as *const Task) })
    }

    pub fn address(&self) -> usize {
        ptr::from_ref(self) as usize
    }

    fn region(&self) -> usize {
        self.address() - TASK_OFFSET
    }

    pub fn kernel_context(&self) -> *mut Context {
        self.kernel.get()
    }

    pub fn user_context(&self) -> *mut Context {
        ptr::with_exposed_provenance_mut(self.region())
    }

    /// End of the user stack.
    pub fn user_top(&self) -> usize {
        self.region() + USER_TOP - 64
    }

    pub fn is_on_user_stack(&self, sp: usize) -> bool {
        sp < self.region() + USER_TOP
    }

    /// Does the address lie below one of the stacks, where an overflow ends up?
    pub fn is_in_guard(&self, address: usize) -> bool {
        let offset = address.wrapping_sub(self.region());
        offset < USER_BOTTOM
            || (TASK_OFFSET - KERNEL_STACK - GUARD..TASK_OFFSET - KERNEL_STACK).contains(&offset)
    }

    /// Is the user stack longer than it should be?
    pub fn has_reserve(&self) -> bool {
        self.reserve.get()
    }

    /// Make the user stack longer if a signal handler would find no room below `sp`.
    pub fn make_room(&self, sp: usize) {
        if sp - self.region() >= USER_BOTTOM + ROOM || self.reserve.get() {
            return;
        }
        self.reserve.set(map_stack(self.region() + RESERVE_BOTTOM, RESERVE).is_ok());
    }

    /// Can what interrupts user code be kept on its stack below `sp`?
    pub fn has_room(&self, sp: usize) -> bool {
        let bottom = if self.reserve.get() { RESERVE_BOTTOM } else { USER_BOTTOM };
        sp - self.region() >= bottom + ROOM / 2
    }

    /// Is there so much of the kernel stack below `sp`?
    pub fn has_kernel_stack(&self, sp: usize, size: usize) -> bool {
        sp.wrapping_sub(size) >= self.kernel_stack_bottom()
    }

    pub fn kernel_stack_bottom(&self) -> usize {
        self.address() - KERNEL_STACK
    }

    /// Is the reserve mapped, and not needed by frames above `sp`?
    pub fn has_left_reserve(&self, sp: usize) -> bool {
        self.reserve.get() && sp - self.region() >= USER_BOTTOM
    }

    /// The user stack has its length again. Nothing may lie in the reserve.
    pub fn drop_reserve(&self) {
        if self.reserve.replace(false) {
            // SAFETY: the caller's promise.
            unsafe { sys::munmap(self.region() + RESERVE_BOTTOM, RESERVE) };
        }
    }

    /// Address and size of the area for frames of contexts.
    pub fn ucontext_area(&self) -> (usize, usize) {
        (self.region() + UCONTEXT_AREA, UCONTEXT_AREA_SIZE)
    }

    pub fn map_ucontext_area(&self) -> Option<()> {
        let is_mapped = map_stack(self.region() + UCONTEXT_AREA, UCONTEXT_AREA_SIZE).is_ok();
        self.has_ucontext_area.set(is_mapped);
        is_mapped.then_some(())
    }

    /// All contexts are gone.
    fn drop_ucontext_area(&self) {
        if self.has_ucontext_area.replace(false) {
            // SAFETY: mapped by `map_ucontext_area`, and only the task's thread uses it.
            unsafe { sys::munmap(self.region() + UCONTEXT_AREA, UCONTEXT_AREA_SIZE) };
        }
    }

    /// Start and end of the user code's frames, while it has called the runtime.
    pub fn frames(&self) -> (usize, usize) {
        (self.user_sp.get(), self.region() + USER_TOP)
    }

    /// The user code goes on in frames that start there, with that shadow stack pointer.
    pub fn set_frames(&self, start: usize, shadow_sp: u32) {
        self.user_sp.set(start);
        if let Some(module) = self.module.get() {
            self.set_user_global(module.stack_pointer_slot, u64::from(shadow_sp));
        }
    }

    pub fn take_action(&self) -> u32 {
        self.action.replace(0)
    }

    pub fn has_action(&self) -> bool {
        self.action.get() != 0
    }

    pub fn request(&self, action: u32) {
        self.action.set(self.action.get() | action);
    }

    /// Has the kernel prepared what the task does in user mode?
    pub fn can_enter_user(&self) -> bool {
        !matches!(self.start.get(), Start::Program) || self.exec.get().is_some()
    }

    /// Forget what concerns frames that are dropped with the kernel's: a call that makes a child, faults.
    pub fn drop_frames(&self) {
        self.forking.set(0);
        self.fault.set((0, 0));
        self.empty_kernel_stack();
    }

    /// What the call that the task has made of the kernel gives to a child; nothing from now on.
    pub fn take_child_request(&self) -> ChildRequest {
        let kind = self.forking.replace(0);
        let frames = self.user_sp.get().wrapping_sub(self.region());
        ChildRequest { kind, frames, thread: self.thread.get() }
    }

    /// A call that has this request is about to be made.
    pub fn request_child(&self, request: &ChildRequest) {
        self.forking.set(request.kind);
        self.user_sp.set(self.region().wrapping_add(request.frames));
        self.thread.set(request.thread);
    }

    /// Has the task's user code, if it has any, called something that makes a child?
    pub fn can_have_child(&self) -> bool {
        self.module.get().is_none() || self.forking.get() != 0
    }

    /// Is the task about to make a child with a copy of its frames?
    pub fn copies_frames(&self) -> bool {
        self.forking.get() == FRAMES
    }

    fn poll_word(&self) -> &AtomicU32 {
        // SAFETY: the word is inside a task that is never unmapped; translated code only reads it.
        unsafe {
            AtomicU32::from_ptr(self.user_context().cast::<u8>().add(offset::POLL as usize).cast())
        }
    }

    /// Make user code of this task poll. May be called from any thread.
    pub fn poke(&self) {
        self.poll_word().store(1, Ordering::Release);
    }

    pub fn clear_poll(&self) {
        self.poll_word().store(0, Ordering::Relaxed);
    }

    /// Is user code to poll? It has, then.
    pub fn take_poll(&self) -> bool {
        self.poll_word().load(Ordering::Relaxed) != 0 && {
            self.clear_poll();
            true
        }
    }

    /// A slot of the user context's globals.
    pub fn user_global(&self, slot: u32) -> u64 {
        // SAFETY: called by the thread that runs the task, outside its user code.
        unsafe { (*self.user_context()).globals[slot as usize] }
    }

    pub fn set_user_global(&self, slot: u32, value: u64) {
        // SAFETY: as above.
        unsafe { (*self.user_context()).globals[slot as usize] = value };
    }

    pub fn user_base(&self) -> u64 {
        // SAFETY: as above.
        unsafe { (*self.user_context()).heap_base }
    }

    /// The user code's shadow stack pointer.
    pub fn shadow_sp(&self) -> u32 {
        self.module.get().map_or(0, |m| self.user_global(m.stack_pointer_slot) as u32)
    }

    /// Forget the kernel's frames: the next entry finds its shadow stack empty.
    fn empty_kernel_stack(&self) {
        self.kernel_shadow().set(u64::from(self.shadow_base.get()));
    }

    /// Shadow stack pointer of the kernel code that runs or was interrupted.
    pub fn kernel_shadow(&self) -> &Cell<u64> {
        let slot = Ram::get().kernel.stack_pointer_slot as usize;
        // SAFETY: used by the thread that runs the task, while translated code of it does not.
        unsafe { Cell::from_mut(&mut (*self.kernel.get()).globals[slot]) }
    }

    /// Point the user context at another program or memory.
    pub fn set_program(&self, module: &'static Module, mm: MemoryId, sp: u32) {
        self.drop_reserve();
        self.drop_ucontext_area();
        let mut context = Context { heap_base: tlb::base(mm), ..Context::EMPTY };
        // SAFETY: `globals` has that many entries (checked when the machine started).
        let globals =
            unsafe { core::slice::from_raw_parts(module.globals, module.global_count as usize) };
        context.globals[..globals.len()].copy_from_slice(globals);
        context.globals[module.stack_pointer_slot as usize] = u64::from(sp);
        // SAFETY: no user code of this task is on any stack any more.
        unsafe { self.user_context().write(context) };
        self.module.set(Some(module));
        self.mm.set(mm);
        self.activation.set(ptr::null());
    }

    /// Counts rounds of spin loops; true when it is time to let another host thread run.
    pub fn relax(&self) -> bool {
        let n = self.relaxed.get().wrapping_add(1);
        self.relaxed.set(n);
        n.is_multiple_of(64)
    }
}

// --------------------------------------------------------------------------------------------
// Making and freeing
// --------------------------------------------------------------------------------------------

static REGION_COUNT: AtomicUsize = AtomicUsize::new(0);

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

/// Make room for the tasks without which no machine starts: what the host refuses now is an error at once.
pub fn reserve(vcpus: u32) {
    let count = FIRST_TASKS.0 + FIRST_TASKS.1 * vcpus;
    let mut regions = FreeList { first: 0, count: 0 };
    for _ in 0..count {
        match new_region() {
            Ok(task) => regions.push(task),
            Err(_) => fatal!(
                exit::HOST,
                "the host has no room for the stacks of {count} tasks\nhint: allow this process more addresses (ulimit -v) or mappings (sysctl vm.max_map_count), or give the machine fewer vCPUs with --cpus, or less --memory"
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

    /// Run it on the calling thread, which is that vCPU's and leaves its own stack for good.
    pub fn enter(self, vcpu: u32) -> ! {
        self.task.vcpu.set(Some(vcpu));
        let mut unused = 0;
        // SAFETY: the thread's own stack is never returned to.
        unsafe { arch::switch(&raw mut unused, self.sp) };
        unreachable!("nobody switches back to a thread's own stack")
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

/// Do what takes room of the host, once more if it has none: guest memory gives way.
fn with_room(take: impl Fn() -> Result<(), Refused>) -> Result<(), Refused> {
    take().or_else(|refused| match refused {
        Refused::Taken => Err(refused),
        Refused::NoRoom(_) => {
            tlb::flush_all();
            take()
        }
    })
}

fn map_stack(base: usize, size: usize) -> Result<(), Refused> {
    with_room(|| layout::map(base, size, sys::PROT_READ | sys::PROT_WRITE))
}

/// Both stacks of a region, and the context. A host that has no room for more than them refuses them: it would
/// have none for the memory of the guest.
fn map_stacks(base: usize) -> Result<(), Refused> {
    let own = sys::PROT_READ | sys::PROT_WRITE;
    let parts = [
        (base, CONTEXT_SIZE, own),
        (base + USER_BOTTOM, USER_TOP - USER_BOTTOM, own),
        (base + TASK_OFFSET - KERNEL_STACK, KERNEL_STACK + PAGE, own),
        (base + UCONTEXT_AREA, UCONTEXT_AREA_SIZE, 0),
    ];
    let unmap = |part: &(usize, usize, usize)| {
        // SAFETY: mapped just now, and nobody else knows of it.
        unsafe { sys::munmap(part.0, part.1) };
    };
    for (n, &(start, size, protection)) in parts.iter().enumerate() {
        with_room(|| layout::map(start, size, protection))
            .inspect_err(|_| parts[..n].iter().for_each(unmap))?;
    }
    unmap(&parts[3]);
    Ok(())
}

fn new_region() -> Result<&'static Task, NotMade> {
    if let Some(task) = FREE.lock().pop() {
        return Ok(task);
    }
    let Layout { regions, region_count, .. } = Layout::get();
    loop {
        let next = |n| (n < region_count).then_some(n + 1);
        let n = REGION_COUNT
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .map_err(|_| NotMade::TooMany)?;
        let base = regions + n * REGION_SIZE;
        match map_stacks(base) {
            // SAFETY: mapped just now.
            Ok(()) => return Ok(unsafe { &*((base + TASK_OFFSET) as *const Task) }),
            // Something of the host.
            Err(Refused::Taken) => {}
            Err(Refused::NoRoom(_)) => {
                // It is tried again, unless another vCPU has taken the next one.
                let count = (Ordering::AcqRel, Ordering::Relaxed);
                let _ = REGION_COUNT.compare_exchange(n + 1, n, count.0, count.1);
                return Err(NotMade::NoMemory);
            }
        }
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
            start: Cell::new(Start::Program),
            signal: Cell::new(None),
            exec: Cell::new(None),
            activation: Cell::new(ptr::null()),
            module: Cell::new(None),
            fault: Cell::new((0, 0)),
            relaxed: Cell::new(0),
            reserve: Cell::new(false),
            has_ucontext_area: Cell::new(false),
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
    task.drop_ucontext_area();
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

/// Leave the stack of `previous` for that of a task that was taken from a [`Suspended`], with its stack
/// pointer; returns when `previous` runs again.
///
/// # Safety
/// The calling thread runs `previous`, and uses the pointer once.
pub unsafe fn switch_stack(previous: &'static Task, sp: usize) {
    // SAFETY: the caller's promise.
    unsafe { arch::switch(previous.kernel_sp.as_ptr(), sp) };
}
