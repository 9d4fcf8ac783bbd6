//! When writes commit: commands that arrive together are committed together, and each caller gets its own answer.

pub(crate) mod callers;
mod lane;
mod limits;
mod memory;
mod queue;
mod shared;
mod watch;

use std::sync::Arc;

use prometheus::proto::MetricFamily;
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use self::limits::ANSWER_MAX;
pub use self::limits::{BATCH_SIZE_MAX, FINAL_AFTER, HEADS_MAX, LANES_MAX, QUEUE_MAX};
use self::queue::Pending;
pub use self::shared::Settings;
use self::shared::Shared;
pub use self::watch::hot::HotAccount;
pub use self::watch::passage::{Committed, Ended, Passage, Trail};
pub use self::watch::stats::Counts;
use crate::ledger::{AccountId, Answer, Command, Fault, Head};
use crate::storage::{Database, StorageError};

/// Takes commands from anyone, and answers each after its money is durable.
pub struct Engine {
    shared: Arc<Shared>,
    /// Each resolves when its lane has ended.
    lanes: Mutex<Vec<oneshot::Receiver<()>>>,
}

impl Engine {
    /// Connects every lane, and starts them.
    ///
    /// # Errors
    /// If the database cannot be reached or is not fit for money.
    pub async fn start(database: Database, settings: Settings) -> Result<Self, StorageError> {
        let engine = Self {
            shared: Arc::new(Shared::new(database, settings)),
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

    /// Applies a command, exactly once, or refuses it. If there is room, it waits in the queue when this returns, so
    /// the future does not hold it. A command whose future is dropped may be applied or not.
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

/// The answer to a command, which is `None` if the queue had no room for it.
async fn await_answer(queued: Option<oneshot::Receiver<Answer>>) -> Answer {
    let receiver = queued.ok_or(Fault::Overloaded)?;
    let answer = tokio::time::timeout(ANSWER_MAX, receiver).await;
    // The lane gave up without a word, or is still at it: either way the command may have been applied.
    let answer = answer.ok().and_then(Result::ok);
    answer.unwrap_or(Err(Fault::OutcomeUnknown))
}
