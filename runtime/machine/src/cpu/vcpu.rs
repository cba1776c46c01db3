//! vCPUs: one host thread each, with its interrupts, its timer, and its idle loop.

use crate::arch;
use crate::cpu::deadline;
use crate::cpu::thread::{self, SignalStack};
use crate::host::{clock, sys};
use crate::task::Task;
use crate::task::registry::{self, NewTask};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use linnet_abi::irq;

pub const MAX_VCPUS: usize = 64;

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
    signal_stack: AtomicUsize,
    signal_stack_size: AtomicUsize,
    /// One of [`start`].
    start: AtomicU32,
    /// Stack pointer of its first task, which is the current one until it runs.
    first_sp: AtomicUsize,
    /// Where its thread left its own stack.
    thread_sp: AtomicUsize,
}

/// Has a vCPU been started?
mod start {
    pub const NOT: u32 = 0;
    pub const SOON: u32 = 1;
    pub const NOW: u32 = 2;
    /// It is about to leave the stack of its last task.
    pub const STOPS: u32 = 3;
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

/// Pending word of vCPUs that have none yet. Signals of the host may come at any time; what they tell of is looked at
/// again when the guest boots.
static EARLY: AtomicU32 = AtomicU32::new(0);

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

/// A vCPU by number, if there are so many.
pub fn get(number: u32) -> Option<&'static Vcpu> {
    all().get(number as usize)
}

/// The one that runs first, and that devices interrupt.
pub fn first() -> &'static Vcpu {
    &VCPUS[0]
}

/// Fix the number of vCPUs, and where in the host's memory each has its pending word, for good.
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
            pending: AtomicPtr::new(ptr::from_ref(&EARLY).cast_mut()),
            deadline: AtomicU64::new(u64::MAX),
            idle: AtomicU32::new(idle::NOT),
            spin: AtomicU64::new(0),
            signal_stack: AtomicUsize::new(0),
            signal_stack_size: AtomicUsize::new(0),
            start: AtomicU32::new(start::NOT),
            first_sp: AtomicUsize::new(0),
            thread_sp: AtomicUsize::new(0),
        }
    }

    fn pending(&self) -> &AtomicU32 {
        // SAFETY: a static, until `init` points it into the kernel's memory, which is never unmapped.
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
        deadline::watch(self.deadline.load(Ordering::SeqCst));
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
        deadline::watch(deadline);
    }

    /// The stack for host signals of this vCPU's thread.
    pub fn signal_stack(&self) -> SignalStack {
        let size = self.signal_stack_size.load(Ordering::Relaxed);
        (self.signal_stack.load(Ordering::Relaxed), size)
    }

    /// Prepare the calling thread to be this vCPU and run `task` on it, until the vCPU stops.
    fn run(&'static self, task: NewTask, (base, size): SignalStack) {
        self.signal_stack.store(base, Ordering::Relaxed);
        self.signal_stack_size.store(size, Ordering::Relaxed);
        sys::precise_timers();
        self.set_current(task.task());
        task.enter(self.number, &self.thread_sp);
    }

    /// Stop for good, or until somebody starts it again. The calling thread runs `task` on this vCPU, which
    /// ends.
    pub fn stop(&self, task: &'static Task) -> ! {
        self.start.store(start::STOPS, Ordering::Release);
        self.set_timer(u64::MAX);
        // SAFETY: the thread's own stack is as `run` has left it.
        unsafe { registry::leave(task, self.thread_sp.load(Ordering::Relaxed)) }
    }

    /// Does it run no task? Waits for one that is about to stop.
    pub fn is_stopped(&self) -> bool {
        loop {
            match self.start.load(Ordering::Acquire) {
                start::STOPS => arch::spin_hint(),
                other => return other == start::NOT,
            }
        }
    }

    /// Let it begin with `task`, which comes back if it has begun already.
    pub fn start(&self, task: NewTask) -> Result<(), NewTask> {
        let claim = (Ordering::Acquire, Ordering::Relaxed);
        if self.start.compare_exchange(start::NOT, start::SOON, claim.0, claim.1).is_err() {
            return Err(task);
        }
        let (task, sp) = task.into_parts();
        self.current.store(ptr::from_ref(task).cast_mut(), Ordering::Relaxed);
        self.first_sp.store(sp, Ordering::Relaxed);
        self.start.store(start::NOW, Ordering::Release);
        sys::futex_wake(&self.start, 1);
        Ok(())
    }
}

/// Run `task` on the first vCPU, which is the calling thread.
pub fn run_first(task: NewTask) -> ! {
    let vcpu = first();
    vcpu.start.store(start::NOW, Ordering::Relaxed);
    vcpu.run(task, thread::begin_first());
    unreachable!("the first vCPU does not stop")
}

/// Start the threads of the others, which wait for their first task.
pub fn start_threads() {
    for vcpu in &all()[1..] {
        thread::spawn(main, vcpu.number as usize);
    }
}

extern "C" fn main(number: usize) -> ! {
    let signal_stack = thread::begin(c"linnet-vcpu");
    let vcpu = &VCPUS[number];
    loop {
        match vcpu.start.load(Ordering::Acquire) {
            start::NOW => {}
            other => {
                sys::futex_wait(&vcpu.start, other, None);
                continue;
            }
        }
        let task = vcpu.current().expect("there is one at the start");
        let sp = vcpu.first_sp.load(Ordering::Relaxed);
        // SAFETY: `start` has left the parts for this thread alone.
        vcpu.run(unsafe { NewTask::from_parts(task, sp) }, signal_stack);
        let last = vcpu.current.swap(ptr::null_mut(), Ordering::SeqCst);
        // SAFETY: a task that has stopped the vCPU, and that nobody can switch to.
        unsafe { NewTask::from_parts(&*last, 0) }.discard();
        vcpu.start.store(start::NOT, Ordering::Release);
    }
}
