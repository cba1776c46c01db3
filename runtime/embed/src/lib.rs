//! Runs WebAssembly modules that `linnet compile` has translated to objects, inside a host program.
//!
//! | file            | what it does                                                            |
//! |-----------------|-------------------------------------------------------------------------|
//! | [`instance`]    | modules, what they import and export, their instances                   |
//! | [`store`]       | what owns all of them; memories, tables, globals, tags, exceptions      |
//! | [`value`]       | values and types                                                        |
//! | [`func`]        | calls into translated code and out of it                                |
//! | [`libcall`]     | what translated code does not do in place                               |
//! | [`trap`]        | host signals that are traps, and the way out                            |
//! | [`unwind`]      | exceptions                                                              |
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
mod libcall;
mod modules;
mod prelude;
mod reservation;
mod store;
mod trap;
mod unwind;
mod value;

pub use error::{Error, Result};
pub use func::Func;
pub use host::bare::{Block, adopt};
pub use host::lock::Lock;
pub use instance::{Extern, Import, Imports, Instance, Kind, Module};
pub use linnet_abi::module::Module as RawModule;
pub use store::{Exception, Global, Memory, SharedMemory, Store, Table, Tag};
pub use trap::{Trap, TrapFrame, check_stack};
pub use value::{FuncType, ValType, Value};
