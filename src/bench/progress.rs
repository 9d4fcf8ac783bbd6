//! What is going on, for who watches.

use std::time::Duration;

/// What is going on.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Who is under load.
    pub side: &'a str,
    pub step: &'a str,
    /// Requests that were answered; in the audit, what was read.
    pub completed: u64,
    /// Since the step began.
    pub elapsed: Duration,
}

/// Is told several times a second.
pub type Watch<'w> = dyn Fn(Progress<'_>) + 'w;

impl Progress<'_> {
    /// Answers in a second, so far.
    #[must_use]
    pub fn per_s(&self) -> f64 {
        self.completed as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}
