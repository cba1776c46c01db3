//! What the processes have in common that serve a machine's devices.
//!
//! The machine's process has no rights over the host. What needs some is another process of the same executable, with
//! just those. They share the guest's memory, and speak vhost-user.
//!
//! | file        | what it does                                         |
//! |-------------|------------------------------------------------------|
//! | [`process`] | how such a process begins                            |
//! | [`backend`] | vhost-user: where memory and queues are              |
//! | [`rings`]   | the queues                                           |
//! | [`spin`]    | how long to look for work before sleeping            |
//! | `heap`      | memory                                               |
//! | [`sys`]     | system calls of the host                             |

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod backend;
#[cfg(panic = "abort")]
mod heap;
pub mod process;
pub mod rings;
pub mod spin;
pub mod sys;
