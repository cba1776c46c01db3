//! What the device process gives up before it meets the guest: files, other programs, new code. It may
//! use sockets.

use crate::tap::SET_OFFLOAD;
use linnet_host::nr;
use linnet_host::sandbox::{self, Filter, Leave};

const ALLOWED: [usize; 27] = [
    nr::READ,
    nr::WRITE,
    nr::READV,
    nr::WRITEV,
    nr::CLOSE,
    nr::MUNMAP,
    nr::EXIT_GROUP,
    nr::CLOCK_GETTIME,
    nr::GETRANDOM,
    nr::RT_SIGRETURN,
    nr::CONNECT,
    nr::BIND,
    nr::LISTEN,
    nr::ACCEPT4,
    nr::GETSOCKNAME,
    nr::GETSOCKOPT,
    nr::SETSOCKOPT,
    nr::SENDTO,
    nr::RECVFROM,
    nr::SENDMSG,
    nr::RECVMSG,
    nr::SHUTDOWN,
    nr::EPOLL_CTL,
    nr::EPOLL_PWAIT,
    nr::EPOLL_CREATE1,
    nr::SCHED_YIELD,
    nr::FCNTL,
];

/// Families of sockets.
const UNIX: u32 = 1;
const INET: u32 = 2;
const INET6: u32 = 10;

/// Enter the sandbox of the network, as far as the host has one: the machine warns of what is missing.
pub fn enter() {
    enter_with(&[INET, INET6]);
}

/// The same of a process that connects to other machines.
pub fn enter_to_connect() {
    enter_with(&[UNIX, INET, INET6]);
}

/// With sockets of these families.
fn enter_with(families: &[u32]) {
    const PROT_EXEC: u32 = 4;
    if !sandbox::no_new_privileges() {
        return;
    }
    let _ = sandbox::landlock(Leave { network: true, ..Leave::default() });
    let mut filter = Filter::new();
    for nr in ALLOWED {
        filter.allow(nr);
    }
    filter.allow_if_equal(nr::SOCKET, 0, families);
    filter.allow_if_equal(nr::IOCTL, 1, &[SET_OFFLOAD as u32]);
    filter.allow_without(nr::MMAP, 2, PROT_EXEC);
    let _ = filter.install();
}
