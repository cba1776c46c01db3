//! What can go wrong.

use crate::items::Exception;
use crate::prelude::*;
use crate::trap::Trap;
use core::fmt::{self, Display, Formatter};

/// Why a call or an instantiation failed.
#[derive(Debug, Clone)]
pub enum Error {
    /// Translated code stopped.
    Trap(Trap),
    /// An exception that nothing caught.
    Exception(Exception),
    /// An import is missing or has another type than the module wants.
    Link(String),
    /// Arguments do not fit, or things of different stores were mixed.
    Type(String),
    /// The system has no room for a memory or a table.
    Resources(String),
    /// A host function failed.
    Host(String),
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Error::Trap(trap) => write!(f, "trap: {trap}"),
            Error::Exception(_) => f.write_str("uncaught exception"),
            Error::Link(text) | Error::Type(text) | Error::Resources(text) | Error::Host(text) => {
                f.write_str(text)
            }
        }
    }
}

impl core::error::Error for Error {}

/// The result of most of this library.
pub type Result<T, E = Error> = core::result::Result<T, E>;
