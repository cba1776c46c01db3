//! What user code and the kernel have asked of the runtime for a task, and that waits until the kernel is left.

use crate::memory::ids::MemoryId;
use core::cell::Cell;
use linnet_abi::module::Module;

/// Bits of the action word.
pub mod action {
    pub const EXEC: u32 = 1;
    pub const SIGNAL: u32 = 2;
    /// Wait until the memory's slot is free: see `slot_sharing`.
    pub const SLOT: u32 = 4;
}

/// What the bits of the action word, and the first entry of user mode, are about.
pub struct Requests {
    pub start: Cell<Start>,
    pub signal: Cell<Option<SignalRequest>>,
    pub exec: Cell<Option<ExecRequest>>,
}

impl Requests {
    pub const fn new() -> Self {
        Self { start: Cell::new(Start::Program), signal: Cell::new(None), exec: Cell::new(None) }
    }

    /// Has the kernel prepared what the task does in user mode?
    pub fn is_prepared(&self) -> bool {
        !matches!(self.start.get(), Start::Program) || self.exec.get().is_some()
    }
}

/// What a task does when it enters user mode for the first time.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// Nothing was prepared: the kernel must have asked for a program.
    Program,
    /// Go on in a copy of the parent's frames.
    Forked,
    /// Call the function in the task's [`ThreadRequest`].
    Thread,
    /// Go on in frames of a snapshot.
    Resumed,
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

/// A program to run.
#[derive(Debug, Clone, Copy)]
pub struct ExecRequest {
    pub mm: MemoryId,
    pub program: &'static Module,
    pub sp: u32,
}
