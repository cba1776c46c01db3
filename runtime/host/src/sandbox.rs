//! What a process gives up for good: system calls by a seccomp filter, files and the network by Landlock.

use crate::{AUDIT_ARCH, nr, syscall};

const PR_SET_NO_NEW_PRIVS: usize = 38;
const PR_SET_SECCOMP: usize = 22;
const SECCOMP_MODE_FILTER: usize = 2;

const RETURN_ALLOW: u32 = 0x7fff_0000;
const RETURN_ERRNO: u32 = 0x0005_0000;
const EPERM: u32 = 1;

/// `struct sock_filter`: classic BPF (Documentation/userspace-api/seccomp_filter.rst).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
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

const ROOM: usize = 192;

/// A list of the system calls that stay allowed; all others are answered with an error.
#[derive(Debug)]
pub struct Filter {
    instructions: [Instruction; ROOM],
    len: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Filter::new()
    }
}

impl Filter {
    /// That allows nothing yet, and no calls of another ISA.
    #[must_use]
    pub fn new() -> Filter {
        let empty = Instruction { code: RETURN, if_true: 0, if_false: 0, constant: 0 };
        let mut filter = Filter { instructions: [empty; ROOM], len: 0 };
        filter.push(LOAD, DATA_ARCH, 0, 0);
        filter.push(JUMP_IF_EQUAL, AUDIT_ARCH, 1, 0);
        filter.refuse();
        filter.push(LOAD, DATA_NR, 0, 0);
        filter
    }

    /// Answer call `nr` with an error.
    pub fn answer(&mut self, nr: usize, errno: u32) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 1);
        self.push(RETURN, RETURN_ERRNO | errno, 0, 0);
    }

    fn push(&mut self, code: u16, constant: u32, if_true: u8, if_false: u8) {
        self.instructions[self.len] = Instruction { code, if_true, if_false, constant };
        self.len += 1;
    }

    /// Allow call `nr` whatever its arguments.
    pub fn allow(&mut self, nr: usize) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 1);
        self.push(RETURN, RETURN_ALLOW, 0, 0);
    }

    /// Allow call `nr` if a word of its arguments is one of `values`.
    pub fn allow_if_equal(&mut self, nr: usize, argument: u32, values: &[u32]) {
        let rest = values.len() as u8 * 2 + 2;
        self.push(JUMP_IF_EQUAL, nr as u32, 0, rest);
        self.push(LOAD, data_argument(argument), 0, 0);
        for value in values {
            self.push(JUMP_IF_EQUAL, *value, 0, 1);
            self.push(RETURN, RETURN_ALLOW, 0, 0);
        }
        self.refuse();
    }

    /// Allow call `nr` if both words of its arguments are those; other rules may allow it for others.
    pub fn allow_if_all_equal(&mut self, nr: usize, words: [(u32, u32); 2]) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 6);
        let [(first, value), (second, other)] = words;
        self.push(LOAD, data_argument(first), 0, 0);
        self.push(JUMP_IF_EQUAL, value, 0, 3);
        self.push(LOAD, data_argument(second), 0, 0);
        self.push(JUMP_IF_EQUAL, other, 0, 1);
        self.push(RETURN, RETURN_ALLOW, 0, 0);
        // What the rules behind it look at.
        self.push(LOAD, DATA_NR, 0, 0);
    }

    /// Allow call `nr` if its argument has none of `bits`.
    pub fn allow_without(&mut self, nr: usize, argument: u32, bits: u32) {
        self.push(JUMP_IF_EQUAL, nr as u32, 0, 4);
        self.push(LOAD, data_argument(argument), 0, 0);
        self.push(JUMP_IF_BITS, bits, 1, 0);
        self.push(RETURN, RETURN_ALLOW, 0, 0);
        self.refuse();
    }

    fn refuse(&mut self) {
        self.push(RETURN, RETURN_ERRNO | EPERM, 0, 0);
    }

    /// Allow nothing else from here on, in this thread and those that it starts. Whether the host can.
    #[must_use]
    pub fn install(mut self) -> bool {
        #[repr(C)]
        struct Program {
            len: u16,
            instructions: *const Instruction,
        }
        self.refuse();
        let program = Program { len: self.len as u16, instructions: self.instructions.as_ptr() };
        let program = &raw const program as usize;
        // SAFETY: the program lives through the call, which copies it; the call only takes rights away.
        unsafe { syscall(nr::PRCTL, [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0, 0]) == 0 }
    }
}

/// Give up what programs with more rights would add: what both of the others ask for. Whether the host can.
#[must_use]
pub fn no_new_privileges() -> bool {
    // SAFETY: only takes rights away from this process.
    unsafe { syscall(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0]) == 0 }
}

/// What Landlock leaves of the host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leave {
    /// A file that may be executed.
    pub program: Option<i32>,
    /// TCP connections and ports.
    pub network: bool,
    /// A folder, and what may be done in it: bits of [`right`].
    pub folder: Option<(i32, u64)>,
}

/// Rights over files (uapi/linux/landlock.h).
pub mod right {
    pub const EXECUTE: u64 = 1 << 0;
    pub const WRITE_FILE: u64 = 1 << 1;
    pub const READ_FILE: u64 = 1 << 2;
    pub const READ_DIRECTORY: u64 = 1 << 3;
    pub const REMOVE_DIRECTORY: u64 = 1 << 4;
    pub const REMOVE_FILE: u64 = 1 << 5;
    pub const MAKE_DIRECTORY: u64 = 1 << 7;
    pub const MAKE_FILE: u64 = 1 << 8;
    pub const MAKE_FIFO: u64 = 1 << 10;
    pub const MAKE_LINK: u64 = 1 << 12;
    /// To another directory.
    pub const MOVE: u64 = 1 << 13;
    pub const TRUNCATE: u64 = 1 << 14;
}

/// Take all access to files and the network away, but for what is left. Whether the host can.
#[must_use]
pub fn landlock(leave: Leave) -> bool {
    const CREATE_RULESET_VERSION: usize = 1;
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
            network: if version >= 4 && !leave.network { 3 } else { 0 },
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
        // Executing a file also reads it.
        let program = leave.program.map(|fd| (fd, right::EXECUTE | right::READ_FILE));
        for (fd, rights) in program.into_iter().chain(leave.folder) {
            let rule = PathBeneath { allowed: rights & ruleset.files, fd };
            let rule = &raw const rule as usize;
            syscall(nr::LANDLOCK_ADD_RULE, [rules as usize, RULE_PATH_BENEATH, rule, 0, 0, 0]);
        }
        let done = syscall(nr::LANDLOCK_RESTRICT_SELF, [rules as usize, 0, 0, 0, 0, 0]) == 0;
        syscall(nr::CLOSE, [rules as usize, 0, 0, 0, 0, 0]);
        done
    }
}
