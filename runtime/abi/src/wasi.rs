//! The functions of WASI preview 1 (wasi_snapshot_preview1.witx), as modules import them. `u32` is wasm `i32`,
//! `u64` is wasm `i64`. All return an error number as `i32`, but `proc_exit`, which does not return.

/// Import module of all but threads.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// `proc_exit(status)`
pub const EXIT: &str = "proc_exit";

/// Import module, name of `thread-spawn(argument) -> thread`, and the export that a thread begins in:
/// `wasi_thread_start(thread, argument)`.
pub const THREAD_MODULE: &str = "wasi";
pub const THREAD_SPAWN: &str = "thread-spawn";
pub const THREAD_START: &str = "wasi_thread_start";

/// Where a command begins, and what a library of functions is initialised by.
pub const START: &str = "_start";
pub const INITIALIZE: &str = "_initialize";

/// Prefix under which a module becomes an executable.
pub const PREFIX: &str = "program";

/// The symbol of the options that an executable was made with, a [`crate::instance::Text`]: each ends with a
/// zero byte.
pub const OPTIONS: &str = "linnet_wasi_options";

/// The environment variable with more of them.
pub const VARIABLE: &str = "LINNET_WASI";

/// Status of an executable whose module trapped, as that of a process that aborted.
pub const TRAP_STATUS: u32 = 134;

/// Status of an executable that had no more time.
pub const TIMEOUT_STATUS: u32 = 124;

/// Calls `$m!` with all functions but `proc_exit`.
#[macro_export]
macro_rules! for_each_wasi_call {
    ($m:ident) => {
        $m! {
            args_get(pointers: u32, buffer: u32);
            args_sizes_get(count: u32, size: u32);
            environ_get(pointers: u32, buffer: u32);
            environ_sizes_get(count: u32, size: u32);
            clock_res_get(clock: u32, result: u32);
            clock_time_get(clock: u32, precision: u64, result: u32);
            fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            fd_allocate(fd: u32, offset: u64, len: u64);
            fd_close(fd: u32);
            fd_datasync(fd: u32);
            fd_fdstat_get(fd: u32, result: u32);
            fd_fdstat_set_flags(fd: u32, flags: u32);
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            fd_filestat_get(fd: u32, result: u32);
            fd_filestat_set_size(fd: u32, size: u64);
            fd_filestat_set_times(fd: u32, access: u64, modification: u64, flags: u32);
            fd_pread(fd: u32, vectors: u32, count: u32, offset: u64, result: u32);
            fd_prestat_get(fd: u32, result: u32);
            fd_prestat_dir_name(fd: u32, buffer: u32, size: u32);
            fd_pwrite(fd: u32, vectors: u32, count: u32, offset: u64, result: u32);
            fd_read(fd: u32, vectors: u32, count: u32, result: u32);
            fd_readdir(fd: u32, buffer: u32, size: u32, cookie: u64, result: u32);
            fd_renumber(from: u32, to: u32);
            fd_seek(fd: u32, offset: u64, whence: u32, result: u32);
            fd_sync(fd: u32);
            fd_tell(fd: u32, result: u32);
            fd_write(fd: u32, vectors: u32, count: u32, result: u32);
            path_create_directory(fd: u32, path: u32, len: u32);
            path_filestat_get(fd: u32, lookup: u32, path: u32, len: u32, result: u32);
            path_filestat_set_times(
                fd: u32, lookup: u32, path: u32, len: u32, access: u64, modification: u64, flags: u32
            );
            path_link(
                fd: u32, lookup: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32
            );
            path_open(
                fd: u32, lookup: u32, path: u32, len: u32, how: u32, base: u64, inheriting: u64,
                flags: u32, result: u32
            );
            path_readlink(fd: u32, path: u32, len: u32, buffer: u32, size: u32, result: u32);
            path_remove_directory(fd: u32, path: u32, len: u32);
            path_rename(fd: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32);
            path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32);
            path_unlink_file(fd: u32, path: u32, len: u32);
            poll_oneoff(subscriptions: u32, events: u32, count: u32, result: u32);
            proc_raise(signal: u32);
            random_get(buffer: u32, size: u32);
            sched_yield();
            sock_accept(fd: u32, flags: u32, result: u32);
            sock_recv(
                fd: u32, vectors: u32, count: u32, flags: u32, result: u32, result_flags: u32
            );
            sock_send(fd: u32, vectors: u32, count: u32, flags: u32, result: u32);
            sock_shutdown(fd: u32, how: u32);
        }
    };
}

/// A parameter of 64 bits, or one of 32.
pub type IsLong = bool;

macro_rules! long {
    (u32) => {
        false
    };
    (u64) => {
        true
    };
}

macro_rules! table {
    ($($name:ident($($arg:ident: $ty:ident),*);)*) => {
        /// Name and parameters of each function but `proc_exit`.
        pub const CALLS: &[(&str, &[IsLong])] =
            &[$((stringify!($name), &[$(long!($ty)),*])),*];
    };
}
for_each_wasi_call!(table);
