//! The loop of the device process.

use crate::port::{FRAME_MAX, Port};
use crate::sys::{self, Epoll, Event, Fd};
use crate::{Context, Network};
use alloc::vec::Vec;
use linnet_device::backend::{self, Change};
use linnet_device::spin::Spin;
use linnet_virtio::net::{HEADER_SIZE, QUEUES};

/// Tokens of the loop's own descriptors; those of a network are not less than [`FIRST_TOKEN`].
const FRONT_END: u64 = 0;
const KICKS: u64 = 1;
pub const FIRST_TOKEN: u64 = 16;

/// So many frames of the guest are taken before descriptors are looked at.
const FRAMES: usize = 64;

/// Serve a guest until its machine is gone.
pub fn serve(socket: &Fd, network: &mut dyn Network) -> sys::Result<()> {
    let epoll = Epoll::new()?;
    epoll.add(socket.number(), sys::IN, FRONT_END)?;
    network.begin(&epoll)?;
    let mut port = Port::default();
    let mut frame = Vec::with_capacity(FRAME_MAX);
    let mut header = [0; HEADER_SIZE];
    let mut events = [Event::NONE; 64];
    let mut spin = Spin::default();
    let mut sleeps = false;
    loop {
        let timeout = if sleeps { timeout(network.deadline()) } else { Some(0) };
        let ready = epoll.wait(&mut events, timeout);
        let now = sys::now();
        if sleeps {
            sleeps = false;
            port.want_frames(false);
            spin.woke(now);
        }
        let mut busy = !ready.is_empty();
        for event in ready {
            let (token, events) = (event.token, event.events);
            if token >= FIRST_TOKEN {
                let mut context = Context { guest: &mut port, epoll: &epoll, now };
                network.event(&mut context, token, events);
            } else if token == FRONT_END {
                match backend::handle(socket, &epoll, &mut port.rings, network.features()) {
                    Change::Nothing => {}
                    Change::End => return Ok(()),
                    Change::Started(n) => {
                        port.started(n);
                        if let Some(kick) = &port.rings.rings[n].kick {
                            epoll.add(kick.number(), sys::IN | sys::EDGE, KICKS + n as u64)?;
                        }
                        port.want_frames(false);
                        let mut context = Context { guest: &mut port, epoll: &epoll, now };
                        network.reset(&mut context);
                    }
                }
            } else if let Some(kick) = &port.rings.rings[(token - KICKS) as usize % QUEUES].kick {
                // An error is that somebody has read it.
                let _ = sys::read(kick, &mut [0; 8]);
            }
        }
        busy |= port.retry();
        for _ in 0..FRAMES {
            if !port.take(&mut header, &mut frame) {
                break;
            }
            busy = true;
            let mut context = Context { guest: &mut port, epoll: &epoll, now };
            network.frame(&mut context, &header, &frame);
        }
        if busy || network.deadline().is_some_and(|deadline| deadline <= now) {
            network.flush(&mut Context { guest: &mut port, epoll: &epoll, now });
            port.tell();
        }
        if busy {
            spin.worked();
            continue;
        }
        if spin.is_over(now) {
            port.want_frames(true);
            sleeps = !port.has_frames();
        }
    }
}

/// Milliseconds until a deadline.
fn timeout(deadline: Option<u64>) -> Option<u32> {
    let left = deadline?.saturating_sub(sys::now());
    Some(left.div_ceil(1_000_000).min(u32::MAX.into()) as u32)
}
