//! The messages of vhost-user (<https://qemu-project.gitlab.io/qemu/interop/vhost-user.html>).
//!
//! The *front end* has the guest: it says where memory and queues are. The *back end* serves the queues.

/// What a message is about.
pub mod request {
    pub const GET_FEATURES: u32 = 1;
    pub const SET_FEATURES: u32 = 2;
    pub const SET_OWNER: u32 = 3;
    pub const SET_MEMORY: u32 = 5;
    pub const SET_QUEUE_SIZE: u32 = 8;
    pub const SET_QUEUE_ADDRESSES: u32 = 9;
    pub const SET_QUEUE_BASE: u32 = 10;
    pub const GET_QUEUE_BASE: u32 = 11;
    pub const SET_QUEUE_KICK: u32 = 12;
    pub const SET_QUEUE_CALL: u32 = 13;
    pub const SET_QUEUE_ERROR: u32 = 14;
    pub const GET_PROTOCOL_FEATURES: u32 = 15;
    pub const SET_PROTOCOL_FEATURES: u32 = 16;
    pub const SET_QUEUE_ENABLE: u32 = 18;
}

/// Feature bit: the back end has features of the protocol, and queues are enabled by a message.
pub const FEATURE_PROTOCOL: u64 = 1 << 30;
/// Feature bit 32: the device is none of before version 1.0.
pub const FEATURE_VERSION_1: u64 = 1 << 32;

const VERSION: u32 = 1;
const REPLY: u32 = 4;
/// The number of a queue is in these bits of the word that goes with its descriptor.
pub const QUEUE_MASK: u64 = 0xff;
/// There is no descriptor with the message.
pub const NO_DESCRIPTOR: u64 = 0x100;

pub const HEADER_SIZE: usize = 12;
/// The longest payload of ours: eight regions of memory.
pub const PAYLOAD_MAX: usize = 8 + 8 * 32;

/// Addresses in messages are those of the front end's process. Ours says so of guest-physical ones.
pub const USER_BASE: u64 = 1 << 32;

/// A message without its descriptors.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    pub request: u32,
    pub is_reply: bool,
    payload: [u8; PAYLOAD_MAX],
    len: usize,
}

impl Message {
    /// With a payload of 64-bit words.
    ///
    /// # Panics
    /// If they are more than any message has.
    pub fn new(request: u32, words: &[u64]) -> Message {
        let mut message =
            Message { request, is_reply: false, payload: [0; PAYLOAD_MAX], len: words.len() * 8 };
        for (to, word) in message.payload.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        assert!(message.len <= PAYLOAD_MAX, "no message is that long");
        message
    }

    /// About the state of a queue: its number, and another.
    pub fn state(request: u32, queue: usize, number: u32) -> Message {
        Message::new(request, &[queue as u64 | u64::from(number) << 32])
    }

    /// The same as an answer.
    #[must_use]
    pub fn reply(mut self) -> Message {
        self.is_reply = true;
        self
    }

    /// As it is sent; how many bytes of it.
    pub fn bytes(&self) -> ([u8; HEADER_SIZE + PAYLOAD_MAX], usize) {
        let mut bytes = [0; HEADER_SIZE + PAYLOAD_MAX];
        let flags = VERSION | if self.is_reply { REPLY } else { 0 };
        bytes[..4].copy_from_slice(&self.request.to_le_bytes());
        bytes[4..8].copy_from_slice(&flags.to_le_bytes());
        bytes[8..12].copy_from_slice(&(self.len as u32).to_le_bytes());
        bytes[HEADER_SIZE..].copy_from_slice(&self.payload);
        (bytes, HEADER_SIZE + self.len)
    }

    /// From its header, with room for the payload: `None` if no message begins like that.
    pub fn from_header(header: [u8; HEADER_SIZE]) -> Option<Message> {
        let word =
            |n: usize| u32::from_le_bytes([header[n], header[n + 1], header[n + 2], header[n + 3]]);
        let (request, flags, len) = (word(0), word(4), word(8) as usize);
        let is_ours = flags & 3 == VERSION && len <= PAYLOAD_MAX;
        is_ours.then_some(Message {
            request,
            is_reply: flags & REPLY != 0,
            payload: [0; PAYLOAD_MAX],
            len,
        })
    }

    pub fn payload_mut(&mut self) -> &mut [u8] {
        &mut self.payload[..self.len]
    }

    /// Word `n` of the payload; 0 behind its end.
    pub fn word(&self, n: usize) -> u64 {
        let bytes = self.payload[..self.len].get(8 * n..8 * n + 8);
        bytes.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// The lower and the upper half of word `n`.
    pub fn halves(&self, n: usize) -> (u32, u32) {
        let word = self.word(n);
        (word as u32, (word >> 32) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_way() {
        let message = Message::state(request::SET_QUEUE_SIZE, 1, 128).reply();
        let (bytes, len) = message.bytes();
        assert_eq!(len, HEADER_SIZE + 8);
        let mut header = [0; HEADER_SIZE];
        header.copy_from_slice(&bytes[..HEADER_SIZE]);
        let mut other = Message::from_header(header).unwrap();
        other.payload_mut().copy_from_slice(&bytes[HEADER_SIZE..len]);
        assert_eq!((other.request, other.is_reply), (request::SET_QUEUE_SIZE, true));
        assert_eq!((other.halves(0), other.word(1)), ((1, 128), 0));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let header = |flags: u32, len: u32| {
            let mut header = [0; HEADER_SIZE];
            header[4..8].copy_from_slice(&flags.to_le_bytes());
            header[8..].copy_from_slice(&len.to_le_bytes());
            header
        };
        assert!(Message::from_header(header(1, PAYLOAD_MAX as u32)).is_some());
        assert!(Message::from_header(header(1, PAYLOAD_MAX as u32 + 1)).is_none());
        assert!(Message::from_header(header(1, u32::MAX)).is_none());
        assert!(Message::from_header(header(2, 0)).is_none());
    }
}
