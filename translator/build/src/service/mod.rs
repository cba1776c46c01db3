//! Translation of programs that a running machine starts and its boot binary does not hold.
//!
//! | file       | what it does                                                              |
//! |------------|---------------------------------------------------------------------------|
//! | [`linked`] | code that lacks nothing but addresses, and its form between processes     |
//! | [`link`]   | makes that of an object file                                              |
//! | [`kept`]   | keeps it in a directory                                                   |
//! | [`worker`] | the process that translates one module, and may do nothing else           |
//! | [`server`] | answers the machine                                                       |
//!
//! The server never looks into a module, nor into what was made of it but for the places of addresses. It gives each
//! module to a new worker, which has neither files nor sockets, and bounds of memory and time.

mod kept;
mod link;
mod linked;
mod server;
mod worker;

pub use server::serve;
pub use worker::work;
