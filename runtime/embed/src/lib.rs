//! Runs WebAssembly modules that `linnet compile` has translated to objects, inside a host program.
//!
//! | file            | what it does                                                            |
//! |-----------------|-------------------------------------------------------------------------|
//! | [`module`]      | modules, what they import and export, what instances are made with      |
//! | [`instance`]    | instances                                                               |
//! | [`store`]       | what owns all of them                                                   |
//! | [`items`]       | memories, tables, globals, tags, exceptions                             |
//! | [`value`]       | values and their types                                                  |
//! | [`types`]       | types of what is imported and exported                                  |
//! | [`func`]        | calls into translated code and out of it                                |
//! | [`libcall`]     | what translated code does not do in place                               |
//! | [`trap`]        | host signals that are traps, and the way out                            |
//! | [`unwind`]      | exceptions                                                              |
//! | [`interrupt`]   | calls that end because another thread wants it, or at a budget's end    |
//! | [`snapshot`]    | instances that go back to an earlier state                              |
//! | [`modules`]     | which function an address in translated code belongs to                 |
//! | [`reservation`] | address space of memories                                               |
//! | [`host`]        | memory, threads and signals of the host                                 |
//! | [`arch`]        | what differs between instruction sets                                   |
//! | [`capi`]        | the library for hosts in C                                              |
//!
//! A host links the object that `linnet compile` makes, declares its symbol `linnet_module_<prefix>` (the
//! Rust module that `linnet compile --rust` writes does it), and makes an [`Instance`]:
//!
//! ```no_run
//! # use linnet_embed::{Imports, Instance, Module, Store, Value};
//! # fn example(module: Module) -> linnet_embed::Result<()> {
//! let store = Store::new();
//! let instance = Instance::new(&store, &module, &Imports::new())?;
//! let results = instance.call("add", &[Value::I32(1), Value::I32(2)])?;
//! # Ok(())
//! # }
//! ```
//!
//! The library takes over the signals SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP: those that translated
//! code causes become traps, others go to the handler that was there before.
//!
//! Without the feature `std` it is for a process that has no C library: each thread of the program has to
//! `adopt` a block first.

#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod arch;
#[cfg(feature = "std")]
pub mod capi;
mod error;
mod func;
mod host;
mod instance;
mod interrupt;
mod items;
mod libcall;
mod module;
mod modules;
mod prelude;
mod reservation;
mod snapshot;
mod store;
mod trap;
mod types;
mod unwind;
mod value;

pub use error::{Error, Result};
pub use func::{Caller, Func};
pub use host::bare::{Block, adopt};
pub use host::lock::Lock;
pub use instance::Instance;
pub use interrupt::Interrupter;
pub use items::{Exception, Extern, Global, Memory, SharedMemory, Table, Tag};
pub use linnet_abi::module::Module as RawModule;
pub use module::{Export, Import, Imports, Module};
pub use snapshot::Snapshot;
pub use store::{Growth, Store};
pub use trap::{Trap, TrapFrame, check_stack};
pub use types::{ExternType, GlobalType, MemoryType, TableType};
pub use value::{FuncType, ValType, Value};
