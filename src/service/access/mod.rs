//! Who may come in: the keys that live, in memory, as the database had them less than ten seconds ago.
//!
//! Each node asks twice a second whether keys have changed. A check asks nobody, so a flood of wrong keys never reaches the
//! database. Time is the database's: what it said when it was asked, and what has passed here since then.

mod keys;
mod known;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

pub use self::keys::{Like, Made, NotMade, make, new_id, random_key, revoke, rotate};
pub use self::known::{Granted, Refused};
use super::{Service, read};
use crate::ledger::Fault;
use crate::ledger::access::ApiKey;
use crate::storage::{Database, Pool, StorageError, audit_events};
use known::Known;

pub use crate::storage::api_keys::{Draft, KeyView, Revoked};
pub use crate::storage::audit_events::{Actor, By, Event};

/// How often it is asked whether anything has changed.
const EVERY: Duration = Duration::from_millis(500);

/// The keys that this node knows.
pub struct Access {
    /// One connection, so that whoever is in need of many never holds up the news of a revoked key.
    pool: Pool,
    known: RwLock<Arc<Known>>,
    /// One question at a time: of two answers the later one stays.
    asking: Mutex<()>,
}

impl Access {
    /// Connects, and asks for the first time.
    pub(super) async fn start(database: &Database) -> Result<Self, StorageError> {
        let pool = Pool::new(database, 1);
        let first = pool.read(Known::ask).await?;
        Ok(Self {
            pool,
            known: RwLock::new(Arc::new(first)),
            asking: Mutex::new(()),
        })
    }

    /// What a key stands for. It asks nobody, and takes some microseconds.
    ///
    /// # Errors
    /// If the key lets nobody in, or this node cannot know.
    pub fn check(&self, key: &ApiKey) -> Result<Arc<Granted>, Refused> {
        self.known().check(key, Instant::now())
    }

    /// Whether there is no key that this node knows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known().is_empty()
    }

    /// Asks what has changed.
    ///
    /// # Errors
    /// If the database does not answer.
    async fn ask(&self) -> Result<(), Fault> {
        let _turn = self.asking.lock().await;
        let known = self.known();
        let known = read(&self.pool, async move |connection| {
            known.ask_again(connection).await
        });
        self.keep(known.await?);
        Ok(())
    }

    /// Makes what was changed through this node hold here. If it cannot ask, it knows nothing until it can.
    async fn changed(&self) {
        if self.ask().await.is_err() {
            let forgotten = self.known().forgotten();
            self.keep(forgotten);
        }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Service {
    /// Asks until it is dropped.
    pub async fn watch_access(self: Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A question without an answer is in the log, and a node that has had none for long refuses.
            let _ = self.access.ask().await;
        }
    }

    /// Writes down what somebody did, besides changes of keys, which write theirs themselves.
    ///
    /// # Errors
    /// If the database does not answer. It may be written down all the same.
    pub async fn write_down(&self, event: &Event) -> Result<(), Fault> {
        read(&self.reads, async |connection| {
            audit_events::insert(connection, event).await
        })
        .await
    }

    /// The keys that this node knows.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }
}
