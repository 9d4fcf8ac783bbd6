//! A lane: a task with one connection that takes batches, one after the other, and is never cancelled.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Shared;
use super::batch::{Batch, Pending};
use crate::ledger::{AccountId, Fault, UserId};
use crate::storage::{Connection, connection};

/// How long a lane rests between two attempts to connect, in milliseconds.
const RECONNECT_PAUSE_MS: std::ops::Range<u64> = 50..150;
/// How long a batch rests whose rows somebody else holds.
const ASIDE_PAUSE: Duration = Duration::from_millis(25);

pub(super) struct Lane {
    pub shared: Arc<Shared>,
    pub connection: Option<Connection>,
    pub ids: Ids,
}

/// Ids that were taken from their sequences and are not used yet.
#[derive(Default)]
pub(super) struct Ids {
    pub accounts: Vec<AccountId>,
    pub users: Vec<UserId>,
}

/// Starts a lane. A panic costs the batch in hand its answer, not the lane its life.
pub(super) fn spawn(shared: Arc<Shared>, connection: Connection) -> JoinHandle<()> {
    shared.stats.connected.add(1);
    let mut first = Some(connection);
    tokio::spawn(async move {
        loop {
            let lane = Lane {
                shared: Arc::clone(&shared),
                connection: first.take(),
                ids: Ids::default(),
            };
            match tokio::spawn(lane.run()).await {
                Ok(()) => break,
                Err(panic) => tracing::error!(%panic, "a lane panicked; it starts again"),
            }
        }
    })
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.shared.stats.connected.subtract(1);
        }
    }
}

impl Lane {
    async fn run(mut self) {
        while !self.shared.queue.is_finished() {
            if self.connection.is_none() && !self.reconnect(None).await {
                continue;
            }
            let size_max = self.shared.settings.batch_size_max;
            let Some(taken) = self.shared.queue.take(size_max).await else {
                break;
            };
            self.drop_expired(taken.expired);
            if let Some(batch) = taken.batch {
                self.settle(batch).await;
            }
        }
        self.shared.queue.wake_all();
        if let Some(connection) = self.connection.take() {
            self.shared.stats.connected.subtract(1);
            connection::close(connection).await;
        }
    }

    /// Connects again. Whatever was remembered may be of another history by now. `false` where time is up, or the queue
    /// has ended.
    pub(super) async fn reconnect(&mut self, until: Option<Instant>) -> bool {
        self.ids = Ids::default();
        loop {
            match self.shared.database.connect_lane().await {
                Ok(connection) => {
                    self.shared.memory.forget_all();
                    self.shared.stats.connected.add(1);
                    self.shared.stats.reconnects.add(1);
                    self.connection = Some(connection);
                    tracing::info!("a lane is connected again");
                    return true;
                }
                Err(error) => tracing::warn!(%error, "a lane cannot connect to the database"),
            }
            self.drop_expired(self.shared.queue.expire());
            if until.is_some_and(|until| until <= Instant::now()) || self.shared.queue.is_finished()
            {
                return false;
            }
            sleep(Duration::from_millis(fastrand::u64(RECONNECT_PAUSE_MS))).await;
        }
    }

    pub(super) fn disconnect(&mut self, why: &str) {
        if self.connection.take().is_some() {
            self.shared.stats.connected.subtract(1);
            tracing::warn!(why, "a lane lost its connection");
        }
    }

    /// Lets a batch rest without keeping the lane.
    pub(super) fn set_aside(&self, batch: Batch) {
        self.shared.stats.set_aside.add(batch.work.len());
        self.shared.queue.set_aside();
        let queue = Arc::clone(&self.shared.queue);
        tokio::spawn(async move {
            sleep(ASIDE_PAUSE).await;
            queue.bring_back(batch);
        });
    }

    fn drop_expired(&self, expired: Vec<Pending>) {
        self.shared.stats.expired.add(expired.len());
        let away = self.shared.stats.connected.get() == 0;
        for pending in expired {
            pending.answer(Err(if away {
                Fault::Unavailable
            } else {
                Fault::Overloaded
            }));
        }
    }
}
