//! Tasks: what the runtime knows of a Linux task, and its native stacks.

pub mod fork;
pub mod registry;
mod relocate;
pub mod requests;
mod stacks;
pub mod ucontext;
mod ucontext_area;

use crate::arch::head::{ChildRequest, FRAMES, TaskHead};
use crate::arch::{self, Activation, TaskBlock};
use crate::host::sys;
use crate::memory::ids::MemoryId;
use crate::memory::layout::{
    GUARD, KERNEL_STACK, PAGE, RESERVE, RESERVE_BOTTOM, ROOM, TASK_OFFSET, USER_BOTTOM, USER_TOP,
};
use crate::memory::ram::Ram;
use crate::memory::slot_sharing::SlotUse;
use crate::memory::{loaded, tlb};
use core::cell::Cell;
use core::mem::offset_of;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use linnet_abi::context::{Context, offset};
use linnet_abi::module::Module;
use linnet_frames::rebuild::Plan;
use requests::Requests;
use ucontext_area::UcontextArea;

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
    pub requests: Requests,
    /// Innermost interrupted user code that a signal handler runs on top of.
    pub activation: Cell<*const Activation>,
    pub module: Cell<Option<&'static Module>>,
    pub entry: Cell<Entry>,
    /// Does its user code begin with a function of a thread, and not with that of a program?
    pub is_thread: Cell<bool>,
    /// Frames of a snapshot that its stacks do not have yet.
    pub resumed_kernel: Cell<Option<&'static Resumed>>,
    pub resumed_user: Cell<Option<&'static Resumed>>,
    /// Frame pointer and program counter of kernel code that faulted, while the kernel handles it.
    pub fault: Cell<(u64, u64)>,
    relaxed: Cell<u32>,
    reserve: Cell<bool>,
    pub ucontexts: UcontextArea,
    next_free: Cell<usize>,
}

/// By which way a task has entered the kernel that it is in, or will at its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Entry {
    /// It has not run yet.
    New = 0,
    /// As a task of the kernel's own, or as one that has not been in user mode yet.
    Task = 1,
    /// By a stub of `arch::entry` that makes a system call.
    Call = 2,
    /// By a poll of the user code that its innermost activation is about.
    Poll = 3,
    /// Behind the handler of its innermost activation.
    Sigreturn = 4,
    /// Behind the end of its program or thread.
    End = 5,
    /// From an instruction, or from frames that do not tell where they stand.
    Fault = 6,
    /// As by [`Entry::Call`], but the frames were rebuilt: the innermost activation tells where they stand.
    CallAgain = 7,
}

impl Entry {
    /// One that a snapshot may name.
    pub fn from_number(n: u32) -> Option<Entry> {
        use Entry::{Call, End, New, Poll, Sigreturn, Task};
        [New, Task, Call, Poll, Sigreturn, End].into_iter().find(|entry| *entry as u32 == n)
    }
}

/// Frames of one stack as a snapshot has them, and how they are rebuilt.
#[derive(Debug, Clone, Copy)]
pub struct Resumed {
    pub plan: Plan<'static>,
    pub record: &'static [u8],
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
        let task = stacks::region_of(sp)? + TASK_OFFSET;
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
        self.reserve.set(stacks::map_stack(self.region() + RESERVE_BOTTOM, RESERVE).is_ok());
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

    pub fn shadow_base(&self) -> u32 {
        self.shadow_base.get()
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

    /// Point the user context at another program or memory. The hold on the program becomes the task's.
    pub fn set_program(&self, module: &'static Module, mm: MemoryId, sp: u32) {
        self.drop_reserve();
        self.ucontexts.unmap(self.region());
        let mut context = Context { heap_base: tlb::base(mm), ..Context::EMPTY };
        // SAFETY: `globals` has that many entries (checked when the machine started).
        let globals =
            unsafe { core::slice::from_raw_parts(module.globals, module.global_count as usize) };
        context.globals[..globals.len()].copy_from_slice(globals);
        context.globals[module.stack_pointer_slot as usize] = u64::from(sp);
        // SAFETY: no user code of this task is on any stack any more.
        unsafe { self.user_context().write(context) };
        if let Some(previous) = self.module.replace(Some(module)) {
            loaded::release(previous);
        }
        self.mm.set(mm);
        self.activation.set(ptr::null());
    }

    /// It will run no program any more.
    pub fn drop_programs(&self) {
        let asked = self.requests.exec.take().map(|request| request.program);
        [self.module.take(), asked].into_iter().flatten().for_each(loaded::release);
    }

    /// Counts rounds of spin loops; true when it is time to let another host thread run.
    pub fn relax(&self) -> bool {
        let n = self.relaxed.get().wrapping_add(1);
        self.relaxed.set(n);
        n.is_multiple_of(64)
    }
}
