//! The network device. This process has its registers; another one, the back end, has the queues: the guest
//! writes its memory and wakes it, and it wakes the guest. Both speak vhost-user. If the back end is gone,
//! the link is down.

use super::lines::{self, NETWORK as NUMBER};
use super::mmio::{Device, Mmio};
use crate::cpu::thread;
use crate::host::clock;
use crate::host::lock::SpinLock;
use crate::host::print::eprintln;
use crate::host::sys;
use crate::memory::physical::guest_memory;
use crate::memory::ram::Ram;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_net::sys as net_sys;
use linnet_virtio::net::{MTU_MAX, QUEUES, feature};
use linnet_virtio::queue::{Malformed, OpenQueue, Queue};
use linnet_virtio::vhost::{
    FEATURE_PROTOCOL, FEATURE_VERSION_1, HEADER_SIZE, Message, USER_BASE, request,
};

/// Features of a back end that a driver can have.
const KNOWN: u64 = feature::CHECKSUM
    | feature::GUEST_CHECKSUM
    | feature::MTU
    | feature::GUEST_TSO4
    | feature::GUEST_TSO6
    | feature::HOST_TSO4
    | feature::HOST_TSO6
    | feature::MERGEABLE_BUFFERS;

/// How long a back end may think about an answer, in nanoseconds.
const PATIENCE: u64 = 10_000_000_000;

/// Bytes of an address on the link.
pub type Mac = [u8; 6];

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

/// A network device.
pub struct Network {
    descriptors: Descriptors,
    mac: Mac,
    /// What the back end can.
    features: u64,
    is_up: AtomicBool,
    /// Whether the back end has the queues.
    session: SpinLock<bool>,
}

/// The back end does not answer as it must, or not at all.
#[derive(Debug)]
struct Gone;

impl Device for Network {
    const ID: u32 = 1;
    const QUEUES: usize = QUEUES;

    fn features(&self) -> u64 {
        self.features & KNOWN | feature::MAC | feature::STATUS
    }

    /// Of `struct virtio_net_config`.
    fn configuration(&self, offset: u32, size: u32) -> u32 {
        let mut bytes = [0; 12];
        bytes[..6].copy_from_slice(&self.mac);
        bytes[6] = self.is_up.load(Ordering::SeqCst).into();
        bytes[10..].copy_from_slice(&MTU_MAX.to_le_bytes());
        let at = |i: u32| bytes.get(offset.checked_add(i)? as usize).copied();
        (0..size.min(4)).fold(0, |value, i| value | u32::from(at(i).unwrap_or(0)) << (8 * i))
    }

    fn serve(&self, _: &mut OpenQueue) -> Result<bool, Malformed> {
        Ok(false)
    }

    fn begin(&self, features: u64, queues: &[Queue]) {
        let mut session = self.session.lock();
        // A driver that sets up wrong queues gets nothing.
        if !*session && queues.iter().all(|queue| queue.open(guest_memory()).is_some()) {
            *session = true;
            self.check(self.hand_over(features, queues));
        }
    }

    fn end(&self) {
        let mut session = self.session.lock();
        if core::mem::take(&mut *session) {
            self.check(self.take_back());
        }
    }

    fn kick(&self, queue: u32) -> bool {
        if let Some(kick) = self.descriptors.kicks.get(queue as usize) {
            signal(*kick);
        }
        true
    }
}

/// Wake who waits for a counter.
fn signal(fd: i32) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: the bytes are valid. The counter can only be full, and then who waits is awake.
    unsafe { sys::write(fd, one.as_ptr(), one.len()) };
}

impl Network {
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
            eprintln!("warning: the network{what}: the link is down\r");
        }
    }

    fn send(&self, message: &Message, passed: Option<i32>) -> Result<(), Gone> {
        if !self.is_up.load(Ordering::SeqCst) {
            return Err(Gone);
        }
        let (bytes, len) = message.bytes();
        // SAFETY: both stay open as long as the process lives.
        let sent = unsafe { net_sys::send_message(self.descriptors.socket, &bytes[..len], passed) };
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

struct Cell(UnsafeCell<Option<Mmio<Network>>>);

// SAFETY: written before the second thread starts. The device's own parts are for many threads.
unsafe impl Sync for Cell {}

static NETWORK: Cell = Cell(UnsafeCell::new(None));

/// The network device, if there is one.
pub fn device() -> Option<&'static Mmio<Network>> {
    // SAFETY: written only before the second thread starts.
    unsafe { (*NETWORK.0.get()).as_ref() }
}

/// What stays open when the machine starts again, and the address on the link. Nobody else speaks with the back end
/// from then on: the machine that follows would take an answer that was not read for one to its own question.
pub fn keep() -> Option<(Descriptors, Mac)> {
    let network = &device()?.device;
    core::mem::forget(network.session.lock());
    Some((network.descriptors, network.mac))
}

/// Give the machine a network device. After a restart the back end may have been gone for long.
pub fn attach(descriptors: Descriptors, mac: Mac, is_restart: bool) {
    let mut network = Network {
        descriptors,
        mac,
        features: 0,
        is_up: AtomicBool::new(true),
        session: SpinLock::new(false),
    };
    let met = if is_restart {
        // What there was before has not been taken back.
        network.take_back().and_then(|()| network.meet())
    } else {
        network.meet()
    };
    match met {
        Ok(features) => network.features = features,
        Err(Gone) => network.lose(),
    }
    // SAFETY: only one thread runs yet.
    unsafe { *NETWORK.0.get() = Some(Mmio::new(network)) };
}

/// Start the thread that waits for the back end.
pub fn init() {
    if device().is_some() {
        thread::spawn(watch, 0);
    }
}

extern "C" fn watch(_: usize) -> ! {
    thread::begin(c"linnet-net");
    let Some(mmio) = device() else { sys::exit(crate::host::exit::BUG) };
    let Descriptors { socket, call, .. } = mmio.device.descriptors;
    while mmio.device.is_up.load(Ordering::SeqCst) {
        let [called, gone] = sys::poll_both([(call, sys::POLLIN), (socket, 0)]);
        if called & sys::POLLIN != 0 {
            let mut count = [0; 8];
            // SAFETY: the buffer is valid.
            unsafe { sys::read(call, count.as_mut_ptr(), count.len()) };
            mmio.tell_used(|| lines::raise(NUMBER));
        }
        if gone != 0 {
            mmio.device.lose();
        }
    }
    mmio.tell_configuration(|| lines::raise(NUMBER));
    loop {
        sys::poll(-1, 0, None);
    }
}
