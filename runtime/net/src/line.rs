//! Connections between two machines, of which one becomes the other.
//!
//! The machine that goes may not connect to anything. A process of its own does that, to the one address that the
//! user has given, and passes the connection on: a byte asks for one, and four bytes are the answer, the host's error
//! or 0, with a descriptor in that case.

use crate::options::Address;
use crate::sandbox;
use crate::sys::{self, Errno, Fd};
use alloc::ffi::CString;
use core::fmt::{self, Display, Formatter};
use linnet_device::process;

/// How long nothing may come or go.
const SECONDS: i64 = 30;

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// What the host says.
    Host(Errno),
    /// The process that connects is not there any more.
    Gone,
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Call::Host(Errno::NOENT | Errno::CONNREFUSED) => write!(f, "nobody waits for it"),
            Call::Host(Errno(13)) => write!(f, "Permission denied"),
            Call::Host(Errno(errno)) => write!(f, "the host refuses to connect (errno {errno})"),
            Call::Gone => write!(f, "the process that connects has ended"),
        }
    }
}

/// Begin the process; the socket to it. The caller has one thread.
///
/// # Errors
/// What the host refuses.
pub fn begin(address: Address<'_>) -> sys::Result<Fd> {
    process::begin(c"linnet-connect", |socket| run(socket, address))
}

fn run(socket: &Fd, address: Address<'_>) -> ! {
    sandbox::enter_to_connect();
    let mut byte = [0];
    loop {
        match sys::read(socket, &mut byte) {
            Err(Errno::INTR) => continue,
            Ok(1) => {}
            _ => sys::exit(0),
        }
        let (errno, connection) = match dial(address) {
            Ok(connection) => (0, Some(connection)),
            Err(Errno(errno)) => (errno, None),
        };
        let passed = connection.as_ref().map(Fd::number);
        // SAFETY: both descriptors are this process's.
        let sent = unsafe { sys::send_message(socket.number(), &errno.to_le_bytes(), passed) };
        if sent.is_err() {
            sys::exit(0);
        }
    }
}

fn dial(address: Address<'_>) -> sys::Result<Fd> {
    let connection = match address {
        Address::Path(path) => sys::connected_to_path(&name(path)?)?,
        Address::Tcp(address) => sys::connected_at_once(address)?,
    };
    prepare(&connection)?;
    Ok(connection)
}

fn name(path: &str) -> sys::Result<CString> {
    CString::new(path).map_err(|_| Errno::NOENT)
}

/// Calls on the connection wait, and not for ever.
fn prepare(connection: &Fd) -> sys::Result<()> {
    sys::make_plain(connection)?;
    sys::close_on_exec(connection)?;
    sys::set_patience(connection, SECONDS)
}

/// Ask the process for a connection: its descriptor.
///
/// # Errors
/// There is none.
pub fn connect(socket: i32) -> Result<i32, Call> {
    let socket = core::mem::ManuallyDrop::new(Fd::own(socket));
    sys::write(&socket, &[1]).map_err(|_| Call::Gone)?;
    let mut errno = [0; 4];
    match sys::receive_message(&socket, &mut errno) {
        Ok((4, Some(connection))) => Ok(connection.leak()),
        Ok((4, None)) => Err(Call::Host(Errno(i32::from_le_bytes(errno)))),
        _ => Err(Call::Gone),
    }
}

/// Wait for the machine that comes: the connection to it.
///
/// # Errors
/// What the host says.
pub fn wait(address: Address<'_>) -> sys::Result<Fd> {
    let connection = match address {
        Address::Path(path) => {
            let path = name(path)?;
            let listener = sys::bound_to_path(&path)?;
            let connection = accept(&listener);
            let _ = sys::unlink(&path);
            connection?
        }
        Address::Tcp(address) => accept(&sys::bound(sys::Kind::Stream, address)?)?,
    };
    prepare(&connection)?;
    Ok(connection)
}

fn accept(listener: &Fd) -> sys::Result<Fd> {
    sys::make_plain(listener)?;
    loop {
        match sys::accept(listener) {
            Err(Errno::INTR) => {}
            other => return other.map(|(connection, _)| connection),
        }
    }
}
