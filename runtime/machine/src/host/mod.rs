//! The little that is used of the host, and what the process is to it.

pub mod clock;
pub mod exit;
pub mod lock;
pub mod print;
pub mod sandbox;
pub mod signals;
pub mod sys;
pub mod terminal;
