//! Starting as a machine that was frozen.
//!
//! A snapshot is believed no more than a guest's kernel: what it says becomes types that cannot be wrong, or
//! is refused before anything runs.

use super::frames::{self, begin};
use super::outgoing::Lost;
use crate::arch::ThreadRequest;
use crate::device::virtio;
use crate::host::{clock, signals, sys};
use crate::memory::demand;
use crate::memory::ids::MemoryId;
use crate::memory::image;
use crate::memory::layout::{self, KERNEL_STACK, Layout, USER_BOTTOM, USER_TOP};
use crate::memory::ram::Ram;
use crate::memory::range::GuestSlice;
use crate::memory::tlb;
use crate::task::registry::{self, NewTask, NotMade};
use crate::task::requests::{ExecRequest, SignalRequest, action};
use crate::task::{Entry, Resumed, Task};
use core::fmt::{self, Display, Formatter};
use linnet_abi::boot::START_SIZE;
use linnet_abi::memory::{LARGE_PAGE, NULL_GUARD};
use linnet_abi::module::Module;
use linnet_frames::rebuild::{Plan, Resume, ResumeFrame, plan_words};
use linnet_frames::record::Record;
use linnet_frames::tables::Tables;
use linnet_snapshot::{GLOBALS, Header, NONE, Run, Snapshot, machine, task as word};

/// Native stack that a frame of the runtime takes, in bytes.
const HOST_FRAME: usize = 4096;
/// What stays free at the end of a stack.
const SPARE: usize = 16 << 10;

/// Why a snapshot cannot be resumed here.
#[derive(Debug)]
pub enum Error {
    File(sys::FileError),
    Snapshot(linnet_snapshot::Error),
    /// It needs another executable.
    Kernel,
    Program(usize),
    Frames(linnet_frames::Error),
    /// Something in it cannot be.
    Wrong(&'static str),
    Disk(usize),
    /// The machine that was to come does not.
    Lost(Lost),
    /// Whether the machine had a network device.
    Network(bool),
    NoMemory,
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Error::File(error) => write!(f, "{error}"),
            Error::Snapshot(error) => write!(f, "{error}"),
            Error::Kernel => write!(
                f,
                "the snapshot is of another kernel\nhint: build this file with the same kernel and packages, for this CPU"
            ),
            Error::Program(n) => write!(
                f,
                "the snapshot has a program (number {n}) that this file does not have\nhint: build this file with the same packages, for this CPU"
            ),
            Error::Frames(linnet_frames::Error::NoTables) => write!(
                f,
                "this file was not built to resume snapshots\nhint: build it with --frames"
            ),
            Error::Frames(error) => write!(f, "a task of the snapshot is wrong: {error}"),
            Error::Wrong(what) => write!(f, "the snapshot is wrong: {what}"),
            Error::Disk(n) => write!(
                f,
                "disk {n} is not the one that the machine had\nhint: give the same disks in the same order with --disk"
            ),
            Error::Lost(lost) => write!(f, "the machine does not come: {lost}"),
            Error::Network(true) => write!(
                f,
                "the machine had a network device\nhint: give it one with --net, as it had"
            ),
            Error::Network(false) => {
                write!(f, "the machine had no network device\nhint: leave --net away")
            }
            Error::NoMemory => write!(f, "the host has no room for the tasks of the snapshot"),
        }
    }
}

impl From<linnet_snapshot::Error> for Error {
    fn from(error: linnet_snapshot::Error) -> Self {
        Error::Snapshot(error)
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        Error::Lost(lost)
    }
}

impl From<linnet_frames::Error> for Error {
    fn from(error: linnet_frames::Error) -> Self {
        Error::Frames(error)
    }
}

/// Memory of a snapshot.
enum Pages {
    /// From that place of a file on.
    File(i32, u64),
    /// In this executable.
    Own(&'static [u8]),
}

/// A snapshot that has been looked at.
pub struct Opened {
    pub snapshot: Snapshot<'static>,
    pages: Pages,
}

/// Memory of that size, for good.
pub fn room(size: usize) -> Result<&'static mut [u8], Error> {
    room_of(size, 1 << 16).map(|(_, bytes)| bytes)
}

/// The same, in large pages if the host has some: all of it will be used.
fn large_room(size: usize) -> Result<&'static mut [u8], Error> {
    let (at, bytes) = room_of(size, LARGE_PAGE as usize)?;
    // SAFETY: mapped just now. Nothing is lost.
    unsafe { sys::madvise(at, size.next_multiple_of(LARGE_PAGE as usize), sys::MADV_HUGEPAGE) };
    Ok(bytes)
}

fn room_of(size: usize, align: usize) -> Result<(usize, &'static mut [u8]), Error> {
    let own = sys::PROT_READ | sys::PROT_WRITE;
    let size_of_map = size.checked_next_multiple_of(align).ok_or(Error::NoMemory)?;
    let at = layout::map_own(size_of_map.max(align), align, own);
    let at = at.map_err(|_| Error::NoMemory)?;
    // SAFETY: mapped just now, and nobody else knows of it.
    Ok((at, unsafe { core::slice::from_raw_parts_mut(at as *mut u8, size) }))
}

/// Look at a file. It is read and not mapped, since another process may change it.
pub fn open(path: &core::ffi::CStr) -> Result<Opened, Error> {
    let (fd, size) = sys::open_to_read(path).map_err(Error::File)?;
    let mut header = [0; 8 * linnet_snapshot::HEADER];
    if size < header.len() as u64 {
        return Err(linnet_snapshot::Error::NotASnapshot.into());
    }
    sys::read_file(fd, &mut header, 0).map_err(Error::File)?;
    let header = Header::new(&header)?;
    let is_inside = |at: u64, bytes: usize| at.checked_add(bytes as u64).is_some_and(|e| e <= size);
    if !is_inside(header.body, header.body_size()?) {
        return Err(linnet_snapshot::Error::Length.into());
    }
    let body = room(header.body_size()?)?;
    sys::read_file(fd, body, header.body).map_err(Error::File)?;
    let (snapshot, pages) = Snapshot::new(&header, body)?;
    if !is_inside(header.pages, pages) {
        return Err(linnet_snapshot::Error::Length.into());
    }
    if snapshot.kernel() != image::kernel().id {
        return Err(Error::Kernel);
    }
    Ok(Opened { snapshot, pages: Pages::File(fd, header.pages) })
}

/// Look at the snapshot in this executable.
pub fn open_own(bytes: &'static [u8]) -> Result<Opened, Error> {
    let (snapshot, pages) = Snapshot::of_file(bytes)?;
    Ok(Opened { snapshot, pages: Pages::Own(pages) })
}

impl Opened {
    /// Lay out guest memory, which is all zeros, when it is used. A machine with devices that use it cannot do that.
    pub fn load_memory_on_demand(&self, host_page: usize) -> Result<(), Error> {
        let pages = match self.pages {
            // In this very executable.
            Pages::Own(pages) => pages,
            // What is wrong shows before anything runs. Later another process may write to the file.
            Pages::File(fd, at) => {
                let size = self.snapshot.runs().map(|run| run.stored).sum();
                let bytes = large_room(size)?;
                sys::read_file(fd, bytes, at).map_err(Error::File)?;
                sys::close(fd);
                let bytes: &[u8] = bytes;
                let mut rest = bytes;
                for run in self.snapshot.runs() {
                    let (stored, behind) = rest.split_at(run.stored);
                    run.check(stored)?;
                    rest = behind;
                }
                bytes
            }
        };
        if self.snapshot.runs().any(|run| run.offset < NULL_GUARD) {
            return Err(Error::Wrong("there is something in the first 64 KiB"));
        }
        if demand::init(self.snapshot, pages, host_page) { Ok(()) } else { Err(Error::NoMemory) }
    }

    /// Lay out guest memory, which is all zeros.
    pub fn load_memory(&self) -> Result<(), Error> {
        match self.pages {
            Pages::File(fd, mut at) => {
                let buffer = room(linnet_snapshot::RUN)?;
                for run in self.snapshot.runs() {
                    let stored = &mut buffer[..run.stored];
                    sys::read_file(fd, stored, at).map_err(Error::File)?;
                    run.unpack(stored, memory_of(&run)?)?;
                    at += run.stored as u64;
                }
                sys::close(fd);
            }
            Pages::Own(mut pages) => {
                for run in self.snapshot.runs() {
                    let (stored, rest) = pages.split_at(run.stored);
                    run.unpack(stored, memory_of(&run)?)?;
                    pages = rest;
                }
            }
        }
        Ok(())
    }

    /// Where the machine finds what it starts for, if it was frozen to be told.
    pub fn start(&self) -> Result<Option<GuestSlice>, Error> {
        let Ok(address @ 1..) = u32::try_from(self.snapshot.machine(machine::START)) else {
            return Ok(None);
        };
        let slice = GuestSlice::new(address, START_SIZE);
        let is_inside = u64::from(address) + u64::from(START_SIZE) <= self.snapshot.memory();
        slice.filter(|_| is_inside).map(Some).ok_or(Error::Wrong("it is told nothing at its start"))
    }
}

/// The snapshot has become a machine: the host has the memory back that it was read to, unless guest memory is still
/// to be loaded from it.
pub fn forget(snapshot: &Snapshot<'static>) {
    if demand::is_used() {
        return;
    }
    let body = snapshot.body();
    let at = body.as_ptr().addr();
    if layout::is_own(at) {
        // SAFETY: the pages stay mapped, and are zeros from now on; nobody looks at them.
        unsafe {
            sys::madvise(at & !0xffff, body.len().next_multiple_of(1 << 16), sys::MADV_DONTNEED)
        };
    }
}

/// Guest memory that a run is of.
pub fn memory_of(run: &Run) -> Result<&'static mut [u8], Error> {
    if run.offset < NULL_GUARD {
        return Err(Error::Wrong("there is something in the first 64 KiB"));
    }
    let at = Layout::get().slots + run.offset;
    // SAFETY: a run lies in the memory of its machine, which has that size here, too. The guest does not run, and
    // callers keep one run at a time.
    Ok(unsafe { core::slice::from_raw_parts_mut(at as *mut u8, run.size) })
}

/// Make the tasks: the one that asked for the snapshot, which goes on first.
pub fn load_tasks(snapshot: &Snapshot<'_>) -> Result<NewTask, Error> {
    if snapshot.machine(machine::PAGE_SHIFT) != u64::from(Ram::get().page_shift) {
        return Err(Error::Wrong("its kernel has pages of another size"));
    }
    check_devices(snapshot)?;
    for n in 0..snapshot.program_count() {
        snapshot.program(n).and_then(|id| image::find(&id)).ok_or(Error::Program(n))?;
    }
    for n in snapshot.memories() {
        let memory = u32::try_from(n).ok().and_then(tlb::mm_restore);
        memory.ok_or(Error::Wrong("there is a memory that cannot be"))?;
    }
    let mut first = None;
    for task in snapshot.tasks() {
        let made = make(snapshot, &task)?;
        if u64::from(made.task().id.get()) == snapshot.machine(machine::CURRENT) {
            first = Some(made);
        } else {
            made.make_ready();
        }
    }
    clock::set_monotonic(snapshot.machine(machine::MONOTONIC));
    signals::hear();
    first.ok_or(Error::Wrong("nobody has asked for it"))
}

fn check_devices(snapshot: &Snapshot<'_>) -> Result<(), Error> {
    let mut sizes = virtio::sizes();
    for n in 0..linnet_snapshot::DISKS {
        if sizes.next() != snapshot.disk(n) {
            return Err(Error::Disk(n));
        }
    }
    let had_network = snapshot.machine(machine::NETWORK) != 0;
    if had_network != virtio::net::device().is_some() {
        return Err(Error::Network(had_network));
    }
    Ok(())
}

/// A program of the snapshot as one of this executable.
fn program(snapshot: &Snapshot<'_>, n: u64) -> Result<&'static Module, Error> {
    let id = usize::try_from(n).ok().and_then(|n| snapshot.program(n));
    let program = id.and_then(|id| image::find(&id)).and_then(image::program);
    program.ok_or(Error::Wrong("a task has a program that there is not"))
}

fn memory(n: u32) -> Result<MemoryId, Error> {
    MemoryId::of_program(n).ok_or(Error::Wrong("a task has a memory that there is not"))
}

fn make(snapshot: &Snapshot<'_>, from: &linnet_snapshot::Task<'_>) -> Result<NewTask, Error> {
    let kernel = Ram::get().kernel;
    let get = |n| from.word32(n);
    let made = registry::new(get(word::ID)?, get(word::SHADOW)?, begin).map_err(|e| match e {
        NotMade::BadId | NotMade::Exists => Error::Wrong("a task is where none can be"),
        NotMade::TooMany | NotMade::NoMemory => Error::NoMemory,
    })?;
    let task = made.task();
    let entry = Entry::from_number(get(word::ENTRY)?);
    let entry = entry.ok_or(Error::Wrong("a task has come to the kernel by no way"))?;
    task.entry.set(entry);
    // SAFETY: nobody runs the task yet.
    let context = unsafe { &mut *task.kernel_context() };
    for (slot, global) in context.globals.iter_mut().enumerate().take(GLOBALS) {
        *global = from.kernel_global(slot);
    }
    let has_program = from.word(word::PROGRAM) != NONE;
    if has_program {
        let module = program(snapshot, from.word(word::PROGRAM))?;
        task.module.set(Some(module));
        // What follows a program that ends is another one.
        let is_live = MemoryId::of_program(get(word::MEMORY)?);
        let mm = match is_live {
            None if from.word(word::ACTION) & u64::from(action::EXEC) != 0 => MemoryId::KERNEL,
            None if entry == Entry::End => MemoryId::KERNEL,
            _ => memory(get(word::MEMORY)?)?,
        };
        task.mm.set(mm);
        // SAFETY: as above.
        let context = unsafe { &mut *task.user_context() };
        context.heap_base = tlb::base(mm);
        for (slot, global) in context.globals.iter_mut().enumerate().take(GLOBALS) {
            *global = from.user_global(slot);
        }
        // It looks whether there is something to do.
        task.poke();
    }
    make_requests(snapshot, from, task)?;
    let kernel_stack = KERNEL_STACK - SPARE;
    let resumed = resumed(kernel, from.kernel_record, frames::go_on_in_kernel, kernel_stack)?;
    if resumed.is_none() != (entry == Entry::New) {
        return Err(Error::Wrong("a task has no frames in the kernel"));
    }
    task.resumed_kernel.set(resumed);
    if let Some(module) = task.module.get() {
        let user_stack = USER_TOP - USER_BOTTOM - SPARE;
        let resumed = self::resumed(module, from.user_record, frames::go_on_in_user, user_stack)?;
        if resumed.is_some() && task.mm.get() == MemoryId::KERNEL {
            return Err(Error::Wrong("a task has a memory that there is not"));
        }
        task.resumed_user.set(resumed);
    }
    let start = frames::start_of(from.word(word::START));
    let start = start.ok_or(Error::Wrong("a task begins in no way"))?;
    let needs_frames = frames::start_number(start) == 1
        || matches!(entry, Entry::Poll | Entry::Sigreturn)
        || entry == Entry::Call && !task.has_action();
    if needs_frames && task.resumed_user.get().is_none() {
        return Err(Error::Wrong("a task has no frames of its program"));
    }
    task.requests.start.set(start);
    Ok(made)
}

fn make_requests(
    snapshot: &Snapshot<'_>,
    from: &linnet_snapshot::Task<'_>,
    task: &Task,
) -> Result<(), Error> {
    let get = |n| from.word32(n);
    task.is_thread.set(get(word::IS_THREAD)? != 0);
    task.forking.set(get(word::FORKING)?);
    task.thread.set(ThreadRequest {
        function: get(word::THREAD)?,
        argument: get(word::THREAD + 1)?,
        stack: get(word::THREAD + 2)?,
        flags: get(word::THREAD + 3)?,
        tls: get(word::THREAD + 4)?,
    });
    let wanted = get(word::ACTION)?;
    if wanted & !(action::EXEC | action::SIGNAL) != 0 || wanted == action::EXEC | action::SIGNAL {
        return Err(Error::Wrong("a task is to do what nobody can"));
    }
    if wanted & action::SIGNAL != 0 {
        task.requests.signal.set(Some(SignalRequest {
            sp: get(word::SIGNAL)?,
            restorer: get(word::SIGNAL + 1)?,
            handler: get(word::SIGNAL + 2)?,
            signal: get(word::SIGNAL + 3)?,
            info: get(word::SIGNAL + 4)?,
            ucontext: get(word::SIGNAL + 5)?,
        }));
    }
    // A program's first task has it before it is asked for.
    if get(word::EXEC)? != 0 {
        task.requests.exec.set(Some(ExecRequest {
            mm: memory(get(word::EXEC)?)?,
            program: program(snapshot, from.word(word::EXEC + 1))?,
            sp: get(word::EXEC + 2)?,
        }));
    } else if wanted & action::EXEC != 0 {
        return Err(Error::Wrong("a task is to run no program"));
    }
    task.request(wanted);
    Ok(())
}

/// Check a record, and keep it and its plan for good.
fn resumed(
    module: &'static Module,
    record: &[u8],
    resume_frame: ResumeFrame,
    stack: usize,
) -> Result<Option<&'static Resumed>, Error> {
    // SAFETY: the translator emitted it.
    let tables = unsafe { Tables::of(module) }?;
    if record.is_empty() {
        return Ok(None);
    }
    let checked = Record::new(record, tables.id)?;
    let of_kernel = core::ptr::eq(module, Ram::get().kernel);
    if !frames::are_known(&checked, of_kernel) {
        return Err(Error::Wrong("a task waits for what nobody gives"));
    }
    let head = size_of::<Resumed>().div_ceil(8);
    let (words, plan) = (record.len().div_ceil(8), plan_words(&checked));
    let memory = arena::take(head + words + plan).ok_or(Error::NoMemory)?;
    let (place, memory) = memory.split_at_mut(head);
    let (copy, memory) = memory.split_at_mut(words);
    let resume = Resume { resume_frame, host_frame: HOST_FRAME, stack };
    let plan = Plan::new(&tables, &checked, resume, memory)?;
    // SAFETY: the copy has that many bytes, and nobody else knows it; the place has the size of the struct and
    // the alignment of a word.
    unsafe {
        let copy = core::slice::from_raw_parts_mut(copy.as_mut_ptr().cast::<u8>(), record.len());
        copy.copy_from_slice(record);
        let place = place.as_mut_ptr().cast::<Resumed>();
        place.write(Resumed { plan, record: copy });
        Ok(Some(&*place))
    }
}

/// Memory for plans, while one thread runs.
mod arena {
    use crate::host::sys;
    use crate::memory::layout;
    use core::cell::UnsafeCell;

    const PIECE: usize = 1 << 20;

    struct Rest(UnsafeCell<(usize, usize)>);

    // SAFETY: one thread uses it.
    unsafe impl Sync for Rest {}

    static REST: Rest = Rest(UnsafeCell::new((0, 0)));

    /// So many words, zeroed, for good.
    pub fn take(words: usize) -> Option<&'static mut [u64]> {
        let size = 8 * words;
        // SAFETY: one thread uses it.
        let (at, left) = unsafe { &mut *REST.0.get() };
        if *left < size {
            let piece = size.next_multiple_of(PIECE);
            let own = sys::PROT_READ | sys::PROT_WRITE;
            (*at, *left) = (layout::map_own(piece, 1 << 16, own).ok()?, piece);
        }
        let first = *at;
        (*at, *left) = (*at + size, *left - size);
        // SAFETY: a part of a mapping that is given away once.
        Some(unsafe { core::slice::from_raw_parts_mut(first as *mut u64, words) })
    }
}
