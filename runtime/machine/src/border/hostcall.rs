//! Host calls: what the kernel asks of the machine. One function for each row of the table.
//!
//! The kernel is not trusted. Each argument is checked here and becomes a type that cannot be wrong: a task
//! that is suspended, a memory that is there, pages that exist. A call that asks for anything else breaks a
//! rule: it does nothing, and ends the machine.

#![allow(non_camel_case_types, reason = "names are those of the tables")]

use super::snapshot::freeze;
use super::unwind::{tables, trace};
use super::{kernel, user};
use crate::arch::{self, upcall};
use crate::cpu::switch;
use crate::cpu::vcpu::{self, Vcpu};
use crate::device::console::{self, Stream};
use crate::device::virtio;
use crate::host::exit::{self, fatal};
use crate::host::sys::{EAGAIN, EBADF, EINVAL, ENODEV, ENOENT, ENOMEM, ENOSYS};
use crate::host::{clock, signals, sys, terminal};
use crate::memory::ids::MemoryId;
use crate::memory::loaded::{NotHeld, Progress};
use crate::memory::ram::Ram;
use crate::memory::range::{GuestSlice, PageRange, RamPages};
use crate::memory::{balloon, demand, image, loaded, tlb};
use crate::task::registry::{self, NotMade, NotSuspended, Suspended};
use crate::task::requests::{ExecRequest, SignalRequest, action};
use crate::task::{Entry, Task, fork};
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_abi::context::Context;
use linnet_abi::exec::HEADER_SIZE;
use linnet_abi::for_each_host_call;
use linnet_abi::memory::{PROT_SAME, PROT_WRITE};
use linnet_abi::module::TableEntry;

type ptr = u32;

/// The rule that a call has broken, and the argument that does it.
struct Broken(&'static str, u32);

type Checked<T> = Result<T, Broken>;

/// What a call answers that has broken a rule in a machine which goes on.
trait Answer {
    const REFUSED: Self;
}

impl Answer for () {
    const REFUSED: Self = ();
}

impl Answer for u32 {
    const REFUSED: Self = 0;
}

impl Answer for u64 {
    const REFUSED: Self = 0;
}

impl Answer for i32 {
    const REFUSED: Self = EINVAL;
}

/// The symbol of a host call, or what its stub of `arch::entry` calls.
macro_rules! symbol {
    (switch_to) => {
        "linnet_upcall_switch_to"
    };
    (snapshot) => {
        "linnet_upcall_snapshot"
    };
    ($name:ident) => {
        concat!("linnet_host_", stringify!($name))
    };
}

/// The entry points, `linnet_host_<name>`: they find the calling task and call the function here.
macro_rules! exports {
    ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        mod exports {
            use super::{Context, Task, ptr, refuse};
            $(
                #[unsafe(export_name = symbol!($name))]
                extern "C" fn $name(context: *mut Context, $($arg: $ty),*) $(-> $ret)? {
                    // SAFETY: translated kernel code calls this with its context.
                    match super::$name(unsafe { Task::of_kernel(context) }, $($arg),*) {
                        Ok(result) => result,
                        Err(broken) => refuse(stringify!($name), &broken),
                    }
                }
            )*
        }
    };
}
for_each_host_call!(exports);

static IGNORES_BROKEN_RULES: AtomicBool = AtomicBool::new(false);

/// For tests: a call that breaks a rule does nothing, and the machine goes on.
pub fn ignore_broken_rules() {
    IGNORES_BROKEN_RULES.store(true, Ordering::Relaxed);
}

#[cold]
fn refuse<T: Answer>(call: &str, &Broken(rule, value): &Broken) -> T {
    if IGNORES_BROKEN_RULES.load(Ordering::Relaxed) {
        return T::REFUSED;
    }
    fatal!(
        exit::KERNEL,
        "the kernel broke the rules: {call}: {rule} ({value:#x})\nhint: its memory was overwritten, or a program has attacked it; the host is not touched"
    );
}

// --------------------------------------------------------------------------------------------
// What arguments become
// --------------------------------------------------------------------------------------------

fn program_memory(mm: u32) -> Checked<MemoryId> {
    MemoryId::of_program(mm).ok_or(Broken("there is no such memory", mm))
}

fn memory(mm: u32) -> Checked<MemoryId> {
    if mm == MemoryId::KERNEL.number() { Ok(MemoryId::KERNEL) } else { program_memory(mm) }
}

fn pages(mm: u32, address: ptr, count: u32) -> Checked<PageRange> {
    PageRange::new(memory(mm)?, address, count).ok_or(Broken("not all of these are pages", address))
}

fn ram(pfn: u32, count: u32) -> Checked<RamPages> {
    RamPages::new(pfn, count).ok_or(Broken("not all of these are page frames", pfn))
}

fn slice(address: ptr, size: u32) -> Checked<GuestSlice> {
    GuestSlice::new(address, size).ok_or(Broken("the buffer leaves the kernel's memory", address))
}

fn cpu(number: u32) -> Checked<&'static Vcpu> {
    vcpu::get(number).ok_or(Broken("there is no such vCPU", number))
}

/// For what concerns a task that may be running: none then.
fn suspended(id: ptr) -> Checked<Option<Suspended>> {
    match Suspended::claim(id) {
        Ok(task) => Ok(Some(task)),
        Err(NotSuspended::Runs) => Ok(None),
        Err(NotSuspended::NoTask) => Err(Broken("there is no such task", id)),
    }
}

fn must_be_suspended(id: ptr) -> Checked<Suspended> {
    suspended(id)?.ok_or(Broken("the task runs", id))
}

/// A new task, or an errno if there is no room for one.
fn new_task(
    id: ptr,
    sp: ptr,
    first: extern "C" fn(&'static Task) -> !,
) -> Checked<Result<registry::NewTask, i32>> {
    match registry::new(id, sp, first) {
        Ok(task) => Ok(Ok(task)),
        Err(NotMade::TooMany) => Ok(Err(EAGAIN)),
        Err(NotMade::NoMemory) => Ok(Err(ENOMEM)),
        Err(NotMade::BadId) => Err(Broken("no task can be there", id)),
        Err(NotMade::Exists) => Err(Broken("there is a task already", id)),
    }
}

// --------------------------------------------------------------------------------------------
// The calls
// --------------------------------------------------------------------------------------------

fn switch_to(task: &'static Task, _prev: ptr, next: ptr) -> Checked<ptr> {
    switch::switch(task, must_be_suspended(next)?);
    Ok(task.previous.get())
}

fn task_new(task: &Task, id: ptr, sp: ptr, mm: u32, user: u32) -> Checked<i32> {
    let mm = if user == 0 { None } else { Some(program_memory(mm)?) };
    // A tracer may turn any call into one that makes a child, and so may a handler that returns.
    if mm.is_some() && !task.can_have_child() {
        return Ok(ENOSYS as i32);
    }
    let child = match new_task(id, sp, user::first)? {
        Ok(child) => child,
        Err(errno) => return Ok(errno),
    };
    if let Some(mm) = mm
        && !fork::inherit(task, child.task(), mm)
    {
        child.discard();
        return Ok(ENOMEM);
    }
    child.make_ready();
    Ok(0)
}

fn task_free(_: &Task, id: ptr) -> Checked<()> {
    registry::free(must_be_suspended(id)?);
    Ok(())
}

fn user_enter(task: &'static Task) -> Checked<()> {
    if !task.requests.is_prepared() {
        return Err(Broken("the task has no program", task.id.get()));
    }
    user::enter(task)
}

fn user_exec(task: &Task, mm: u32, program: u32, sp: ptr) -> Checked<()> {
    let mm = program_memory(mm)?;
    let found = match loaded::is_number(program) {
        true => loaded::take(program).ok(),
        false => image::program(program),
    };
    let program = found.ok_or(Broken("there is no such program", program))?;
    if let Some(before) = task.requests.exec.replace(Some(ExecRequest { mm, program, sp })) {
        loaded::release(before.program);
    }
    task.request(action::EXEC);
    Ok(())
}

/// The program itself calls the handler, so that nothing in it can be worse than what the program may do.
fn user_signal(
    task: &Task,
    sp: ptr,
    restorer: ptr,
    handler: ptr,
    signal: u32,
    info: ptr,
    ucontext: ptr,
) -> Checked<()> {
    task.requests.signal.set(Some(SignalRequest { sp, restorer, handler, signal, info, ucontext }));
    task.request(action::SIGNAL);
    Ok(())
}

fn user_poll_again(task: &Task) -> Checked<()> {
    task.poke();
    Ok(())
}

fn user_sp(task: &Task, id: ptr) -> Checked<ptr> {
    if id == 0 {
        return Ok(task.shadow_sp());
    }
    Ok(suspended(id)?.map_or(0, |other| other.task().shadow_sp()))
}

fn program_find(_: &Task, id: ptr) -> Checked<i32> {
    let mut bytes = [0; 32];
    slice(id, 32)?.read(&mut bytes);
    Ok(image::find(&bytes).map_or(ENOENT, |n| n as i32))
}

fn not_held(program: u32) -> impl FnOnce(NotHeld) -> Broken {
    move |_| Broken("the kernel has no hold on such a program", program)
}

fn program_load(_: &Task, module: ptr, size: u32) -> Checked<i32> {
    Ok(loaded::load(slice(module, size)?))
}

fn program_state(_: &Task, program: u32, text: ptr, size: u32) -> Checked<i32> {
    let text = slice(text, size)?;
    Ok(match loaded::progress(program).map_err(not_held(program))? {
        Progress::Ready => 0,
        Progress::Loading => EAGAIN,
        Progress::Failed(errno, reason) => {
            if let Some(end) = text.len().checked_sub(1) {
                let written = text.write(0, &reason[..reason.len().min(end)]);
                text.write(written, &[0]);
            }
            errno
        }
    })
}

fn program_header(_: &Task, program: u32, header: ptr) -> Checked<()> {
    let header = slice(header, HEADER_SIZE as u32)?;
    loaded::with(program, |program| header.write(0, &program.header()))
        .map_err(not_held(program))?;
    Ok(())
}

fn program_image(_: &Task, program: u32, address: u32, buffer: ptr, size: u32) -> Checked<()> {
    let buffer = slice(buffer, size)?;
    loaded::with(program, |program| program.copy_image(address, buffer)).map_err(not_held(program))
}

fn program_drop(_: &Task, program: u32) -> Checked<()> {
    loaded::drop(program).map_err(not_held(program))
}

fn cpu_count(_: &Task) -> Checked<u32> {
    Ok(vcpu::count())
}

fn cpu_start(_: &Task, number: u32, idle: ptr, sp: ptr) -> Checked<i32> {
    extern "C" fn first(task: &'static Task) -> ! {
        task.entry.set(Entry::Task);
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::secondary_entry(task.kernel_context(), task.id.get()) };
        fatal!(exit::KERNEL, "a secondary vCPU's first function returned");
    }
    // A machine that was resumed may have fewer than it had.
    let Some(vcpu) = vcpu::get(number) else { return Ok(ENODEV) };
    if !vcpu.is_stopped() {
        return Err(Broken("the vCPU runs already", number));
    }
    let Ok(task) = new_task(idle, sp, first)? else { return Ok(EAGAIN) };
    vcpu.start(task).map_err(|task| {
        task.discard();
        Broken("the vCPU runs already", number)
    })?;
    Ok(0)
}

fn cpu_stop(task: &'static Task) -> Checked<()> {
    match switch::vcpu_of(task) {
        Some(vcpu) if vcpu.number != 0 => vcpu.stop(task),
        _ => Err(Broken("the first vCPU does not stop", 0)),
    }
}

fn snapshot(task: &'static Task, end: u32) -> Checked<i32> {
    match switch::vcpu_of(task) {
        Some(vcpu) if vcpu.number == 0 => Ok(freeze::snapshot(task, end)),
        _ => Err(Broken("only the first vCPU freezes the machine", 0)),
    }
}

fn cpu_idle(task: &Task, number: u32) -> Checked<()> {
    match switch::vcpu_of(task) {
        Some(vcpu) if vcpu.number == number => vcpu.sleep(),
        _ => return Err(Broken("the task does not run on this vCPU", number)),
    }
    Ok(())
}

fn cpu_relax(task: &Task) -> Checked<()> {
    // More vCPUs than host CPUs: the one that is waited for may not be running.
    if task.relax() {
        sys::sched_yield()
    } else {
        arch::spin_hint()
    }
    Ok(())
}

fn cpu_kick(_: &Task, number: u32) -> Checked<()> {
    cpu(number)?.kick();
    Ok(())
}

fn clock_monotonic(_: &Task) -> Checked<u64> {
    Ok(clock::monotonic())
}

fn clock_realtime(_: &Task) -> Checked<u64> {
    Ok(clock::realtime())
}

fn timer_set(_: &Task, number: u32, deadline: u64) -> Checked<()> {
    cpu(number)?.set_timer(deadline);
    Ok(())
}

fn random(_: &Task, buffer: ptr, size: u32) -> Checked<()> {
    let buffer = slice(buffer, size)?;
    let mut at = 0;
    while at < buffer.len() {
        // The host gives so many at once, whatever happens.
        let mut bytes = [0; 256];
        if sys::getrandom(&mut bytes) < 0 {
            fatal!(exit::HOST, "the host has no random bytes");
        }
        at += buffer.write(at, &bytes);
    }
    Ok(())
}

fn mm_new(task: &Task) -> Checked<u32> {
    let parent = task.copies_frames().then(|| task.mm.get());
    Ok(tlb::mm_new(parent).map_or(0, MemoryId::number))
}

fn mm_free(_: &Task, mm: u32) -> Checked<()> {
    tlb::mm_free(MemoryId::take(mm).ok_or(Broken("there is no such memory", mm))?);
    Ok(())
}

/// From now on the kernel's own tables tell what access there is to its memory.
fn forget_access(range: PageRange) {
    if range.is_of_ram() {
        demand::forget(range.address()..range.address() + range.size() as u64);
    }
}

fn tlb_fill(_: &Task, mm: u32, address: ptr, pfn: u32, count: u32, prot: u32) -> Checked<()> {
    let (range, frames) = (pages(mm, address, count)?, ram(pfn, count)?);
    if range.is_of_ram() && !range.is_place_of(frames) {
        return Err(Broken("the kernel's own memory is where it is", address));
    }
    demand::need(frames.offset()..frames.offset() + frames.size());
    forget_access(range);
    tlb::fill(range, frames, prot & PROT_WRITE != 0, prot & PROT_SAME != 0);
    Ok(())
}

/// Of a program's memory, pages that do not exist are never mapped either.
fn tlb_flush(_: &Task, mm: u32, address: ptr, count: u32) -> Checked<()> {
    let range = match memory(mm)? {
        MemoryId::KERNEL => pages(mm, address, count)?,
        mm => PageRange::existing(mm, address, count).ok_or(Broken("this is no page", address))?,
    };
    forget_access(range);
    tlb::flush(range);
    Ok(())
}

fn tlb_protect(_: &Task, mm: u32, address: ptr, count: u32) -> Checked<()> {
    let range = pages(mm, address, count)?;
    forget_access(range);
    tlb::protect(range);
    Ok(())
}

fn ram_discard(_: &Task, pfn: u32, count: u32) -> Checked<()> {
    let pages = ram(pfn, count)?;
    demand::need(pages.offset()..pages.offset() + pages.size());
    balloon::discard(pages);
    Ok(())
}

fn ram_join(_: &Task, pfn: u32) -> Checked<()> {
    balloon::join(ram(pfn, 1)?);
    Ok(())
}

fn stdio_read(_: &Task, stream: u32, buffer: ptr, size: u32) -> Checked<i32> {
    let buffer = slice(buffer, size)?;
    Ok(if stream == 0 { console::read(buffer) } else { EBADF })
}

fn stdio_write(_: &Task, stream: u32, buffer: ptr, size: u32) -> Checked<i32> {
    let buffer = slice(buffer, size)?;
    Ok(Stream::new(stream).map_or(EBADF, |stream| console::write(stream, buffer)))
}

fn stdio_poll(_: &Task, stream: u32, events: u32) -> Checked<u32> {
    Ok(Stream::new(stream).map_or(0, |stream| console::poll(stream, events)))
}

fn stdio_seek(_: &Task, stream: u32, offset: u64, whence: u32) -> Checked<u64> {
    let end = |stream| console::seek(stream, offset, whence);
    Ok(Stream::new(stream).map_or(i64::from(EBADF), end) as u64)
}

fn terminal_take(_: &Task) -> Checked<i32> {
    Ok(terminal::take().map_or_else(|errno| errno, i32::from))
}

fn terminal_size(_: &Task) -> Checked<u32> {
    Ok(terminal::size())
}

// As on a bus: where there is no register, all bits read as ones and writes are lost.

fn mmio_read(_: &Task, address: ptr, size: u32) -> Checked<u32> {
    Ok(virtio::read(address, size))
}

fn mmio_write(_: &Task, address: ptr, size: u32, value: u32) -> Checked<()> {
    virtio::write(address, size, value);
    Ok(())
}

fn shutdown_signal(_: &Task) -> Checked<u32> {
    Ok(signals::take_request())
}

fn halt(_: &Task, status: u32) -> Checked<()> {
    signals::exit(status as i32)
}

fn restart(_: &Task) -> Checked<()> {
    upcall::restart()
}

/// Frames are collected first: who writes to the kernel's memory must not hold a task.
fn backtrace(task: &'static Task, id: ptr, words: ptr, count: u32) -> Checked<u32> {
    const MOST: usize = 64;
    let to = slice(words, count.saturating_mul(8))?;
    let tables = tables(Ram::get().kernel);
    let mut found = [[0_u32; 2]; MOST];
    let most = (count as usize).min(MOST);
    let mut n = 0;
    let mut frame = |function: u32, offset: u32| {
        if n < most {
            found[n] = [function, offset];
            n += 1;
        }
        n < most
    };
    // Kernel code that faulted lies behind the frame of the host's signal.
    let behind_fault = |task: &Task, frame: &mut dyn FnMut(u32, u32) -> bool| {
        let (fp, pc) = task.fault.get();
        if pc != 0 {
            trace(tables, task, fp, pc, false, frame);
        }
    };
    if id == 0 || id == task.id.get() {
        trace(tables, task, arch::frame_pointer(), 0, true, &mut frame);
        behind_fault(task, &mut frame);
    } else if let Some(other) = suspended(id)? {
        let (fp, pc) = other.frame();
        trace(tables, other.task(), fp, pc, true, &mut frame);
        behind_fault(other.task(), &mut frame);
    }
    for (index, [function, offset]) in found[..n].iter().enumerate() {
        to.write(8 * index, &function.to_le_bytes());
        to.write(8 * index + 4, &offset.to_le_bytes());
    }
    Ok(n as u32)
}

fn function_name(_: &Task, function: u32, buffer: ptr, size: u32) -> Checked<u32> {
    let buffer = slice(buffer, size)?;
    let tables = tables(Ram::get().kernel);
    let Some(function) = tables.functions.get(function as usize) else { return Ok(0) };
    Ok(buffer.write(0, tables.name(function).as_bytes()) as u32)
}

fn table_function(_: &Task, entry: u32) -> Checked<u32> {
    let kernel = Ram::get().kernel;
    if entry >= kernel.table_len {
        return Ok(u32::MAX);
    }
    // SAFETY: below the table's length.
    let TableEntry { code, .. } = unsafe { *kernel.table.add(entry as usize) };
    if code.is_null() {
        return Ok(u32::MAX);
    }
    Ok(tables(kernel).find(code as u64, false).map_or(u32::MAX, |place| place.number as u32))
}
