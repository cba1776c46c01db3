//! What the process gives up before the guest runs: files, sockets, other programs, new code.
//!
//! A seccomp filter leaves the few system calls that the runtime makes while the machine runs.
//! Landlock takes all files away; only this very file may be executed, which is how the machine
//! restarts. Where the host has no Landlock, `execve` is refused as well and a restart ends the
//! process. Under an emulator there may be neither. Both are inherited by every thread, and by the process after a restart.

use crate::arch::{AUDIT_ARCH, THREAD_FLAGS};
use crate::host::sys::{self, syscall};
use crate::host::terminal;
use linnet_host::nr;

const PR_SET_NO_NEW_PRIVS: usize = 38;
const PR_SET_SECCOMP: usize = 22;
const SECCOMP_MODE_FILTER: usize = 2;

const RETURN_ALLOW: u32 = 0x7fff_0000;
const RETURN_ERRNO: u32 = 0x0005_0000;
const EPERM: u32 = 1;

/// `struct sock_filter`: classic BPF (Documentation/userspace-api/seccomp_filter.rst).
#[repr(C)]
#[derive(Clone, Copy)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    constant: u32,
}

/// Load a word of `struct seccomp_data`.
const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;

const DATA_NR: u32 = 0;
const DATA_ARCH: u32 = 4;
/// The low half of argument n; every argument that is looked at fits into it.
const fn data_argument(n: u32) -> u32 {
    16 + 8 * n
}

const PROT_EXEC: u32 = 4;

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

struct Filter {
    instructions: [Instruction; 128],
    len: usize,
}

impl Filter {
    fn push(&mut self, code: u16, constant: u32, if_true: u8, if_false: u8) {
        self.instructions[self.len] = Instruction { code, if_true, if_false, constant };
        self.len += 1;
    }

    fn allow(&mut self, nr: usize) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 1);
        self.push(RETURN, RETURN_ALLOW, 0, 0);
    }

    /// Allow call `nr` if a word of its arguments is one of `values`.
    fn allow_if_equal(&mut self, nr: usize, argument: u32, values: &[u32]) {
        let rest = values.len() as u8 * 2 + 2;
        self.push(JUMP_IF_EQUAL, nr as u32, 0, rest);
        self.push(LOAD, data_argument(argument), 0, 0);
        for value in values {
            self.push(JUMP_IF_EQUAL, *value, 0, 1);
            self.push(RETURN, RETURN_ALLOW, 0, 0);
        }
        self.refuse();
    }

    /// Allow call `nr` if its argument has none of `bits`.
    fn allow_without(&mut self, nr: usize, argument: u32, bits: u32) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 4);
        self.push(LOAD, data_argument(argument), 0, 0);
        self.push(JUMP_IF_BITS, bits, 1, 0);
        self.push(RETURN, RETURN_ALLOW, 0, 0);
        self.refuse();
    }

    fn refuse(&mut self) {
        self.push(RETURN, RETURN_ERRNO | EPERM, 0, 0);
    }
}

fn filter(may_execute: bool) -> Filter {
    let empty = Instruction { code: RETURN, if_true: 0, if_false: 0, constant: 0 };
    let mut filter = Filter { instructions: [empty; 128], len: 0 };
    filter.push(LOAD, DATA_ARCH, 0, 0);
    filter.push(JUMP_IF_EQUAL, AUDIT_ARCH, 1, 0);
    filter.refuse();
    filter.push(LOAD, DATA_NR, 0, 0);
    filter.push(JUMP_IF_EQUAL, PROBE as u32, 0, 1);
    filter.push(RETURN, RETURN_ERRNO | PROBE_ANSWER, 0, 0);
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
    filter.allow_without(nr::MMAP, 2, PROT_EXEC);
    filter.allow_without(nr::MPROTECT, 2, PROT_EXEC);
    filter.allow_if_equal(nr::IOCTL, 1, &terminal::REQUESTS);
    filter.allow_if_equal(nr::CLONE, 0, &[THREAD_FLAGS as u32]);
    // Both only for the process itself, which may lower its limits, and raise what it has lowered.
    filter.allow_if_equal(nr::KILL, 0, &[sys::getpid()]);
    filter.allow_if_equal(nr::PRLIMIT64, 0, &[0]);
    filter.refuse();
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
pub fn enter(program: Option<i32>) -> Sandbox {
    #[repr(C)]
    struct Program {
        len: u16,
        instructions: *const Instruction,
    }
    // SAFETY: asks, and then only takes rights away from this process.
    unsafe {
        if is_inside() {
            return Sandbox { seccomp: true, landlock: true };
        }
        if syscall(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0]) != 0 {
            return Sandbox { seccomp: false, landlock: false };
        }
    }
    let landlock = landlock(program);
    let filter = filter(landlock);
    let program = Program { len: filter.len as u16, instructions: filter.instructions.as_ptr() };
    // SAFETY: the program lives through the call, which copies it.
    let r = unsafe {
        syscall(
            nr::PRCTL,
            [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program as usize, 0, 0, 0],
        )
    };
    Sandbox { seccomp: r == 0, landlock }
}

/// Take all access to files and the network away, but for executing this file.
fn landlock(program: Option<i32>) -> bool {
    const CREATE_RULESET_VERSION: usize = 1;
    /// Executing a file also reads it.
    const ACCESS_FS_EXECUTE: u64 = 1 << 0 | 1 << 2;
    const RULE_PATH_BENEATH: usize = 1;
    /// Rights over files that each version of the interface knows (uapi/linux/landlock.h).
    const FILE_RIGHTS: [u32; 5] = [13, 14, 15, 15, 16];

    #[repr(C)]
    struct Ruleset {
        files: u64,
        network: u64,
        scoped: u64,
    }
    #[repr(C, packed)]
    struct PathBeneath {
        allowed: u64,
        fd: i32,
    }

    // SAFETY: all structures live through the calls; the calls only take rights away.
    unsafe {
        let version = syscall(nr::LANDLOCK_CREATE_RULESET, [0, 0, CREATE_RULESET_VERSION, 0, 0, 0]);
        if version < 1 {
            return false;
        }
        let version = version as usize;
        let ruleset = Ruleset {
            files: (1 << FILE_RIGHTS[version.min(FILE_RIGHTS.len()) - 1]) - 1,
            network: if version >= 4 { 3 } else { 0 },
            scoped: if version >= 6 { 3 } else { 0 },
        };
        let size = match version {
            1..=3 => 8,
            4..=5 => 16,
            _ => 24,
        };
        let rules =
            syscall(nr::LANDLOCK_CREATE_RULESET, [&raw const ruleset as usize, size, 0, 0, 0, 0]);
        if rules < 0 {
            return false;
        }
        if let Some(fd) = program {
            let rule = PathBeneath { allowed: ACCESS_FS_EXECUTE, fd };
            let rule = &raw const rule as usize;
            syscall(nr::LANDLOCK_ADD_RULE, [rules as usize, RULE_PATH_BENEATH, rule, 0, 0, 0]);
        }
        let done = syscall(nr::LANDLOCK_RESTRICT_SELF, [rules as usize, 0, 0, 0, 0, 0]) == 0;
        sys::close(rules as i32);
        done
    }
}
