//! Reading a file that may be anything.

use crate::{
    DISKS, GLOBALS, HEADER, MAGIC, NONE, RUN, VERSION, hash, machine, run, run_hash, task,
};
use core::fmt::{self, Display, Formatter};

/// Why a file is no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    NotASnapshot,
    /// Of another version of the file.
    Version(u64),
    /// Something in it ends too early, or goes on too long.
    Length,
    /// A hash does not fit.
    Damaged,
    /// Something in it cannot be.
    Nonsense(&'static str),
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotASnapshot => {
                write!(f, "not a snapshot, or one that was not written to its end")
            }
            Error::Version(version) => {
                write!(f, "a snapshot of version {version}; this is version {VERSION}")
            }
            Error::Length => write!(f, "the snapshot is cut off"),
            Error::Damaged => write!(f, "the snapshot is damaged"),
            Error::Nonsense(what) => write!(f, "the snapshot is wrong: {what}"),
        }
    }
}

impl core::error::Error for Error {}

/// Words of a file.
#[derive(Debug, Clone, Copy)]
struct Words<'s>(&'s [u8]);

impl<'s> Words<'s> {
    fn get(self, n: usize) -> u64 {
        let at = 8 * n;
        self.0.get(at..at + 8).map_or(0, |bytes| {
            bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
        })
    }

    /// The first `n`, which are taken away.
    fn split(&mut self, n: u64) -> Result<Words<'s>, Error> {
        let size = usize::try_from(n).ok().and_then(|n| n.checked_mul(8)).ok_or(Error::Length)?;
        let (first, rest) = self.0.split_at_checked(size).ok_or(Error::Length)?;
        self.0 = rest;
        Ok(Words(first))
    }

    /// So many items as the next word says, of `size` words each.
    fn list(&mut self, size: u64) -> Result<Words<'s>, Error> {
        let count = self.split(1)?.get(0);
        self.split(count.checked_mul(size).ok_or(Error::Length)?)
    }

    fn len(self) -> usize {
        self.0.len() / 8
    }
}

/// A snapshot whose parts lie within it. Its hashes fit, but for those of runs.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'s> {
    body: &'s [u8],
    machine: Words<'s>,
    programs: Words<'s>,
    memories: Words<'s>,
    tasks: Words<'s>,
    task_count: u64,
    names: Words<'s>,
    name_count: u64,
    runs: Words<'s>,
}

/// The first words of a file.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    words: u64,
    hash: u64,
    /// Where body and pages are in the file.
    pub body: u64,
    pub pages: u64,
}

impl Header {
    /// # Errors
    /// They are of no snapshot.
    pub fn new(bytes: &[u8]) -> Result<Header, Error> {
        let header = Words(bytes.get(..8 * HEADER).ok_or(Error::NotASnapshot)?);
        if header.get(0) != MAGIC {
            return Err(Error::NotASnapshot);
        }
        if header.get(1) != VERSION {
            return Err(Error::Version(header.get(1)));
        }
        let (pages, body) = (header.get(4), header.get(5));
        let is_place = |at: u64| at.is_multiple_of(8) && at >= 8 * HEADER as u64;
        if !is_place(pages) || !is_place(body) {
            return Err(Error::Length);
        }
        if header.get(6) | header.get(7) != 0 {
            return Err(Error::Damaged);
        }
        Ok(Header { words: header.get(2), hash: header.get(3), body, pages })
    }

    /// That of a body of so many words, with that hash, which is no part of a file.
    #[must_use]
    pub fn of_body(words: u64, hash: u64) -> Header {
        Header { words, hash, body: 0, pages: 0 }
    }

    /// Bytes of the body.
    ///
    /// # Errors
    /// No memory holds it.
    pub fn body_size(&self) -> Result<usize, Error> {
        let size = self.words.checked_mul(8).and_then(|size| usize::try_from(size).ok());
        size.filter(|size| isize::try_from(*size).is_ok()).ok_or(Error::Length)
    }
}

/// Where in its file the first byte of a snapshot behind the header is, by the header.
#[must_use]
pub fn first_byte(header: &[u8]) -> Option<u64> {
    let header = Words(header);
    (header.get(0) == MAGIC).then(|| header.get(4).min(header.get(5)))
}

/// A task of it.
#[derive(Debug, Clone, Copy)]
pub struct Task<'s> {
    words: Words<'s>,
    kernel_globals: Words<'s>,
    user_globals: Words<'s>,
    /// Records of its frames, in the kernel and in its program; empty if it has none.
    pub kernel_record: &'s [u8],
    pub user_record: &'s [u8],
}

/// The name of a function.
#[derive(Debug, Clone, Copy)]
pub struct Name<'s> {
    /// 0 is the kernel, 1 the first program.
    pub module: u32,
    pub function: u32,
    pub name: &'s str,
}

/// A run of guest memory.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub offset: u64,
    /// Bytes there, and bytes that are stored.
    pub size: usize,
    pub stored: usize,
    hash: u64,
}

impl Run {
    /// That of `size` bytes which are stored so.
    #[must_use]
    pub fn new(offset: u64, size: usize, stored: &[u8]) -> Run {
        Run { offset, size, stored: stored.len(), hash: run_hash(offset, size as u64, stored) }
    }

    /// From the words of [`run`].
    ///
    /// # Errors
    /// It does not lie in a memory of that size.
    pub fn from_words(words: [u64; run::COUNT], memory: u64) -> Result<Run, Error> {
        let [offset, size, stored, hash] = words;
        if size == 0 || size > RUN as u64 || stored > size {
            return Err(Error::Nonsense("a part of memory has a size that cannot be"));
        }
        if offset.checked_add(size).is_none_or(|end| end > memory) {
            return Err(Error::Nonsense("there is more memory than the machine has"));
        }
        if offset / RUN as u64 != (offset + size - 1) / RUN as u64 {
            return Err(Error::Nonsense("a part of memory lies where two should"));
        }
        Ok(Run { offset, size: size as usize, stored: stored as usize, hash })
    }

    #[must_use]
    pub fn words(&self) -> [u64; run::COUNT] {
        [self.offset, self.size as u64, self.stored as u64, self.hash]
    }

    /// Is it stored as it is?
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.stored == self.size
    }

    /// Whether these are the bytes that were stored.
    ///
    /// # Errors
    /// They are not.
    pub fn check(&self, stored: &[u8]) -> Result<(), Error> {
        if run_hash(self.offset, self.size as u64, stored) == self.hash {
            Ok(())
        } else {
            Err(Error::Damaged)
        }
    }

    /// Lays out its bytes, `size` of them, from those that are stored.
    ///
    /// # Errors
    /// They are not what was stored.
    pub fn unpack(&self, stored: &[u8], to: &mut [u8]) -> Result<(), Error> {
        self.check(stored)?;
        if stored.is_empty() {
            to.fill(0);
        } else if self.is_plain() {
            to.copy_from_slice(stored);
        } else {
            let size = lz4_flex::block::decompress_into(stored, to);
            if size.ok() != Some(self.size) {
                return Err(Error::Damaged);
            }
        }
        Ok(())
    }
}

impl<'s> Snapshot<'s> {
    /// From a header and its body, and how many bytes of pages belong to it.
    ///
    /// # Errors
    /// The body is damaged, or wrong.
    pub fn new(header: &Header, body: &'s [u8]) -> Result<(Snapshot<'s>, usize), Error> {
        let whole = body;
        let mut rest = Words(body);
        let mut body = rest.split(header.words)?;
        if hash(body.0) != header.hash {
            return Err(Error::Damaged);
        }
        let machine = body.split(machine::COUNT as u64)?;
        let (programs, memories) = (body.list(4)?, body.list(1)?);
        let task_count = body.split(1)?.get(0);
        let tasks = body;
        for _ in 0..task_count {
            Task::split(&mut body)?;
        }
        let tasks = Words(&tasks.0[..tasks.0.len() - body.0.len()]);
        let name_count = body.split(1)?.get(0);
        let names = body;
        for _ in 0..name_count {
            Name::split(&mut body)?;
        }
        let names = Words(&names.0[..names.0.len() - body.0.len()]);
        let runs = body.list(run::COUNT as u64)?;
        if !body.0.is_empty() {
            return Err(Error::Length);
        }
        let body = whole;
        let snapshot = Snapshot {
            body,
            machine,
            programs,
            memories,
            tasks,
            task_count,
            names,
            name_count,
            runs,
        };
        let size = snapshot.check_runs()?;
        Ok((snapshot, size))
    }

    /// That of a file, and its pages.
    ///
    /// # Errors
    /// The file is no snapshot, or damaged.
    pub fn of_file(file: &'s [u8]) -> Result<(Snapshot<'s>, &'s [u8]), Error> {
        let header = Header::new(file)?;
        let part = |at: u64| {
            let at = usize::try_from(at).ok();
            at.and_then(|at| file.get(at..)).ok_or(Error::Length)
        };
        let body = part(header.body)?.get(..header.body_size()?).ok_or(Error::Length)?;
        let (snapshot, size) = Snapshot::new(&header, body)?;
        Ok((snapshot, part(header.pages)?.get(..size).ok_or(Error::Length)?))
    }

    /// A run by its number.
    ///
    /// # Errors
    /// There is none, or it cannot be.
    pub fn run(&self, n: usize) -> Result<Run, Error> {
        let words = core::array::from_fn(|word| self.runs.get(run::COUNT * n + word));
        Run::from_words(words, self.memory())
    }

    /// Bytes that all runs have stored.
    fn check_runs(&self) -> Result<usize, Error> {
        let (mut end, mut size) = (0, 0);
        for n in 0..self.runs.len() / run::COUNT {
            let run = self.run(n)?;
            if run.offset < end {
                return Err(Error::Nonsense("parts of memory overlap"));
            }
            end = run.offset + run.size as u64;
            size += run.stored;
        }
        Ok(size)
    }

    /// All that it was read from.
    #[must_use]
    pub fn body(&self) -> &'s [u8] {
        self.body
    }

    /// A word of [`machine`].
    #[must_use]
    pub fn machine(&self, n: usize) -> u64 {
        self.machine.get(n)
    }

    /// SHA-256 of the kernel's module.
    #[must_use]
    pub fn kernel(&self) -> [u8; 32] {
        id(self.machine, 0)
    }

    /// Bytes of guest memory.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.machine(machine::MEMORY)
    }

    /// Size of each disk, if it had one of that number.
    #[must_use]
    pub fn disk(&self, n: usize) -> Option<u64> {
        (n < DISKS).then(|| self.machine(machine::DISKS + n)).filter(|size| *size != NONE)
    }

    #[must_use]
    pub fn program_count(&self) -> usize {
        self.programs.len() / 4
    }

    /// SHA-256 of the module of a program.
    #[must_use]
    pub fn program(&self, n: usize) -> Option<[u8; 32]> {
        (n < self.program_count()).then(|| id(self.programs, 4 * n))
    }

    /// Numbers of the memories that programs have.
    pub fn memories(&self) -> impl Iterator<Item = u64> + use<'s> {
        let memories = self.memories;
        (0..memories.len()).map(move |n| memories.get(n))
    }

    pub fn tasks(&self) -> impl Iterator<Item = Task<'s>> + use<'s> {
        let mut rest = self.tasks;
        (0..self.task_count).map_while(move |_| Task::split(&mut rest).ok())
    }

    /// Names of the functions that have frames.
    pub fn names(&self) -> impl Iterator<Item = Name<'s>> + use<'s> {
        let mut rest = self.names;
        (0..self.name_count).map_while(move |_| Name::split(&mut rest).ok())
    }

    /// What is not zero of guest memory, upwards.
    pub fn runs(&self) -> impl Iterator<Item = Run> + use<'s> {
        let snapshot = *self;
        (0..self.runs.len() / run::COUNT).map_while(move |n| snapshot.run(n).ok())
    }
}

impl<'s> Name<'s> {
    fn split(words: &mut Words<'s>) -> Result<Name<'s>, Error> {
        let head = words.split(2)?;
        let size = usize::try_from(head.get(1)).map_err(|_| Error::Length)?;
        let bytes = words.split(size.div_ceil(8) as u64)?;
        let name = core::str::from_utf8(&bytes.0[..size]);
        let name = name.map_err(|_| Error::Nonsense("a name is no text"))?;
        Ok(Name { module: (head.get(0) >> 32) as u32, function: head.get(0) as u32, name })
    }
}

impl<'s> Task<'s> {
    fn split(words: &mut Words<'s>) -> Result<Task<'s>, Error> {
        let own = words.split(task::COUNT as u64)?;
        let kernel_globals = words.split(GLOBALS as u64)?;
        let user_globals = words.split(GLOBALS as u64)?;
        let mut record = |n| {
            let size = own.get(n);
            if size.is_multiple_of(8) { words.split(size / 8) } else { Err(Error::Length) }
        };
        let (kernel, user) = (record(task::KERNEL_RECORD)?, record(task::USER_RECORD)?);
        let (kernel_record, user_record) = (kernel.0, user.0);
        Ok(Task { words: own, kernel_globals, user_globals, kernel_record, user_record })
    }

    /// A word of [`task`].
    #[must_use]
    pub fn word(&self, n: usize) -> u64 {
        self.words.get(n)
    }

    /// The same, of 32 bits.
    ///
    /// # Errors
    /// It has more.
    pub fn word32(&self, n: usize) -> Result<u32, Error> {
        u32::try_from(self.word(n)).map_err(|_| Error::Nonsense("a number of a task is too large"))
    }

    #[must_use]
    pub fn kernel_global(&self, slot: usize) -> u64 {
        self.kernel_globals.get(slot)
    }

    #[must_use]
    pub fn user_global(&self, slot: usize) -> u64 {
        self.user_globals.get(slot)
    }
}

fn id(words: Words<'_>, first: usize) -> [u8; 32] {
    let mut id = [0; 32];
    for (n, part) in id.chunks_exact_mut(8).enumerate() {
        part.copy_from_slice(&words.get(first + n).to_le_bytes());
    }
    id
}
