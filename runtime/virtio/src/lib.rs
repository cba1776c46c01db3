//! Virtqueues (Virtual I/O Device version 1.2, section 2.7), and vhost-user, by which the process that has a
//! guest lets another one serve them.
//!
//! | file       | what it is                                    |
//! |------------|-----------------------------------------------|
//! | [`memory`] | guest memory as devices see it                |
//! | [`queue`]  | buffers that the driver hands over            |
//! | [`vhost`]  | the messages of vhost-user                    |
//! | [`net`]    | numbers of a network device: section 5.1      |
//!
//! Everything that a driver writes is checked: a wrong address or length ends the request or stops the queue.

#![no_std]

pub mod memory;
pub mod net;
pub mod queue;
pub mod vhost;
