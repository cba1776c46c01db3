//! Sockets.

use super::{Errno, Fd, Result, call};
use core::ffi::CStr;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use linnet_host::nr;

const UNIX: u16 = 1;
const INET: u16 = 2;
const INET6: u16 = 10;

const NONBLOCK: usize = 0o4000;
const CLOEXEC: usize = 0o2000000;

/// Do not wait; no signal if the other end is gone.
const AT_ONCE: usize = 0x40 | 0x4000;

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Stream,
    Datagram,
    /// Echo requests and their answers.
    Ping,
}

/// An address as the host's kernel takes it.
#[repr(C, align(8))]
struct Name {
    bytes: [u8; 112],
    len: u32,
}

impl Name {
    const EMPTY: Name = Name { bytes: [0; 112], len: 112 };

    fn ip(address: SocketAddr) -> Name {
        let mut name = Name::EMPTY;
        name.bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => {
                name.bytes[..2].copy_from_slice(&INET.to_ne_bytes());
                name.bytes[4..8].copy_from_slice(&v4.ip().octets());
                name.len = 16;
            }
            SocketAddr::V6(v6) => {
                name.bytes[..2].copy_from_slice(&INET6.to_ne_bytes());
                name.bytes[8..24].copy_from_slice(&v6.ip().octets());
                name.bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                name.len = 28;
            }
        }
        name
    }

    fn path(path: &CStr) -> Result<Name> {
        let mut name = Name::EMPTY;
        let path = path.to_bytes_with_nul();
        name.bytes[..2].copy_from_slice(&UNIX.to_ne_bytes());
        name.bytes[2..110].get_mut(..path.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(path);
        name.len = 2 + path.len() as u32;
        Ok(name)
    }

    fn address(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes([self.bytes[2], self.bytes[3]]);
        match u16::from_ne_bytes([self.bytes[0], self.bytes[1]]) {
            INET => {
                let octets: [u8; 4] = self.bytes[4..8].try_into().ok()?;
                Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets)), port))
            }
            INET6 => {
                let octets: [u8; 16] = self.bytes[8..24].try_into().ok()?;
                let scope = u32::from_ne_bytes(self.bytes[24..28].try_into().ok()?);
                Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope)))
            }
            _ => None,
        }
    }

    fn at(&self) -> usize {
        self.bytes.as_ptr() as usize
    }
}

fn new(family: u16, kind: Kind) -> Result<Fd> {
    const ICMP: usize = 1;
    const ICMPV6: usize = 58;
    let (kind, protocol) = match kind {
        Kind::Stream => (1, 0),
        Kind::Datagram => (2, 0),
        Kind::Ping => (2, if family == INET { ICMP } else { ICMPV6 }),
    };
    // SAFETY: touches no memory.
    let fd =
        unsafe { call(nr::SOCKET, [family.into(), kind | NONBLOCK | CLOEXEC, protocol, 0, 0, 0])? };
    Ok(Fd::own(fd as i32))
}

fn family(address: SocketAddr) -> u16 {
    if address.is_ipv4() { INET } else { INET6 }
}

fn connect(fd: &Fd, name: &Name) -> Result<()> {
    // SAFETY: reads the name only.
    unsafe { call(nr::CONNECT, [fd.raw(), name.at(), name.len as usize, 0, 0, 0])? };
    Ok(())
}

fn bind(fd: &Fd, name: &Name) -> Result<()> {
    // SAFETY: reads the name only.
    unsafe { call(nr::BIND, [fd.raw(), name.at(), name.len as usize, 0, 0, 0])? };
    Ok(())
}

/// Set an option that is a number.
pub fn set_option(fd: &Fd, level: usize, option: usize, value: i32) -> Result<()> {
    let at = &raw const value as usize;
    // SAFETY: reads the value only.
    unsafe { call(nr::SETSOCKOPT, [fd.raw(), level, option, at, 4, 0])? };
    Ok(())
}

pub const SOCKET: usize = 1;
pub const TCP: usize = 6;
pub const TCP_NODELAY: usize = 1;

/// A socket that is connected to an address, or will be.
pub fn connected(kind: Kind, to: SocketAddr) -> Result<Fd> {
    let fd = new(family(to), kind)?;
    match connect(&fd, &Name::ip(to)) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(fd),
        Err(errno) => Err(errno),
    }
}

/// A socket that is connected to an address.
pub fn connected_at_once(to: SocketAddr) -> Result<Fd> {
    let fd = new(family(to), Kind::Stream)?;
    super::make_plain(&fd)?;
    connect(&fd, &Name::ip(to))?;
    set_option(&fd, TCP, TCP_NODELAY, 1)?;
    Ok(fd)
}

/// Reading and writing give [`Errno::AGAIN`] if nothing can be read or written for so long.
pub fn set_patience(fd: &Fd, seconds: i64) -> Result<()> {
    const RCVTIMEO: usize = 20;
    const SNDTIMEO: usize = 21;
    let time = [seconds, 0];
    for option in [RCVTIMEO, SNDTIMEO] {
        // SAFETY: reads the time only.
        unsafe { call(nr::SETSOCKOPT, [fd.raw(), SOCKET, option, time.as_ptr() as usize, 16, 0])? };
    }
    Ok(())
}

/// A socket that others connect to, or send datagrams.
pub fn bound(kind: Kind, at: SocketAddr) -> Result<Fd> {
    const REUSEADDR: usize = 2;
    const IPV6: usize = 41;
    const V6ONLY: usize = 26;
    const BACKLOG: usize = 4096;
    let fd = new(family(at), kind)?;
    if at.is_ipv6() {
        set_option(&fd, IPV6, V6ONLY, 1)?;
    }
    if kind == Kind::Stream {
        set_option(&fd, SOCKET, REUSEADDR, 1)?;
    }
    bind(&fd, &Name::ip(at))?;
    if kind == Kind::Stream {
        // SAFETY: touches no memory.
        unsafe { call(nr::LISTEN, [fd.raw(), BACKLOG, 0, 0, 0, 0])? };
    }
    Ok(fd)
}

/// A stream to whoever listens at a path.
pub fn connected_to_path(path: &CStr) -> Result<Fd> {
    let fd = new(UNIX, Kind::Stream)?;
    connect(&fd, &Name::path(path)?)?;
    Ok(fd)
}

/// A socket that listens at a path, where nothing may be.
pub fn bound_to_path(path: &CStr) -> Result<Fd> {
    let fd = new(UNIX, Kind::Stream)?;
    bind(&fd, &Name::path(path)?)?;
    // SAFETY: touches no memory.
    unsafe { call(nr::LISTEN, [fd.raw(), 16, 0, 0, 0, 0])? };
    Ok(fd)
}

/// Remove a name.
pub fn unlink(path: &CStr) -> Result<()> {
    const CWD: usize = -100_isize as usize;
    // SAFETY: reads the path only.
    unsafe { call(nr::UNLINKAT, [CWD, path.as_ptr() as usize, 0, 0, 0, 0])? };
    Ok(())
}

/// Two ends of a stream. They stay open when the process starts another program.
pub fn pair() -> Result<[Fd; 2]> {
    let mut ends = [0_i32; 2];
    // SAFETY: writes to the ends only.
    unsafe { call(nr::SOCKETPAIR, [UNIX.into(), 1, 0, ends.as_mut_ptr() as usize, 0, 0])? };
    Ok(ends.map(Fd::own))
}

/// Two ends of a socket of packets. They stay open when the process starts another program.
pub fn packet_pair() -> Result<[Fd; 2]> {
    const SEQPACKET: usize = 5;
    let mut ends = [0_i32; 2];
    let at = ends.as_mut_ptr() as usize;
    // SAFETY: writes to the ends only.
    unsafe { call(nr::SOCKETPAIR, [UNIX.into(), SEQPACKET, 0, at, 0, 0])? };
    Ok(ends.map(Fd::own))
}

/// The next connection, and where it comes from.
pub fn accept(fd: &Fd) -> Result<(Fd, Option<SocketAddr>)> {
    let mut name = Name::EMPTY;
    let (at, len) = (name.bytes.as_mut_ptr() as usize, &raw mut name.len as usize);
    // SAFETY: writes to the name and its length only.
    let fd = unsafe { call(nr::ACCEPT4, [fd.raw(), at, len, NONBLOCK | CLOEXEC, 0, 0])? };
    Ok((Fd::own(fd as i32), name.address()))
}

/// Why connecting has failed, if it has.
pub fn error(fd: &Fd) -> Option<Errno> {
    const ERROR: usize = 4;
    let (mut value, mut len) = (0_i32, 4_u32);
    let (at, len) = (&raw mut value as usize, &raw mut len as usize);
    // SAFETY: writes to the value and its length only.
    match unsafe { call(nr::GETSOCKOPT, [fd.raw(), SOCKET, ERROR, at, len, 0]) } {
        Ok(_) => (value != 0).then_some(Errno(value)),
        Err(errno) => Some(errno),
    }
}

/// Send without waiting.
pub fn send(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: reads the bytes only.
    unsafe { call(nr::SENDTO, [fd.raw(), bytes.as_ptr() as usize, bytes.len(), AT_ONCE, 0, 0]) }
}

/// Send a datagram to an address without waiting.
pub fn send_to(fd: &Fd, bytes: &[u8], to: SocketAddr) -> Result<usize> {
    let name = Name::ip(to);
    let (at, len) = (bytes.as_ptr() as usize, bytes.len());
    // SAFETY: reads the bytes and the name only.
    unsafe { call(nr::SENDTO, [fd.raw(), at, len, AT_ONCE, name.at(), name.len as usize]) }
}

/// Receive without waiting.
pub fn receive(fd: &Fd, to: &mut [u8]) -> Result<usize> {
    // SAFETY: writes to the buffer only.
    unsafe { call(nr::RECVFROM, [fd.raw(), to.as_mut_ptr() as usize, to.len(), AT_ONCE, 0, 0]) }
}

/// Receive a datagram without waiting: its length, and who sent it.
pub fn receive_from(fd: &Fd, to: &mut [u8]) -> Result<(usize, Option<SocketAddr>)> {
    let mut name = Name::EMPTY;
    let (at, len) = (name.bytes.as_mut_ptr() as usize, &raw mut name.len as usize);
    let buffer = to.as_mut_ptr() as usize;
    // SAFETY: writes to the buffer, the name and its length only.
    let n = unsafe { call(nr::RECVFROM, [fd.raw(), buffer, to.len(), AT_ONCE, at, len])? };
    Ok((n, name.address()))
}

/// Say that nothing more will be sent.
pub fn shut_down(fd: &Fd) {
    const WRITE: usize = 1;
    // SAFETY: touches no memory.
    let _ = unsafe { call(nr::SHUTDOWN, [fd.raw(), WRITE, 0, 0, 0, 0]) };
}

/// Close a connection so that the other end sees an error.
pub fn reset(fd: Fd) {
    const LINGER: usize = 13;
    let now = [1_i32, 0];
    let at = now.as_ptr() as usize;
    // SAFETY: reads the option only.
    let _ = unsafe { call(nr::SETSOCKOPT, [fd.raw(), SOCKET, LINGER, at, 8, 0]) };
    drop(fd);
}

/// `struct msghdr`
#[repr(C)]
struct Header {
    name: usize,
    name_len: usize,
    parts: usize,
    part_count: usize,
    control: usize,
    control_len: usize,
    flags: usize,
}

/// One descriptor that goes with a message: `struct cmsghdr`, and room for more than is taken.
#[repr(C)]
struct Control {
    len: usize,
    level: i32,
    kind: i32,
    fds: [i32; CONTROL_FDS],
}

const CONTROL_FDS: usize = 8;
const CONTROL_HEADER: usize = 16;
const RIGHTS: i32 = 1;

/// Send all of a message, and a descriptor with it.
///
/// # Safety
/// `fd` and `passed` must be descriptors of this process.
pub unsafe fn send_message(fd: i32, bytes: &[u8], passed: Option<i32>) -> Result<usize> {
    const NOSIGNAL: usize = 0x4000;
    let part = [bytes.as_ptr() as usize, bytes.len()];
    let mut control =
        Control { len: CONTROL_HEADER + 4, level: 1, kind: RIGHTS, fds: [0; CONTROL_FDS] };
    control.fds[0] = passed.unwrap_or(-1);
    let header = Header {
        name: 0,
        name_len: 0,
        parts: part.as_ptr() as usize,
        part_count: 1,
        control: if passed.is_some() { &raw const control as usize } else { 0 },
        control_len: if passed.is_some() { CONTROL_HEADER + 8 } else { 0 },
        flags: 0,
    };
    // SAFETY: reads the message only.
    unsafe { call(nr::SENDMSG, [fd as usize, &raw const header as usize, NOSIGNAL, 0, 0, 0]) }
}

/// Receive a part of a message, and the first descriptor that came with it. Others are closed.
pub fn receive_message(fd: &Fd, to: &mut [u8]) -> Result<(usize, Option<Fd>)> {
    const CMSG_CLOEXEC: usize = 0x4000_0000;
    let part = [to.as_mut_ptr() as usize, to.len()];
    let mut control = Control { len: 0, level: 0, kind: 0, fds: [-1; CONTROL_FDS] };
    let mut header = Header {
        name: 0,
        name_len: 0,
        parts: part.as_ptr() as usize,
        part_count: 1,
        control: &raw mut control as usize,
        control_len: size_of::<Control>(),
        flags: 0,
    };
    let n = loop {
        // SAFETY: writes to the buffer, the control part and the header only.
        let r = unsafe {
            call(nr::RECVMSG, [fd.raw(), &raw mut header as usize, CMSG_CLOEXEC, 0, 0, 0])
        };
        match r {
            Err(Errno::INTR) => {}
            other => break other?,
        }
    };
    let came = header.control_len >= CONTROL_HEADER && control.kind == RIGHTS;
    let count = if came { control.len.saturating_sub(CONTROL_HEADER) / 4 } else { 0 };
    let mut fds = control.fds.iter().take(count).filter(|fd| **fd >= 0).map(|fd| Fd::own(*fd));
    let first = fds.next();
    fds.for_each(drop);
    Ok((n, first))
}
