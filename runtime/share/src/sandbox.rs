//! What the process gives up before it meets the guest: all files but those in the folder, other programs, new code,
//! the network.

use linnet_device::sys::Fd;
use linnet_host::nr;
use linnet_host::sandbox::{self, Filter, Leave, right};

const ALLOWED: [usize; 23] = [
    nr::READ,
    nr::WRITE,
    nr::CLOSE,
    nr::MUNMAP,
    nr::EXIT_GROUP,
    nr::CLOCK_GETTIME,
    nr::RT_SIGRETURN,
    nr::SENDMSG,
    nr::RECVMSG,
    nr::EPOLL_CTL,
    nr::EPOLL_PWAIT,
    nr::EPOLL_CREATE1,
    nr::OPENAT,
    nr::OPENAT2,
    nr::STATX,
    nr::FSTATFS,
    nr::READLINKAT,
    nr::GETDENTS64,
    nr::LSEEK,
    nr::PREADV,
    nr::GETXATTR,
    nr::LISTXATTR,
    nr::SYNCFS,
];

/// Both of these are for folders that may be changed.
const TO_CHANGE: [usize; 19] = [
    nr::PWRITEV,
    nr::PWRITEV2,
    nr::FSYNC,
    nr::FDATASYNC,
    nr::FTRUNCATE,
    nr::FALLOCATE,
    nr::COPY_FILE_RANGE,
    nr::MKNODAT,
    nr::MKDIRAT,
    nr::SYMLINKAT,
    nr::LINKAT,
    nr::UNLINKAT,
    nr::RENAMEAT2,
    nr::FCHMODAT,
    nr::FCHOWNAT,
    nr::UTIMENSAT,
    nr::SETXATTR,
    nr::REMOVEXATTR,
    nr::SCHED_YIELD,
];
const RIGHTS_TO_CHANGE: u64 = right::WRITE_FILE
    | right::REMOVE_DIRECTORY
    | right::REMOVE_FILE
    | right::MAKE_DIRECTORY
    | right::MAKE_FILE
    | right::MAKE_FIFO
    | right::MAKE_LINK
    | right::MOVE
    | right::TRUNCATE;

/// Enter the sandbox of a folder, as far as the host has one: the machine warns of what is missing.
pub fn enter(folder: &Fd, read_only: bool) {
    const PROT_EXEC: u32 = 4;
    if !sandbox::no_new_privileges() {
        return;
    }
    let (rights, calls): (u64, &[usize]) =
        if read_only { (0, &[nr::FSYNC, nr::FDATASYNC]) } else { (RIGHTS_TO_CHANGE, &TO_CHANGE) };
    let rights = rights | right::READ_FILE | right::READ_DIRECTORY;
    let folder = Some((folder.number(), rights));
    let _ = sandbox::landlock(Leave { folder, ..Leave::default() });
    let mut filter = Filter::new();
    for nr in ALLOWED.iter().chain(calls) {
        filter.allow(*nr);
    }
    filter.allow_without(nr::MMAP, 2, PROT_EXEC);
    let _ = filter.install();
}
