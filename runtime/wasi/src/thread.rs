//! Threads: of the guest by wasi-threads, and what each needs of the host. The first one gets the same.

use crate::start::{fail_with, run};
use crate::sys::{self, plain};
use crate::table;
use alloc::boxed::Box;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use linnet_abi::wasi;
use linnet_embed::{Block, Error, Instance, Lock, Module, SharedMemory, Store, Value, adopt};
use linnet_host::nr;

/// Stack of a thread. Memory is used where it is touched only.
const STACK: usize = 16 << 20;
const SIGNAL_STACK: usize = 64 << 10;
/// Below a stack nothing is mapped.
const HOLE: usize = 1 << 20;

/// A thread's place in memory: its stack for signals and its block, then its stack.
struct Region {
    base: usize,
    /// Set as long as the thread uses it: the host clears it at the thread's end.
    taken: AtomicU32,
}

static REGIONS: Lock<alloc::vec::Vec<&'static Region>> = Lock::new(alloc::vec::Vec::new());

fn region() -> Option<&'static Region> {
    let mut regions = REGIONS.lock();
    let free = |region: &&&'static Region| region.taken.load(Ordering::Acquire) == 0;
    if let Some(region) = regions.iter().find(free).copied() {
        region.taken.store(1, Ordering::Relaxed);
        return Some(region);
    }
    let base = sys::memory(HOLE, SIGNAL_STACK + STACK).ok()?;
    let region = Box::leak(Box::new(Region { base, taken: AtomicU32::new(1) }));
    regions.push(region);
    Some(region)
}

impl Region {
    fn top(&self) -> usize {
        self.base + SIGNAL_STACK + STACK
    }

    /// Makes it the calling thread's, which runs on its stack.
    fn adopt(&self) {
        // The signal stack is below the other, behind a page that nobody uses.
        let signals =
            core::ptr::slice_from_raw_parts_mut(self.base as *mut u8, SIGNAL_STACK - 8192);
        let limit = (self.base + SIGNAL_STACK) as u64;
        // A block that lives as long as the process; the next thread in this place gets a new one.
        let block = Box::leak(Box::new(Block::new(limit)));
        // SAFETY: called once by each thread, of its own region.
        unsafe { adopt(block, signals) };
    }
}

/// Runs the first thread's function on a stack like those of the others.
///
/// # Safety
/// The stack that this is called on must not be needed any more.
pub unsafe fn run_first() -> ! {
    let Some(region) = region() else { fail_with(format_args!("there is no memory for a stack")) };
    // SAFETY: the region is new, and the function does not return.
    unsafe { crate::arch::call(region.top(), first, region as *const Region as usize) }
}

extern "C" fn first(region: usize) -> ! {
    // SAFETY: regions live as long as the process.
    unsafe { (*(region as *const Region)).adopt() };
    run()
}

/// What threads begin with.
#[derive(Debug, Clone)]
struct Program {
    module: Module,
    memory: SharedMemory,
    import: (&'static str, &'static str),
}

// SAFETY: a module is read-only.
unsafe impl Send for Program {}

static PROGRAM: Lock<Option<Program>> = Lock::new(None);

/// Says what threads begin with.
pub fn set_program(module: Module, memory: SharedMemory, import: (&'static str, &'static str)) {
    *PROGRAM.lock() = Some(Program { module, memory, import });
}

struct Start {
    region: &'static Region,
    program: Program,
    number: i32,
    argument: u32,
}

/// The number of a new thread that calls the guest's `wasi_thread_start` with it and `argument`; negative if there
/// is none.
pub fn spawn(argument: u32) -> i32 {
    const FAILED: i32 = -6; // EAGAIN, as its negative
    static NEXT: AtomicI32 = AtomicI32::new(1);
    /// The guest's libraries use the upper bits.
    const LAST: i32 = 0x1fff_ffff;
    // VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_CLEARTID
    const FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x20_0000;
    let Some(program) = PROGRAM.lock().clone() else { return FAILED };
    let Some(region) = region() else { return FAILED };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    if number > LAST || number <= 0 {
        region.taken.store(0, Ordering::Release);
        return FAILED;
    }
    let start = Box::into_raw(Box::new(Start { region, program, number, argument }));
    let cleared = region.taken.as_ptr() as usize;
    // SAFETY: the stack is the thread's until the host clears the word, and the function does not return.
    let made = unsafe { linnet_host::spawn(FLAGS, region.top(), begin, start as usize, cleared) };
    if made < 0 {
        // SAFETY: nobody else got it.
        drop(unsafe { Box::from_raw(start) });
        region.taken.store(0, Ordering::Release);
        return FAILED;
    }
    number
}

extern "C" fn begin(start: usize) -> ! {
    // SAFETY: made for this thread.
    let start = unsafe { Box::from_raw(start as *mut Start) };
    start.region.adopt();
    if let Err(error) = start.run() {
        crate::start::fail(&error);
    }
    drop(start);
    loop {
        let _ = plain(nr::EXIT, [0; 4]);
    }
}

impl Start {
    fn run(&self) -> Result<(), Error> {
        let Program { module, memory, import } = &self.program;
        let store = Store::new();
        let mut imports = table::imports(&store, module);
        imports.define(import.0, import.1, linnet_embed::Extern::Memory(memory.open(&store)));
        let imports = imports.with_missing(&store, module)?;
        let instance = Instance::new(&store, module, &imports)?;
        let arguments = [Value::I32(self.number), Value::I32(self.argument as i32)];
        instance.call(wasi::THREAD_START, &arguments).map(drop)
    }
}
