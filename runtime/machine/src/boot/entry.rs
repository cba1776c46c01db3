//! From the host's first instruction to the guest kernel's.

use super::cpio::Archive;
use super::migration;
use super::options::{self, Disk, Options, Stop};
use super::restart::{self, Kept};
use super::{network, shares, translator};
use crate::border::kernel::{self, Symbol, symbol};
use crate::border::snapshot::incoming::Incoming;
use crate::border::snapshot::{freeze, outgoing, periodic, rewind, thaw};
use crate::border::{clock as guest_clock, fault, hostcall};
use crate::cpu::{thread, timer, vcpu};
use crate::device::{console, signals, virtio};
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use crate::host::sandbox::{self, Sandbox, Sockets};
use crate::host::signals::{end_if_requested, ignored};
use crate::host::{clock, sys, terminal};
use crate::memory::demand;
use crate::memory::ids::MemoryId;
use crate::memory::image;
use crate::memory::layout::{self, Layout};
use crate::memory::ram::{self, Ram};
use crate::memory::range::GuestSlice;
use crate::memory::tlb;
use crate::task::registry::{self, NotMade};
use crate::task::{Entry, Task};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::fmt::Write;
use core::mem::offset_of;
use core::ops::Range;
use linnet_abi::boot::{START_SIZE, Start};
use linnet_abi::clock::Clocks;
use linnet_abi::irq;
use linnet_abi::memory::NULL_GUARD;
use linnet_device::sys::Fd;
use linnet_net::options::Net;

const DEFAULT_MEMORY: u64 = 1 << 30;

/// Size of the kernel's command line buffer.
const COMMAND_LINE_SIZE: usize = 2048;

/// What the host put on the first stack: see "Process Initialization" in the System V ABI.
#[derive(Clone, Copy)]
struct Process {
    argc: usize,
    argv: *const *const u8,
    envp: *const *const u8,
    auxv: *const [usize; 2],
}

struct Global(UnsafeCell<Option<Process>>);

// SAFETY: written before the second thread starts.
unsafe impl Sync for Global {}

static PROCESS: Global = Global(UnsafeCell::new(None));

impl Process {
    /// # Safety
    /// `stack` must be the stack pointer that the process started with.
    unsafe fn new(stack: *const usize) -> Process {
        // SAFETY: the host laid out argc, argv, null, envp, null, auxv.
        unsafe {
            let argc = *stack;
            let argv = stack.add(1).cast::<*const u8>();
            let envp = argv.add(argc + 1);
            let mut end = envp;
            while !(*end).is_null() {
                end = end.add(1);
            }
            Process { argc, argv, envp, auxv: end.add(1).cast() }
        }
    }

    fn words(self) -> impl Iterator<Item = &'static CStr> {
        // SAFETY: argv has argc strings that stay as long as the process.
        (1..self.argc).map(move |i| unsafe { CStr::from_ptr((*self.argv.add(i)).cast()) })
    }

    fn assignments(self) -> impl Iterator<Item = &'static [u8]> {
        // SAFETY: envp is a null-terminated array of strings that stay as long as the process.
        (0..).map_while(move |i| unsafe {
            let text = *self.envp.add(i);
            (!text.is_null()).then(|| CStr::from_ptr(text.cast()).to_bytes())
        })
    }

    fn variable(self, name: &[u8]) -> Option<&'static [u8]> {
        self.assignments().find_map(|text| text.strip_prefix(name)?.strip_prefix(b"="))
    }

    /// The name of the file that the host has started.
    fn file_name(self) -> Option<&'static CStr> {
        const AT_EXECFN: usize = 31;
        let name = self.auxiliary(AT_EXECFN) as *const core::ffi::c_char;
        // SAFETY: null, or a string that stays as long as the process.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
    }

    /// What the machine before this one has left, if this is a restart.
    fn kept(self) -> Option<Kept> {
        self.assignments().find_map(restart::value).and_then(Kept::parse)
    }

    /// Addresses where the host has put something of this process.
    fn places(self) -> [usize; 3] {
        const AT_SYSINFO_EHDR: usize = 33;
        let file = start as *const () as usize;
        [file, self.argv.addr(), self.auxiliary(AT_SYSINFO_EHDR)]
    }

    fn auxiliary(self, key: usize) -> usize {
        let mut at = self.auxv;
        // SAFETY: auxv ends with key 0.
        unsafe {
            while (*at)[0] != 0 {
                if (*at)[0] == key {
                    return (*at)[1];
                }
                at = at.add(1);
            }
        }
        0
    }
}

/// Entered from `_start`, on the first thread's stack.
#[unsafe(export_name = "linnet_upcall_start")]
extern "C" fn start(stack: *const usize) -> ! {
    const AT_SYSINFO_EHDR: usize = 33;
    // SAFETY: `_start` passes the stack pointer.
    let process = unsafe { Process::new(stack) };
    // SAFETY: only one thread runs yet.
    unsafe { *PROCESS.0.get() = Some(process) };
    let options = match options::parse(process.words()) {
        Ok(options) => options,
        Err(stop) => end(&stop),
    };
    if !image::is_consistent() {
        fatal!(exit::BUG, "kernel, programs and runtime of this file were not made together");
    }
    if !sys::fill_standard_streams() {
        fatal!(exit::HOST, "the host lets no closed standard stream be filled");
    }
    // Before the first thread, and before the first signal handler.
    let kept = process.kept();
    let network = network::begin(&options, kept.as_ref());
    let shares = shares::begin(&options, kept.as_ref());
    let translator = translator::begin(&options, kept.as_ref(), process.envp);
    let migration = migration::begin(&options, kept.as_ref());
    signals::init(migration::on_request(&options));
    clock::init(process.auxiliary(AT_SYSINFO_EHDR));
    let begun = Begun { network, shares, migration, translator };
    boot_machine(process, &options, kept.as_ref(), begun)
}

/// Is a machine with these options the one that was frozen when this file was built? What a kernel finds at its boot
/// alone makes another one.
fn is_frozen_for(options: &Options<'_>) -> bool {
    options.disks.iter().all(Option::is_none)
        && options.net == Net::None
        && options.shares[0].is_none()
        && options.memory.is_none()
        && options.append.is_empty()
        && options.address_bits.is_none()
}

/// Other processes, which began before.
struct Begun {
    network: network::Begun,
    shares: shares::Begun,
    migration: migration::Begun,
    translator: Option<Fd>,
}

/// Does nobody but the machine's own process use its memory? Devices of others map it, and a disk's is used by calls of
/// the host.
fn uses_memory_alone(options: &Options<'_>) -> bool {
    options.disks.iter().all(Option::is_none)
        && image::disks().next().is_none()
        && options.net == Net::None
        && options.shares[0].is_none()
        && options.translator.is_none()
}

/// What the machine begins as.
enum Origin {
    Boot,
    Snapshot(thaw::Opened),
    Incoming(Incoming),
}

impl Origin {
    fn new(options: &Options<'_>, kept: Option<&Kept>, migration: &migration::Begun) -> Origin {
        // A machine that starts again does so from nothing.
        if let Some(path) = options.resume.filter(|_| kept.is_none()) {
            return Origin::Snapshot(open_snapshot(path));
        }
        if let Some((path, back)) = options.rewind.filter(|_| kept.is_none()) {
            return Origin::Snapshot(rewind(path, back));
        }
        if let Some(incoming) = migration.incoming() {
            return Origin::Incoming(incoming);
        }
        match image::snapshot().filter(|_| is_frozen_for(options)).map(thaw::open_own) {
            None => Origin::Boot,
            Some(Ok(opened)) => Origin::Snapshot(opened),
            Some(Err(error)) => fatal!(exit::SNAPSHOT, "{error}"),
        }
    }

    /// Bytes of the memory that it has, if it has one already.
    fn memory(&self) -> Option<u64> {
        let size = match self {
            Origin::Boot => return None,
            Origin::Snapshot(opened) => opened.snapshot.memory(),
            Origin::Incoming(incoming) => incoming.memory,
        };
        let is_right = size.is_multiple_of(1 << 16)
            && (options::MEMORY_MIN..=options::MEMORY_MAX).contains(&size);
        if !is_right {
            cannot_resume(&thaw::Error::Wrong("no machine has memory of that size"));
        }
        Some(size)
    }
}

fn end(stop: &Stop<'_>) -> ! {
    let text = match stop {
        Stop::Help => options::HELP,
        Stop::Version => concat!("linnet ", env!("CARGO_PKG_VERSION"), "\n"),
        other => {
            eprintln!("error: {other}");
            sys::exit(exit::USAGE)
        }
    };
    // SAFETY: the text is valid memory.
    unsafe { sys::write(1, text.as_ptr(), text.len()) };
    sys::exit(0)
}

fn boot_machine(
    process: Process,
    options: &Options<'static>,
    kept: Option<&Kept>,
    Begun { network, shares, migration, translator }: Begun,
) -> ! {
    const AT_PAGESZ: usize = 6;
    let page = process.auxiliary(AT_PAGESZ);
    let default = match image::image().memory {
        0 => DEFAULT_MEMORY,
        n => n,
    };
    let cpus = options.cpus.unwrap_or_else(sys::host_cpus).clamp(1, vcpu::MAX_VCPUS as u32);

    let mappings = sys::mapping_limit().unwrap_or(tlb::HOST_DEFAULT);
    layout::init(options.address_bits, &process.places(), mappings);
    let origin = Origin::new(options, kept, &migration);
    let memory = match (origin.memory(), options.memory) {
        (None, asked) => asked.unwrap_or(default) & !0xffff,
        (Some(size), None) => size,
        (Some(size), Some(asked)) if asked == size => size,
        (Some(size), Some(_)) => fatal!(
            exit::USAGE,
            "the machine that was frozen has {} MiB of memory\nhint: leave --memory away",
            size >> 20
        ),
    };
    tlb::init(mappings, options.tlb_budget, cpus);
    ram::init(memory, image::kernel(), matches!(origin, Origin::Boot));
    fault::init();
    let snapshot = match &origin {
        Origin::Boot => None,
        Origin::Snapshot(opened) => {
            let loaded = match uses_memory_alone(options) {
                true => opened.load_memory_on_demand(page),
                false => opened.load_memory(),
            };
            loaded.unwrap_or_else(|error| cannot_resume(&error));
            if let Some(place) = opened.start().unwrap_or_else(|error| cannot_resume(&error)) {
                tell_start(place, process, options);
            }
            Some(opened.snapshot)
        }
        Origin::Incoming(incoming) => {
            Some(incoming.load().unwrap_or_else(|error| cannot_resume(&error)))
        }
    };
    describe_kernel(cpus);
    check_page_size(page);
    registry::init(page);
    if snapshot.is_none() {
        registry::reserve(cpus);
    }
    match (options.freeze_to, kept) {
        (None, _) => {}
        (Some(_), Some(kept)) => {
            freeze::init_files(kept.snapshots().map(|fd| (fd, sys::size(fd).unwrap_or(0))));
        }
        (Some(path), None) => match options.snapshots {
            None => freeze::init_files(core::iter::once(open_target(path))),
            Some((count, _)) => {
                freeze::init_files((1..=count).map(|n| with_number(path, n, open_target)))
            }
        },
    }
    if let (Some((_, text)), Some(caller)) = (options.migrate_to, migration.caller) {
        freeze::init_line(outgoing::init(caller, text));
    }
    if options.ignore_broken_rules {
        hostcall::ignore_broken_rules();
    }
    let initrd = snapshot.is_none().then(|| load_initrd(process, options, memory));
    attach_disks(options, kept);
    let sockets = Sockets {
        network: network::attach(network),
        shares: shares::attach(shares, options),
        translator: translator::attach(translator),
        caller: migration.caller,
    };
    let resumed = snapshot.map(|snapshot| {
        let task = thaw::load_tasks(&snapshot).unwrap_or_else(|error| cannot_resume(&error));
        thaw::forget(&snapshot);
        task
    });
    let program = restart::find_program(process.file_name());
    terminal::init();
    if options.sandbox {
        warn_missing(sandbox::enter(program, sockets));
    }
    timer::init();
    console::init();
    virtio::net::init();
    virtio::shares::init();
    vcpu::start_threads();
    outgoing::start();
    if let Some((_, seconds)) = options.snapshots {
        periodic::start(seconds);
    }
    if options.overflow_stack {
        thread::overflow();
    }

    if let Some(task) = resumed {
        if options.freeze_again {
            freeze::again(task.task());
        }
        if let Origin::Incoming(incoming) = &origin {
            incoming.take_over().unwrap_or_else(|error| cannot_resume(&error));
        }
        if options.published.iter().any(Option::is_some) {
            eprintln!("note: the published ports are open again");
        }
        // What devices have to tell may have changed.
        vcpu::first().interrupt(irq::ALL_DEVICES);
        vcpu::run_first(task);
    }
    let initrd = initrd.unwrap_or_default();
    let mut line = [0; COMMAND_LINE_SIZE];
    command_line(&mut line, options);
    // SAFETY: only one thread touches this yet.
    unsafe { *BOOT.0.get() = Some(Boot { initrd, line }) };
    let stack = symbol(Symbol::init_stack).wrapping_add(word(Symbol::linnet_thread_size));
    match registry::new(symbol(Symbol::init_task), stack, first_task) {
        Ok(task) => vcpu::run_first(task),
        Err(NotMade::NoMemory | NotMade::TooMany) => {
            fatal!(exit::HOST, "the host has no room for the first task's stacks")
        }
        Err(_) => fatal!(exit::KERNEL, "the kernel has its first task where none can be"),
    }
}

/// A part of the kernel's memory that its symbols name; it must lie in guest-physical memory.
fn part(name: Symbol, size: u32, align: u32) -> (GuestSlice, Range<u32>) {
    let address = symbol(name);
    let end = u64::from(address) + u64::from(size);
    match GuestSlice::new(address, size) {
        Some(part) if end <= Ram::get().size && address.is_multiple_of(align) => {
            (part, address..end as u32)
        }
        _ => fatal!(exit::KERNEL, "the kernel has no {name:?} in its memory"),
    }
}

/// A 32-bit word of the kernel.
fn word(name: Symbol) -> u32 {
    part(name, 4, 4).0.word()
}

/// Find out what the runtime must know of the kernel.
fn describe_kernel(cpus: u32) {
    let (words, pending) = part(Symbol::linnet_pending, vcpu::MAX_VCPUS as u32 * irq::STRIDE, 4);
    let (clocks, clock) = part(Symbol::linnet_clocks, size_of::<Clocks>() as u32, 8);
    let page_shift = word(Symbol::linnet_page_shift);
    if !(12..=16).contains(&page_shift) {
        fatal!(exit::KERNEL, "the kernel has pages of 2^{page_shift} bytes");
    }
    // Whoever loads something else may be interrupted by a signal, which uses them.
    for pinned in [&pending, &clock] {
        demand::need(pinned.start.into()..pinned.end.into());
    }
    ram::describe(page_shift, [pending, clock]);
    guest_clock::init(clocks.host());
    vcpu::init(cpus, |n| words.host().wrapping_add((n * irq::STRIDE) as usize).cast());
}

/// Most bytes of a path, with the zero at its end.
const PATH_SIZE: usize = 4096;

/// Calls `f` with a path that ends with a zero.
fn with_path<T>(what: &str, path: &str, f: impl FnOnce(&CStr) -> T) -> T {
    let mut bytes = [0; PATH_SIZE];
    if path.len() >= PATH_SIZE {
        fatal!(exit::USAGE, "the name of {what} is longer than {PATH_SIZE} bytes");
    }
    bytes[..path.len()].copy_from_slice(path.as_bytes());
    match CStr::from_bytes_with_nul(&bytes[..=path.len()]) {
        Ok(path) => f(path),
        // Arguments have none, but a description in the image may.
        Err(_) => fatal!(exit::USAGE, "the name of {what} has a zero in it"),
    }
}

fn open_snapshot(path: &str) -> thaw::Opened {
    match with_path("the snapshot", path, thaw::open) {
        Ok(snapshot) => snapshot,
        Err(error) => fatal!(exit::SNAPSHOT, "{path}: {error}"),
    }
}

/// Calls `f` with the name of a file that is numbered.
fn with_number<T>(path: &str, number: usize, f: impl FnOnce(&str) -> T) -> T {
    let mut bytes = [0; PATH_SIZE];
    let mut name = Archive::new(&mut bytes);
    let _ = write!(name, "{path}.{number}");
    if !name.fits() {
        fatal!(exit::USAGE, "the name of the snapshot is longer than {PATH_SIZE} bytes");
    }
    let size = name.len;
    // Both of its parts are text.
    f(core::str::from_utf8(&bytes[..size]).unwrap_or_default())
}

fn rewind(path: &str, back: usize) -> thaw::Opened {
    let number = rewind::choose(back, |number, look| {
        with_number(path, number, |path| with_path("the snapshot", path, |path| look(path)));
    });
    match number {
        Some(number) => with_number(path, number, open_snapshot),
        None => fatal!(
            exit::SNAPSHOT,
            "{path}.1 and so on: there are not so many snapshots\nhint: --snapshots makes them; a smaller number behind the comma goes less far back"
        ),
    }
}

fn cannot_resume(error: &thaw::Error) -> ! {
    fatal!(exit::SNAPSHOT, "{error}")
}

/// A file for snapshots, and its size.
fn open_target(path: &str) -> (i32, u64) {
    match with_path("the snapshot", path, sys::open_to_write) {
        Ok(opened) => opened,
        Err(error) => fatal!(exit::USAGE, "{path}: {error}"),
    }
}

fn attach_disks<'a>(options: &Options<'a>, kept: Option<&Kept>) {
    let described = image::disks().map(|text| -> Disk<'a> { Disk::new(text) });
    let asked = options.disks.iter().flatten().copied();
    for (n, disk) in described.chain(asked).enumerate() {
        if n == virtio::MAX_DISKS {
            fatal!(exit::USAGE, "more than {n} disks");
        }
        if options.snapshots.is_some() && !disk.read_only {
            fatal!(
                exit::USAGE,
                "disk {}: what is written to a disk cannot be rewound\nhint: leave --snapshots away, or give the disk as {},ro",
                disk.path,
                disk.path
            );
        }
        let attach =
            |path: &CStr| virtio::attach(path, disk.read_only, kept.map(|kept| kept.disk(n)));
        if let Err(error) = with_path("a disk", disk.path, attach) {
            fatal!(exit::HOST, "disk {}: {error}", disk.path);
        }
    }
}

/// The host cannot take away all that it should. The guest's own borders do not depend on it.
fn warn_missing(sandbox: Sandbox) {
    match sandbox {
        Sandbox { seccomp: true, landlock: true } => {}
        Sandbox { seccomp: true, landlock: false } => eprintln!(
            "warning: this host has no Landlock: the sandbox is seccomp alone, and reboot ends the process"
        ),
        Sandbox { seccomp: false, landlock: true } => {
            eprintln!("warning: this host has no seccomp: the sandbox is Landlock alone");
        }
        Sandbox { seccomp: false, landlock: false } => {
            eprintln!("warning: this host has neither seccomp nor Landlock: there is no sandbox");
        }
    }
}

/// A mapping of guest memory is a mapping of the host, so that its pages must not be larger.
fn check_page_size(host: usize) {
    let guest = 1_usize << Ram::get().page_shift;
    if host > guest {
        fatal!(
            exit::HOST,
            "this host has pages of {} KiB, the guest has pages of {} KiB\nhint: start the host with a kernel whose pages are not larger",
            host >> 10,
            guest >> 10
        );
    }
}

/// What the kernel is booted with.
struct Boot {
    /// Address and size of the root file system.
    initrd: (u32, u32),
    line: [u8; COMMAND_LINE_SIZE],
}

struct BootCell(UnsafeCell<Option<Boot>>);

// SAFETY: written before the first task runs, read by it.
unsafe impl Sync for BootCell {}

static BOOT: BootCell = BootCell(UnsafeCell::new(None));

extern "C" fn first_task(task: &'static Task) -> ! {
    // SAFETY: written before.
    let start = unsafe { (*BOOT.0.get()).as_ref() }.expect("the first task is made last");
    task.entry.set(Entry::Task);
    let (initrd, size) = start.initrd;
    // SAFETY: on the task's kernel stack.
    let at = unsafe { kernel::command_line(task.kernel_context()) };
    match GuestSlice::new(at, COMMAND_LINE_SIZE as u32) {
        Some(place) => place.write(0, &start.line),
        None => fatal!(exit::KERNEL, "the kernel has its command line outside of its memory"),
    };
    // SAFETY: as above.
    unsafe { kernel::boot(task.kernel_context(), Ram::get().size as u32, initrd, size) };
    fatal!(exit::KERNEL, "the kernel returned");
}

/// Lay both archives at the end of memory; their address and size.
fn load_initrd(process: Process, options: &Options<'_>, memory: u64) -> (u32, u32) {
    const OURS: usize = 256 << 10;
    let base = image::initrd();
    let room = (base.len() + 8 + OURS + 0xffff) & !0xffff;
    if room as u64 + NULL_GUARD > memory / 2 {
        fatal!(
            exit::USAGE,
            "{} MiB of memory do not hold the root file system\nhint: give the machine more with --memory",
            memory >> 20
        );
    }
    let at = memory as usize - room;
    let to = (tlb::base(MemoryId::KERNEL) + at as u64) as *mut u8;
    // SAFETY: guest memory that the kernel does not use yet; `room` bytes from there are mapped.
    let ours = unsafe {
        core::ptr::copy_nonoverlapping(base.as_ptr(), to, base.len());
        core::slice::from_raw_parts_mut(to.add((base.len() + 3) & !3), OURS)
    };
    let mut archive = Archive::new(ours);
    write_archive(&mut archive, process, options);
    if !archive.fits() {
        fatal!(exit::USAGE, "the command is longer than {OURS} bytes\nhint: put it into a file");
    }
    (at as u32, (((base.len() + 3) & !3) + archive.len) as u32)
}

/// Tell a machine that starts as a snapshot what for.
fn tell_start(place: GuestSlice, process: Process, options: &Options<'_>) {
    // The host may have given the first thread a small stack.
    let text = thaw::room(size_of::<Start>() - offset_of!(Start, text));
    let text = text.unwrap_or_else(|error| cannot_resume(&error));
    let mut archive = Archive::new(text);
    write_environment(&mut archive, process);
    if let Some(first) = options.command {
        archive.bytes(&[0]);
        for word in process.words().skip(first) {
            archive.bytes(word.to_bytes_with_nul());
        }
    }
    if !archive.fits() {
        fatal!(
            exit::USAGE,
            "the command is longer than {START_SIZE} bytes\nhint: put it into a file"
        );
    }
    let size = archive.len;
    let words = [size as u32, u32::from(terminal::is_terminal(0)), terminal::console() as u32];
    for (n, word) in words.into_iter().enumerate() {
        place.write(4 * n, &word.to_le_bytes());
    }
    place.write(offset_of!(Start, text), &text[..size]);
}

fn write_archive(archive: &mut Archive<'_>, process: Process, options: &Options<'_>) {
    const DIRECTORY: u32 = 0o040_755;
    const FILE: u32 = 0o100_644;
    archive.entry("linnet", DIRECTORY, 0);
    if let Some(first) = options.command {
        let size = process.words().skip(first).map(|w| w.count_bytes() + 1).sum();
        archive.entry("linnet/command", FILE, size);
        for word in process.words().skip(first) {
            archive.bytes(word.to_bytes_with_nul());
        }
        archive.align();
    }
    let size = shares::write(&mut Archive::new(&mut []), options);
    if size != 0 {
        archive.entry("linnet/shares", FILE, size);
        shares::write(archive, options);
        archive.align();
    }
    let size = write_environment(&mut Archive::new(&mut []), process);
    archive.entry("linnet/environment", FILE, size);
    write_environment(archive, process);
    archive.align();
    archive.end();
}

/// How many bytes it has.
fn write_environment(archive: &mut Archive<'_>, process: Process) -> usize {
    let start = archive.len;
    archive.bytes(b"TERM=");
    archive.bytes(process.variable(b"TERM").unwrap_or(b"linux"));
    archive.bytes(&[0]);
    for (i, name) in ["STDIN", "STDOUT", "STDERR"].iter().enumerate() {
        let kind = if terminal::is_terminal(i as i32) { "tty" } else { "pipe" };
        let _ = write!(archive, "LINNET_{name}={kind}\0");
    }
    let _ = write!(archive, "LINNET_IGNORED={:x}\0", ignored());
    archive.len - start
}

fn command_line(buffer: &mut [u8; COMMAND_LINE_SIZE], options: &Options<'_>) {
    let mut line = Archive::new(buffer);
    // Input that is no terminal belongs to a device of its own and not to the console.
    let stdin = if terminal::is_terminal(0) { "" } else { " linnet.stdin=pipe" };
    let _ = write!(line, "{}{stdin} linnet.console={}", image::append(), terminal::console());
    if Layout::is_small() {
        // Idle tasks do not count.
        let threads = Layout::get().region_count - vcpu::MAX_VCPUS;
        let _ = write!(line, " sysctl.kernel.threads-max={threads}");
    }
    let _ = virtio::kernel_arguments(&mut line);
    let _ = write!(line, " {}\0", options.append);
    if !line.fits() {
        fatal!(exit::USAGE, "the kernel's arguments are longer than {COMMAND_LINE_SIZE} bytes");
    }
}

/// Start the process again from its own file.
#[unsafe(export_name = "linnet_upcall_restart")]
extern "C" fn restart() -> ! {
    end_if_requested();
    // SAFETY: written at the start.
    if let Some(process) = unsafe { *PROCESS.0.get() } {
        // SAFETY: both arrays are those the host passed.
        unsafe { restart::restart(process.argv, process.envp, freeze::descriptors()) }
    }
    sys::exit(exit::BUG)
}
