//! What a machine that goes to another one, or comes from one, opens before it gives up its rights.

use super::options::Options;
use super::restart::Kept;
use crate::border::snapshot::incoming::Incoming;
use crate::device::signals::OnRequest;
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use linnet_device::sys::Errno;
use linnet_net::line;

/// The sockets to the process that connects and to the machine that comes.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    pub caller: Option<i32>,
    connection: Option<i32>,
}

/// Begin the process, and wait for the machine, as far as there is to be one; the calling process has one thread.
pub fn begin(options: &Options<'_>, kept: Option<&Kept>) -> Begun {
    let caller = options.migrate_to.map(|(address, _)| match kept {
        Some(kept) => kept.snapshots().next().unwrap_or(-1),
        None => match line::begin(address) {
            Ok(fd) => fd.leak(),
            Err(Errno(errno)) => {
                fatal!(exit::HOST, "the host refuses a process that connects (errno {errno})")
            }
        },
    });
    // A machine that starts again does so from nothing.
    let incoming = options.incoming.filter(|_| kept.is_none());
    let connection = incoming.map(|(address, text)| {
        eprintln!("note: waiting for a machine at {text}");
        match line::wait(address) {
            Ok(fd) => fd.leak(),
            Err(errno) => fatal!(exit::HOST, "{text}: {}", reason(errno)),
        }
    });
    Begun { caller, connection }
}

fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::NOENT => "No such file or directory",
        Errno::ADDRINUSE => "another program uses it\nhint: if it does not, remove what is there",
        Errno::NAMETOOLONG => "the name is too long",
        Errno(13) => "Permission denied",
        Errno(30) => "Read-only file system",
        _ => "the host refuses to wait there",
    }
}

impl Begun {
    /// The machine that comes.
    pub fn incoming(&self) -> Option<Incoming> {
        self.connection.map(|connection| match Incoming::new(connection) {
            Ok(incoming) => incoming,
            Err(error) => fatal!(exit::SNAPSHOT, "{error}"),
        })
    }
}

/// What SIGUSR1 does in such a machine.
pub fn on_request(options: &Options<'_>) -> OnRequest {
    match options {
        Options { migrate_to: Some(_), .. } => OnRequest::Wake,
        Options { freeze_to: Some(_), .. } => OnRequest::Freeze,
        _ => OnRequest::End,
    }
}
