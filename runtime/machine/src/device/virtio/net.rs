//! The network device, whose queues another process serves. If that is gone, the link is down.

use super::front_end::{Descriptors, FrontEnd, Kind};
use super::lines::{self, NETWORK as NUMBER};
use super::mmio::{Device, Mmio};
use crate::cpu::thread;
use crate::host::sys;
use core::cell::UnsafeCell;
use linnet_virtio::net::{MTU_MAX, QUEUES, feature};
use linnet_virtio::queue::{Malformed, OpenQueue, Queue};

/// Features of a back end that a driver can have.
const KNOWN: u64 = feature::CHECKSUM
    | feature::GUEST_CHECKSUM
    | feature::MTU
    | feature::GUEST_TSO4
    | feature::GUEST_TSO6
    | feature::HOST_TSO4
    | feature::HOST_TSO6
    | feature::MERGEABLE_BUFFERS;

/// Bytes of an address on the link.
pub type Mac = [u8; 6];

/// A network device.
pub struct Network {
    back_end: FrontEnd,
    mac: Mac,
}

impl Device for Network {
    const ID: u32 = 1;
    const QUEUES: usize = QUEUES;

    fn features(&self) -> u64 {
        self.back_end.features & KNOWN | feature::MAC | feature::STATUS
    }

    /// Of `struct virtio_net_config`.
    fn configuration(&self, at: usize) -> Option<u8> {
        let mut bytes = [0; 12];
        bytes[..6].copy_from_slice(&self.mac);
        bytes[6] = self.back_end.is_up().into();
        bytes[10..].copy_from_slice(&MTU_MAX.to_le_bytes());
        bytes.get(at).copied()
    }

    fn serve(&self, _: &mut OpenQueue) -> Result<bool, Malformed> {
        Ok(false)
    }

    fn begin(&self, features: u64, queues: &[Queue]) {
        self.back_end.begin(features, queues);
    }

    fn end(&self) {
        self.back_end.end();
    }

    fn kick(&self, queue: u32) -> bool {
        self.back_end.kick(queue);
        true
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

/// What stays open when the machine starts again, and the address on the link: see [`FrontEnd::keep`].
pub fn keep() -> Option<(Descriptors, Mac)> {
    device().map(|it| (it.device.back_end.keep(), it.device.mac))
}

/// Give the machine a network device. After a restart the back end may have been gone for long.
pub fn attach(descriptors: Descriptors, mac: Mac, is_restart: bool) {
    let back_end = FrontEnd::new(Kind::Network, descriptors, is_restart);
    let network = Network { back_end, mac };
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
    mmio.device.back_end.watch(|| mmio.tell_used(|| lines::raise(NUMBER)));
    mmio.tell_configuration(|| lines::raise(NUMBER));
    loop {
        sys::poll(-1, 0, None);
    }
}
