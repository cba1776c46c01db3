//! Writing snapshots, and going on with them.

use crate::guest::{MEMORY, Stack, State, WORLD, module, resume_frame, tables};
use crate::{Out, fail, sys};
use core::fmt::Write;
use linnet_abi::context::GLOBAL_SLOTS;
use linnet_frames::capture::{capture, scratch_words};
use linnet_frames::rebuild::{Plan, Resume, plan_words};
use linnet_frames::record::Record;
use linnet_unwind::Position;

/// Words that a record may have.
const MOST: usize = 1 << 20;

/// Native stack that is there for rebuilt frames, in bytes.
const STACK: usize = 4 << 20;

/// Native stack that a call of the host takes, in bytes.
const HOST_FRAME: usize = 2048;

/// Captures the stack into `out`; the length of the record in words.
fn record(
    out: &mut [u64],
    scratch: &mut [u64],
    position: Position,
    own: (u32, &[u64]),
    stack: &mut Stack,
) -> usize {
    // SAFETY: this is called by the host function at `position`.
    let len = unsafe { capture(&tables(), position, own, stack, out, scratch) };
    len.unwrap_or_else(|e| fail(format_args!("capture: {e}")))
}

/// Words as the bytes of a file.
fn bytes(words: &[u64]) -> &[u8] {
    // SAFETY: words are bytes; all instruction sets here have the low one first.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 8 * words.len()) }
}

/// Writes a snapshot.
pub fn write(path: &str, position: Position, own: (u32, &[u64]), stack: &mut Stack) {
    let (out, scratch) = (sys::words(MOST), sys::words(scratch_words(&tables())));
    let len = record(out, scratch, position, own, stack);
    let State { events, noted } = WORLD.state.get();
    // SAFETY: the module waits for the host.
    let (globals, memory) = unsafe {
        let memory = core::slice::from_raw_parts(WORLD.memory.get(), MEMORY);
        ((*sys::context()).globals, memory)
    };
    let file = sys::create(path);
    sys::write(file, bytes(&[8 * len as u64, events, noted]));
    sys::write(file, bytes(&globals));
    sys::write(file, bytes(&out[..len]));
    sys::write(file, memory);
    sys::close(file);
}

/// Tells how long a capture takes.
pub fn time(position: Position, own: (u32, &[u64]), below: *const crate::guest::Callback) {
    const ROUNDS: u64 = 1000;
    let (out, scratch) = (sys::words(MOST), sys::words(scratch_words(&tables())));
    let mut len = 0;
    let started = sys::now();
    for _ in 0..ROUNDS {
        len = record(out, scratch, position, own, &mut Stack { below });
    }
    let ns = (sys::now() - started) / ROUNDS;
    let Ok(record) = Record::new(bytes(&out[..len]), &module().id) else {
        fail(format_args!("no record"))
    };
    let memory = sys::words(plan_words(&record));
    let resume = Resume { resume_frame, host_frame: HOST_FRAME, stack: STACK };
    let started = sys::now();
    for _ in 0..ROUNDS {
        if let Err(e) = Plan::new(&tables(), &record, resume, memory) {
            fail(format_args!("{e}"));
        }
    }
    let plan = (sys::now() - started) / ROUNDS;
    let (count, size) = (record.count(), 8 * len);
    let _ = writeln!(
        Out(2),
        "{count} frames, {size} bytes: captured in {ns} ns, checked and laid out in {plan} ns"
    );
}

/// A snapshot's parts.
struct Snapshot {
    state: State,
    globals: [u64; GLOBAL_SLOTS],
    record: &'static [u8],
    memory: &'static [u8],
}

fn read(path: &str) -> Snapshot {
    let file = sys::read(path);
    let word = |at: usize| {
        let bytes = file.get(at..at + 8).and_then(|b| b.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_else(|| fail(format_args!("{path} is too short"))))
    };
    let len = word(0) as usize;
    let state = State { events: word(8), noted: word(16) };
    let mut globals = [0; GLOBAL_SLOTS];
    for (i, global) in globals.iter_mut().enumerate() {
        *global = word(24 + 8 * i);
    }
    let rest = file.get(24 + size_of_val(&globals)..).and_then(|rest| rest.split_at_checked(len));
    match rest.filter(|rest| rest.1.len() == MEMORY) {
        Some((record, memory)) => Snapshot { state, globals, record, memory },
        None => fail(format_args!("{path} has another length than it says")),
    }
}

/// Goes on with a snapshot, to the module's end.
pub fn resume(path: &str) {
    let Snapshot { state, globals, record, memory } = read(path);
    WORLD.state.set(state);
    // SAFETY: the module does not run yet; the mapping has that size.
    unsafe {
        (*sys::context()).globals = globals;
        core::ptr::copy_nonoverlapping(memory.as_ptr(), WORLD.memory.get(), MEMORY);
    }
    let record = Record::new(record, &module().id);
    let record = record.unwrap_or_else(|e| fail(format_args!("{path}: {e}")));
    let nodes = sys::words(plan_words(&record));
    let resume = Resume { resume_frame, host_frame: HOST_FRAME, stack: STACK };
    let plan = Plan::new(&tables(), &record, resume, nodes);
    let plan = plan.unwrap_or_else(|e| fail(format_args!("{path}: {e}")));
    // SAFETY: globals and memory are those of the snapshot.
    unsafe { plan.run(sys::context()) };
}

/// Looks at copies of a snapshot's record that are damaged in some bytes, or too short.
pub fn damage(path: &str, count: u64) -> ! {
    let good = read(path).record;
    let bad = sys::memory(good.len());
    let nodes = sys::words(MOST);
    let (mut random, mut accepted) = (1_u64, 0);
    let mut below = |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % n.max(1)
    };
    for _ in 0..count {
        bad.copy_from_slice(good);
        let len = if below(8) == 0 { below(good.len()) } else { good.len() };
        for _ in 0..1 + below(3) {
            // Many of the numbers that matter are small, and one word may be all ones.
            let at = below(good.len());
            let value = [below(256), below(4), 0, 255][below(4)];
            bad[at] = value as u8;
        }
        let Ok(record) = Record::new(&bad[..len], &module().id) else { continue };
        let resume = Resume { resume_frame, host_frame: HOST_FRAME, stack: STACK };
        accepted += u64::from(Plan::new(&tables(), &record, resume, nodes).is_ok());
    }
    let _ = writeln!(Out(1), "{accepted} of {count} are records");
    sys::exit(0)
}
