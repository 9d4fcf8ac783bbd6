//! Batches that rest because somebody else has locked their rows. Each keeps its accounts meanwhile, so an account has
//! at most one.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;

/// How long a batch rests whose rows somebody else has locked.
const ASIDE_PAUSE: Duration = Duration::from_millis(25);

/// The batches of one lane, in the order in which they are due for another try.
#[derive(Default)]
pub(super) struct Aside(VecDeque<(Instant, Batch)>);

impl Aside {
    pub(super) fn push(&mut self, batch: Batch, now: Instant) {
        self.0.push_back((now + ASIDE_PAUSE, batch));
    }

    /// When the first is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// Takes out the first, if it is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Batch> {
        let (_, batch) = self.0.pop_front_if(|(due, _)| *due <= now)?;
        Some(batch)
    }

    /// Takes out those that are out of time.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Batch> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (expired, resting): (Vec<_>, Vec<_>) = all.partition(|(_, batch)| batch.until() <= now);
        self.0 = resting.into();
        expired.into_iter().map(|(_, batch)| batch).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
