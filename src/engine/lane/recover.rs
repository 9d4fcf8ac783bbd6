//! What can go wrong with a batch, and what is done about each: the one place for it.

use std::time::Duration;

use tokio::time::sleep;

use super::batch::Batch;
use super::error::RoundError;
use super::ids::Ids;
use super::state::Lane;
use crate::ledger::Fault;
use crate::storage::{CommitError, StorageError};
use crate::telemetry::throttle::Throttle;

/// How often a batch goes to another connection because a server was the wrong one.
const REROUTES_MAX: u32 = 1;
/// The longest rest after a conflict.
const REST_MAX: Duration = Duration::from_millis(20);

static TOOK_TOO_LONG: Throttle = Throttle::new();
static REFUSES: Throttle = Throttle::new();
static CANNOT_TAKE: Throttle = Throttle::new();

impl Lane {
    /// What is left to work on, in order.
    pub(super) async fn recover(&mut self, mut batch: Batch, error: RoundError) -> Vec<Batch> {
        match error {
            RoundError::Writing(CommitError::Lost(why)) => {
                batch.maybe_committed = true;
                self.disconnect(&why);
                vec![batch]
            }
            RoundError::Writing(CommitError::KeyTaken) => {
                let learnt = self.learn_outcomes(&mut batch).await;
                self.go_on_with(batch, learnt).await
            }
            RoundError::OutcomesUnknown => match self.learn_outcomes(&mut batch).await {
                Ok(_) => vec![batch],
                Err(error) => {
                    let error = error.into_commit_error();
                    self.recover_unapplied(batch, error).await
                }
            },
            RoundError::Writing(error) => self.recover_unapplied(batch, error).await,
            RoundError::Reading(error) => {
                let error = error.into_commit_error();
                self.recover_unapplied(batch, error).await
            }
        }
    }

    /// Whether there was news, or why nobody knows.
    async fn go_on_with(&mut self, batch: Batch, learnt: Result<bool, StorageError>) -> Vec<Batch> {
        match learnt {
            Ok(true) => vec![batch],
            Ok(false) => self.retry(batch).await,
            Err(error) => {
                let error = error.into_commit_error();
                self.recover_unapplied(batch, error).await
            }
        }
    }

    /// What is left of a batch of which this round has applied nothing.
    async fn recover_unapplied(&mut self, mut batch: Batch, error: CommitError) -> Vec<Batch> {
        match error {
            CommitError::HeadMoved
            | CommitError::NameTaken
            | CommitError::KeyTaken
            | CommitError::EmailTaken
            | CommitError::Taken => self.retry(batch).await,
            CommitError::IdTaken => {
                self.ids = Ids::default();
                self.retry(batch).await
            }
            CommitError::ClockApart => {
                // The next connection compares the clocks. If they agree, the plan was late, and another may be in time.
                self.disconnect("the database's clock is far from the time of a plan");
                vec![batch]
            }
            CommitError::RowLocked => {
                batch.skips_locked = true;
                self.retry(batch).await
            }
            CommitError::TransactionApplied => {
                batch.maybe_committed = true;
                self.retry(batch).await
            }
            CommitError::Lost(why) => {
                self.disconnect(&why);
                vec![batch]
            }
            CommitError::BadData(why) => self.isolate(batch, &why),
            CommitError::Cancelled if batch.may_be_halved() => {
                batch.halved = true;
                self.halve(batch)
            }
            CommitError::Cancelled => {
                let commands = batch.work.pending.len();
                TOOK_TOO_LONG.say(|held_back| {
                    tracing::warn!(commands, held_back, "a statement took too long");
                });
                batch.fail(Fault::Unavailable);
                Vec::new()
            }
            CommitError::WrongServer(why) => self.reroute(batch, &why),
            CommitError::Refused(why) => {
                let commands = batch.work.pending.len();
                REFUSES.say(|held_back| {
                    tracing::error!(why, commands, held_back, "the database refuses to write");
                });
                batch.fail(Fault::Unavailable);
                Vec::new()
            }
        }
    }

    /// Forgets what turned out to be wrong, and rests a little so that two who disturb each other fall out of step.
    async fn retry(&self, mut batch: Batch) -> Vec<Batch> {
        self.shared.stats.conflicts.inc();
        batch.conflicts = batch.conflicts.saturating_add(1);
        let streak = &self.shared.stats.longest_streak;
        streak.set(streak.get().max(i64::from(batch.conflicts)));
        for account in batch.view.heads.keys() {
            self.shared.memory.forget_head(*account);
        }
        if !batch.view.books.is_empty() {
            self.shared.memory.forget_books();
        }
        if let Some(rest) = rest(batch.conflicts) {
            sleep(rest.mul_f32(fastrand::f32())).await;
        }
        vec![batch]
    }

    /// After a fail-over the next connection may lead to the right server, and it knows the tables as they are now.
    fn reroute(&mut self, mut batch: Batch, why: &str) -> Vec<Batch> {
        self.disconnect(why);
        if batch.reroutes < REROUTES_MAX {
            batch.reroutes = batch.reroutes.saturating_add(1);
            return vec![batch];
        }
        batch.fail(Fault::Unavailable);
        Vec::new()
    }

    /// Finds the one command that the database cannot take, so that it answers for itself alone.
    fn isolate(&self, batch: Batch, why: &str) -> Vec<Batch> {
        if batch.work.pending.len() < 2 {
            let transaction = batch.commands().next().map(|command| command.id);
            CANNOT_TAKE.say(|held_back| {
                tracing::error!(
                    why,
                    ?transaction,
                    held_back,
                    "the database cannot take a command"
                );
            });
            batch.fail(Fault::Bug);
            return Vec::new();
        }
        self.halve(batch)
    }

    fn halve(&self, mut batch: Batch) -> Vec<Batch> {
        self.shared.stats.splits.inc();
        let second = batch.split_off();
        vec![batch, second]
    }
}

/// How long a batch rests at most after so many conflicts in a row. The first is likely to stay the only one.
fn rest(conflicts: u32) -> Option<Duration> {
    match conflicts {
        0 | 1 => None,
        many => Some(Duration::from_millis(1 << many.min(5)).min(REST_MAX)),
    }
}

#[cfg(test)]
mod tests;
