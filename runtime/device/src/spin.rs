//! How long a process looks for work before it sleeps: to be woken takes longer than most requests.

/// Bounds, in nanoseconds.
const MIN: u64 = 4_000;
const MAX: u64 = 60_000;

/// Grows when work comes soon after there was none, and shrinks when it does not.
#[derive(Debug, Default)]
pub struct Spin {
    length: u64,
    /// Since when there was nothing to do.
    idle_since: Option<u64>,
}

impl Spin {
    fn grow(&mut self) {
        self.length = (self.length * 2).clamp(MIN, MAX);
    }

    /// The process has slept until now.
    pub fn woke(&mut self, now: u64) {
        let slept = self.idle_since.take().map_or(0, |since| now.saturating_sub(since));
        if slept < MAX {
            self.grow();
        } else {
            self.length /= 2;
        }
    }

    /// There was work.
    pub fn worked(&mut self) {
        if self.idle_since.take().is_some() {
            self.grow();
        }
    }

    /// There was none: is it time to sleep?
    pub fn is_over(&mut self, now: u64) -> bool {
        let since = *self.idle_since.get_or_insert(now);
        now.saturating_sub(since) >= self.length
    }
}
