//! Writing a snapshot.

use super::frames::{self, Memory, Refused};
use super::host_frame;
use crate::arch;
use crate::border::unwind::tables;
use crate::cpu::vcpu;
use crate::device::virtio;
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use crate::host::sys::{self, EAGAIN, EBUSY, EIO, ENODEV, ENOMEM};
use crate::host::{clock, signals};
use crate::memory::ids::MemoryId;
use crate::memory::image;
use crate::memory::layout::{self, Layout};
use crate::memory::ram::Ram;
use crate::task::registry::{self, Suspended};
use crate::task::requests::{ExecRequest, SignalRequest, action};
use crate::task::{Entry, Task};
use core::cell::{Cell, UnsafeCell};
use core::ops::Range;
use linnet_abi::frames::{FrameHeader, HOST_FRAME, RecordHeader};
use linnet_abi::module::Module;
use linnet_frames::capture::scratch_words;
use linnet_frames::tables::Tables;
use linnet_snapshot::{ALIGN, DISKS, Full, GLOBALS, NONE, RUN, Writer, machine, task as word};

/// Room for all of a snapshot but the pages, and for one record and what a capture needs. What is not used takes
/// no memory.
const MOST_WORDS: usize = 32 << 17;

/// Where snapshots go.
struct Target {
    file: i32,
    /// Where in the file the last snapshot is.
    last: Cell<(u64, u64)>,
    words: *mut u64,
    scratch: usize,
}

struct TargetCell(UnsafeCell<Option<Target>>);

// SAFETY: written before the second thread starts; used by the one vCPU that is left in a machine that freezes.
unsafe impl Sync for TargetCell {}

static TARGET: TargetCell = TargetCell(UnsafeCell::new(None));

/// Why no snapshot was written.
#[derive(Debug)]
enum Failed {
    NoFile,
    Running,
    Task(u32, Refused),
    Full,
    File(i32),
}

impl From<Full> for Failed {
    fn from(_: Full) -> Self {
        Failed::Full
    }
}

/// The file that snapshots go to; -1 if there is none.
pub fn file() -> i32 {
    // SAFETY: see the cell.
    unsafe { (*TARGET.0.get()).as_ref() }.map_or(-1, |target| target.file)
}

/// Snapshots go to that file, which has that size. While one thread runs.
pub fn init(file: i32, size_of_file: u64) {
    let mut header = [0; 8 * linnet_snapshot::HEADER];
    // What is no snapshot is kept as if it was one.
    let is_read = sys::read_all_at(file, &mut header, 0) == 0;
    let first = if is_read { linnet_snapshot::first_byte(&header).unwrap_or(0) } else { 0 };
    let first = first.min(size_of_file) & !(ALIGN - 1);
    // SAFETY: the translator emitted them.
    let scratch = image::modules()
        .filter_map(|module| unsafe { Tables::of(module) }.ok())
        .map(|tables| scratch_words(&tables))
        .max()
        .unwrap_or(0);
    let size = 8 * (MOST_WORDS + scratch);
    let own = sys::PROT_READ | sys::PROT_WRITE;
    let Ok(words) = layout::map_own(size.next_multiple_of(1 << 16), 1 << 16, own) else {
        fatal!(exit::HOST, "the host has no memory for a snapshot");
    };
    // SAFETY: one thread runs.
    unsafe {
        let last = Cell::new((first, size_of_file));
        *TARGET.0.get() = Some(Target { file, last, words: words as *mut u64, scratch });
    }
}

/// The host call.
pub fn snapshot(task: &'static Task, end: bool) -> i32 {
    let failed = match write(task) {
        Ok(()) if end => signals::exit(0),
        Ok(()) => return 0,
        Err(failed) => failed,
    };
    match failed {
        Failed::NoFile => {
            eprintln!(
                "error: the machine cannot be frozen\nhint: start it with --freeze-to FILE, and build it with --frames"
            );
            ENODEV
        }
        Failed::Running => EAGAIN,
        Failed::Task(_, Refused::Now) => EAGAIN,
        Failed::Task(id, Refused::Task(what)) => {
            eprintln!("error: the machine cannot be frozen: the task at {id:#x} {what}");
            EBUSY
        }
        Failed::Task(id, Refused::Frames(error)) => {
            eprintln!("error: the machine cannot be frozen: the task at {id:#x}: {error}");
            name(error);
            EBUSY
        }
        Failed::Full => {
            eprintln!("error: the machine cannot be frozen: its tasks have too many frames");
            ENOMEM
        }
        Failed::File(errno) => {
            let hint = if errno == 28 { "\nhint: there is no space left for it" } else { "" };
            eprintln!("error: the snapshot cannot be written (errno {errno}){hint}");
            EIO
        }
    }
}

/// Says which function cannot be captured.
fn name(error: linnet_frames::Error) {
    let linnet_frames::Error::NotACapturePoint { function, .. } = error else { return };
    for module in image::modules() {
        let tables = tables(module);
        if let Some(function) = tables.functions.iter().find(|f| f.index == function) {
            eprintln!("note: that may be {}", tables.name(function));
        }
    }
}

fn write(task: &'static Task) -> Result<(), Failed> {
    // SAFETY: see the cell.
    let Some(target) = (unsafe { (*TARGET.0.get()).as_ref() }) else { return Err(Failed::NoFile) };
    if !vcpu::all()[1..].iter().all(vcpu::Vcpu::is_stopped) {
        return Err(Failed::Running);
    }
    // SAFETY: mapped by `init`, and nobody else uses it.
    let (words, scratch) = unsafe {
        let scratch = target.words.add(MOST_WORDS);
        (
            core::slice::from_raw_parts_mut(target.words, MOST_WORDS),
            core::slice::from_raw_parts_mut(scratch, target.scratch),
        )
    };
    let mut writer = Writer::new(words)?;
    write_machine(&mut writer, task)?;
    write_programs(&mut writer)?;
    let mut count = Count::new(&mut writer)?;
    for mm in MemoryId::of_all_programs().filter_map(|mm| MemoryId::of_program(mm.number())) {
        writer.word(u64::from(mm.number()))?;
        count.add(&mut writer);
    }
    let mut count = Count::new(&mut writer)?;
    let tasks = writer.place();
    for id in registry::all() {
        count.add(&mut writer);
        if id == task.id.get() {
            // SAFETY: the task runs, and this is it.
            unsafe { write_task(&mut writer, task, arch::frame_pointer(), true, scratch)? };
            continue;
        }
        let Ok(other) = Suspended::claim(id) else { return Err(Failed::Running) };
        // SAFETY: the task is suspended.
        unsafe { write_task(&mut writer, other.task(), other.frame().0, false, scratch)? };
    }
    write_names(&mut writer, tasks)?;
    let mut count = Count::new(&mut writer)?;
    let first_run = writer.place() - linnet_snapshot::HEADER;
    let mut pages_size = 0;
    let mut failed = Ok(());
    runs(|offset, bytes| {
        count.add(&mut writer);
        pages_size += bytes.len() as u64;
        failed = failed.and(writer.run(offset, bytes));
    });
    failed?;
    write_file(target, writer, first_run, pages_size)
}

/// The number of items in a list, in front of them.
struct Count {
    place: usize,
    count: u64,
}

impl Count {
    fn new(writer: &mut Writer<'_>) -> Result<Count, Full> {
        let place = writer.place();
        writer.word(0)?;
        Ok(Count { place, count: 0 })
    }

    fn add(&mut self, writer: &mut Writer<'_>) {
        self.count += 1;
        writer.set(self.place, self.count);
    }
}

fn write_machine(writer: &mut Writer<'_>, task: &Task) -> Result<(), Full> {
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
    set(word::MEMORY, u64::from(task.mm.get().number()));
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

/// A part of guest memory.
fn ram_bytes(from: u64, to: u64) -> &'static [u8] {
    let at = Layout::get().slots + from;
    // SAFETY: guest-physical memory is mapped there, and no vCPU runs.
    unsafe { core::slice::from_raw_parts(at as *const u8, (to - from) as usize) }
}

/// Calls `each` with the parts of guest memory that are not zero, upwards.
fn runs(mut each: impl FnMut(u64, &[u8])) {
    const SEEK_DATA: u32 = 3;
    const SEEK_HOLE: u32 = 4;
    let ram = Ram::get();
    let page = 1_u64 << ram.page_shift;
    let is_zero = |at: u64| {
        // SAFETY: words are valid whatever their bytes.
        let (_, words, _) = unsafe { ram_bytes(at, at + page).align_to::<u64>() };
        words.iter().all(|word| *word == 0)
    };
    let mut at = page.max(linnet_abi::memory::NULL_GUARD);
    while at < ram.size {
        let Ok(data) = u64::try_from(sys::seek(ram.fd, at, SEEK_DATA)) else { return };
        let hole = u64::try_from(sys::seek(ram.fd, data, SEEK_HOLE)).unwrap_or(ram.size);
        let end = hole.next_multiple_of(page).min(ram.size);
        at = at.max(data & !(page - 1));
        while at < end {
            if is_zero(at) {
                at += page;
                continue;
            }
            let start = at;
            while at < end && at - start < RUN as u64 && !is_zero(at) {
                at += page;
            }
            each(start, ram_bytes(start, at));
        }
    }
}

/// Writes a snapshot beside the last one. It is there when its header is: until then the file is the last one.
/// Its runs are listed from the word `first_run` of the body on, and have so many bytes together.
fn write_file(
    target: &Target,
    writer: Writer<'_>,
    first_run: usize,
    pages_size: u64,
) -> Result<(), Failed> {
    let file = target.file;
    let tried = |r: isize| if r < 0 { Err(Failed::File(-r as i32)) } else { Ok(()) };
    let size = writer.size().next_multiple_of(ALIGN) + pages_size;
    let last = target.last.get();
    let at = if ALIGN + size <= last.0 { ALIGN } else { last.1.next_multiple_of(ALIGN).max(ALIGN) };
    let pages = at + writer.size().next_multiple_of(ALIGN);
    let (header, body) = writer.finish(at, pages, as_bytes);
    tried(sys::write_all_at(file, as_bytes(body), at))?;
    let mut to = pages;
    for run in body[first_run..].chunks_exact(3) {
        let (offset, size) = (run[0], run[1]);
        tried(sys::write_all_at(file, ram_bytes(offset, offset + size), to))?;
        to += size;
    }
    tried(sys::fdatasync(file))?;
    tried(sys::write_all_at(file, as_bytes(header), 0))?;
    tried(sys::fdatasync(file))?;
    target.last.set((at, at + size));
    // The last one is not needed any more. A file system that cannot do that keeps it.
    if at == ALIGN {
        sys::truncate(file, at + size);
    } else if last.1 > ALIGN {
        sys::punch_hole(file, ALIGN, at - ALIGN);
    }
    Ok(())
}

fn as_bytes(words: &[u64]) -> &[u8] {
    // SAFETY: words are bytes; all ISAs here have the low one first.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 8 * words.len()) }
}
