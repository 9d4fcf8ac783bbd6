//! Holds whose time is over are written down within a second, also if nobody asks for their account.
//!
//! Nothing depends on it: whoever touches an account expires what is due there first. One node sweeps at a time, and its
//! commands wait in the queue like any other.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::{Service, read};
use crate::ledger::{AccountId, Action, Fault};
use crate::storage::{self, Connection, StorageError};

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);
/// How long a node keeps the turn that it took.
const LEASE: Duration = Duration::from_secs(5);
const LEASE_NAME: &str = "sweep holds";
/// Holds that are looked for at a time, and how often before it rests.
const HOLDS_MAX: i64 = 200;
const PAGES_MAX: usize = 10;

impl Service {
    /// Sweeps until it is dropped.
    pub async fn sweep(self: Arc<Self>) {
        let node = Uuid::now_v7();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // What failed is tried again at the next turn, and whoever reads logs hears of it there.
            for _ in 0..PAGES_MAX {
                if !matches!(self.sweep_once(node).await, Ok(true)) {
                    break;
                }
            }
        }
    }

    /// Whether there may be more to do at once.
    async fn sweep_once(&self, node: Uuid) -> Result<bool, Fault> {
        let due = read(&self.reads, async move |connection: &mut Connection| {
            find_due(connection, node).await
        });
        let due = due.await?;
        let goes_on = !due.is_empty();
        // Handed in together, so that they are committed together.
        let mut expired = Vec::with_capacity(due.len());
        for account in due {
            expired.push(self.submit(Action::Expire(account), None));
        }
        for answer in expired {
            answer.await?;
        }
        Ok(goes_on)
    }
}

/// Accounts that have something due, if it is this node's turn. Most of the time there are none, and then it is nobody's.
async fn find_due(connection: &mut Connection, node: Uuid) -> Result<Vec<AccountId>, StorageError> {
    let due = storage::holds::list_due_accounts(connection, Utc::now(), HOLDS_MAX).await?;
    let is_ours =
        !due.is_empty() && storage::leases::take(connection, LEASE_NAME, node, LEASE).await?;
    Ok(if is_ours { due } else { Vec::new() })
}
