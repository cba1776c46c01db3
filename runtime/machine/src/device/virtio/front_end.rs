//! The front end of a device whose queues another process has. This process has the registers; the other one, the back
//! end, reads and writes the guest's memory: the guest wakes it, and it wakes the guest. Both speak vhost-user.

use crate::host::clock;
use crate::host::lock::SpinLock;
use crate::host::print::eprintln;
use crate::host::sys;
use crate::memory::physical::guest_memory;
use crate::memory::ram::Ram;
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_device::sys::{self as device_sys, Fd};
use linnet_virtio::queue::Queue;
use linnet_virtio::vhost::{
    FEATURE_PROTOCOL, FEATURE_VERSION_1, HEADER_SIZE, Message, USER_BASE, request,
};

/// How long a back end may think about an answer, in nanoseconds.
const PATIENCE: u64 = 10_000_000_000;

/// Queues of each such device.
pub const QUEUES: usize = 2;

/// What stays open when the machine starts again.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors {
    /// To the back end.
    pub socket: i32,
    /// Wakes the back end, for each queue.
    pub kicks: [i32; QUEUES],
    /// Wakes us.
    pub call: i32,
}

impl Descriptors {
    /// With the socket to a back end.
    pub fn new(socket: Fd) -> device_sys::Result<Descriptors> {
        let counter = || device_sys::eventfd().map(Fd::leak);
        Ok(Descriptors { kicks: [counter()?, counter()?], call: counter()?, socket: socket.leak() })
    }
}

/// What the device is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Network,
    /// That folder of the host.
    Folder(&'static str),
}

/// What the machine knows of a back end.
pub struct FrontEnd {
    kind: Kind,
    descriptors: Descriptors,
    /// What the back end can; nothing if it was gone from the start.
    pub features: u64,
    is_up: AtomicBool,
    /// Whether the back end has the queues.
    session: SpinLock<bool>,
}

/// The back end does not answer as it must, or not at all.
#[derive(Debug)]
struct Gone;

/// Wake who waits for a counter.
fn signal(fd: i32) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: the bytes are valid. The counter can only be full, and then who waits is awake.
    unsafe { sys::write(fd, one.as_ptr(), one.len()) };
}

impl FrontEnd {
    /// Meet the back end. After a restart it may have been gone for long.
    pub fn new(kind: Kind, descriptors: Descriptors, is_restart: bool) -> FrontEnd {
        let mut it = FrontEnd {
            kind,
            descriptors,
            features: 0,
            is_up: AtomicBool::new(true),
            session: SpinLock::new(false),
        };
        // What there was before a restart has not been taken back.
        let rest = if is_restart { it.take_back() } else { Ok(()) };
        match rest.and_then(|()| it.meet()) {
            Ok(features) => it.features = features,
            Err(Gone) => it.lose(),
        }
        it
    }

    /// What stays open when the machine starts again. Nobody else speaks with the back end from then on: the machine that
    /// follows would take an answer that was not read for one to its own question.
    pub fn keep(&self) -> Descriptors {
        core::mem::forget(self.session.lock());
        self.descriptors
    }

    pub fn is_up(&self) -> bool {
        self.is_up.load(Ordering::SeqCst)
    }

    /// The driver begins.
    pub fn begin(&self, features: u64, queues: &[Queue]) {
        let mut session = self.session.lock();
        // A driver that sets up wrong queues gets nothing.
        if !*session && queues.iter().all(|queue| queue.open(guest_memory()).is_some()) {
            *session = true;
            self.check(self.hand_over(features, queues));
        }
    }

    /// The driver has reset the device.
    pub fn end(&self) {
        let mut session = self.session.lock();
        if core::mem::take(&mut *session) {
            self.check(self.take_back());
        }
    }

    /// There is something new in a queue.
    pub fn kick(&self, queue: u32) {
        if let Some(kick) = self.descriptors.kicks.get(queue as usize) {
            signal(*kick);
        }
    }

    /// Wait for the back end until it is gone: `used` is called when requests came back.
    pub fn watch(&self, used: impl Fn()) {
        let Descriptors { socket, call, .. } = self.descriptors;
        while self.is_up() {
            let [called, gone] = sys::poll_both([(call, sys::POLLIN), (socket, 0)]);
            if called & sys::POLLIN != 0 {
                let mut count = [0; 8];
                // SAFETY: the buffer is valid.
                unsafe { sys::read(call, count.as_mut_ptr(), count.len()) };
                used();
            }
            if gone != 0 {
                self.lose();
            }
        }
    }

    /// After an error there is no back end any more.
    fn check(&self, result: Result<(), Gone>) {
        if result.is_err() {
            self.lose();
            // The thread that waits for the back end tells the guest.
            signal(self.descriptors.call);
        }
    }

    fn lose(&self) {
        if self.is_up.swap(false, Ordering::SeqCst) {
            let at_once = Some(sys::Timespec::from_ns(0));
            let has_ended = sys::poll(self.descriptors.socket, 0, at_once) != 0;
            let what = if has_ended { "'s process has ended" } else { " does not answer" };
            match self.kind {
                Kind::Network => eprintln!("warning: the network{what}: the link is down\r"),
                Kind::Folder(path) => {
                    eprintln!(
                        "warning: the folder {path}{what}: the guest cannot use it any more\r"
                    );
                }
            }
        }
    }

    fn send(&self, message: &Message, passed: Option<i32>) -> Result<(), Gone> {
        if !self.is_up.load(Ordering::SeqCst) {
            return Err(Gone);
        }
        let (bytes, len) = message.bytes();
        // SAFETY: both stay open as long as the process lives.
        let sent =
            unsafe { device_sys::send_message(self.descriptors.socket, &bytes[..len], passed) };
        if sent == Ok(len) { Ok(()) } else { Err(Gone) }
    }

    fn read(&self, mut to: &mut [u8]) -> Result<(), Gone> {
        let fd = self.descriptors.socket;
        let end = clock::host_now() + PATIENCE;
        while !to.is_empty() {
            let left = end.checked_sub(clock::host_now()).ok_or(Gone)?;
            let found = sys::poll(fd, sys::POLLIN, Some(sys::Timespec::from_ns(left)));
            if found == 0 {
                // The time is over, or a signal came.
                continue;
            }
            if found & sys::POLLIN == 0 {
                return Err(Gone);
            }
            // SAFETY: the buffer is valid.
            let n = unsafe { sys::read(fd, to.as_mut_ptr(), to.len()) };
            if n <= 0 && n != sys::EINTR {
                return Err(Gone);
            }
            to = &mut to[n.max(0) as usize..];
        }
        Ok(())
    }

    /// Ask for a word.
    fn ask(&self, question: &Message) -> Result<u64, Gone> {
        self.send(question, None)?;
        let mut header = [0; HEADER_SIZE];
        self.read(&mut header)?;
        let mut answer = Message::from_header(header).ok_or(Gone)?;
        self.read(answer.payload_mut())?;
        let fits = answer.request == question.request && answer.is_reply;
        if fits { Ok(answer.word(0)) } else { Err(Gone) }
    }

    /// Find out what the back end can.
    fn meet(&self) -> Result<u64, Gone> {
        let features = self.ask(&Message::new(request::GET_FEATURES, &[]))?;
        if features & FEATURE_VERSION_1 == 0 {
            return Err(Gone);
        }
        if features & FEATURE_PROTOCOL != 0 {
            self.ask(&Message::new(request::GET_PROTOCOL_FEATURES, &[]))?;
            self.send(&Message::new(request::SET_PROTOCOL_FEATURES, &[0]), None)?;
        }
        self.send(&Message::new(request::SET_OWNER, &[]), None)?;
        Ok(features)
    }

    /// Let the back end have the queues.
    fn hand_over(&self, features: u64, queues: &[Queue]) -> Result<(), Gone> {
        let protocol = self.features & FEATURE_PROTOCOL;
        // MAC and status are the front end's own.
        let features = features & (self.features | FEATURE_VERSION_1) | protocol;
        self.send(&Message::new(request::SET_FEATURES, &[features]), None)?;
        let ram = Ram::get();
        let memory = [1, 0, ram.size, USER_BASE, 0];
        self.send(&Message::new(request::SET_MEMORY, &memory), Some(ram.fd))?;
        for (n, queue) in queues.iter().enumerate() {
            let state = |request, number| Message::state(request, n, number);
            self.send(&state(request::SET_QUEUE_SIZE, queue.size.into()), None)?;
            self.send(&state(request::SET_QUEUE_BASE, queue.taken.into()), None)?;
            let [descriptors, used, available] = [queue.descriptors, queue.used, queue.available]
                .map(|at| USER_BASE + u64::from(at));
            let addresses = [n as u64, descriptors, used, available, 0];
            self.send(&Message::new(request::SET_QUEUE_ADDRESSES, &addresses), None)?;
            let Descriptors { kicks, call, .. } = self.descriptors;
            let number = [n as u64];
            self.send(&Message::new(request::SET_QUEUE_CALL, &number), Some(call))?;
            self.send(&Message::new(request::SET_QUEUE_KICK, &number), Some(kicks[n]))?;
            if protocol != 0 {
                self.send(&state(request::SET_QUEUE_ENABLE, 1), None)?;
            }
        }
        Ok(())
    }

    /// Have the queues back: when this returns, nobody else uses them.
    fn take_back(&self) -> Result<(), Gone> {
        for n in 0..QUEUES {
            self.ask(&Message::state(request::GET_QUEUE_BASE, n, 0))?;
        }
        Ok(())
    }
}
