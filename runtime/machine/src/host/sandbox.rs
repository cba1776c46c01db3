//! What the process gives up before the guest runs: files, sockets, other programs, new code.
//!
//! A seccomp filter leaves the few system calls that the runtime makes while the machine runs.
//! Landlock takes all files away; only this very file may be executed, which is how the machine
//! restarts. Where the host has no Landlock, `execve` is refused as well and a restart ends the
//! process. Under an emulator there may be neither. Both are inherited by every thread, and by the process after a restart.

use crate::arch::THREAD_FLAGS;
use crate::host::sys::{self, syscall};
use crate::host::terminal;
use linnet_host::nr;
use linnet_host::sandbox::{self, Filter, Leave};
use linnet_share::options::MAX_SHARES;

/// No call has this number; our filter answers it with an error that the host never uses. So a
/// machine that restarted knows that it is inside already: Landlock allows 16 layers, no more.
const PROBE: usize = 0x7fff_4c4e;
const PROBE_ANSWER: u32 = 2049;

/// Calls that may be made whatever their arguments.
const ALLOWED: [usize; 30] = [
    nr::READ,
    nr::WRITE,
    nr::PREADV,
    nr::PWRITEV,
    nr::PREADV2,
    nr::PWRITEV2,
    nr::FDATASYNC,
    nr::LSEEK,
    nr::MUNMAP,
    nr::RT_SIGACTION,
    nr::RT_SIGPROCMASK,
    nr::RT_SIGRETURN,
    nr::SCHED_YIELD,
    nr::MADVISE,
    nr::FTRUNCATE,
    nr::FCNTL,
    nr::SIGALTSTACK,
    nr::GETPID,
    nr::GETPGID,
    nr::PRCTL,
    nr::FUTEX,
    nr::SCHED_GETAFFINITY,
    nr::CLOCK_GETTIME,
    nr::EXIT_GROUP,
    nr::PPOLL,
    nr::FALLOCATE,
    nr::GETRANDOM,
    nr::MEMFD_CREATE,
    nr::LANDLOCK_CREATE_RULESET,
    nr::LANDLOCK_RESTRICT_SELF,
];

/// Sockets to other processes of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Sockets {
    /// That of the network.
    pub network: Option<i32>,
    /// Those of folders.
    pub shares: [Option<i32>; MAX_SHARES],
    /// That which translates programs.
    pub translator: Option<i32>,
    /// That which connects to another machine.
    pub caller: Option<i32>,
}

fn filter(may_execute: bool, sockets: Sockets) -> Filter {
    const PROT_EXEC: u32 = sys::PROT_EXEC as u32;
    let Sockets { network, shares, translator, caller } = sockets;
    let mut filter = Filter::new();
    filter.answer(PROBE, PROBE_ANSWER);
    for nr in ALLOWED {
        filter.allow(nr);
    }
    if may_execute {
        filter.allow(nr::EXECVEAT);
        // What the process does at its start, should it start again; Landlock bounds it.
        filter.allow(nr::OPENAT);
        filter.allow(nr::CLOSE);
        filter.allow(nr::LANDLOCK_ADD_RULE);
    }
    let allow_on = |filter: &mut Filter, nr, sockets: &[Option<i32>]| {
        let mut list = [0; 2 + MAX_SHARES];
        let mut count = 0;
        for (to, socket) in list.iter_mut().zip(sockets.iter().flatten()) {
            *to = *socket as u32;
            count += 1;
        }
        if count != 0 {
            filter.allow_if_equal(nr, 0, &list[..count]);
        }
    };
    let mut to_devices = [None; 2 + MAX_SHARES];
    to_devices[..2].copy_from_slice(&[network, translator]);
    to_devices[2..].copy_from_slice(&shares);
    allow_on(&mut filter, nr::SENDMSG, &to_devices);
    allow_on(&mut filter, nr::RECVMSG, &[caller, translator]);
    if (caller.is_some() || translator.is_some()) && !may_execute {
        filter.allow(nr::CLOSE);
    }
    if caller.is_some() {
        // Disks are the other machine's when it runs.
        filter.allow(nr::FLOCK);
    }
    if translator.is_some() {
        // Code is mapped from files, at places where nothing lies, and never to be written.
        let code = [(2, (sys::PROT_READ | sys::PROT_EXEC) as u32), (3, sys::CODE_FLAGS as u32)];
        filter.allow_if_all_equal(nr::MMAP, code);
    }
    filter.allow_without(nr::MMAP, 2, PROT_EXEC);
    filter.allow_without(nr::MPROTECT, 2, PROT_EXEC);
    filter.allow_if_equal(nr::IOCTL, 1, &terminal::REQUESTS);
    filter.allow_if_equal(nr::CLONE, 0, &[THREAD_FLAGS as u32]);
    // Both only for the process itself, which may lower its limits, and raise what it has lowered.
    filter.allow_if_equal(nr::KILL, 0, &[sys::getpid()]);
    filter.allow_if_equal(nr::PRLIMIT64, 0, &[0]);
    filter
}

/// What of the sandbox the host has.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox {
    pub seccomp: bool,
    pub landlock: bool,
}

/// Is this process in the sandbox already? It is after a restart.
pub fn is_inside() -> bool {
    // SAFETY: there is no such system call; only the filter answers.
    unsafe { syscall(PROBE, [0; 6]) == -(PROBE_ANSWER as isize) }
}

/// Give up what the machine does not need, as far as the host can take it. `program` is this very file.
pub fn enter(program: Option<i32>, sockets: Sockets) -> Sandbox {
    if is_inside() {
        return Sandbox { seccomp: true, landlock: true };
    }
    if !sandbox::no_new_privileges() {
        return Sandbox { seccomp: false, landlock: false };
    }
    let landlock = sandbox::landlock(Leave { program, ..Leave::default() });
    Sandbox { seccomp: filter(landlock, sockets).install(), landlock }
}
