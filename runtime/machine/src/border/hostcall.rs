//! Host calls: what the kernel asks of the machine. One function for each row of the table.

#![allow(non_camel_case_types, reason = "names are those of the tables")]

use super::unwind::{Tables, trace};
use super::{kernel, user};
use crate::arch;
use crate::boot::entry;
use crate::cpu::vcpu;
use crate::device::{console, virtio};
use crate::host::exit::{self, fatal};
use crate::host::sys::ENOENT;
use crate::host::{clock, sys, terminal};
use crate::memory::ram::Ram;
use crate::memory::{image, tlb};
use crate::task::{self, ExecRequest, SignalRequest, Task, action};
use linnet_abi::context::Context;
use linnet_abi::for_each_host_call;
use linnet_abi::module::TableEntry;

type ptr = u32;

/// The entry points, `linnet_host_<name>`: they find the calling task and call the function here.
macro_rules! exports {
    ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        mod exports {
            use super::{Context, Task, ptr};
            $(
                #[unsafe(export_name = concat!("linnet_host_", stringify!($name)))]
                extern "C" fn $name(context: *mut Context, $($arg: $ty),*) $(-> $ret)? {
                    // SAFETY: translated kernel code calls this with its context.
                    super::$name(unsafe { Task::of_kernel(context) }, $($arg),*)
                }
            )*
        }
    };
}
for_each_host_call!(exports);

fn existing(id: u32) -> &'static Task {
    match task::find(id) {
        Some(task) => task,
        None => fatal!(exit::BUG, "the kernel named a task {id:#x} that does not exist"),
    }
}

fn switch_to(task: &'static Task, _prev: ptr, next: ptr) -> ptr {
    task::switch(task, existing(next));
    task.previous.get()
}

fn task_new(task: &Task, id: ptr, sp: ptr, mm: u32, user: u32) {
    extern "C" fn first(task: &'static Task) -> ! {
        if let Some(vcpu) = task.vcpu.get() {
            vcpu.poke_if_pending(task);
        }
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::task_entry(task.kernel_context(), task.id.get(), task.previous.get()) };
        fatal!(exit::BUG, "a task's first function returned");
    }
    let child = task::new(id, sp, first);
    if user != 0 {
        task::inherit(task, child, mm);
    }
}

fn task_free(_: &Task, id: ptr) {
    task::free(id);
}

fn user_enter(task: &'static Task) {
    user::enter(task)
}

fn user_exec(task: &Task, mm: u32, program: u32, sp: ptr) {
    task.exec.set(Some(ExecRequest { mm, program, sp }));
    task.request(action::EXEC);
}

fn user_signal(
    task: &Task,
    sp: ptr,
    restorer: ptr,
    handler: ptr,
    signal: u32,
    info: ptr,
    ucontext: ptr,
) {
    task.signal.set(Some(SignalRequest { sp, restorer, handler, signal, info, ucontext }));
    task.request(action::SIGNAL);
}

fn user_poll_again(task: &Task) {
    task.poke();
}

fn user_sp(task: &Task, id: ptr) -> ptr {
    if id == 0 { task.shadow_sp() } else { task::find(id).map_or(0, Task::shadow_sp) }
}

fn program_find(_: &Task, id: ptr) -> i32 {
    // SAFETY: the kernel passes the address of 32 bytes in its memory.
    let id = unsafe { Ram::get().host(id).cast::<[u8; 32]>().read_volatile() };
    image::find(&id).map_or(ENOENT, |n| n as i32)
}

fn cpu_count(_: &Task) -> u32 {
    vcpu::count()
}

fn cpu_start(_: &Task, cpu: u32, idle: ptr, sp: ptr) {
    extern "C" fn first(task: &'static Task) -> ! {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::secondary_entry(task.kernel_context(), task.id.get()) };
        fatal!(exit::BUG, "a secondary vCPU's first function returned");
    }
    vcpu::get(cpu).start(task::new(idle, sp, first));
}

fn cpu_idle(_: &Task, cpu: u32) {
    vcpu::get(cpu).sleep();
}

fn cpu_relax(task: &Task) {
    // More vCPUs than host CPUs: the one that is waited for may not be running.
    if task.relax() { sys::sched_yield() } else { arch::spin_hint() }
}

fn cpu_kick(_: &Task, cpu: u32) {
    vcpu::get(cpu).kick();
}

fn clock_monotonic(_: &Task) -> u64 {
    clock::monotonic()
}

fn clock_realtime(_: &Task) -> u64 {
    clock::realtime()
}

fn timer_set(_: &Task, cpu: u32, deadline: u64) {
    vcpu::get(cpu).set_timer(deadline);
}

fn random(_: &Task, buffer: ptr, size: u32) {
    // SAFETY: the kernel passes a buffer of that size in its memory.
    unsafe { sys::getrandom(Ram::get().host(buffer), size as usize) };
}

fn mm_new(task: &Task) -> u32 {
    tlb::mm_new(if task.copies_frames() { task.mm.get() } else { 0 })
}

fn mm_free(_: &Task, mm: u32) {
    tlb::mm_free(mm);
}

fn tlb_fill(_: &Task, mm: u32, address: ptr, pfn: u32, count: u32, prot: u32) {
    tlb::fill(mm, address, pfn, count, prot);
}

fn tlb_flush(_: &Task, mm: u32, address: ptr, count: u32) {
    tlb::flush(mm, address, count);
}

fn tlb_protect(_: &Task, mm: u32, address: ptr, count: u32) {
    tlb::protect(mm, address, count);
}

fn ram_discard(_: &Task, pfn: u32, count: u32) {
    Ram::get().discard(pfn, count);
}

fn ram_join(_: &Task, pfn: u32) {
    Ram::get().join(pfn);
}

fn stdio_read(_: &Task, stream: u32, buffer: ptr, size: u32) -> i32 {
    if stream == 0 { console::read(Ram::get().host(buffer), size as usize) } else { 0 }
}

fn stdio_write(_: &Task, stream: u32, buffer: ptr, size: u32) -> i32 {
    console::write(stream, Ram::get().host(buffer), size as usize)
}

fn terminal_size(_: &Task) -> u32 {
    terminal::size()
}

fn mmio_read(_: &Task, address: ptr, size: u32) -> u32 {
    virtio::read(address, size)
}

fn mmio_write(_: &Task, address: ptr, size: u32, value: u32) {
    virtio::write(address, size, value);
}

fn halt(_: &Task, status: u32) {
    terminal::exit(status as i32)
}

fn restart(_: &Task) {
    terminal::restore();
    entry::restart()
}

fn backtrace(task: &'static Task, id: ptr, words: ptr, count: u32) -> u32 {
    let tables = Tables::of(Ram::get().kernel);
    let to = Ram::get().host(words).cast::<u32>();
    let mut n = 0;
    let mut frame = |function: u32, offset: u32| {
        if n < count {
            // SAFETY: the kernel passes room for `count` pairs.
            unsafe {
                to.add(2 * n as usize).write_volatile(function);
                to.add(2 * n as usize + 1).write_volatile(offset);
            }
            n += 1;
        }
        n < count
    };
    let other = if id == 0 { Some(task) } else { task::find(id) };
    let Some(other) = other else { return 0 };
    if other.id.get() == task.id.get() {
        trace(tables, task, arch::frame_pointer(), 0, true, &mut frame);
    } else {
        // SAFETY: the kernel asks only for tasks that sleep.
        let (fp, pc) = unsafe { arch::switched_frame(task::kernel_sp(other)) };
        trace(tables, other, fp, pc, true, &mut frame);
    }
    // Kernel code that faulted lies behind the frame of the host's signal.
    let (fp, pc) = other.fault.get();
    if pc != 0 {
        trace(tables, other, fp, pc, false, &mut frame);
    }
    n
}

fn function_name(_: &Task, function: u32, buffer: ptr, size: u32) -> u32 {
    let tables = Tables::of(Ram::get().kernel);
    if function as usize >= tables.functions.len() {
        return 0;
    }
    let name = tables.name(function as usize);
    let n = name.len().min(size as usize);
    // SAFETY: the kernel passes a buffer of that size in its memory.
    unsafe { core::ptr::copy_nonoverlapping(name.as_ptr(), Ram::get().host(buffer), n) };
    n as u32
}

fn table_function(_: &Task, entry: u32) -> u32 {
    let kernel = Ram::get().kernel;
    if entry >= kernel.table_len {
        return u32::MAX;
    }
    // SAFETY: below the table's length.
    let TableEntry { code, .. } = unsafe { *kernel.table.add(entry as usize) };
    if code.is_null() {
        return u32::MAX;
    }
    Tables::of(kernel).find(code as u64, false).map_or(u32::MAX, |(n, _)| n as u32)
}
