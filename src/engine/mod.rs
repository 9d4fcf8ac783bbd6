//! When writes commit: commands that arrive together are committed together, and each caller gets its own answer.

mod batch;
pub(crate) mod callers;
mod connect;
mod hot;
mod ids;
mod lane;
mod lock;
mod memory;
mod passage;
mod queue;
mod recover;
mod settle;
mod stats;
mod view;

#[cfg(test)]
mod batch_tests;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod queue_properties;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod wake_properties;

use std::sync::Arc;
use std::time::Duration;

use prometheus::proto::MetricFamily;
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use self::batch::Pending;
use self::hot::Hot;
pub use self::hot::HotAccount;
use self::memory::Memory;
pub use self::passage::{Committed, Ended, Passage, Trail};
use self::queue::Queue;
pub use self::stats::Counts;
use self::stats::Stats;
use crate::ledger::{AccountId, Answer, Command, Fault, Head};
use crate::storage::{self, Database, StorageError, clock};

/// How many lanes may be asked for.
pub const LANES_MAX: usize = 64;
/// How many commands a batch may be asked to hold.
pub const BATCH_SIZE_MAX: usize = 10_000;
/// How many commands may be asked to wait.
pub const QUEUE_MAX: usize = 1_000_000;

/// How many accounts may be asked to be remembered.
pub const HEADS_MAX: usize = 100_000_000;

/// How long a command may wait in the queue. Past that it is dropped, and nothing was applied.
const WAIT_MAX: Duration = Duration::from_secs(4);
/// How long after it was taken a batch is worth another round. Longer than one statement may take.
const SETTLE_MAX: Duration = Duration::from_millis(3_500);
/// How long a caller waits for an answer: longer than the two before together, so that the engine answers first unless the last
/// round of the batch takes too long.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// How long after it was taken a batch may be planned, or told to commit. Past that the process was suspended, or waited for the
/// database longer than any caller.
const COMMIT_MAX: Duration = ANSWER_MAX;

/// After so long, by the database's clock, a command has done whatever it will ever do: it waits in the queue, is planned, may be
/// held up on its way, and its transaction ends. So what was told to be unknown is known, and a balance at a moment is final.
///
/// Only a commit that waits for a standby or the disk may take longer, as the clock was looked at before it.
pub const FINAL_AFTER: Duration = WAIT_MAX
    .saturating_add(COMMIT_MAX)
    .saturating_add(clock::LATE_MAX)
    .saturating_add(storage::lane::TRANSACTION_MAX);

/// What may be tuned. Every value gives the same answers.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Tasks that commit batches, each over a connection of its own; 1 to [`LANES_MAX`].
    pub lanes: usize,
    /// Commands in a batch; 1 turns grouping off. At most [`BATCH_SIZE_MAX`].
    pub batch_size_max: usize,
    /// Commands that wait; one account may fill half. At most [`QUEUE_MAX`].
    pub queue_max: usize,
    /// Bytes of commands that wait.
    pub queue_bytes_max: usize,
    /// Accounts whose heads and names are remembered; at most [`HEADS_MAX`].
    pub heads_max: usize,
}

/// Takes commands from anyone, and answers each after its money is durable.
pub struct Engine {
    shared: Arc<Shared>,
    /// Each resolves when its lane has ended.
    lanes: Mutex<Vec<oneshot::Receiver<()>>>,
}

/// What the lanes and the callers have in common.
struct Shared {
    queue: Arc<Queue>,
    memory: Memory,
    stats: Stats,
    hot: Hot,
    settings: Settings,
    database: Database,
}

impl Engine {
    /// Connects every lane, and starts them.
    ///
    /// # Errors
    /// Where the database cannot be reached or is not fit for money.
    pub async fn start(database: Database, settings: Settings) -> Result<Self, StorageError> {
        let shared = Arc::new(Shared {
            queue: Arc::new(Queue::new(settings.queue_max, settings.queue_bytes_max)),
            memory: Memory::new(settings.heads_max),
            stats: Stats::new(),
            hot: Hot::default(),
            settings,
            database,
        });
        let engine = Self {
            shared,
            lanes: Mutex::default(),
        };
        let started = engine.start_lanes().await;
        if started.is_err() {
            engine.close().await;
        }
        started.map(|()| engine)
    }

    async fn start_lanes(&self) -> Result<(), StorageError> {
        let mut lanes = self.lanes.lock().await;
        for number in 1..=self.shared.settings.lanes {
            let threads = |error| StorageError::Unfit(format!("cannot start a thread: {error}"));
            let lane = lane::start(Arc::clone(&self.shared), number).map_err(threads)?;
            lanes.push(lane.ended);
            let gone = |_| StorageError::Unfit("a lane ended before it had begun".to_owned());
            lane.connected.await.map_err(gone)??;
        }
        Ok(())
    }

    /// Applies a command, exactly once, or refuses it. Where there is room it waits in the queue when this returns, so the future
    /// does not hold it. A command whose future is dropped may be applied or not.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`].
    pub fn submit(&self, command: Command) -> impl Future<Output = Answer> {
        let (pending, answer) = Pending::new(command, Instant::now());
        let is_queued = self.shared.queue.push(pending);
        if !is_queued {
            self.shared.stats.overloaded.inc();
        }
        self.count(await_answer(is_queued.then_some(answer)))
    }

    async fn count(&self, answer: impl Future<Output = Answer>) -> Answer {
        let answer = answer.await;
        let stats = &self.shared.stats;
        match &answer {
            Ok(answered) => {
                if let Err(rejection) = &answered.outcome {
                    stats.refusals.with_label_values(&[rejection.name()]).inc();
                }
            }
            Err(fault) => stats.faults.with_label_values(&[fault.name()]).inc(),
        }
        answer
    }

    /// An account as it was when it was last written or read here; another process may have changed it since.
    #[must_use]
    pub fn recall(&self, account: AccountId) -> Option<Head> {
        self.shared.memory.head(account)
    }

    /// Whether a lane has a connection to the database.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.stats.connected.get() > 0
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.stats.counts(self.shared.queue.len())
    }

    /// Every metric of the engine as it stands.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricFamily> {
        self.shared.stats.gather(self.shared.queue.len())
    }

    /// The accounts that have changed most since the start, the busiest first.
    #[must_use]
    pub fn hot_accounts(&self, limit: usize) -> Vec<HotAccount> {
        self.shared.hot.list(limit)
    }

    /// Takes no more commands, answers those that wait, and disconnects.
    pub async fn close(&self) {
        self.shared.queue.close();
        for lane in self.lanes.lock().await.drain(..) {
            // A lane ends by itself; one that panicked has said so already.
            drop(lane.await);
        }
    }
}

/// The answer to a command, which is `None` where the queue had no room for it.
async fn await_answer(queued: Option<oneshot::Receiver<Answer>>) -> Answer {
    let receiver = queued.ok_or(Fault::Overloaded)?;
    let answer = tokio::time::timeout(ANSWER_MAX, receiver).await;
    // The lane gave up without a word, or is still at it: either way the command may have been applied.
    let answer = answer.ok().and_then(Result::ok);
    answer.unwrap_or(Err(Fault::OutcomeUnknown))
}
