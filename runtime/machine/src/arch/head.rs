//! What assembly knows of a task: how its block begins.

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use linnet_abi::context::{Context, REGION_SIZE};

/// The beginning of a task's block, which lies right above its kernel stack: the block's address is that
/// stack's top.
#[repr(C)]
pub struct TaskHead {
    pub kernel: UnsafeCell<Context>,
    /// Where the user stack was left for the kernel.
    pub user_sp: Cell<usize>,
    /// Requests of the kernel that wait until it is left; not 0: the stubs call `run_actions`.
    pub action: Cell<u32>,
    /// What kind of child the task is about to make: [`FRAMES`], [`FUNCTION`] or none. The stubs set it, and
    /// clear it unless `run_actions` takes it.
    pub forking: Cell<u32>,
    pub thread: Cell<ThreadRequest>,
}

/// What the clone import leaves for `task_new`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadRequest {
    pub function: u32,
    pub argument: u32,
    pub stack: u32,
    pub flags: u32,
    pub tls: u32,
}

/// What a call of the kernel that makes a child gives to it: a copy of the frames that begin at `frames` in
/// the task's region, or a function to call. `kind` is that of [`TaskHead::forking`].
#[derive(Debug, Clone, Copy)]
pub struct ChildRequest {
    pub kind: u32,
    pub frames: usize,
    pub thread: ThreadRequest,
}

/// Values of the forking word: a child with a copy of the frames, or one that calls a function.
pub const FRAMES: u32 = 1;
pub const FUNCTION: u32 = 2;

/// From the start of a region, where the context of user code lies, to the task's block.
pub const TASK_OFFSET: usize = REGION_SIZE as usize - 4096;

pub const USER_SP: usize = offset_of!(TaskHead, user_sp);
pub const ACTION: usize = offset_of!(TaskHead, action);
pub const FORKING: usize = offset_of!(TaskHead, forking);
pub const THREAD: usize = offset_of!(TaskHead, thread);

const _: () = assert!(offset_of!(TaskHead, kernel) == 0, "the stubs rely on it");

/// A task's block.
///
/// # Safety
/// It begins with a [`TaskHead`], and its address is the top of the task's kernel stack.
pub unsafe trait TaskBlock: 'static {}
