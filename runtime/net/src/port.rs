//! Frames from and to the guest's queues.

use crate::{Guest, Header};
use alloc::vec::Vec;
use core::ptr;
use linnet_device::rings::Rings;
use linnet_virtio::net::{
    ETHERNET_HEADER, HEADER_BUFFERS, HEADER_SIZE, MTU_MAX, QUEUES, RECEIVE, TRANSMIT, feature,
};
use linnet_virtio::queue::{MAX_SIZE, Malformed};

/// The longest frame.
pub const FRAME_MAX: usize = MTU_MAX as usize + ETHERNET_HEADER;

/// The guest's network device.
#[derive(Debug, Default)]
pub struct Port {
    pub rings: Rings<QUEUES>,
    /// A frame that found no room.
    backlog: Option<(Header, Vec<u8>)>,
    /// Frames were given to the guest that it was not told of.
    untold: [bool; QUEUES],
}

impl Port {
    /// A queue has begun anew.
    pub fn started(&mut self, n: usize) {
        if n == RECEIVE {
            self.backlog = None;
        }
    }

    /// Have the guest tell of new frames, or not.
    pub fn want_frames(&mut self, wanted: bool) {
        if let Some(queue) = self.rings.queue(TRANSMIT) {
            queue.set_notifications(wanted);
        }
    }

    pub fn has_frames(&mut self) -> bool {
        self.rings.queue(TRANSMIT).is_some_and(|queue| queue.has_available())
    }

    /// The next frame of the guest, and its header. Whether there was one; it is empty if it was none.
    pub fn take(&mut self, header: &mut Header, frame: &mut Vec<u8>) -> bool {
        frame.clear();
        let Some(queue) = self.rings.queue(TRANSMIT) else { return false };
        match queue.pop_available() {
            Ok(Some(mut request)) => {
                copy_frame(request.split().0, header, frame);
                queue.push_used(&request, 0);
                self.untold[TRANSMIT] = true;
                true
            }
            Ok(None) => false,
            Err(Malformed) => {
                self.rings.fail(TRANSMIT);
                false
            }
        }
    }

    /// There may be room in the guest again. Whether a frame was waiting for it and is gone.
    pub fn retry(&mut self) -> bool {
        let Some((header, frame)) = self.backlog.take() else { return false };
        self.try_send(header, frame)
    }

    /// Tell the guest of all that it has got.
    pub fn tell(&mut self) {
        for (ring, untold) in self.rings.rings.iter().zip(&mut self.untold) {
            if core::mem::take(untold) {
                ring.tell();
            }
        }
    }

    fn try_send(&mut self, header: Header, frame: Vec<u8>) -> bool {
        if self.put(&header, &frame) {
            return true;
        }
        let Some(queue) = self.rings.queue(RECEIVE) else { return false };
        // Once more after the driver knows that this is waited for.
        queue.set_notifications(true);
        if self.put(&header, &frame) {
            return true;
        }
        self.backlog = Some((header, frame));
        false
    }

    /// Put a frame into the guest's buffers; false if they have no room for it.
    fn put(&mut self, header: &Header, frame: &[u8]) -> bool {
        let most = if self.rings.features & feature::MERGEABLE_BUFFERS != 0 { MAX_SIZE } else { 1 };
        let Some(queue) = self.rings.queue(RECEIVE) else { return true };
        let (mut count, mut at) = (0, 0);
        let mut buffers_at = ptr::null_mut();
        while at < HEADER_SIZE + frame.len() || count == 0 {
            let mut request = match queue.pop_available() {
                Ok(Some(request)) if count < most => request,
                Ok(Some(_)) => {
                    // It will never fit: the frame is lost.
                    queue.untake(count + 1);
                    return true;
                }
                Ok(None) => {
                    queue.untake(count);
                    return false;
                }
                Err(Malformed) => {
                    self.rings.fail(RECEIVE);
                    return true;
                }
            };
            let mut written = 0;
            for part in request.split().1 {
                let mut room = *part;
                if at == 0 {
                    if room.len < HEADER_SIZE {
                        self.rings.fail(RECEIVE);
                        return true;
                    }
                    // SAFETY: the part lies in guest memory and has that much room.
                    unsafe { ptr::copy_nonoverlapping(header.as_ptr(), room.start, HEADER_SIZE) };
                    buffers_at = room.start.wrapping_add(HEADER_BUFFERS);
                    room.start = room.start.wrapping_add(HEADER_SIZE);
                    room.len -= HEADER_SIZE;
                    at = HEADER_SIZE;
                    written = HEADER_SIZE;
                }
                let rest = &frame[at - HEADER_SIZE..];
                let n = room.len.min(rest.len());
                // SAFETY: the part lies in guest memory and has that much room.
                unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), room.start, n) };
                (at, written) = (at + n, written + n);
            }
            queue.prepare_used(count, &request, written as u32);
            count += 1;
            if at == 0 {
                // Nothing can be written to it.
                self.rings.fail(RECEIVE);
                return true;
            }
        }
        // SAFETY: in the header, which was written above to guest memory.
        unsafe { buffers_at.cast::<[u8; 2]>().write_unaligned(count.to_le_bytes()) };
        queue.publish_used(count);
        self.untold[RECEIVE] = true;
        true
    }
}

impl Guest for Port {
    fn has_room(&self) -> bool {
        self.backlog.is_none()
    }

    fn send(&mut self, header: &Header, frame: &[u8]) {
        if self.has_room() && !self.put(header, frame) {
            self.try_send(*header, frame.to_vec());
        }
    }

    fn features(&self) -> u64 {
        self.rings.features
    }
}

/// Copy what the guest sends, which it may be changing: once, and no more than a frame has.
fn copy_frame(parts: &[linnet_virtio::memory::IoVec], header: &mut Header, frame: &mut Vec<u8>) {
    let len: usize = parts.iter().map(|part| part.len).sum();
    if !(HEADER_SIZE..=HEADER_SIZE + FRAME_MAX).contains(&len) {
        return;
    }
    let mut at = 0;
    for part in parts {
        let head = part.len.min(HEADER_SIZE.saturating_sub(at));
        // SAFETY: the part lies in guest memory; the header and the frame have room for that much.
        unsafe {
            ptr::copy_nonoverlapping(
                part.start,
                header.as_mut_ptr().add(at.min(HEADER_SIZE)),
                head,
            );
            let rest = part.len - head;
            frame.reserve(rest);
            ptr::copy_nonoverlapping(
                part.start.add(head),
                frame.as_mut_ptr().add(frame.len()),
                rest,
            );
            frame.set_len(frame.len() + rest);
        }
        at += head;
    }
}
