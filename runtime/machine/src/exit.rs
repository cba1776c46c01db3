//! Exit statuses of a boot binary that are not the guest's own.

/// The command line was wrong.
pub const USAGE: i32 = 2;
/// The host refused something that the machine needs.
pub const HOST: i32 = 70;
/// The runtime found a mistake of its own.
pub const BUG: i32 = 71;
