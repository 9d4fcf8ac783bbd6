//! A lane: a thread with one connection that takes batches, one after the other, and is never cancelled.

use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::Shared;
use super::batch::{self, Batch, Pending};
use super::connect;
use super::ids::Ids;
use crate::ledger::Fault;
use crate::storage::lane::Commits;
use crate::storage::{Connection, StorageError, connection};
use crate::telemetry::throttle::Throttle;

/// How often a lane without a connection looks who has waited too long.
const EXPIRY_PAUSE: Duration = Duration::from_millis(100);
/// How long a batch rests whose rows somebody else holds.
const ASIDE_PAUSE: Duration = Duration::from_millis(25);

static PANICKED: Throttle = Throttle::new();

pub(super) struct Lane {
    pub shared: Arc<Shared>,
    pub connection: Option<Connection>,
    /// How the server behind that connection is told to commit.
    pub commits: Commits,
    /// When the server was last known to keep what it acknowledges.
    pub durable_at: Instant,
    pub ids: Ids,
}

/// A lane that was started.
pub(super) struct Started {
    /// Whether it could connect.
    pub connected: oneshot::Receiver<Result<(), StorageError>>,
    /// Resolves, with nothing, when it has ended.
    pub ended: oneshot::Receiver<()>,
}

/// Starts a lane, on a thread and a runtime of its own: nothing else delays it, and what it waits for wakes it directly
/// instead of by way of another thread.
pub(super) fn start(shared: Arc<Shared>, number: usize) -> io::Result<Started> {
    let (connected, is_connected) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name(format!("lane-{number}"))
        .spawn(move || {
            runtime.block_on(live(shared, connected));
            drop(ended);
        })?;
    Ok(Started {
        connected: is_connected,
        ended: has_ended,
    })
}

/// The life of a lane. A panic costs the batch in hand its answer, not the lane its life.
async fn live(shared: Arc<Shared>, connected: oneshot::Sender<Result<(), StorageError>>) {
    let first = match connect::connect(&shared).await {
        Ok(first) => first,
        Err(error) => return drop(connected.send(Err(error))),
    };
    let commits = first.commits;
    let mut first = Some(first.connection);
    shared.stats.connected.inc();
    drop(connected.send(Ok(())));
    loop {
        let lane = Lane {
            shared: Arc::clone(&shared),
            connection: first.take(),
            commits,
            durable_at: Instant::now(),
            ids: Ids::default(),
        };
        match tokio::spawn(lane.run()).await {
            Ok(()) => break,
            Err(panic) => PANICKED.say(|held_back| {
                tracing::error!(%panic, held_back, "a lane panicked; it starts again");
            }),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.shared.stats.connected.dec();
        }
    }
}

impl Lane {
    async fn run(mut self) {
        loop {
            if self.connection.is_none() {
                self.reconnect(None).await;
            }
            let size_max = self.shared.settings.batch_size_max;
            let Some(taken) = self.shared.queue.take(size_max).await else {
                break;
            };
            self.drop_expired(taken.expired);
            if let Some(batch) = taken.batch {
                if batch.rests == 0 {
                    self.note_waits(&batch);
                }
                self.settle(batch).await;
            }
        }
        self.shared.queue.wake_all();
        if let Some(connection) = self.connection.take() {
            self.shared.stats.connected.dec();
            connection::close(connection).await;
        }
    }

    /// Tells those who have waited too long, while the lane has no connection, until time is up or the queue has ended.
    pub(super) async fn expire(&self, until: Option<Instant>) {
        let queue = &self.shared.queue;
        while until.map_or_else(|| !queue.is_finished(), |until| Instant::now() < until) {
            self.drop_expired(queue.expire());
            for batch in queue.expire_returned() {
                batch.fail(Fault::Unavailable);
            }
            sleep(EXPIRY_PAUSE).await;
        }
    }

    /// Lets a batch rest without keeping the lane.
    pub(super) fn set_aside(&self, mut batch: Batch) {
        if batch.rests == 0 {
            self.shared.stats.set_aside.inc_by(batch.work.len() as u64);
        }
        batch.rests = batch.rests.saturating_add(1);
        self.shared.queue.set_aside();
        let queue = Arc::clone(&self.shared.queue);
        tokio::spawn(async move {
            sleep(ASIDE_PAUSE).await;
            queue.bring_back(batch);
        });
    }

    fn note_waits(&self, batch: &Batch) {
        let waits = &self.shared.stats.queue_wait;
        for pending in &batch.work {
            waits.observe(pending.waited(batch.began).as_secs_f64());
            if let Some(passage) = &pending.passage {
                passage.take();
            }
        }
    }

    fn drop_expired(&self, expired: Vec<Pending>) {
        self.shared.stats.expired.inc_by(expired.len() as u64);
        let away = self.shared.stats.connected.get() == 0;
        let fault = if away {
            Fault::Unavailable
        } else {
            Fault::Overloaded
        };
        batch::answer_all(expired.into_iter().map(|pending| (pending, Err(fault))));
    }
}
