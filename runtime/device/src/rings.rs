//! The queues of a device, and the memory that they lie in.

use crate::sys::{self, Fd};
use linnet_virtio::memory::GuestMemory;
use linnet_virtio::queue::{OpenQueue, Queue};

/// The guest's memory in this process.
#[derive(Debug)]
pub struct Mapping {
    at: usize,
    size: u64,
}

impl Mapping {
    /// Of a file that begins with the guest's memory.
    ///
    /// # Errors
    /// What the host says.
    pub fn new(fd: &Fd, size: u64) -> sys::Result<Mapping> {
        Ok(Mapping { at: sys::map_shared(fd, size, 0)?, size })
    }

    fn memory(&self) -> GuestMemory {
        // SAFETY: mapped; queues are closed before the mapping goes.
        unsafe { GuestMemory::new(self.at as *mut u8, self.size) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `Rings` closes all queues before.
        unsafe { sys::unmap(self.at, self.size) };
    }
}

/// What the front end told of a queue.
#[derive(Debug, Default)]
pub struct Ring {
    pub queue: Queue,
    pub kick: Option<Fd>,
    pub call: Option<Fd>,
    pub is_enabled: bool,
    open: Option<OpenQueue>,
}

impl Ring {
    /// Wake the guest, if it wants to know of what came back to it.
    pub fn tell(&self) {
        let wants = self.open.as_ref().is_some_and(OpenQueue::wants_interrupt);
        if let Some(call) = self.call.as_ref().filter(|_| wants) {
            sys::signal(call);
        }
    }
}

/// The `N` queues of a device.
#[derive(Debug)]
pub struct Rings<const N: usize> {
    pub rings: [Ring; N],
    pub features: u64,
    mapping: Option<Mapping>,
}

impl<const N: usize> Default for Rings<N> {
    fn default() -> Self {
        Rings { rings: core::array::from_fn(|_| Ring::default()), features: 0, mapping: None }
    }
}

impl<const N: usize> Rings<N> {
    pub fn set_memory(&mut self, mapping: Mapping) {
        self.rings.iter_mut().for_each(|ring| ring.open = None);
        self.mapping = Some(mapping);
    }

    /// Begin to use a queue.
    pub fn start(&mut self, n: usize) {
        let Some(mapping) = &self.mapping else { return };
        let ring = &mut self.rings[n];
        ring.queue.ready = true;
        ring.open = ring.queue.open(mapping.memory());
    }

    /// Use a queue no more: how many requests were taken from it.
    pub fn stop(&mut self, n: usize) -> u16 {
        let ring = &mut self.rings[n];
        if let Some(open) = ring.open.take() {
            ring.queue.taken = open.taken();
        }
        ring.queue.ready = false;
        (ring.kick, ring.call) = (None, None);
        ring.queue.taken
    }

    /// A queue, if it is in use.
    pub fn queue(&mut self, n: usize) -> Option<&mut OpenQueue> {
        let ring = &mut self.rings[n];
        ring.open.as_mut().filter(|_| ring.is_enabled)
    }

    /// The driver broke a rule: it has to begin anew.
    pub fn fail(&mut self, n: usize) {
        self.rings[n].open = None;
    }
}
