//! The translator of programs that the boot binary does not hold: another process, which begins before anything else
//! does.

use super::options::Options;
use super::restart::Kept;
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use crate::host::sys;
use crate::memory::layout::Layout;
use crate::memory::loaded;
use core::ffi::CStr;
use linnet_abi::ABI_VERSION;
use linnet_abi::for_each_user_call;
use linnet_abi::translator::{Hello, IMPORTS};
use linnet_device::sys::{self as net_sys, Errno, Fd};

/// Begin it, if there is to be one; the calling process has one thread. `environment` is a null-terminated array
/// of strings.
pub fn begin(
    options: &Options<'_>,
    kept: Option<&Kept>,
    environment: *const *const u8,
) -> Option<Fd> {
    if let Some(kept) = kept {
        return kept.translator();
    }
    let path = options.translator?;
    let (mut buffer, mut directory) = ([0; MOST_BYTES], [0; MOST_BYTES]);
    let program = terminated("the translator", path, &mut buffer);
    let there = sys::open_path(program);
    if there < 0 {
        fatal!(
            exit::USAGE,
            "translator {path}: {}\nhint: give the path of linnet",
            sys::reason(-there)
        );
    }
    sys::close(there);
    let directory =
        options.code_cache.map(|path| terminated("the directory for code", path, &mut directory));
    let begun = net_sys::packet_pair().and_then(|[ours, theirs]| {
        if net_sys::fork()? {
            drop(ours);
            run(&theirs, program, directory, environment);
        }
        net_sys::never_wait(&ours)?;
        Ok(ours)
    });
    match begun {
        Ok(socket) => Some(socket),
        Err(Errno(errno)) => {
            fatal!(exit::HOST, "the host refuses a process for the translator (errno {errno})")
        }
    }
}

const MOST_BYTES: usize = 4096;

fn terminated<'b>(what: &str, path: &str, buffer: &'b mut [u8; MOST_BYTES]) -> &'b CStr {
    if path.len() >= MOST_BYTES {
        fatal!(exit::USAGE, "the name of {what} is longer than {MOST_BYTES} bytes");
    }
    buffer[..path.len()].copy_from_slice(path.as_bytes());
    match CStr::from_bytes_until_nul(buffer) {
        Ok(path) => path,
        Err(_) => fatal!(exit::USAGE, "{what} has no name"),
    }
}

/// The other process becomes the translator.
fn run(socket: &Fd, program: &CStr, directory: Option<&CStr>, environment: *const *const u8) -> ! {
    // Signals are meant for the machine, which lives as long as the translator is to.
    net_sys::ignore_signals();
    let (option, value) = match directory {
        Some(directory) => (c"--code-cache".as_ptr(), directory.as_ptr()),
        None => (core::ptr::null(), core::ptr::null()),
    };
    let words = [program.as_ptr(), c"translator".as_ptr(), option, value, core::ptr::null()]
        .map(<*const _>::cast);
    // SAFETY: both arrays end with null, and what they point to lives as long as this process.
    let errno = unsafe { net_sys::become_program(socket, program, words.as_ptr(), environment) };
    let path = program.to_str().unwrap_or("?");
    eprintln!("error: translator {path}: cannot be executed (errno {})", errno.0);
    net_sys::exit(1)
}

/// Tell the translator what the machine is. The socket.
pub fn attach(translator: Option<Fd>) -> Option<i32> {
    let socket = translator?.leak();
    let code = Layout::get().code();
    let hello = Hello {
        magic: Hello::MAGIC,
        abi_version: u64::from(ABI_VERSION),
        release: Hello::release(env!("CARGO_PKG_VERSION")),
        isa: ISA,
        start: code.start as u64,
        end: code.end as u64,
    };
    let mut packet = [0; Hello::WHOLE];
    let (head, rest) = packet.split_at_mut(Hello::SIZE);
    head.copy_from_slice(&hello.to_bytes());
    for (to, address) in rest.chunks_exact_mut(8).zip(imports()) {
        to.copy_from_slice(&address.to_le_bytes());
    }
    // SAFETY: the socket is this process's. If the translator has ended, that is found when it is needed.
    let _ = unsafe { net_sys::send_message(socket, &packet, None) };
    loaded::init(socket);
    Some(socket)
}

/// ELF's number of this ISA.
const ISA: u64 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    243
};

/// Addresses of what programs call, in the order of [`linnet_abi::translator::IMPORTS`].
fn imports() -> [u64; IMPORTS] {
    unsafe extern "C" {
        fn linnet_libcall_memory_copy();
        fn linnet_libcall_memory_fill();
        fn linnet_libcall_memory_grow();
        fn linnet_libcall_memory_size();
        fn linnet_libcall_atomic_wait32();
        fn linnet_libcall_atomic_wait64();
        fn linnet_libcall_atomic_notify();
        fn linnet_libcall_throw();
        fn linnet_libcall_poll();
        fn linnet_frames_captured();
    }
    let mut addresses = [0; IMPORTS];
    let mut free = addresses.iter_mut();
    let mut next = |function: unsafe extern "C" fn()| {
        *free.next().expect("as many as there are imports") = function as usize as u64;
    };
    macro_rules! addresses {
        ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ident),*) $(-> $ret:ident)?;)*) => {{
            $({
                unsafe extern "C" {
                    #[link_name = concat!("linnet_user_", stringify!($name))]
                    fn $name();
                }
                next($name);
            })*
        }};
    }
    for_each_user_call!(addresses);
    for libcall in [
        linnet_libcall_memory_copy,
        linnet_libcall_memory_fill,
        linnet_libcall_memory_grow,
        linnet_libcall_memory_size,
        linnet_libcall_atomic_wait32,
        linnet_libcall_atomic_wait64,
        linnet_libcall_atomic_notify,
        linnet_libcall_throw,
        linnet_libcall_poll,
        linnet_frames_captured,
    ] {
        next(libcall);
    }
    addresses
}
