//! The back end's side of vhost-user.

use crate::rings::{Mapping, Rings};
use crate::sys::{self, Epoll, Errno, Fd};
use linnet_virtio::vhost::{
    FEATURE_PROTOCOL, FEATURE_VERSION_1, HEADER_SIZE, Message, NO_DESCRIPTOR, QUEUE_MASK,
    USER_BASE, request,
};

/// What has changed by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Nothing,
    /// A queue has begun: wait for its kicks.
    Started(usize),
    /// The front end is gone, or says what it never should.
    End,
}

/// Read the next message of the front end and do what it says.
pub fn handle<const N: usize>(
    socket: &Fd,
    epoll: &Epoll,
    rings: &mut Rings<N>,
    features: u64,
) -> Change {
    match next(socket) {
        Ok((message, fd)) => {
            apply(socket, epoll, rings, features, &message, fd).unwrap_or(Change::End)
        }
        Err(_) => Change::End,
    }
}

const BAD: Errno = Errno(71);

fn next(socket: &Fd) -> sys::Result<(Message, Option<Fd>)> {
    let mut header = [0; HEADER_SIZE];
    let (mut got, mut passed) = (0, None);
    while got < HEADER_SIZE {
        let (n, fd) = sys::receive_message(socket, &mut header[got..])?;
        if n == 0 {
            return Err(BAD);
        }
        got += n;
        passed = passed.or(fd);
    }
    let mut message = Message::from_header(header).ok_or(BAD)?;
    let mut payload = message.payload_mut();
    while !payload.is_empty() {
        let (n, fd) = sys::receive_message(socket, payload)?;
        if n == 0 {
            return Err(BAD);
        }
        payload = &mut payload[n..];
        passed = passed.or(fd);
    }
    Ok((message, passed))
}

fn answer(socket: &Fd, message: &Message) -> sys::Result<Change> {
    let (bytes, len) = message.reply().bytes();
    // SAFETY: the socket is open.
    unsafe { sys::send_message(socket.number(), &bytes[..len], None)? };
    Ok(Change::Nothing)
}

fn forget(epoll: &Epoll, kick: Option<Fd>) {
    if let Some(kick) = kick {
        epoll.remove(kick.number());
    }
}

fn apply<const N: usize>(
    socket: &Fd,
    epoll: &Epoll,
    rings: &mut Rings<N>,
    features: u64,
    message: &Message,
    fd: Option<Fd>,
) -> sys::Result<Change> {
    let (number, value) = message.halves(0);
    let queue = || Some(number as usize).filter(|n| *n < N).ok_or(BAD);
    let kind = message.request;
    match kind {
        request::GET_FEATURES => {
            let features = features | FEATURE_VERSION_1 | FEATURE_PROTOCOL;
            return answer(socket, &Message::new(kind, &[features]));
        }
        request::GET_PROTOCOL_FEATURES => return answer(socket, &Message::new(kind, &[0])),
        request::SET_FEATURES => {
            rings.features = message.word(0);
            let enabled = rings.features & FEATURE_PROTOCOL == 0;
            rings.rings.iter_mut().for_each(|ring| ring.is_enabled = enabled);
        }
        request::SET_MEMORY => {
            // One region, from the first guest-physical address on.
            let [guest, size, user, offset] = [1, 2, 3, 4].map(|n| message.word(n));
            if number != 1 || guest != 0 || user != USER_BASE || offset != 0 || size >> 32 != 0 {
                return Err(BAD);
            }
            rings.set_memory(Mapping::new(&fd.ok_or(BAD)?, size)?);
        }
        request::SET_QUEUE_SIZE => rings.rings[queue()?].queue.size = value as u16,
        request::SET_QUEUE_BASE => rings.rings[queue()?].queue.taken = value as u16,
        request::SET_QUEUE_ADDRESSES => {
            let address =
                |n| u32::try_from(message.word(n).wrapping_sub(USER_BASE)).map_err(|_| BAD);
            let queue = &mut rings.rings[queue()?].queue;
            queue.descriptors = address(1)?;
            queue.used = address(2)?;
            queue.available = address(3)?;
        }
        request::SET_QUEUE_KICK | request::SET_QUEUE_CALL => {
            let word = message.word(0);
            let n = (word & QUEUE_MASK) as usize;
            let fd = if word & NO_DESCRIPTOR == 0 { fd } else { None };
            let ring = rings.rings.get_mut(n).ok_or(BAD)?;
            if kind == request::SET_QUEUE_CALL {
                ring.call = fd;
            } else {
                forget(epoll, ring.kick.take());
                ring.kick = fd;
                rings.start(n);
                return Ok(Change::Started(n));
            }
        }
        request::SET_QUEUE_ENABLE => rings.rings[queue()?].is_enabled = value == 1,
        request::GET_QUEUE_BASE => {
            let n = queue()?;
            forget(epoll, rings.rings[n].kick.take());
            let taken = rings.stop(n);
            return answer(socket, &Message::state(kind, n, taken.into()));
        }
        // What is known but needs nothing, and what was not agreed on.
        _ => {}
    }
    Ok(Change::Nothing)
}
