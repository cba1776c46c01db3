//! Snapshots that the guest asks for: who gets them, and what the guest is told.

use super::body;
use super::failed::Failed;
use super::file::File;
use super::frames::Refused;
use super::outgoing::Line;
use super::periodic;
use crate::border::unwind::tables;
use crate::cpu::vcpu;
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use crate::host::signals;
use crate::host::sys::{self, EAGAIN, EBUSY, EIO, ENODEV, ENOMEM};
use crate::memory::{demand, image, layout};
use crate::task::Task;
use core::cell::UnsafeCell;
use linnet_frames::capture::scratch_words;
use linnet_frames::tables::Tables;
use linnet_snapshot::{MOST_FILES, PACKED, Writer};

/// Room for all of a snapshot but the pages, and for one record and what a capture needs. What is not used takes
/// no memory.
const MOST_WORDS: usize = 32 << 17;

/// What snapshots need.
struct Target {
    /// Snapshots go to one of these in turn: the oldest one is replaced.
    files: [Option<File>; MOST_FILES],
    /// Or to a machine that waits for this one.
    line: Option<&'static Line>,
    words: *mut u64,
    scratch: usize,
}

struct TargetCell(UnsafeCell<Option<Target>>);

// SAFETY: written before the second thread starts; used by the one vCPU that is left in a machine that freezes.
unsafe impl Sync for TargetCell {}

static TARGET: TargetCell = TargetCell(UnsafeCell::new(None));

/// The descriptors of what snapshots go to.
pub fn descriptors() -> impl Iterator<Item = i32> {
    // SAFETY: see the cell.
    let target = unsafe { (*TARGET.0.get()).as_ref() };
    let files = target.into_iter().flat_map(|target| target.files.iter().flatten());
    let line = target.and_then(|target| target.line).map(Line::caller);
    files.map(|file| file.fd).chain(line)
}

/// Snapshots go to these files in turn, which have these sizes. While one thread runs.
pub fn init_files(files: impl Iterator<Item = (i32, u64)>) {
    let mut places = [const { None }; MOST_FILES];
    for (place, (fd, size)) in places.iter_mut().zip(files) {
        *place = Some(File::new(fd, size));
    }
    init(places, None);
}

/// The machine goes to another one. While one thread runs.
pub fn init_line(line: &'static Line) {
    init([const { None }; MOST_FILES], Some(line));
}

fn init(files: [Option<File>; MOST_FILES], line: Option<&'static Line>) {
    // SAFETY: the translator emitted them.
    let scratch = image::modules()
        .filter_map(|module| unsafe { Tables::of(module) }.ok())
        .map(|tables| scratch_words(&tables))
        .max()
        .unwrap_or(0);
    let size = 8 * (MOST_WORDS + scratch) + PACKED;
    let own = sys::PROT_READ | sys::PROT_WRITE;
    let Ok(words) = layout::map_own(size.next_multiple_of(1 << 16), 1 << 16, own) else {
        fatal!(exit::HOST, "the host has no memory for a snapshot");
    };
    // SAFETY: one thread runs.
    unsafe { *TARGET.0.get() = Some(Target { files, line, words: words as *mut u64, scratch }) }
}

/// The host call.
pub fn snapshot(task: &'static Task, end: u32) -> i32 {
    let start = if end > 1 { end } else { 0 };
    let failed = match write(task, start) {
        Ok(ends) if end != 0 || ends => signals::exit(0),
        Ok(_) => return 0,
        Err(failed) => failed,
    };
    if !matches!(failed, Failed::Running | Failed::Task(_, Refused::Now)) {
        give_up();
    }
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
        Failed::Lost(lost) => {
            eprintln!("error: the machine stays here: {lost}");
            EIO
        }
    }
}

/// For tests: freeze a machine that goes on with that task, before any of it has run, and end.
pub fn again(task: &'static Task) -> ! {
    match write(task, 0) {
        Ok(_) => signals::exit(0),
        Err(failed) => fatal!(exit::HOST, "the machine cannot be frozen again: {failed:?}"),
    }
}

/// There will be no snapshot: whoever waits for it waits no more.
fn give_up() {
    // SAFETY: see the cell.
    let target = unsafe { (*TARGET.0.get()).as_ref() };
    if let Some(line) = target.and_then(|target| target.line) {
        line.give_up();
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

/// Writes a snapshot, and where in guest memory it finds what it starts for. Whether the machine goes on elsewhere
/// from now on.
fn write(task: &'static Task, start: u32) -> Result<bool, Failed> {
    // SAFETY: see the cell.
    let Some(target) = (unsafe { (*TARGET.0.get()).as_ref() }) else { return Err(Failed::NoFile) };
    if !vcpu::all()[1..].iter().all(vcpu::Vcpu::is_stopped) {
        return Err(Failed::Running);
    }
    // SAFETY: mapped by `init`, and nobody else uses it.
    let (words, scratch, buffer) = unsafe {
        let scratch = target.words.add(MOST_WORDS);
        (
            core::slice::from_raw_parts_mut(target.words, MOST_WORDS),
            core::slice::from_raw_parts_mut(scratch, target.scratch),
            core::slice::from_raw_parts_mut(scratch.add(target.scratch).cast(), PACKED),
        )
    };
    demand::need_all();
    let mut writer = Writer::new(words)?;
    body::write(&mut writer, task, start, scratch)?;
    if let Some(line) = target.line {
        line.send(writer)?;
        return Ok(true);
    }
    let oldest = target.files.iter().flatten().min_by_key(|file| file.time.get());
    oldest.ok_or(Failed::NoFile)?.write(writer, buffer)?;
    periodic::made();
    Ok(false)
}
