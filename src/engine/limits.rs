//! How much the engine may be asked for, and how long its work may take.

use std::time::Duration;

use crate::storage::{self, clock};

/// How many lanes may be asked for.
pub const LANES_MAX: usize = 64;
/// How many commands a batch may be asked to hold.
pub const BATCH_SIZE_MAX: usize = 10_000;
/// How many commands may be asked to wait.
pub const QUEUE_MAX: usize = 1_000_000;
/// How many accounts may be asked to be remembered.
pub const HEADS_MAX: usize = 100_000_000;

/// How long a command may wait in the queue. Past that it is dropped, and nothing was applied.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(4);
/// How long after it was taken a batch is worth another round. Longer than one statement may take.
pub(super) const RETRY_MAX: Duration = Duration::from_millis(3_500);
/// How long a caller waits for an answer: longer than the two before together, so that the engine answers first unless
/// the last round of the batch takes too long.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(8);

/// How long after it was taken a batch may be planned, or told to commit. Past that the process was suspended, or
/// waited for the database longer than any caller.
pub(super) const COMMIT_MAX: Duration = ANSWER_MAX;

/// After so long, by the database's clock, a command has done whatever it will ever do: it waits in the queue, is
/// planned, may be held up on its way, and its transaction ends. So what was told to be unknown is known, and a balance
/// at a moment is final.
///
/// Only a commit that waits for a standby or the disk may take longer, as the clock was looked at before it.
pub const FINAL_AFTER: Duration = WAIT_MAX
    .saturating_add(COMMIT_MAX)
    .saturating_add(clock::LATE_MAX)
    .saturating_add(storage::lane::TRANSACTION_MAX);
