//! Every fact that the translator, the runtime and the kernel must agree on, written once.
//!
//! | file         | what it fixes                                                          |
//! |--------------|------------------------------------------------------------------------|
//! | [`context`]  | the per-task block that translated code gets as its first argument     |
//! | [`calls`]    | host calls, kernel entries, user imports, libcalls, compiler barriers  |
//! | [`clock`]    | what user code needs to read the time by itself                       |
//! | [`trap`]     | why translated code stopped, and which Linux signal that is            |
//! | [`module`]   | the tables that the translator emits beside the code                   |
//! | [`instance`] | instances of standalone modules, which a host program embeds            |
//! | [`exec`]     | the header by which the kernel recognises a translated program         |
//! | [`boot`]     | what the linker step hands to the runtime inside a boot binary         |
//! | [`translator`] | what a machine and the translator of its new programs say to each other |
//! | [`packed`]   | what a compressed boot binary holds                                    |
//! | [`frames`]   | capturing and rebuilding native frames                                  |
//! | [`memory`]   | where linear memories lie in the host's address space                  |
//! | [`wasi`]     | what modules import of WASI, and how one becomes an executable           |
//! | [`header`]   | the kernel's C header, printed from the tables above                   |
//!
//! Nothing here depends on a host, so that both the build machine and the target can use it.

#![no_std]
#![forbid(unsafe_code)]

pub mod boot;
pub mod calls;
pub mod clock;
pub mod context;
pub mod exec;
pub mod frames;
pub mod header;
pub mod instance;
pub mod irq;
pub mod memory;
pub mod module;
pub mod packed;
pub mod translator;
pub mod trap;
pub mod wasi;

/// Version of everything in this crate. A module, a kernel and a runtime work together only if
/// they were made with the same one.
pub const ABI_VERSION: u32 = 2;

/// Size of a WebAssembly page in bytes (core specification, 4.2.8).
pub const WASM_PAGE: u64 = 65536;
