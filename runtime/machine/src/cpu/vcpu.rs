//! vCPUs: one host thread each, with its interrupts, its timer, and its idle loop.

use crate::arch;
use crate::cpu::timer;
use crate::host::exit::{self, fatal};
use crate::host::{clock, sys};
use crate::task::{self, Task};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
use linnet_abi::irq;

pub const MAX_VCPUS: usize = 64;

/// Size of a thread's own stack and of its host-signal stack.
const THREAD_STACK: usize = 64 << 10;

/// The end of a host-signal stack that the host does not know of. Frames begin below it, and may be
/// read past their end without harm: an emulator leaves their optional parts out.
const SIGNAL_STACK_END: usize = 1024;

/// Bounds of how long an idle vCPU spins before it sleeps, in nanoseconds. The upper one is that of
/// Linux as a guest (`drivers/cpuidle/governors/haltpoll.c`).
const SPIN_MIN: u64 = 4_000;
const SPIN_MAX: u64 = 200_000;

/// What a vCPU does when it runs no task.
mod idle {
    pub const NOT: u32 = 0;
    pub const SPINS: u32 = 1;
    pub const SLEEPS: u32 = 2;
}

/// A vCPU.
pub struct Vcpu {
    pub number: u32,
    current: AtomicPtr<Task>,
    /// Host address of its pending word.
    pending: AtomicPtr<AtomicU32>,
    /// When its timer goes off, on the guest's monotonic clock; all ones: never.
    pub deadline: AtomicU64,
    /// One of [`idle`].
    idle: AtomicU32,
    spin: AtomicU64,
    signal_stack: AtomicU64,
}

static VCPUS: [Vcpu; MAX_VCPUS] = {
    let mut n = 0;
    let mut all = [const { Vcpu::new(0) }; MAX_VCPUS];
    while n < MAX_VCPUS {
        all[n].number = n as u32;
        n += 1;
    }
    all
};

static COUNT: AtomicU32 = AtomicU32::new(1);

/// How long an idle vCPU spins at most: not at all if that may take the CPU of the host from another.
static SPIN_LIMIT: AtomicU64 = AtomicU64::new(0);

/// Number of vCPUs of this machine.
pub fn count() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

/// All vCPUs of this machine.
pub fn all() -> &'static [Vcpu] {
    &VCPUS[..count() as usize]
}

/// A vCPU by number.
pub fn get(number: u32) -> &'static Vcpu {
    &VCPUS[number as usize % MAX_VCPUS]
}

/// Fix the number of vCPUs. `pending` is where their pending words are in the host's memory, for good.
pub fn init(count: u32, pending: impl Fn(u32) -> *mut AtomicU32) {
    COUNT.store(count, Ordering::Relaxed);
    let limit = if count <= sys::host_cpus() { SPIN_MAX } else { 0 };
    SPIN_LIMIT.store(limit, Ordering::Relaxed);
    for vcpu in all() {
        vcpu.pending.store(pending(vcpu.number), Ordering::Relaxed);
    }
}

impl Vcpu {
    const fn new(number: u32) -> Self {
        Vcpu {
            number,
            current: AtomicPtr::new(ptr::null_mut()),
            pending: AtomicPtr::new(ptr::null_mut()),
            deadline: AtomicU64::new(u64::MAX),
            idle: AtomicU32::new(idle::NOT),
            spin: AtomicU64::new(0),
            signal_stack: AtomicU64::new(0),
        }
    }

    fn pending(&self) -> &AtomicU32 {
        // SAFETY: `init` pointed it into the kernel's memory, which is never unmapped.
        unsafe { &*self.pending.load(Ordering::Relaxed) }
    }

    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::SeqCst) != idle::NOT
    }

    /// Say who runs. Whoever sets a pending bit after this pokes the new task; whoever did before
    /// is seen by `poke_if_pending`.
    pub fn set_current(&self, task: &'static Task) {
        self.current.store(ptr::from_ref(task).cast_mut(), Ordering::SeqCst);
    }

    /// Who runs.
    pub fn current(&self) -> Option<&'static Task> {
        // SAFETY: null, or a task; those are never unmapped.
        unsafe { self.current.load(Ordering::SeqCst).as_ref() }
    }

    /// The task's side of the above, before it runs user code.
    pub fn poke_if_pending(&self, task: &Task) {
        fence(Ordering::SeqCst);
        if self.pending().load(Ordering::Relaxed) != 0 {
            task.poke();
        }
    }

    /// Make this vCPU look at its pending word, in which a bit was set.
    pub fn kick(&self) {
        fence(Ordering::SeqCst);
        if let Some(task) = self.current() {
            task.poke();
        }
        // Who is about to sleep says so first and looks at the pending word then.
        if self.idle.load(Ordering::SeqCst) == idle::SLEEPS {
            sys::futex_wake(self.pending(), 1);
        }
    }

    /// Set bits of the pending word and kick.
    pub fn interrupt(&self, bits: u32) {
        self.pending().fetch_or(bits, Ordering::SeqCst);
        self.kick();
    }

    /// Sleep until a bit is pending.
    ///
    /// A vCPU that was woken soon after its last sleeps spins first: the host needs some 50 us to
    /// wake a thread on an idle core of a virtual machine.
    pub fn sleep(&self) {
        self.idle.store(idle::SPINS, Ordering::SeqCst);
        let start = clock::host_now();
        let spin = self.spin.load(Ordering::Relaxed);
        while self.pending().load(Ordering::SeqCst) == 0 {
            let deadline = self.deadline.load(Ordering::SeqCst);
            let host_deadline = clock::to_host(deadline);
            let now = clock::host_now();
            if host_deadline <= now {
                self.expire(deadline);
                break;
            }
            if now - start < spin {
                arch::spin_hint();
                continue;
            }
            self.idle.store(idle::SLEEPS, Ordering::SeqCst);
            let until = (deadline != u64::MAX).then_some(host_deadline);
            sys::futex_wait(self.pending(), 0, until);
        }
        self.idle.store(idle::NOT, Ordering::SeqCst);
        let slept = clock::host_now() - start;
        let limit = SPIN_LIMIT.load(Ordering::Relaxed);
        let next = if slept < limit { (spin * 2).max(SPIN_MIN) } else { spin / 2 };
        self.spin.store(if next < SPIN_MIN { 0 } else { next.min(limit) }, Ordering::Relaxed);
        // From here on the deadline is the timer thread's to watch.
        timer::watch(self.deadline.load(Ordering::SeqCst));
    }

    /// The timer went off at `deadline`; false if somebody else saw it first.
    pub fn expire(&self, deadline: u64) -> bool {
        let mine = self
            .deadline
            .compare_exchange(deadline, u64::MAX, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if mine {
            self.pending().fetch_or(irq::TIMER, Ordering::SeqCst);
        }
        mine
    }

    /// Set the timer.
    pub fn set_timer(&self, deadline: u64) {
        self.deadline.store(deadline, Ordering::SeqCst);
        timer::watch(deadline);
    }

    /// Base and size of the stack for host signals of this vCPU's thread.
    pub fn signal_stack(&self) -> (usize, usize) {
        (self.signal_stack.load(Ordering::Relaxed) as usize, THREAD_STACK - SIGNAL_STACK_END)
    }

    /// Prepare the calling thread to be this vCPU and run `task` on it.
    pub fn run(&self, task: &'static Task) -> ! {
        self.signal_stack.store(new_stack() as u64, Ordering::Relaxed);
        let (base, size) = self.signal_stack();
        // SAFETY: the stack is new and stays this thread's.
        unsafe { sys::sigaltstack(base, size) };
        sys::precise_timers();
        task::enter(task, get(self.number))
    }

    /// Start a thread for this vCPU that begins with `task`.
    pub fn start(&self, task: &'static Task) {
        extern "C" fn main(task: usize) -> ! {
            // SAFETY: `start` passed a task.
            let task = unsafe { &*(task as *const Task) };
            let vcpu = task.vcpu.get().expect("set by `start`");
            sys::name_thread(c"linnet-vcpu");
            vcpu.run(task)
        }
        task.vcpu.set(Some(get(self.number)));
        spawn(main, task.address());
    }
}

fn new_stack() -> usize {
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_NORESERVE;
    // SAFETY: a new mapping wherever there is room.
    let r = unsafe { sys::mmap(0, THREAD_STACK, sys::PROT_READ | sys::PROT_WRITE, flags, -1, 0) };
    if r < 0 {
        fatal!(exit::HOST, "the host has no memory for another thread");
    }
    r as usize
}

/// Start a host thread of the runtime's own.
pub fn spawn(main: extern "C" fn(usize) -> !, argument: usize) {
    let top = new_stack() + THREAD_STACK;
    // SAFETY: the stack is new.
    let r = unsafe { arch::spawn(top, main, argument) };
    if r < 0 {
        fatal!(exit::HOST, "the host refuses another thread (errno {})", -r);
    }
}
