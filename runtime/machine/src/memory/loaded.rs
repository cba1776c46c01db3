//! Programs that a translator makes while the machine runs.
//!
//! The translator is another process. It gives each program in a sealed memory file, which is mapped here at a place
//! that the translator has chosen among those that are for code: nothing in this process writes code. Each program
//! has a slot. The kernel has holds on it while it starts it, and each task that runs it has one. A program without
//! holds stays, in case it is started again, until its room is needed.

use crate::host::lock::SpinLock;
use crate::host::sys::{self, EAGAIN, EIO, ENOMEM};
use crate::memory::image;
use crate::memory::layout::Layout;
use crate::memory::range::GuestSlice;
use core::mem::ManuallyDrop;
use core::ptr;
use core::sync::atomic::{AtomicI32, Ordering};
use linnet_abi::exec::{ExecHeader, HEADER_SIZE};
use linnet_abi::module::Module;
use linnet_abi::translator::{ALIGN, MAX_MODULE, Reply, Request};
use linnet_device::sys::{Errno, Fd};

/// Most programs at a time.
const SLOTS: usize = 512;

/// Most bytes of programs that nobody runs.
const MOST_UNUSED: u64 = 128 << 20;

/// The first number of such a program; those of the boot binary are less.
const FIRST: u32 = 1 << 20;

const ENOEXEC: i32 = -8;

/// The socket to the translator, or one of what follows.
static SOCKET: AtomicI32 = AtomicI32::new(NONE);

/// There is none.
const NONE: i32 = -1;
/// It has ended.
const GONE: i32 = -2;

/// The translator is on that socket, which never waits.
pub fn init(socket: i32) {
    let mut seed = [0; 4];
    sys::getrandom(&mut seed);
    // Replies to what was asked before a restart have other numbers.
    SLOTS_LOCK.lock().next_tag = u64::from(u32::from_le_bytes(seed)) << 32;
    SOCKET.store(socket, Ordering::Release);
}

/// The socket to the translator; less than 0 if there is none.
pub fn socket() -> i32 {
    SOCKET.load(Ordering::Relaxed)
}

/// What the kernel must know to start it, and what the runtime needs.
#[derive(Clone, Copy)]
pub struct Program {
    pub module: &'static Module,
    pub header: ExecHeader,
    /// The module's own bytes.
    bytes: &'static [u8],
    /// Where it is mapped.
    address: u64,
    size: u64,
}

impl Program {
    /// The header that the kernel reads.
    pub fn header(&self) -> [u8; HEADER_SIZE] {
        let ExecHeader {
            id,
            abi_version,
            image_address,
            image_offset,
            image_size,
            memory_end,
            heap_base,
            reserved: _,
        } = self.header;
        let words =
            [abi_version, image_address, image_offset, image_size, memory_end, heap_base, 0, 0];
        let mut bytes = [0; HEADER_SIZE];
        let (first, rest) = bytes.split_at_mut(id.len());
        first.copy_from_slice(&id);
        for (to, word) in rest.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Fills a buffer with the initial memory from `address` on.
    pub fn copy_image(&self, address: u32, buffer: GuestSlice) {
        let zeros = [0; 4096];
        for at in (0..buffer.len()).step_by(zeros.len()) {
            buffer.write(at, &zeros[..zeros.len().min(buffer.len() - at)]);
        }
        let Module { segments, segment_count, .. } = *self.module;
        if segment_count == 0 {
            return;
        }
        // SAFETY: the translator has made the list, and what it points to; there is a hold on the program.
        let segments = unsafe { core::slice::from_raw_parts(segments, segment_count as usize) };
        let (start, end) = (u64::from(address), u64::from(address) + buffer.len() as u64);
        for segment in segments {
            let first = u64::from(segment.address);
            let (from, to) = (start.max(first), end.min(first + u64::from(segment.len)));
            if from < to {
                // SAFETY: as above.
                let bytes = unsafe {
                    let bytes = segment.bytes.add((from - first) as usize);
                    core::slice::from_raw_parts(bytes, (to - from) as usize)
                };
                buffer.write((from - start) as usize, bytes);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    Free,
    Loading,
    Ready(Program),
    Failed(i32, [u8; Reply::TEXT]),
}

#[derive(Clone, Copy)]
struct Slot {
    state: State,
    /// What it was asked for by, and when it was last used.
    tag: u64,
    used: u64,
    /// Of the module.
    size: u32,
    hash: u64,
    /// The kernel's, which may be wrong.
    kernel_holds: u32,
    /// Those of tasks, and of the runtime while it reads.
    holds: u32,
}

struct Slots {
    slots: [Slot; SLOTS],
    /// Addresses of the descriptors of those that are ready, or 0.
    modules: [usize; SLOTS],
    next_tag: u64,
}

// SAFETY: descriptors are never written, and no thread owns what they point to.
unsafe impl Send for Slots {}

const FREE: Slot =
    Slot { state: State::Free, tag: 0, used: 0, size: 0, hash: 0, kernel_holds: 0, holds: 0 };

static SLOTS_LOCK: SpinLock<Slots> =
    SpinLock::new(Slots { slots: [FREE; SLOTS], modules: [0; SLOTS], next_tag: 0 });

/// The kernel has named a program on which it has no hold.
#[derive(Debug)]
pub struct NotHeld;

/// What has become of a program.
pub enum Progress {
    Ready,
    Loading,
    /// A negative errno, and why.
    Failed(i32, [u8; Reply::TEXT]),
}

impl Slots {
    fn held(&mut self, number: u32) -> Result<&mut Slot, NotHeld> {
        let slot = number.checked_sub(FIRST).and_then(|n| self.slots.get_mut(n as usize));
        slot.filter(|slot| slot.kernel_holds > 0).ok_or(NotHeld)
    }

    /// A slot for a new program. What nobody runs makes room, the oldest first.
    fn take(&mut self, size: u32, hash: u64) -> Option<(u32, u64)> {
        self.remove_unused();
        let free =
            |slots: &[Slot; SLOTS]| slots.iter().position(|slot| matches!(slot.state, State::Free));
        let n = free(&self.slots).or_else(|| {
            self.remove_oldest();
            free(&self.slots)
        })?;
        let tag = self.tag();
        self.slots[n] =
            Slot { state: State::Loading, tag, used: tag, size, hash, kernel_holds: 1, holds: 0 };
        Some((FIRST + n as u32, tag))
    }

    fn tag(&mut self) -> u64 {
        self.next_tag += 1;
        self.next_tag
    }

    fn unused(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        self.slots.iter().enumerate().filter_map(|(n, slot)| match slot.state {
            State::Ready(program) if slot.is_unused() => Some((n, slot.used, program.size)),
            _ => None,
        })
    }

    fn remove_unused(&mut self) {
        while self.unused().map(|(_, _, size)| size).sum::<u64>() > MOST_UNUSED {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        let Some((n, ..)) = self.unused().min_by_key(|(_, used, _)| *used) else { return };
        if let State::Ready(Program { address, size, .. }) = self.slots[n].state {
            // SAFETY: mapped for this program, which nobody runs or looks at: there are no holds on it.
            unsafe { sys::munmap(address as usize, size as usize) };
            forget(self.slots[n].tag);
        }
        self.slots[n] = FREE;
        self.modules[n] = 0;
    }

    /// Takes the replies that are there.
    fn receive(&mut self) {
        let socket = socket();
        if socket < 0 {
            return;
        }
        // The descriptor stays open.
        let socket = ManuallyDrop::new(Fd::own(socket));
        loop {
            let mut packet = [0; Reply::WHOLE];
            let (length, file) = match linnet_device::sys::receive_message(&socket, &mut packet) {
                Ok(received) => received,
                Err(Errno::AGAIN) => return,
                Err(_) => (0, None),
            };
            if length != Reply::WHOLE {
                return self.translator_has_ended();
            }
            let (head, text) = packet.split_first_chunk().expect("longer than its head");
            let (reply, text) = (Reply::from_bytes(head), text.first_chunk().expect("all of it"));
            let is_asked =
                |slot: &Slot| slot.tag == reply.tag && matches!(slot.state, State::Loading);
            let Some(n) = self.slots.iter().position(is_asked) else {
                forget(reply.tag);
                continue;
            };
            let slot = &mut self.slots[n];
            slot.state = match (reply.errno, file) {
                (0, Some(file)) => match map(&reply, &file, slot.size) {
                    Some(program) => {
                        self.modules[n] = ptr::from_ref(program.module).addr();
                        State::Ready(program)
                    }
                    None => {
                        forget(reply.tag);
                        failed(ENOMEM, "the host does not map its code")
                    }
                },
                (0, None) => failed(EIO, "no code came"),
                (errno, _) => State::Failed(-i32::try_from(errno).unwrap_or(-ENOEXEC), *text),
            };
            slot.free_if_failed();
        }
    }

    fn translator_has_ended(&mut self) {
        SOCKET.store(GONE, Ordering::Relaxed);
        for slot in &mut self.slots {
            if matches!(slot.state, State::Loading) {
                slot.state = failed(EIO, "the translator has ended");
                slot.free_if_failed();
            }
        }
    }
}

impl Slot {
    fn is_unused(&self) -> bool {
        self.kernel_holds == 0 && self.holds == 0
    }

    /// What failed is needed until everybody knows.
    fn free_if_failed(&mut self) {
        if self.kernel_holds == 0 && matches!(self.state, State::Failed(..)) {
            *self = FREE;
        }
    }
}

fn failed(errno: i32, text: &str) -> State {
    let mut bytes = [0; Reply::TEXT];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    State::Failed(errno, bytes)
}

/// Tells the translator that the place of a program is free.
fn forget(tag: u64) {
    let request = Request { kind: Request::FORGET, tag };
    // SAFETY: the socket is this process's. If the translator does not read, it loses address space of its own.
    let _ = unsafe { linnet_device::sys::send_message(socket(), &request.to_bytes(), None) };
}

/// Maps a program where the translator says.
fn map(reply: &Reply, file: &Fd, module_size: u32) -> Option<Program> {
    let Reply { address, code_size, size, descriptor, module, .. } = *reply;
    let area = Layout::get().code();
    let aligned = [address, code_size, size].iter().all(|n| n.is_multiple_of(ALIGN));
    let end = address.checked_add(size)?;
    let tables = address.checked_add(code_size)?..end;
    let inside = |at: u64, len: usize| {
        at.checked_add(len as u64).is_some_and(|end| tables.start <= at && end <= tables.end)
    };
    let is_right = aligned
        && area.start as u64 <= address
        && end <= area.end as u64
        && 0 < code_size
        && code_size < size
        && inside(descriptor, size_of::<Module>())
        && descriptor.is_multiple_of(8)
        && reply.module_size == u64::from(module_size)
        && inside(module, module_size as usize)
        && sys::is_sealed(file.number());
    if !is_right {
        return None;
    }
    let parts = [
        (address, code_size, sys::PROT_READ | sys::PROT_EXEC, 0),
        (tables.start, size - code_size, sys::PROT_READ, code_size),
    ];
    for (at, len, prot, offset) in parts {
        let flags = sys::CODE_FLAGS;
        // SAFETY: NOREPLACE: nothing is taken away.
        let r = unsafe { sys::mmap(at as usize, len as usize, prot, flags, file.number(), offset) };
        if r != at as isize {
            // SAFETY: what is mapped there was mapped just now, or lies where the host has put it.
            unsafe {
                if r > 0 {
                    sys::munmap(r as usize, len as usize);
                }
                if at != address {
                    sys::munmap(address as usize, code_size as usize);
                }
            }
            return None;
        }
    }
    // SAFETY: the translator has made it, as it makes those of boot binaries, and nobody can change it.
    let (found, bytes) = unsafe {
        let bytes = core::slice::from_raw_parts(module as *const u8, module_size as usize);
        (&*(descriptor as *const Module), bytes)
    };
    if !image::fits(found) {
        // SAFETY: mapped just now.
        unsafe { sys::munmap(address as usize, size as usize) };
        return None;
    }
    let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let header = ExecHeader {
        id: found.id,
        abi_version: found.abi_version,
        image_address: word(reply.image_address),
        image_offset: 0,
        image_size: word(reply.image_size),
        memory_end: word(reply.memory_end),
        heap_base: word(reply.heap_base),
        reserved: [0; 2],
    };
    Some(Program { module: found, header, bytes, address, size })
}

/// Number of the program that is made of a module; the kernel gets a hold on it. Or a negative errno.
pub fn load(module: GuestSlice) -> i32 {
    if socket() == NONE {
        return sys::ENOSYS as i32;
    }
    if module.len() as u64 > MAX_MODULE {
        return ENOEXEC;
    }
    SLOTS_LOCK.lock().receive();
    let hash = hash(module);
    match find(module, hash) {
        Some(number) => number as i32,
        None if socket() == GONE => EIO,
        None => ask(module, hash),
    }
}

/// Looks at all parts of a module.
fn parts(module: GuestSlice, mut look: impl FnMut(usize, &[u8]) -> bool) -> bool {
    let mut bytes = [0; 4096];
    (0..module.len()).step_by(bytes.len()).all(|at| {
        let n = module.copy(at, &mut bytes);
        look(at, &bytes[..n])
    })
}

/// To tell most modules apart without comparing them.
fn hash(module: GuestSlice) -> u64 {
    let mut hash = module.len() as u64;
    parts(module, |_, bytes| {
        for word in bytes.chunks(8) {
            let mut whole = [0; 8];
            whole[..word.len()].copy_from_slice(word);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(whole))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        true
    });
    hash
}

/// The program of that module, if it is there, with a hold of the kernel's.
fn find(module: GuestSlice, hash: u64) -> Option<u32> {
    for n in 0..SLOTS {
        let bytes = {
            let mut slots = SLOTS_LOCK.lock();
            let tag = slots.next_tag;
            let slot = &mut slots.slots[n];
            match slot.state {
                State::Ready(program)
                    if slot.hash == hash && slot.size as usize == module.len() =>
                {
                    slot.kernel_holds += 1;
                    slot.used = tag;
                    program.bytes
                }
                _ => continue,
            }
        };
        // Guest memory may fault, so that nothing is locked; the hold keeps the bytes.
        if parts(module, |at, part| bytes[at..at + part.len()] == *part) {
            return Some(FIRST + n as u32);
        }
        SLOTS_LOCK.lock().slots[n].kernel_holds -= 1;
    }
    None
}

/// Asks the translator for a new program.
fn ask(module: GuestSlice, hash: u64) -> i32 {
    let Some((number, tag)) = SLOTS_LOCK.lock().take(module.len() as u32, hash) else {
        return EAGAIN;
    };
    let file = sys::memfd(c"linnet-module", module.len() as u64);
    let mut result = file.min(0);
    if file >= 0 {
        let file = Fd::own(file);
        parts(module, |at, bytes| {
            result = sys::write_all_at(file.number(), bytes, at as u64).min(0) as i32;
            result == 0
        });
        if result == 0 {
            let request = Request { kind: Request::TRANSLATE, tag }.to_bytes();
            // SAFETY: both descriptors are this process's.
            let sent = unsafe {
                linnet_device::sys::send_message(socket(), &request, Some(file.number()))
            };
            result = sent.map_or_else(|Errno(errno)| -errno, |_| 0);
        }
    }
    if result == 0 {
        return number as i32;
    }
    let mut slots = SLOTS_LOCK.lock();
    slots.slots[(number - FIRST) as usize] = FREE;
    if result == EAGAIN { EAGAIN } else { EIO }
}

/// How far a program is.
pub fn progress(number: u32) -> Result<Progress, NotHeld> {
    let mut slots = SLOTS_LOCK.lock();
    slots.receive();
    Ok(match slots.held(number)?.state {
        State::Ready(_) => Progress::Ready,
        State::Failed(errno, text) => Progress::Failed(errno, text),
        State::Loading | State::Free => Progress::Loading,
    })
}

/// Calls `f` with a program that is ready.
pub fn with<T>(number: u32, f: impl FnOnce(&Program) -> T) -> Result<T, NotHeld> {
    let program = {
        let mut slots = SLOTS_LOCK.lock();
        let slot = slots.held(number)?;
        let State::Ready(program) = slot.state else { return Err(NotHeld) };
        slot.holds += 1;
        program
    };
    let result = f(&program);
    release(program.module);
    Ok(result)
}

/// Makes a hold of the kernel's a task's.
pub fn take(number: u32) -> Result<&'static Module, NotHeld> {
    let mut slots = SLOTS_LOCK.lock();
    let slot = slots.held(number)?;
    let State::Ready(program) = slot.state else { return Err(NotHeld) };
    slot.kernel_holds -= 1;
    slot.holds += 1;
    Ok(program.module)
}

/// Gives up a hold of the kernel's.
pub fn drop(number: u32) -> Result<(), NotHeld> {
    let mut slots = SLOTS_LOCK.lock();
    let slot = slots.held(number)?;
    slot.kernel_holds -= 1;
    slot.free_if_failed();
    Ok(())
}

/// A number of such a program, whether there is one or not.
pub fn is_number(program: u32) -> bool {
    program >= FIRST
}

/// Was it made while the machine runs?
fn is_loaded(module: &Module) -> bool {
    Layout::get().code().contains(&ptr::from_ref(module).addr())
}

fn change_holds(module: &Module, by: i32) {
    if !is_loaded(module) {
        return;
    }
    let mut slots = SLOTS_LOCK.lock();
    let address = ptr::from_ref(module).addr();
    if let Some(n) = slots.modules.iter().position(|known| *known == address) {
        let holds = &mut slots.slots[n].holds;
        *holds = holds.wrapping_add_signed(by);
    }
}

/// Another task has that program.
pub fn hold(module: &Module) {
    change_holds(module, 1);
}

/// A task has it no more.
pub fn release(module: &Module) {
    change_holds(module, -1);
}
