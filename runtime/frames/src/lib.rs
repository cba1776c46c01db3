//! Captures native frames of translated code as data, and rebuilds them, on the same instruction set or
//! on another one.
//!
//! | file          | what it does                                                        |
//! |---------------|---------------------------------------------------------------------|
//! | [`tables`]    | what the translator says about the code of a module                 |
//! | [`capture`]   | walks the frames of a stack and writes a record; changes nothing    |
//! | [`record`]    | reads a record that may be anything, and says whether it is one     |
//! | [`rebuild`]   | makes native frames of a record, by running on where they stood     |
//! | [`arch`]      | the few instructions that no language has                           |
//!
//! The layout of the tables and of the record is in `linnet_abi::frames`. There is no allocation and no
//! operating system here: the caller brings the memory, and knows what the host's own frames between
//! those of the module are ([`capture::Host`], [`rebuild::Resume`]).
//!
//! A capture leaves the captured frames as they are: who was captured goes on. A record from anywhere
//! may be given to [`rebuild::Plan::new`]: either it fits the module or there is an [`Error`].

#![no_std]

pub mod arch;
pub mod capture;
pub mod rebuild;
pub mod record;
pub mod tables;

use core::fmt::{self, Display, Formatter};

/// Why frames cannot be captured or rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The module was translated without what this needs, or by another version.
    NoTables,
    /// A frame stands where none can be captured: the wasm index of its function, and the offset in its
    /// code.
    NotACapturePoint { function: u32, offset: u32 },
    /// The memory for the record is too small.
    NoRoom,
    /// The memory to run a frame's code in is too small.
    NoScratch,
    /// Not a record of this version.
    NotARecord,
    /// A record of another module.
    OtherModule,
    /// The record ends too early or goes on too long.
    Length,
    /// Frame number: there is no such function or capture point, or it needs other values.
    NoSuchFrame(u32),
    /// Frame number: one of its values is none of its type.
    Value(u32),
    /// Frame number: the next inner frame is none that it can have called.
    Order(u32),
    /// The frames need more native stack than there is.
    Stack,
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoTables => write!(f, "the module was translated without frames as data"),
            Error::NotACapturePoint { function, offset } => {
                write!(f, "function {function} stands at {offset:#x}, where it cannot be captured")
            }
            Error::NoRoom => write!(f, "the record needs more memory"),
            Error::NoScratch => write!(f, "a frame needs more memory to be captured"),
            Error::NotARecord => {
                write!(f, "not a record of version {}", linnet_abi::frames::VERSION)
            }
            Error::OtherModule => write!(f, "the record is of another module"),
            Error::Length => write!(f, "the record has another length than it says"),
            Error::NoSuchFrame(n) => write!(f, "frame {n} is none of the module"),
            Error::Value(n) => write!(f, "frame {n} has a value that is none of its type"),
            Error::Order(n) => write!(f, "frame {n} cannot have called the next"),
            Error::Stack => write!(f, "the frames need more native stack"),
        }
    }
}

impl core::error::Error for Error {}
