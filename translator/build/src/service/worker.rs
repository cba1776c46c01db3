//! The process that translates one module. What it reads is untrusted, so that it gives up all rights first.

use std::io::{Read as _, Write as _};

use linnet_abi::exec::{HEADER_OFFSET, HEADER_SIZE};
use linnet_codegen::Target;
use linnet_host::nr;
use linnet_host::sandbox::{self, Filter, Leave};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::link::link;
use super::linked::{Linked, Memory};
use crate::error::{At as _, Error, Result};
use crate::translate::program_options;

/// Most memory, and most time of all its threads together.
const MEMORY: u64 = 4 << 30;
const SECONDS: u64 = 60;

/// The first byte of an answer: code follows, or a message.
pub(crate) const DONE: u8 = 0;
pub(crate) const REFUSED: u8 = 1;

/// Translates the module on standard input, whose first byte says for which ISA; the answer goes to standard
/// output.
///
/// # Errors
/// What the host refuses. An error of the module is an answer.
pub fn work() -> Result<()> {
    enter_sandbox()?;
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input).at("standard input")?;
    let (status, answer) = match translate(&input) {
        Ok(linked) => (DONE, linked.to_bytes()),
        Err(error) => (REFUSED, error.message().as_bytes().to_vec()),
    };
    let mut output = std::io::stdout().lock();
    output.write_all(&[status]).and_then(|()| output.write_all(&answer)).at("standard output")?;
    output.flush().at("standard output")
}

/// What goes to a worker before the module.
pub(crate) fn number(target: Target) -> u8 {
    Target::ALL.iter().position(|known| *known == target).unwrap_or_default() as u8
}

fn translate(input: &[u8]) -> Result<Linked> {
    let Some((number, module)) = input.split_first() else {
        return Err(Error::new("no module"));
    };
    let target = Target::ALL.get(usize::from(*number)).ok_or_else(|| Error::new("no such ISA"))?;
    let translate = || -> Result<_, linnet_codegen::Error> {
        let file = linnet_codegen::exec_file(module, true)?;
        let object = linnet_codegen::translate(module, &program_options(*target, module))?;
        Ok((file, object))
    };
    // The hint is not for whoever starts the program.
    let (file, object) = translate().map_err(Error::new)?;
    let mut linked = link(&object.bytes, *target)?;
    linked.memory = memory(&file).ok_or_else(|| Error::new("no header"))?;
    Ok(linked)
}

/// From the header that a program file has.
fn memory(file: &[u8]) -> Option<Memory> {
    let header = file.get(HEADER_OFFSET..HEADER_OFFSET + HEADER_SIZE)?;
    let mut words =
        header[32..].chunks_exact(4).map(|word| word.try_into().map(u32::from_le_bytes));
    let mut word = || words.next()?.ok().map(u64::from);
    let (_version, image_address, _offset) = (word()?, word()?, word()?);
    Some(Memory { image_address, image_size: word()?, memory_end: word()?, heap_base: word()? })
}

/// Where there is no such thing, as under an emulator, the bounds are all there is.
fn enter_sandbox() -> Result<()> {
    let bound = |resource, most| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).at("limits of the translator")
    };
    bound(Resource::Data, MEMORY)?;
    bound(Resource::Cpu, SECONDS)?;
    bound(Resource::Fsize, 0)?;
    bound(Resource::Core, 0)?;
    if sandbox::no_new_privileges() {
        let _ = sandbox::landlock(Leave::default());
        let _ = filter().install();
    }
    Ok(())
}

/// Memory and threads of its own, and the streams that are open.
const ALLOWED: [usize; 24] = [
    nr::READ,
    nr::WRITE,
    nr::CLOSE,
    nr::MUNMAP,
    nr::MREMAP,
    nr::BRK,
    nr::MADVISE,
    nr::FUTEX,
    nr::SET_ROBUST_LIST,
    nr::RSEQ,
    nr::SCHED_YIELD,
    nr::SCHED_GETAFFINITY,
    nr::SIGALTSTACK,
    nr::RT_SIGACTION,
    nr::RT_SIGPROCMASK,
    nr::RT_SIGRETURN,
    nr::CLOCK_GETTIME,
    nr::GETRANDOM,
    nr::GETPID,
    nr::GETTID,
    nr::TGKILL,
    nr::PPOLL,
    nr::EXIT,
    nr::EXIT_GROUP,
];

fn filter() -> Filter {
    const PROT_EXEC: u32 = 4;
    const ENOSYS: u32 = 38;
    const ENOENT: u32 = 2;
    /// A thread of this process, as the C library makes them.
    const THREAD: u32 = 0x003d_0f00;
    let mut filter = Filter::new();
    for nr in ALLOWED {
        filter.allow(nr);
    }
    filter.allow_without(nr::MMAP, 2, PROT_EXEC);
    filter.allow_without(nr::MPROTECT, 2, PROT_EXEC);
    // Its flags lie in memory: the C library then takes the other call.
    filter.answer(nr::CLONE3, ENOSYS);
    filter.allow_if_equal(nr::CLONE, 0, &[THREAD]);
    // The name of a thread.
    filter.allow(nr::PRCTL);
    // Rust looks for limits of control groups.
    filter.answer(nr::OPENAT, ENOENT);
    filter
}
