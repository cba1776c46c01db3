//! Why there is no snapshot.

use super::frames::Refused;
use super::outgoing::Lost;
use linnet_snapshot::Full;

/// Why no snapshot was written.
#[derive(Debug)]
pub enum Failed {
    NoFile,
    Running,
    Task(u32, Refused),
    Full,
    File(i32),
    Lost(Lost),
}

impl From<Full> for Failed {
    fn from(_: Full) -> Self {
        Failed::Full
    }
}

impl From<Lost> for Failed {
    fn from(lost: Lost) -> Self {
        Failed::Lost(lost)
    }
}
