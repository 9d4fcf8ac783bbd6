//! The life of a lane: it starts, takes one batch after the other, and ends with the queue.

use std::sync::Arc;
use std::{io, thread};

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::aside::Aside;
use super::batch::Batch;
use super::connect::connect;
use super::expiry;
use super::ids::Ids;
use super::link::Link;
use super::state::Lane;
use crate::engine::queue::Work;
use crate::engine::shared::Shared;
use crate::storage::StorageError;
use crate::telemetry::throttle::Throttle;

static PANICKED: Throttle = Throttle::new();

/// A lane that was started.
pub(in crate::engine) struct Started {
    /// Whether it could connect.
    pub connected: oneshot::Receiver<Result<(), StorageError>>,
    /// Resolves, with nothing, when it has ended.
    pub ended: oneshot::Receiver<()>,
}

/// Starts a lane, on a thread and a runtime of its own: nothing else delays it, and what it waits for wakes it directly
/// instead of by way of another thread.
pub(in crate::engine) fn start(shared: Arc<Shared>, number: usize) -> io::Result<Started> {
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

/// A panic costs the batches of a lane their answers, not the lane its life.
async fn live(shared: Arc<Shared>, connected: oneshot::Sender<Result<(), StorageError>>) {
    let mut link = Link::new(shared.stats.connected.clone());
    match connect(&shared).await {
        Ok(first) => link.open(first),
        Err(error) => return drop(connected.send(Err(error))),
    }
    drop(connected.send(Ok(())));
    loop {
        let lane = Lane {
            shared: Arc::clone(&shared),
            link,
            ids: Ids::default(),
            aside: Aside::default(),
        };
        match tokio::spawn(lane.run()).await {
            Ok(()) => break,
            Err(panic) => PANICKED.say(|held_back| {
                tracing::error!(%panic, held_back, "a lane panicked; it starts again");
            }),
        }
        link = Link::new(shared.stats.connected.clone());
    }
}

impl Lane {
    async fn run(mut self) {
        loop {
            if !self.link.is_open() {
                self.reconnect(None).await;
            }
            let Some(batch) = self.next().await else {
                break;
            };
            self.finish(batch).await;
        }
        self.shared.queue.wake_all();
        self.link.close().await;
    }

    /// The next batch: one that has rested, or else what waits. `None` once there is nothing left to work on, ever.
    pub(super) async fn next(&mut self) -> Option<Batch> {
        let size_max = self.shared.settings.batch_size_max;
        loop {
            if let Some(batch) = self.aside.take(Instant::now()) {
                return Some(batch);
            }
            let taking = Work::take(&self.shared.queue, size_max);
            let taken = match self.aside.due() {
                None => taking.await?,
                Some(due) => match timeout_at(due, taking).await {
                    Ok(Some(taken)) => taken,
                    Ok(None) => {
                        sleep_until(due).await;
                        continue;
                    }
                    Err(_due) => continue,
                },
            };
            expiry::tell(&self.shared, taken.expired);
            if let Some(work) = taken.work {
                let batch = Batch::new(work);
                self.note_waits(&batch);
                return Some(batch);
            }
        }
    }

    fn note_waits(&self, batch: &Batch) {
        let waits = &self.shared.stats.queue_wait;
        for pending in &batch.work.pending {
            waits.observe(pending.waited(batch.began).as_secs_f64());
            if let Some(passage) = &pending.passage {
                passage.take();
            }
        }
    }
}
