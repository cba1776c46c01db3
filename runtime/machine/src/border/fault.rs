//! Host signals that translated code causes: faults and traps.
//!
//! The host delivers them on the vCPU thread's own signal stack. Handling one may take long and
//! end on another vCPU, so the handler does nothing there but find out what happened: it moves the
//! host's frame to the task's kernel stack, goes on above it, and leaves through the frame at the
//! end. From the kernel's view a fault of user code is an entry like any other, on an empty stack.
//!
//! Nothing here allocates or locks, but for loading memory of a snapshot, which is interrupted by nothing that
//! does. A fault of the runtime's own code outside guest memory ends
//! the machine.

use super::unwind;
use super::{kernel, user};
use crate::arch::{self, Frame};
use crate::cpu::switch;
use crate::host::exit::{self, fatal};
use crate::host::{signals, sys};
use crate::memory::demand;
use crate::memory::ids::MemoryId;
use crate::memory::layout;
use crate::memory::ram::Ram;
use crate::memory::tlb;
use crate::task::{Entry, Task};
use linnet_abi::memory::{MEMORY_SIZE, SLOT_SIZE};
use linnet_abi::trap::Trap;

/// Leaf functions use that much of the shadow stack without moving its pointer.
const RED_ZONE: u32 = 128;

/// Room for a frame of the host, and for what handles it.
const LEAST_STACK: usize = 24 << 10;

/// In siginfo: there is no memory behind a mapping.
const BUS_ADRERR: u32 = 2;

/// The guest's number.
const SIGKILL: u32 = 9;

/// Take over the signals.
pub fn init() {
    for signal in signals::FAULTS {
        // SAFETY: `on_signal` may run at any point of translated code, which is what raises these.
        unsafe { sys::sigaction(signal, on_signal as *const () as usize, 0) };
        // Whoever starts the process may have blocked all there are.
        sys::unblock(signals::bit(signal));
    }
}

/// What happened, in two words that fit into registers.
#[derive(Debug, Clone, Copy)]
enum Cause {
    UserPage { address: u32, write: bool },
    UserTrap(Trap),
    KernelPage { address: u32, write: bool },
    KernelTrap(Trap),
}

extern "C" fn on_signal(signal: u32, info: *const u64, uc: usize) {
    // SAFETY: the second word of siginfo begins with si_code.
    if unsafe { *info.add(1) } as i32 <= 0 {
        // Another process has sent it.
        signals::die(signal);
    }
    // SAFETY: the host passed the frame.
    let frame = unsafe { Frame::new(uc) };
    // SAFETY: si_addr of a fault is the third word of siginfo.
    let address = unsafe { *info.add(2) };
    if signal == sys::SIGSEGV && demand::load(address as usize) {
        return;
    }
    // SAFETY: si_code is the first half of the second word.
    let code = unsafe { *info.add(1) } as u32;
    if signal == sys::SIGBUS && code == BUS_ADRERR {
        fatal!(exit::HOST, "the host has no memory left for the guest's");
    }
    let sp = frame.sp() as usize;
    let Some(task) = Task::of_stack(sp) else { die(signal, address, frame) };
    let cause = if task.is_on_user_stack(sp) {
        user_cause(task, signal, address, frame)
    } else {
        kernel_cause(task, signal, address, frame)
    };
    let Some(cause) = cause else { die(signal, address, frame) };
    let (handler, top): (extern "C" fn(usize, usize, usize) -> !, _) = match cause {
        Cause::UserPage { .. } | Cause::UserTrap(_) => (user_fault, task.address()),
        // Below whatever the interrupted code may still write without moving the stack pointer.
        Cause::KernelPage { .. } | Cause::KernelTrap(_) => (kernel_fault, sp - 512),
    };
    let (kind, argument) = match cause {
        Cause::UserPage { address, write } | Cause::KernelPage { address, write } => {
            (usize::from(write), address as usize)
        }
        Cause::UserTrap(trap) | Cause::KernelTrap(trap) => (2, trap as usize),
    };
    if !task.has_kernel_stack(top, LEAST_STACK) {
        overflowed();
    }
    // SAFETY: a user fault finds the kernel stack empty; a kernel fault goes below its own frames.
    unsafe {
        let moved = frame.move_below(top);
        arch::jump_to(moved.below(), handler, moved.address(), kind, argument)
    }
}

fn user_cause(task: &Task, signal: u32, address: u64, frame: Frame) -> Option<Cause> {
    let offset = address.wrapping_sub(task.user_base());
    let is_access = signal == sys::SIGSEGV || signal == sys::SIGBUS;
    if is_access && offset < MEMORY_SIZE {
        return Some(Cause::UserPage { address: offset as u32, write: frame.is_write() });
    }
    if is_access && offset < SLOT_SIZE + 16 {
        return Some(Cause::UserTrap(Trap::MemoryOutOfBounds));
    }
    if is_access && task.is_in_guard(address as usize) {
        return Some(Cause::UserTrap(Trap::StackOverflow));
    }
    unwind::trap(task.module.get()?, frame.pc()).map(Cause::UserTrap)
}

fn kernel_cause(task: &Task, signal: u32, address: u64, frame: Frame) -> Option<Cause> {
    let offset = address.wrapping_sub(tlb::base(MemoryId::KERNEL));
    let is_access = signal == sys::SIGSEGV || signal == sys::SIGBUS;
    if is_access && offset < SLOT_SIZE + 16 {
        return Some(Cause::KernelPage { address: offset as u32, write: frame.is_write() });
    }
    if is_access && task.is_in_guard(address as usize) {
        overflowed();
    }
    unwind::trap(Ram::get().kernel, frame.pc()).map(Cause::KernelTrap)
}

extern "C" fn user_fault(uc: usize, kind: usize, argument: usize) -> ! {
    // SAFETY: `on_signal` moved the frame here.
    let frame = unsafe { Frame::new(uc) };
    let task = Task::of_stack(uc).expect("on a task's kernel stack");
    let context = task.kernel_context();
    task.entry.set(Entry::Fault);
    if kind == 2 {
        let trap = Trap::from_code(argument as u8).expect("made from a trap");
        let (mut signal, code) = trap.signal();
        let overflow = trap == Trap::StackOverflow;
        let address = if overflow { task.shadow_sp() } else { 0 };
        if overflow && task.has_reserve() {
            // There is no more for another handler.
            signal = SIGKILL;
        }
        // SAFETY: on the task's kernel stack, above nothing but the host's frame.
        unsafe { kernel::user_trap(context, signal, code, address) };
    } else {
        // SAFETY: as above.
        unsafe { kernel::page_fault(context, argument as u32, kind as u32) };
    }
    task.entry.set(Entry::Call);
    if task.has_action() {
        task.make_room(frame.sp() as usize);
        if !task.has_room(frame.sp() as usize) {
            // SAFETY: as above.
            unsafe { kernel::user_trap(context, SIGKILL, 0, 0) };
            fatal!(exit::KERNEL, "the kernel goes on with a program whose stack is full");
        }
        // SAFETY: the interrupted code does not use the stack below its pointer.
        unsafe {
            let moved = frame.move_below(frame.sp() as usize - 512);
            arch::jump_to(moved.below(), fault_actions, moved.address(), 0, 0)
        }
    }
    resume(task, frame)
}

/// On the user stack, below the frame of the interrupted code.
extern "C" fn fault_actions(uc: usize, _: usize, _: usize) -> ! {
    // SAFETY: `user_fault` moved the frame here.
    let frame = unsafe { Frame::new(uc) };
    let task = Task::of_stack(uc).expect("on a task's user stack");
    let (_, interrupted) = user::carry_out(task, 0, &frame.interrupted());
    // Maybe in another process now, see `task::relocate`.
    // SAFETY: it is where this frame's code was interrupted, and names the signal frame.
    let frame = unsafe { Frame::new(interrupted.signal_frame as usize) };
    resume(Task::current(), frame)
}

extern "C" fn kernel_fault(uc: usize, kind: usize, argument: usize) -> ! {
    // SAFETY: `on_signal` moved the frame here.
    let frame = unsafe { Frame::new(uc) };
    let task = Task::of_stack(uc).expect("on a task's kernel stack");
    let context = task.kernel_context();
    let previous = task.fault.replace((frame.fp(), frame.pc()));
    let shadow = task.kernel_shadow().get();
    task.kernel_shadow().set(u64::from((shadow as u32).wrapping_sub(RED_ZONE)));
    // SAFETY: the kernel was interrupted, and its entries for that may be called on its stack.
    unsafe {
        if kind == 2 {
            kernel::kernel_trap(context, argument as u32);
        } else {
            kernel::kernel_fault(context, argument as u32, kind as u32);
        }
    }
    task.kernel_shadow().set(shadow);
    task.fault.set(previous);
    resume(task, frame)
}

fn resume(task: &Task, frame: Frame) -> ! {
    let vcpu = switch::vcpu_of(task).expect("a running task has a vCPU");
    // SAFETY: the task runs on this thread, and its code continues.
    unsafe { frame.resume(vcpu.signal_stack()) }
}

fn overflowed() -> ! {
    fatal!(exit::KERNEL, "the kernel's stack overflowed")
}

fn die(signal: u32, address: u64, frame: Frame) -> ! {
    if layout::is_own(address as usize) {
        fatal!(
            exit::BUG,
            "a stack of the runtime overflowed, at {address:#x}, pc {:#x}",
            frame.pc()
        );
    }
    fatal!(
        exit::BUG,
        "host signal {signal} at {address:#x}, pc {:#x}, sp {:#x}: not in guest code",
        frame.pc(),
        frame.sp()
    )
}
