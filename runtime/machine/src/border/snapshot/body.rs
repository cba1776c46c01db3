//! What a snapshot tells of the machine, but for its memory.

use super::failed::Failed;
use super::frames::{self, Memory, Refused};
use super::host_frame;
use crate::arch;
use crate::border::unwind::tables;
use crate::cpu::vcpu;
use crate::device::virtio;
use crate::host::clock;
use crate::memory::ids::MemoryId;
use crate::memory::image;
use crate::memory::ram::Ram;
use crate::task::registry::{self, Suspended};
use crate::task::requests::{ExecRequest, SignalRequest, action};
use crate::task::{Entry, Task};
use core::ops::Range;
use linnet_abi::frames::{FrameHeader, HOST_FRAME, RecordHeader};
use linnet_abi::module::Module;
use linnet_snapshot::{DISKS, Full, GLOBALS, NONE, Writer, machine, task as word};

/// Writes all but the list of runs. `scratch` is memory to capture frames in.
pub fn write(
    writer: &mut Writer<'_>,
    task: &'static Task,
    start: u32,
    scratch: &mut [u64],
) -> Result<(), Failed> {
    write_machine(writer, task, start)?;
    write_programs(writer)?;
    let mut count = Count::new(writer)?;
    for mm in MemoryId::of_all_programs().filter_map(|mm| MemoryId::of_program(mm.number())) {
        writer.word(u64::from(mm.number()))?;
        count.add(writer);
    }
    let mut count = Count::new(writer)?;
    let tasks = writer.place();
    for id in registry::all() {
        count.add(writer);
        if id == task.id.get() {
            // SAFETY: the task runs, and this is it.
            unsafe { write_task(writer, task, arch::frame_pointer(), true, scratch)? };
            continue;
        }
        let Ok(other) = Suspended::claim(id) else { return Err(Failed::Running) };
        // SAFETY: the task is suspended.
        unsafe { write_task(writer, other.task(), other.frame().0, false, scratch)? };
    }
    write_names(writer, tasks)?;
    Ok(())
}

/// The number of items in a list, in front of them.
pub struct Count {
    place: usize,
    count: u64,
}

impl Count {
    pub fn new(writer: &mut Writer<'_>) -> Result<Count, Full> {
        let place = writer.place();
        writer.word(0)?;
        Ok(Count { place, count: 0 })
    }

    pub fn add(&mut self, writer: &mut Writer<'_>) {
        self.count += 1;
        writer.set(self.place, self.count);
    }
}

fn write_machine(writer: &mut Writer<'_>, task: &Task, start: u32) -> Result<(), Full> {
    let ram = Ram::get();
    let first = writer.place();
    writer.id(&ram.kernel.id)?;
    writer.words([0; machine::COUNT - machine::MEMORY])?;
    let mut set = |word, value| writer.set(first + word, value);
    set(machine::MEMORY, ram.size);
    set(machine::PAGE_SHIFT, u64::from(ram.page_shift));
    set(machine::VCPUS, u64::from(vcpu::count()));
    set(machine::MONOTONIC, clock::monotonic());
    set(machine::REALTIME, clock::realtime());
    set(machine::CURRENT, u64::from(task.id.get()));
    set(machine::START, u64::from(start));
    set(machine::NETWORK, u64::from(virtio::net::device().is_some()));
    let sizes = virtio::sizes().chain(core::iter::repeat(NONE));
    for (n, size) in sizes.take(DISKS).enumerate() {
        set(machine::DISKS + n, size);
    }
    Ok(())
}

/// Programs have the same numbers here as in the executable.
fn write_programs(writer: &mut Writer<'_>) -> Result<(), Full> {
    let mut count = Count::new(writer)?;
    for module in image::modules().skip(1) {
        count.add(writer);
        writer.id(&module.id)?;
    }
    Ok(())
}

/// Writes the names of all functions that have frames in the tasks behind `first`, once each.
fn write_names(writer: &mut Writer<'_>, first: usize) -> Result<(), Full> {
    let end = writer.place();
    let mut count = Count::new(writer)?;
    let names = writer.place();
    let mut at = first;
    while at < end {
        let head = |writer: &Writer<'_>, n: usize| writer.added(at)[n];
        let program = head(writer, word::PROGRAM);
        let kernel = at + word::COUNT + 2 * GLOBALS;
        let user = kernel + head(writer, word::KERNEL_RECORD) as usize / 8;
        at = user + head(writer, word::USER_RECORD) as usize / 8;
        write_names_of(writer, 0, kernel..user, names, &mut count)?;
        write_names_of(writer, (program as u32).wrapping_add(1), user..at, names, &mut count)?;
    }
    Ok(())
}

/// The same of one record.
fn write_names_of(
    writer: &mut Writer<'_>,
    module: u32,
    record: Range<usize>,
    names: usize,
    count: &mut Count,
) -> Result<(), Full> {
    let Some(found) = image::modules().nth(module as usize) else { return Ok(()) };
    let mut frame = record.start + size_of::<RecordHeader>() / 8;
    while frame < record.end {
        let head = writer.added(frame);
        let (function, words) = (head[0] as u32, head[1] as u32);
        frame += size_of::<FrameHeader>() / 8 + words as usize;
        let key = u64::from(module) << 32 | u64::from(function);
        if function == HOST_FRAME || has_name(writer.added(names), key) {
            continue;
        }
        let tables = tables(found);
        let Some(place) = tables.functions.iter().find(|f| f.index == function) else { continue };
        writer.name(module, function, tables.name(place))?;
        count.add(writer);
    }
    Ok(())
}

/// Is there the name of that function?
fn has_name(names: &[u64], key: u64) -> bool {
    let mut at = 0;
    while let [name, size, ..] = names[at..] {
        if name == key {
            return true;
        }
        at += 2 + (size as usize).div_ceil(8);
    }
    false
}

fn number(module: Option<&'static Module>) -> u64 {
    module.and_then(|module| image::find(&module.id)).map_or(NONE, u64::from)
}

/// Writes what there is to a task whose innermost frame of the runtime is at `fp`.
///
/// # Safety
/// The task must be suspended, or the caller's own.
unsafe fn write_task(
    writer: &mut Writer<'_>,
    task: &'static Task,
    fp: u64,
    is_current: bool,
    scratch: &mut [u64],
) -> Result<(), Failed> {
    let id = task.id.get();
    let refused = |refused| Failed::Task(id, refused);
    if task.fault.get() != (0, 0) {
        return Err(refused(Refused::Now));
    }
    let first = writer.place();
    writer.words([0; word::COUNT])?;
    write_words(writer, task, first);
    // SAFETY: no code of the task runs, but for this host call.
    unsafe {
        writer.words((*task.kernel_context()).globals)?;
        writer.words((*task.user_context()).globals)?;
    }
    let mut entered = None;
    let mut entry = task.entry.get();
    let size = if let Some(resumed) = task.resumed_kernel.get() {
        copy(writer, resumed.record)?
    } else if entry == Entry::New {
        0
    } else {
        let number = if is_current { host_frame::SNAPSHOT } else { host_frame::SWITCH_TO };
        let mut memory = Memory { out: writer.rest(), scratch };
        // SAFETY: the caller's promise.
        let captured = unsafe { frames::capture_kernel(fp, number, &mut memory) };
        let (size, position) = captured.map_err(refused)?;
        entered = Some(position);
        writer.take(size)?;
        size
    };
    writer.set(first + word::KERNEL_RECORD, 8 * size as u64);
    let has_user_frames = match entry {
        // Where it goes on in user mode, if it does not begin there.
        Entry::New | Entry::Task => frames::start_number(task.requests.start.get()) == 1,
        Entry::End => false,
        _ => true,
    };
    let execs = task.requests.exec.get().is_some();
    let size = if let Some(resumed) = task.resumed_user.get() {
        copy(writer, resumed.record)?
    } else if has_user_frames && !execs {
        let mut memory = Memory { out: writer.rest(), scratch };
        // SAFETY: the caller's promise.
        let size = unsafe { frames::capture_user(task, entered, &mut memory) }.map_err(refused)?;
        writer.take(size)?;
        size
    } else {
        0
    };
    if entry == Entry::CallAgain {
        entry = Entry::Call;
    }
    writer.set(first + word::ENTRY, entry as u64);
    writer.set(first + word::USER_RECORD, 8 * size as u64);
    Ok(())
}

fn copy(writer: &mut Writer<'_>, record: &[u8]) -> Result<usize, Full> {
    let words = record.chunks_exact(8);
    let size = words.len();
    writer
        .words(words.map(|w| w.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))))?;
    Ok(size)
}

fn write_words(writer: &mut Writer<'_>, task: &Task, first: usize) {
    let mut set = |at: usize, value: u64| writer.set(first + at, value);
    set(word::ID, u64::from(task.id.get()));
    set(word::SHADOW, u64::from(task.shadow_base()));
    // One that has ended is nobody's.
    let memory = MemoryId::of_program(task.mm.get().number());
    set(word::MEMORY, memory.map_or(0, |memory| memory.number().into()));
    set(word::PROGRAM, number(task.module.get()));
    set(word::START, frames::start_number(task.requests.start.get()));
    set(word::IS_THREAD, u64::from(task.is_thread.get()));
    // A machine with room for all memories has no slots to wait for.
    set(word::ACTION, u64::from(task.action.get() & !action::SLOT));
    set(word::FORKING, u64::from(task.forking.get()));
    let thread = task.thread.get();
    let words = [thread.function, thread.argument, thread.stack, thread.flags, thread.tls];
    for (n, value) in words.into_iter().enumerate() {
        set(word::THREAD + n, u64::from(value));
    }
    if let Some(SignalRequest { sp, restorer, handler, signal, info, ucontext }) =
        task.requests.signal.get()
    {
        for (n, value) in [sp, restorer, handler, signal, info, ucontext].into_iter().enumerate() {
            set(word::SIGNAL + n, u64::from(value));
        }
    }
    if let Some(ExecRequest { mm, program, sp }) = task.requests.exec.get() {
        set(word::EXEC, u64::from(mm.number()));
        set(word::EXEC + 1, number(Some(program)));
        set(word::EXEC + 2, u64::from(sp));
    }
}
