//! The runtime's surroundings in a model: the host's clock, futexes and mappings, and tasks whose user
//! code does nothing but wait for a poke.

use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicBool as StdBool, AtomicU64 as StdU64, AtomicUsize as StdUsize, Ordering as StdOrdering,
};
use std::sync::{Mutex as StdMutex, PoisonError};

use shuttle::sync::{Condvar, Mutex};

use crate::{tlb, vcpu};

/// What the host knows of the threads.
struct Host {
    /// Threads that do not wait for a futex.
    running: usize,
    waiters: BTreeMap<u64, Waiter>,
    next: u64,
    /// Nobody waits any more.
    over: bool,
}

struct Waiter {
    word: usize,
    until: Option<u64>,
    woken: bool,
}

static HOST: Mutex<Host> =
    Mutex::new(Host { running: 0, waiters: BTreeMap::new(), next: 0, over: false });
static WOKEN: Condvar = Condvar::new();

/// Orders that are tried, at random but the same every time.
const EXECUTIONS: usize = 3000;

/// The runtime's state is in statics: one model at a time.
static ALONE: StdMutex<()> = StdMutex::new(());

/// Explores what threads may do that `model` starts, on a machine of some vCPUs. Each look at the clock
/// takes `step` nanoseconds.
pub(crate) fn explore(vcpus: u32, step: u64, model: impl Fn() + Send + Sync + 'static) {
    explore_some(EXECUTIONS, vcpus, step, model);
}

/// The same where each memory has a slot of its own.
pub(crate) fn explore_large(model: impl Fn() + Send + Sync + 'static) {
    explore_with(EXECUTIONS, 1, 1000, false, model);
}

/// Does what needs no more than one order.
pub(crate) fn once(model: impl Fn() + Send + Sync + 'static) {
    explore_some(1, 1, 1000, model);
}

fn explore_some(
    executions: usize,
    vcpus: u32,
    step: u64,
    model: impl Fn() + Send + Sync + 'static,
) {
    explore_with(executions, vcpus, step, true, model);
}

fn explore_with(
    executions: usize,
    vcpus: u32,
    step: u64,
    is_small: bool,
    model: impl Fn() + Send + Sync + 'static,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    STEP.store(step, StdOrdering::Relaxed);
    SHARES_SLOTS.store(is_small, StdOrdering::Relaxed);
    shuttle::check_random(
        move || {
            *HOST.lock().unwrap() =
                Host { running: 1, waiters: BTreeMap::new(), next: 0, over: false };
            MAPPED.lock().unwrap().clear();
            vcpu::init(vcpus, |n| std::ptr::from_ref(ram::pending(n)).cast_mut());
            tlb::init(tlb::HOST_DEFAULT, None, vcpus);
            for vcpu in vcpu::all() {
                vcpu.deadline.store(u64::MAX, crate::sync::atomic::Ordering::SeqCst);
                ram::pending(vcpu.number).store(0, crate::sync::atomic::Ordering::SeqCst);
            }
            model();
        },
        executions,
    );
}

/// A thread of the host.
pub(crate) struct Thread(shuttle::thread::JoinHandle<()>);

pub(crate) fn start(work: impl FnOnce() + Send + 'static) -> Thread {
    HOST.lock().unwrap().running += 1;
    Thread(shuttle::thread::spawn(move || {
        work();
        sys::leave();
    }))
}

impl Thread {
    /// Waits for its end.
    pub(crate) fn join(self) {
        sys::leave();
        self.0.join().unwrap();
        HOST.lock().unwrap().running += 1;
    }
}

/// Starts a thread that does `round` again and again until [`end_rounds`].
pub(crate) fn start_rounds(round: fn()) -> Thread {
    start(move || {
        while !HOST.lock().unwrap().over {
            round();
        }
    })
}

/// Whoever waits, and will, goes on.
pub(crate) fn end_rounds(thread: Thread) {
    let mut host = HOST.lock().unwrap();
    host.over = true;
    let Host { waiters, running, .. } = &mut *host;
    for waiter in waiters.values_mut().filter(|waiter| !waiter.woken) {
        waiter.woken = true;
        *running += 1;
    }
    WOKEN.notify_all();
    drop(host);
    thread.join();
}

/// Mapped pages by host address, and what is there.
static MAPPED: StdMutex<BTreeMap<usize, u64>> = StdMutex::new(BTreeMap::new());

/// Does the host refuse what would make two mappings of one?
static REFUSES_SPLITS: StdBool = StdBool::new(false);
/// So many pages the host maps at once.
static MOST_MAPPED: StdUsize = StdUsize::new(usize::MAX);
/// Do memories share one slot?
static SHARES_SLOTS: StdBool = StdBool::new(true);

pub(crate) fn refuse_splits(refuse: bool) {
    REFUSES_SPLITS.store(refuse, StdOrdering::Relaxed);
}

pub(crate) fn map_no_more_than(pages: usize) {
    MOST_MAPPED.store(pages, StdOrdering::Relaxed);
}

fn is_refused(size: usize) -> bool {
    REFUSES_SPLITS.load(StdOrdering::Relaxed) && (size as u64) < linnet_abi::memory::MEMORY_SIZE / 2
}

/// What is mapped between two addresses.
pub(crate) fn mapped(from: u64, to: u64) -> Vec<u64> {
    let range = from as usize..to as usize;
    MAPPED.lock().unwrap().range(range).map(|(_, page)| *page).collect()
}

static NOW: StdU64 = StdU64::new(0);
/// How much later it is whenever somebody looks.
static STEP: StdU64 = StdU64::new(0);

pub(crate) mod clock {
    use super::{NOW, STEP, StdOrdering};

    pub(crate) fn host_now() -> u64 {
        let step = STEP.load(StdOrdering::Relaxed);
        NOW.fetch_add(step, StdOrdering::Relaxed)
    }

    pub(crate) fn monotonic() -> u64 {
        host_now()
    }

    pub(crate) fn to_host(guest: u64) -> u64 {
        guest
    }
}

/// No signal of the host asks the machine to end.
pub(crate) mod signals {
    pub(crate) fn deadline() -> u64 {
        u64::MAX
    }

    pub(crate) fn end_late() -> ! {
        unreachable!("its deadline never comes")
    }
}

pub(crate) mod sys {
    use super::{HOST, Host, MAPPED, NOW, StdOrdering, WOKEN, Waiter, vcpu};
    use crate::sync::atomic::{AtomicU32, Ordering};

    pub(crate) const PROT_READ: usize = 1;
    pub(crate) const PROT_WRITE: usize = 2;
    pub(crate) const MAP_SHARED: usize = 1;
    pub(crate) const MAP_PRIVATE: usize = 2;
    pub(crate) const MAP_FIXED: usize = 0x10;
    pub(crate) const MAP_ANONYMOUS: usize = 0x20;
    pub(crate) const MAP_NORESERVE: usize = 0x4000;
    pub(crate) const MAP_POPULATE: usize = 0x8000;

    const PAGE: usize = 1 << super::ram::PAGE_SHIFT;
    const ENOMEM: isize = -12;

    /// This thread ends, or waits for another's end.
    pub(crate) fn leave() {
        let mut host = HOST.lock().unwrap();
        host.running -= 1;
        pass_time(&mut host);
    }

    /// When all wait, it gets as late as the first of them waits for.
    fn pass_time(host: &mut Host) {
        if host.running != 0 {
            return;
        }
        let first = host.waiters.values_mut().filter(|waiter| !waiter.woken);
        let Some(first) = first.min_by_key(|waiter| waiter.until.unwrap_or(u64::MAX)) else {
            return;
        };
        let Some(until) = first.until else { return };
        for vcpu in vcpu::all() {
            let deadline = vcpu.deadline.load(Ordering::SeqCst);
            assert!(deadline >= until, "nobody watches the deadline of vCPU {}", vcpu.number);
        }
        NOW.fetch_max(until, StdOrdering::Relaxed);
        first.woken = true;
        host.running += 1;
        WOKEN.notify_all();
    }

    pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, until: Option<u64>) {
        let mut host = HOST.lock().unwrap();
        if host.over || word.load(Ordering::SeqCst) != expected {
            return;
        }
        let number = host.next;
        host.next += 1;
        let waiter = Waiter { word: std::ptr::from_ref(word) as usize, until, woken: false };
        host.waiters.insert(number, waiter);
        host.running -= 1;
        pass_time(&mut host);
        while !host.waiters[&number].woken {
            host = WOKEN.wait(host).unwrap();
        }
        host.waiters.remove(&number);
    }

    pub(crate) fn host_cpus() -> u32 {
        64
    }

    pub(crate) fn futex_wake(word: &AtomicU32, count: u32) -> u32 {
        let mut host = HOST.lock().unwrap();
        let word = std::ptr::from_ref(word) as usize;
        let mut woken = 0;
        for waiter in host.waiters.values_mut() {
            if waiter.word == word && !waiter.woken && woken < count {
                waiter.woken = true;
                woken += 1;
            }
        }
        host.running += woken as usize;
        WOKEN.notify_all();
        woken
    }

    pub(crate) fn sched_yield() {
        shuttle::thread::yield_now();
    }

    pub(crate) fn precise_timers() {}

    pub(crate) unsafe fn mmap(
        to: usize,
        size: usize,
        _: usize,
        flags: usize,
        _: i32,
        offset: u64,
    ) -> isize {
        let most = super::MOST_MAPPED.load(StdOrdering::Relaxed);
        if MAPPED.lock().unwrap().len() + size / PAGE > most {
            return ENOMEM;
        }
        if flags & MAP_FIXED != 0 {
            for page in 0..size / PAGE {
                let contents = (offset as usize / PAGE + page) as u64;
                MAPPED.lock().unwrap().insert(to + page * PAGE, contents);
            }
            shuttle::thread::yield_now();
        }
        to as isize
    }

    pub(crate) unsafe fn munmap(start: usize, size: usize) -> isize {
        if super::is_refused(size) {
            return ENOMEM;
        }
        shuttle::thread::yield_now();
        MAPPED.lock().unwrap().retain(|address, _| !(start..start + size).contains(address));
        shuttle::thread::yield_now();
        0
    }

    pub(crate) unsafe fn mprotect(_: usize, size: usize, _: usize) -> isize {
        if super::is_refused(size) { ENOMEM } else { 0 }
    }
}

pub(crate) mod arch {
    pub(crate) const UNMAP_BATCH: u32 = 2;

    pub(crate) fn spin_hint() {
        shuttle::hint::spin_loop();
    }
}

pub(crate) mod thread {
    use std::ffi::CStr;

    pub(crate) type SignalStack = (usize, usize);

    pub(crate) fn begin(_: &CStr) -> SignalStack {
        (0, 0)
    }

    pub(crate) fn begin_first() -> SignalStack {
        (0, 0)
    }

    pub(crate) fn spawn(_: extern "C" fn(usize) -> !, _: usize) {
        unreachable!("models start their threads themselves")
    }
}

pub(crate) mod ram {
    use crate::sync::atomic::AtomicU32;
    use crate::vcpu::MAX_VCPUS;

    pub(crate) const PAGE_SHIFT: u32 = 16;

    pub(crate) struct Ram {
        pub(crate) fd: i32,
        pub(crate) size: u64,
        pub(crate) page_shift: u32,
        pub(crate) pinned: [std::ops::Range<u32>; 2],
    }

    static RAM: Ram =
        Ram { fd: -1, size: 1 << 30, page_shift: PAGE_SHIFT, pinned: [const { 0..0 }; 2] };
    static PENDING: [AtomicU32; MAX_VCPUS] = [const { AtomicU32::new(0) }; MAX_VCPUS];

    /// What is requested of a vCPU.
    pub(crate) fn pending(vcpu: u32) -> &'static AtomicU32 {
        &PENDING[vcpu as usize]
    }

    impl Ram {
        pub(crate) fn get() -> &'static Ram {
            &RAM
        }
    }
}

pub(crate) mod layout {
    use super::{SHARES_SLOTS, StdOrdering};
    use linnet_abi::memory::SLOT_SIZE;

    pub(crate) fn is_taken(_: usize) -> bool {
        false
    }

    pub(crate) const MEMORIES: usize = 4;

    /// All memories but the kernel's share slot 1, or there are as many.
    #[derive(Clone, Copy)]
    pub(crate) struct Layout {
        pub(crate) slots: u64,
        pub(crate) slot_count: usize,
    }

    impl Layout {
        pub(crate) fn get() -> Layout {
            let slot_count = if Layout::is_small() { 2 } else { MEMORIES };
            Layout { slots: SLOT_SIZE, slot_count }
        }

        pub(crate) fn is_small() -> bool {
            SHARES_SLOTS.load(StdOrdering::Relaxed)
        }
    }
}

pub(crate) mod task {
    use super::sys;
    use crate::memory::ids::MemoryId;
    use crate::memory::slot_sharing::SlotUse;
    use crate::sync::atomic::{AtomicU32, Ordering};
    use std::cell::Cell;

    pub(crate) mod registry {
        use super::Task;

        pub(crate) struct NewTask;

        pub(crate) unsafe fn leave(_: &'static Task, _: usize) -> ! {
            unreachable!("models start their threads themselves")
        }

        impl NewTask {
            pub(crate) fn into_parts(self) -> (&'static Task, usize) {
                unreachable!("models start their threads themselves")
            }

            pub(crate) unsafe fn from_parts(_: &'static Task, _: usize) -> NewTask {
                NewTask
            }

            pub(crate) fn task(&self) -> &'static Task {
                unreachable!("models start their threads themselves")
            }

            pub(crate) fn enter<T>(self, _: u32, _: &T) {
                unreachable!("models start their threads themselves")
            }

            pub(crate) fn discard(self) {
                unreachable!("models start their threads themselves")
            }
        }
    }

    pub(crate) mod requests {
        pub(crate) mod action {
            pub(crate) const SLOT: u32 = 1;
        }
    }

    pub(crate) struct Task {
        pub(crate) mm: Cell<MemoryId>,
        pub(crate) slot: SlotUse,
        poll: AtomicU32,
    }

    // SAFETY: the runtime's own is shared in the same way: cells are of the vCPU that runs the task.
    unsafe impl Sync for Task {}

    impl Task {
        /// Of one memory; lives for good.
        pub(crate) fn new(mm: MemoryId) -> &'static Task {
            Box::leak(Box::new(Task {
                mm: Cell::new(mm),
                slot: SlotUse::new(),
                poll: AtomicU32::new(0),
            }))
        }

        pub(crate) fn request(&self, _: u32) {}

        pub(crate) fn poke(&self) {
            self.poll.store(1, Ordering::Release);
            sys::futex_wake(&self.poll, 1);
        }

        /// User code runs until it is poked.
        pub(crate) fn run(&self) {
            while self.poll.load(Ordering::Acquire) == 0 {
                sys::futex_wait(&self.poll, 0, None);
            }
            self.poll.store(0, Ordering::Relaxed);
        }
    }
}
