//! `sock_*`: sockets that the guest has from the beginning, and the connections that it accepts there.

use crate::descriptor::{self, Descriptor, filetype, rights};
use crate::errno::{Errno, Result};
use crate::files::host_flags;
use crate::memory::{self, vectors, write_u32};
use crate::sys::{self, Fd, nr, open};

fn socket(fd: u32, rights: u64) -> Result<Descriptor> {
    let descriptor = descriptor::get(fd)?;
    match descriptor.open().filetype {
        filetype::SOCKET_STREAM | filetype::SOCKET_DGRAM => {}
        _ => return Err(Errno::NOTSOCK),
    }
    descriptor.need(rights)?;
    Ok(descriptor)
}

pub fn sock_accept(fd: u32, flags: u32, result: u32) -> Result<()> {
    let socket = socket(fd, rights::SOCK_ACCEPT)?;
    let flags = host_flags(flags)?;
    if flags & !open::NONBLOCK != 0 {
        return Err(Errno::INVAL);
    }
    memory::bytes(result, 4)?;
    let flags = flags | open::CLOEXEC;
    let accepted = Fd::new(sys::plain(nr::ACCEPT4, [socket.host() as usize, 0, 0, flags])?)?;
    write_u32(result, descriptor::insert(Descriptor::new(accepted)?)?)
}

/// The host's `struct msghdr` with nothing but vectors.
#[repr(C)]
struct Message {
    name: [usize; 2],
    vectors: *const [usize; 2],
    count: usize,
    control: [usize; 2],
    flags: u32,
}

const NOSIGNAL: usize = 0x4000;

pub fn sock_recv(
    fd: u32,
    at: u32,
    count: u32,
    flags: u32,
    result: u32,
    result_flags: u32,
) -> Result<()> {
    const PEEK: u32 = 1;
    const WAITALL: u32 = 2;
    const HOST_PEEK: usize = 2;
    const HOST_WAITALL: usize = 0x100;
    const HOST_TRUNCATED: u32 = 0x20;
    let socket = socket(fd, rights::FD_READ)?;
    if flags > PEEK | WAITALL {
        return Err(Errno::INVAL);
    }
    let peek = if flags & PEEK != 0 { HOST_PEEK } else { 0 };
    let all = if flags & WAITALL != 0 { HOST_WAITALL } else { 0 };
    let vectors = vectors(at, count)?;
    memory::bytes(result, 4)?;
    memory::bytes(result_flags, 2)?;
    let mut message = Message {
        name: [0; 2],
        vectors: vectors.as_ptr(),
        count: vectors.len(),
        control: [0; 2],
        flags: 0,
    };
    let a = [socket.host() as usize, &raw mut message as usize, peek | all, 0, 0, 0];
    // SAFETY: the vectors are the guest's memory; writes the flags of the message.
    let received = unsafe { sys::call(nr::RECVMSG, a)? };
    let truncated = u16::from(message.flags & HOST_TRUNCATED != 0);
    write_u32(result, received as u32)?;
    memory::write(result_flags, &truncated.to_le_bytes())
}

pub fn sock_send(fd: u32, at: u32, count: u32, flags: u32, result: u32) -> Result<()> {
    let socket = socket(fd, rights::FD_WRITE)?;
    if flags != 0 {
        return Err(Errno::INVAL);
    }
    let vectors = vectors(at, count)?;
    memory::bytes(result, 4)?;
    let message = Message {
        name: [0; 2],
        vectors: vectors.as_ptr(),
        count: vectors.len(),
        control: [0; 2],
        flags: 0,
    };
    let a = [socket.host() as usize, &raw const message as usize, NOSIGNAL, 0, 0, 0];
    // SAFETY: reads the guest's memory only.
    let sent = unsafe { sys::call(nr::SENDMSG, a)? };
    write_u32(result, sent as u32)
}

pub fn sock_shutdown(fd: u32, how: u32) -> Result<()> {
    const READ: u32 = 1;
    const WRITE: u32 = 2;
    let socket = socket(fd, rights::SOCK_SHUTDOWN)?;
    let how = match how {
        READ => 0,
        WRITE => 1,
        3 => 2,
        _ => return Err(Errno::INVAL),
    };
    sys::plain(nr::SHUTDOWN, [socket.host() as usize, how, 0, 0]).map(drop)
}
