//! Virtqueues (Virtual I/O Device version 1.2, section 2.7), and vhost-user, by which the process that has a
//! guest lets another one serve them.
//!
//! | file       | what it is                                    |
//! |------------|-----------------------------------------------|
//! | [`memory`] | guest memory as devices see it                |
//! | [`queue`]  | buffers that the driver hands over            |
//! | [`parts`]  | what is in them                               |
//! | [`vhost`]  | the messages of vhost-user                    |
//! | [`net`]    | numbers of a network device: section 5.1      |
//! | [`fs`]     | numbers of a file system device: section 5.11 |
//!
//! Everything that a driver writes is checked: a wrong address or length ends the request or stops the queue.

#![no_std]

pub mod fs;
pub mod memory;
pub mod net;
pub mod parts;
pub mod queue;
pub mod vhost;
