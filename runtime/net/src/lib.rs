//! The network of a machine, in a process of its own: the other end of its virtio-net device.
//!
//! The machine's process has no rights over the host; this one may use sockets, and nothing else. They
//! share the guest's memory, and speak vhost-user. All that the guest gives is checked: queues in
//! `linnet-virtio`, packets by `smoltcp`'s wire formats.
//!
//! | file        | what it does                                                             |
//! |-------------|--------------------------------------------------------------------------|
//! | [`options`] | what the user asks for                                                   |
//! | [`setup`]   | what is opened before the process begins; and how it begins              |
//! | `port`      | frames from and to the guest's queues                                    |
//! | `serve`     | waits for the guest and for descriptors, and calls a [`Network`]         |
//! | `user`      | `--net user`: the guest's connections are sockets of the host            |
//! | `tap`       | `--net tap=`: an interface of the host                                   |
//! | `wire`      | `--net socket=`: machines on one wire                                    |
//! | [`line`]    | connections to another machine, for one that goes there                 |
//! | `sandbox`   | what the process gives up                                                |

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod line;
pub mod options;
mod port;
mod sandbox;
mod serve;
pub mod setup;
mod tap;
mod user;
mod wire;

use linnet_device::sys::{self, Epoll};
use linnet_virtio::net::HEADER_SIZE;

/// `struct virtio_net_hdr_v1`
pub(crate) type Header = [u8; HEADER_SIZE];

/// Where frames for the guest go.
pub(crate) trait Guest {
    /// Is there room for a frame? If not, [`Network::flush`] is called when there is.
    fn has_room(&self) -> bool;

    /// Give it a frame. Without room it is lost.
    fn send(&mut self, header: &Header, frame: &[u8]);

    /// The features that the driver has chosen.
    fn features(&self) -> u64;
}

/// What a network is called with.
pub(crate) struct Context<'a> {
    pub guest: &'a mut dyn Guest,
    pub epoll: &'a Epoll,
    /// Nanoseconds on the monotonic clock.
    pub now: u64,
}

/// What the guest is connected to.
pub(crate) trait Network {
    /// Feature bits of the device.
    fn features(&self) -> u64;

    /// Wait for what there is to wait for from the start.
    fn begin(&mut self, epoll: &Epoll) -> sys::Result<()>;

    /// The guest's driver begins anew: what it knew is gone.
    fn reset(&mut self, context: &mut Context<'_>);

    /// A frame from the guest.
    fn frame(&mut self, context: &mut Context<'_>, header: &Header, frame: &[u8]);

    /// Something happened to a descriptor.
    fn event(&mut self, context: &mut Context<'_>, token: u64, events: u32);

    /// All that came at once was told.
    fn flush(&mut self, context: &mut Context<'_>);

    /// When to call [`Network::flush`] in any case.
    fn deadline(&self) -> Option<u64>;
}
