//! The process that a machine asks for programs. It ends with the machine.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use linnet_abi::ABI_VERSION;
use linnet_abi::translator::{ALIGN, Hello, IMPORTS, MAX_MODULE, Reply, Request};
use linnet_codegen::Target;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Pid, Signal, kill_process};

use super::kept::{self, Kept};
use super::linked::Linked;
use super::worker;
use crate::error::{At as _, Error, Result};

/// No worker lives longer, whether it uses time or not.
const LONGEST: Duration = Duration::from_secs(120);

/// No answer of a worker is longer.
const MOST_BYTES: u64 = 1 << 30;

const ENOEXEC: u64 = 8;
const ENOMEM: u64 = 12;
const EIO: u64 = 5;

/// Why a program is not translated, and what the guest is told.
struct Refusal {
    errno: u64,
    text: String,
}

impl Refusal {
    fn new(errno: u64, text: impl ToString) -> Self {
        Refusal { errno, text: text.to_string() }
    }
}

/// Answers the machine whose socket standard input is. What was translated is kept in `directory`.
///
/// # Errors
/// What the host refuses.
pub fn serve(directory: Option<&Path>) -> Result<()> {
    let kept = directory.map(Kept::open).transpose()?;
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    let server = Arc::new(Server {
        kept,
        ready: Mutex::default(),
        busy: Mutex::default(),
        turns: Turns::new(at_once),
    });
    let mut machine: Option<Arc<Machine>> = None;
    server.prepare();
    loop {
        let mut packet = [0; Hello::WHOLE];
        let (length, file) = receive(&mut packet)?;
        if length == 0 {
            server.end_workers();
            return Ok(());
        }
        if length == Hello::WHOLE {
            machine = Some(Arc::new(Machine::new(&packet)));
            continue;
        }
        let Some(request) = packet[..length].try_into().ok().map(Request::from_bytes) else {
            return Err(Error::new("the machine speaks another protocol"));
        };
        let Some(machine) = machine.clone() else { continue };
        match (request.kind, file) {
            (Request::TRANSLATE, Some(file)) => {
                let server = Arc::clone(&server);
                thread::spawn(move || server.answer(&machine, request.tag, &File::from(file)));
            }
            (Request::FORGET, _) => machine.forget(request.tag),
            _ => {}
        }
    }
}

/// The next packet, and the descriptor that came with it.
fn receive(packet: &mut [u8]) -> Result<(usize, Option<OwnedFd>)> {
    let stdin = std::io::stdin();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(packet)];
    let received = loop {
        match recvmsg(stdin.as_fd(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.at("the machine's socket")?,
        }
    };
    let file = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    Ok((received.bytes, file))
}

fn send(reply: &Reply, text: &str, file: Option<&File>) {
    let mut packet = [0; Reply::WHOLE];
    packet[..Reply::SIZE].copy_from_slice(&reply.to_bytes());
    let end = text.floor_char_boundary(Reply::TEXT - 1);
    packet[Reply::SIZE..][..end].copy_from_slice(&text.as_bytes()[..end]);
    let files = file.map(|file| [file.as_fd()]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if let Some(files) = &files {
        ancillary.push(SendAncillaryMessage::ScmRights(files));
    }
    let stdin = std::io::stdin();
    // A machine that is gone needs no answer.
    let _ = sendmsg(stdin.as_fd(), &[IoSlice::new(&packet)], &mut ancillary, SendFlags::NOSIGNAL);
}

/// What a machine has said of itself, and what it has mapped where.
struct Machine {
    /// None if it is not of this version.
    target: Option<Target>,
    imports: [u64; IMPORTS],
    places: Mutex<Places>,
}

impl Machine {
    fn new(packet: &[u8; Hello::WHOLE]) -> Machine {
        let (hello, addresses) = packet.split_first_chunk().unwrap_or((&[0; Hello::SIZE], &[]));
        let hello = Hello::from_bytes(hello);
        let mut imports = [0; IMPORTS];
        for (to, bytes) in imports.iter_mut().zip(addresses.chunks_exact(8)) {
            *to = bytes.try_into().map_or(0, u64::from_le_bytes);
        }
        let is_known = hello.magic == Hello::MAGIC
            && hello.abi_version == u64::from(ABI_VERSION)
            && hello.release == Hello::release(env!("CARGO_PKG_VERSION"));
        let target = Target::ALL.into_iter().find(|target| elf_number(*target) == hello.isa);
        Machine {
            target: target.filter(|_| is_known),
            imports,
            places: Mutex::new(Places { start: hello.start, end: hello.end, used: Vec::new() }),
        }
    }

    fn forget(&self, tag: u64) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.used.retain(|place| place.tag != tag);
    }
}

fn elf_number(target: Target) -> u64 {
    u64::from(match target {
        Target::X86_64 => object::elf::EM_X86_64,
        Target::Aarch64 => object::elf::EM_AARCH64,
        Target::Riscv64 => object::elf::EM_RISCV,
    })
}

struct Place {
    start: u64,
    end: u64,
    tag: u64,
}

/// Where a machine has code, by address.
struct Places {
    start: u64,
    end: u64,
    used: Vec<Place>,
}

impl Places {
    /// The lowest place with so much room.
    fn take(&mut self, size: u64, tag: u64) -> Option<u64> {
        let (mut start, mut index) = (self.start, self.used.len());
        for (n, place) in self.used.iter().enumerate() {
            if place.start - start >= size {
                index = n;
                break;
            }
            start = place.end;
        }
        let end = start.checked_add(size)?;
        if end > self.end {
            return None;
        }
        self.used.insert(index, Place { start, end, tag });
        Some(start)
    }
}

/// So many threads at once.
struct Turns {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Turns {
    fn new(count: usize) -> Self {
        Turns { free: Mutex::new(count), freed: Condvar::new() }
    }

    fn with<T>(&self, f: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        drop(free);
        let result = f();
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.freed.notify_one();
        result
    }
}

struct Server {
    kept: Option<Kept>,
    /// A worker that waits for a module.
    ready: Mutex<Option<Child>>,
    /// Workers that have one.
    busy: Mutex<Vec<Pid>>,
    turns: Turns,
}

impl Server {
    fn answer(&self, machine: &Machine, tag: u64, file: &File) {
        let (reply, text, file) = match self.turns.with(|| self.program(machine, tag, file)) {
            Ok((reply, file)) => (reply, String::new(), Some(file)),
            Err(Refusal { errno, text }) => (Reply { tag, errno, ..Reply::default() }, text, None),
        };
        send(&reply, &text, file.as_ref());
        self.prepare();
    }

    fn program(&self, machine: &Machine, tag: u64, file: &File) -> Result<(Reply, File), Refusal> {
        let target = machine.target.ok_or_else(|| {
            Refusal::new(ENOEXEC, "the translator is of another version than the machine")
        })?;
        let module = read(file).map_err(|error| Refusal::new(EIO, error.message()))?;
        let linked = self.linked(&module, target)?;
        let size = (linked.bytes.len() as u64).next_multiple_of(ALIGN);
        let (code_size, descriptor) = (linked.code_size.next_multiple_of(ALIGN), linked.descriptor);
        let memory = linked.memory;
        let whole = (size + module.len() as u64).next_multiple_of(ALIGN);
        let address = {
            let mut places = machine.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.take(whole, tag)
        };
        let address =
            address.ok_or_else(|| Refusal::new(ENOMEM, "the machine has no room for more code"))?;
        let file = sealed(&linked.placed(address, &machine.imports), size, &module, whole);
        let file = file.map_err(|error| {
            machine.forget(tag);
            Refusal::new(ENOMEM, error.message())
        })?;
        let reply = Reply {
            tag,
            errno: 0,
            address,
            code_size,
            size: whole,
            descriptor: address + descriptor,
            module: address + size,
            module_size: module.len() as u64,
            image_address: memory.image_address,
            image_size: memory.image_size,
            memory_end: memory.memory_end,
            heap_base: memory.heap_base,
        };
        Ok((reply, file))
    }

    /// From the directory, or new.
    fn linked(&self, module: &[u8], target: Target) -> Result<Linked, Refusal> {
        let key = kept::key(module, target);
        if let Some(linked) = self.kept.as_ref().and_then(|kept| kept.find(key)) {
            return Ok(linked);
        }
        let bytes = self.translate(module, target)?;
        let linked =
            Linked::from_bytes(&bytes).map_err(|error| Refusal::new(EIO, error.message()))?;
        if let Some(kept) = &self.kept
            && let Err(error) = kept.put(key, &bytes)
        {
            // A full disk is no reason not to run a program.
            eprintln!("warning: {}", error.message());
        }
        Ok(linked)
    }

    /// Has a worker translate it.
    fn translate(&self, module: &[u8], target: Target) -> Result<Vec<u8>, Refusal> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        let refused = |error: std::io::Error| Refusal::new(EIO, Error::new(error).message());
        let mut child = ready.map_or_else(start_worker, Ok).map_err(refused)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut answer = Vec::new();
        let pid = Pid::from_child(&child);
        self.busy().push(pid);
        thread::scope(|scope| {
            let (done, watch) = mpsc::channel::<()>();
            scope.spawn(move || {
                if watch.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
                    // It is not reaped yet, so that the number is its own.
                    let _ = kill_process(pid, Signal::KILL);
                }
            });
            scope.spawn(move || {
                // Who ends before it has read all of it has said why.
                let _ = stdin.map(|mut stdin| {
                    stdin.write_all(&[worker::number(target)])?;
                    stdin.write_all(module)
                });
            });
            let read = stdout.map(|stdout| stdout.take(MOST_BYTES).read_to_end(&mut answer));
            if !matches!(read, Some(Ok(_))) {
                answer.clear();
            }
            drop(done);
        });
        if answer.len() as u64 == MOST_BYTES {
            let _ = child.kill();
        }
        self.busy().retain(|busy| *busy != pid);
        let status = child.wait().map_err(refused)?;
        const SIGABRT: i32 = 6;
        const SIGKILL: i32 = 9;
        const SIGXCPU: i32 = 24;
        match (status.signal(), answer.split_first()) {
            (None, Some((&worker::DONE, bytes))) if status.success() => Ok(bytes.to_vec()),
            (None, Some((&worker::REFUSED, text))) if status.success() => {
                Err(Refusal::new(ENOEXEC, String::from_utf8_lossy(text)))
            }
            (Some(SIGXCPU | SIGKILL), _) => {
                Err(Refusal::new(ENOEXEC, "the translation takes too long"))
            }
            // So the standard library ends when there is no memory.
            (Some(SIGABRT), _) => {
                Err(Refusal::new(ENOMEM, "the translation needs too much memory"))
            }
            _ => Err(Refusal::new(EIO, format!("the translator has failed ({status})"))),
        }
    }

    fn busy(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody reads their answers any more.
    fn end_workers(&self) {
        for pid in self.busy().iter() {
            // Whoever is in the list is not reaped yet.
            let _ = kill_process(*pid, Signal::KILL);
        }
    }

    /// Starts a worker ahead of the next module.
    fn prepare(&self) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.is_none() {
            *ready = start_worker().ok();
        }
    }
}

fn start_worker() -> std::io::Result<Child> {
    // Whatever has happened to the file that this program was started from.
    linnet_process::command("/proc/self/exe")
        .arg("translate-one")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

fn read(file: &File) -> Result<Vec<u8>> {
    let size = file.metadata().at("the module")?.len();
    if size > MAX_MODULE {
        return Err(Error::new(format!("the module has more than {} MiB", MAX_MODULE >> 20)));
    }
    let mut module = vec![0; size as usize];
    file.read_exact_at(&mut module, 0).at("the module")?;
    Ok(module)
}

/// A memory file of `whole` bytes that nobody can change any more: the code, and from `size` on the module.
fn sealed(code: &[u8], size: u64, module: &[u8], whole: u64) -> Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(memfd_create("linnet-code", flags).at("memory file")?);
    file.set_len(whole).at("memory file")?;
    file.write_all_at(code, 0).at("memory file")?;
    file.write_all_at(module, size).at("memory file")?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, seals).at("memory file")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_place_with_room_is_taken() {
        let mut places = Places { start: 100, end: 200, used: Vec::new() };
        assert_eq!(places.take(50, 1), Some(100));
        assert_eq!(places.take(20, 2), Some(150));
        assert_eq!(places.take(31, 3), None);
        assert_eq!(places.take(30, 3), Some(170));
        places.used.retain(|place| place.tag != 2);
        assert_eq!(places.take(21, 4), None);
        assert_eq!(places.take(20, 4), Some(150));
    }
}
