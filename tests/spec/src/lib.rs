//! Links translated standalone modules with a program for one of the instruction sets, and runs it.
//!
//! No cross compiler is needed: cargo compiles the program to an archive with the C library in it, and
//! Rust's own linker makes a static executable of that and the objects.

pub mod link;
pub mod script;

/// A failure to build or to run, with its cause.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
