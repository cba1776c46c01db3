//! The loop of the device process.

use crate::folder::Folder;
use crate::request::{Answer, Body};
use alloc::vec::Vec;
use linnet_device::backend::{self, Change};
use linnet_device::rings::Rings;
use linnet_device::spin::Spin;
use linnet_device::sys::{self, Epoll, Event, Fd};
use linnet_virtio::fs::QUEUES;
use linnet_virtio::memory::IoVec;
use linnet_virtio::queue::Malformed;

const FRONT_END: u64 = 0;
const KICKS: u64 = 1;

/// So many requests of a queue are answered before others are looked at.
const REQUESTS: usize = 16;

/// Serve a guest until its machine is gone.
pub fn serve(socket: &Fd, folder: &mut Folder) -> sys::Result<()> {
    let epoll = Epoll::new()?;
    epoll.add(socket.number(), sys::IN, FRONT_END)?;
    let mut rings = Rings::<QUEUES>::default();
    let mut buffers = Buffers::default();
    let mut events = [Event::NONE; 1 + QUEUES];
    let mut spin = Spin::default();
    let mut sleeps = false;
    loop {
        let ready = epoll.wait(&mut events, if sleeps { None } else { Some(0) });
        let now = sys::now();
        if sleeps {
            sleeps = false;
            want_requests(&mut rings, false);
            spin.woke(now);
        }
        let mut busy = !ready.is_empty();
        for event in ready {
            let token = event.token;
            if token != FRONT_END {
                if let Some(kick) = &rings.rings[(token - KICKS) as usize % QUEUES].kick {
                    // An error is that somebody has read it.
                    let _ = sys::read(kick, &mut [0; 8]);
                }
                continue;
            }
            match backend::handle(socket, &epoll, &mut rings, 0) {
                Change::Nothing => {}
                Change::End => return Ok(()),
                Change::Started(n) => {
                    if let Some(kick) = &rings.rings[n].kick {
                        epoll.add(kick.number(), sys::IN | sys::EDGE, KICKS + n as u64)?;
                    }
                    want_requests(&mut rings, false);
                }
            }
        }
        for n in 0..QUEUES {
            busy |= answer_some(&mut rings, n, folder, &mut buffers);
        }
        if busy {
            spin.worked();
        } else if spin.is_over(now) {
            want_requests(&mut rings, true);
            sleeps = !(0..QUEUES).any(|n| rings.queue(n).is_some_and(|it| it.has_available()));
        }
    }
}

/// Have the guest tell of new requests, or not.
fn want_requests(rings: &mut Rings<QUEUES>, wanted: bool) {
    for n in 0..QUEUES {
        if let Some(queue) = rings.queue(n) {
            queue.set_notifications(wanted);
        }
    }
}

/// Answer requests of a queue; whether there were some.
fn answer_some(
    rings: &mut Rings<QUEUES>,
    n: usize,
    folder: &mut Folder,
    buffers: &mut Buffers,
) -> bool {
    for count in 0..REQUESTS {
        let Some(queue) = rings.queue(n) else { return count != 0 };
        match queue.pop_available() {
            Ok(Some(mut request)) => {
                let (readable, writable) = request.split();
                let written = buffers.answer(readable, writable, folder);
                queue.push_used(&request, written);
                rings.rings[n].tell();
            }
            Ok(None) => return count != 0,
            Err(Malformed) => {
                rings.fail(n);
                return true;
            }
        }
    }
    true
}

/// Memory that one request after the other uses.
#[derive(Default)]
pub(crate) struct Buffers {
    body: Body,
    bytes: Vec<u8>,
}

impl Buffers {
    /// Answer a request: how many bytes.
    pub(crate) fn answer(
        &mut self,
        mut readable: &mut [IoVec],
        writable: &mut [IoVec],
        folder: &mut Folder,
    ) -> u32 {
        let Some(filled) = self.body.fill(&mut readable) else { return 0 };
        let (header, result) = match filled {
            Ok(header) => (header, Ok(())),
            Err((header, errno)) => (header, Err(errno)),
        };
        if result.is_ok() && folder.note(&header, self.body.arguments()) {
            return 0;
        }
        let bytes = core::mem::take(&mut self.bytes);
        let Some(mut answer) = Answer::new(writable, bytes) else { return 0 };
        let result = result.and_then(|()| {
            folder.answer(&header, &mut self.body.arguments(), readable, &mut answer)
        });
        let (len, bytes) = answer.finish(header.unique, result);
        self.bytes = bytes;
        len
    }
}
