//! The functions that a module imports, from the table in `linnet-abi`.

use crate::errno::Errno;
use crate::{files, paths, poll, process, socket, thread};
use alloc::vec::Vec;
use linnet_abi::instance::{HostFunction, Slot};
use linnet_abi::wasi;
use linnet_embed::{
    Extern, ExternType, Func, FuncType, Imports, Module, Store, ValType, check_stack,
};

/// All functions by the names that modules know them by.
mod calls {
    pub use super::files::{
        fd_advise, fd_allocate, fd_close, fd_datasync, fd_fdstat_get, fd_fdstat_set_flags,
        fd_fdstat_set_rights, fd_filestat_get, fd_filestat_set_size, fd_filestat_set_times,
        fd_pread, fd_prestat_dir_name, fd_prestat_get, fd_pwrite, fd_read, fd_readdir, fd_renumber,
        fd_seek, fd_sync, fd_tell, fd_write,
    };
    pub use super::paths::{
        path_create_directory, path_filestat_get, path_filestat_set_times, path_link, path_open,
        path_readlink, path_remove_directory, path_rename, path_symlink, path_unlink_file,
    };
    pub use super::poll::poll_oneoff;
    pub use super::process::{
        args_get, args_sizes_get, clock_res_get, clock_time_get, environ_get, environ_sizes_get,
        proc_raise, random_get, sched_yield,
    };
    pub use super::socket::{sock_accept, sock_recv, sock_send, sock_shutdown};
}

type Call = unsafe extern "C" fn(*mut HostFunction, *mut Slot);

/// The parameters that translated code has left in memory, one after the other.
struct Parameters(*mut Slot);

trait Parameter {
    fn of(word: u64) -> Self;
}

impl Parameter for u32 {
    fn of(word: u64) -> u32 {
        word as u32
    }
}

impl Parameter for u64 {
    fn of(word: u64) -> u64 {
        word
    }
}

impl Parameters {
    /// # Safety
    /// There must be one more.
    unsafe fn next<T: Parameter>(&mut self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            let word = (*self.0).0[0];
            self.0 = self.0.add(1);
            T::of(word)
        }
    }
}

macro_rules! thunks {
    ($($name:ident($($arg:ident: $ty:ident),*);)*) => {
        mod thunks {
            use super::*;
            $(
                /// # Safety
                /// Parameters of its type must be there, and room for a result.
                pub unsafe extern "C" fn $name(_: *mut HostFunction, values: *mut Slot) {
                    check_stack();
                    #[allow(unused_mut, unused_variables, reason = "some have no parameters")]
                    let mut parameters = Parameters(values);
                    // SAFETY: the caller's promise; they are taken in order.
                    $(let $arg: $ty = unsafe { parameters.next() };)*
                    let error = calls::$name($($arg),*).err().map_or(0, |Errno(number)| number);
                    // SAFETY: there is room for the result.
                    unsafe { *values = Slot([u64::from(error), 0]) };
                }
            )*
        }
        /// In the order of [`wasi::CALLS`].
        const THUNKS: [Call; wasi::CALLS.len()] = [$(thunks::$name),*];
    };
}
linnet_abi::for_each_wasi_call!(thunks);

/// # Safety
/// A parameter of 32 bits must be there.
unsafe extern "C" fn proc_exit(_: *mut HostFunction, values: *mut Slot) {
    // SAFETY: the caller's promise.
    process::proc_exit(unsafe { Parameters(values).next() })
}

/// # Safety
/// A parameter of 32 bits must be there, and room for a result.
unsafe extern "C" fn thread_spawn(_: *mut HostFunction, values: *mut Slot) {
    check_stack();
    // SAFETY: the caller's promise.
    let thread = thread::spawn(unsafe { Parameters(values).next() });
    // SAFETY: as above.
    unsafe { *values = Slot([u64::from(thread as u32), 0]) };
}

fn find(module: &str, name: &str) -> Option<(Call, FuncType)> {
    const I32: ValType = ValType::I32;
    if (module, name) == (wasi::THREAD_MODULE, wasi::THREAD_SPAWN) {
        return Some((thread_spawn, FuncType::new([I32], [I32])));
    }
    if module != wasi::MODULE {
        return None;
    }
    if name == wasi::EXIT {
        return Some((proc_exit, FuncType::new([I32], [])));
    }
    let number = wasi::CALLS.iter().position(|(known, _)| *known == name)?;
    let long = |long: &bool| if *long { ValType::I64 } else { I32 };
    let params: Vec<ValType> = wasi::CALLS[number].1.iter().map(long).collect();
    Some((THUNKS[number], FuncType::new(params, [I32])))
}

/// What a module imports, as far as it is ours.
pub fn imports(store: &Store, module: &Module) -> Imports {
    let mut imports = Imports::new();
    for import in module.imports() {
        if !matches!(import.ty, ExternType::Func(_)) {
            continue;
        }
        if let Some((call, ty)) = find(import.module, import.name) {
            // SAFETY: each does what its type says. What a trap leaves is nothing that has to be dropped: it
            // comes before all else.
            let func = unsafe { Func::with_slots(store, ty, call) };
            imports.define(import.module, import.name, Extern::Func(func));
        }
    }
    imports
}
