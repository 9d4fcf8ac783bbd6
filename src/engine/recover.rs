//! What can go wrong with a batch, and what is done about each: the one place for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::sleep;

use super::batch::Batch;
use super::ids::Ids;
use super::lane::Lane;
use super::settle::{bounded, not_connected};
use crate::ledger::{Command, Email, Fault, Scope, View, key};
use crate::storage::{self, CommitError};
use crate::telemetry::throttle::Throttle;

/// How often a batch goes to another connection because a server was the wrong one.
const REROUTES_MAX: u32 = 1;
/// The longest rest after a conflict.
const REST_MAX: Duration = Duration::from_millis(20);

static TOOK_TOO_LONG: Throttle = Throttle::new();
static REFUSES: Throttle = Throttle::new();
static LOOK_FAILED: Throttle = Throttle::new();
static CANNOT_TAKE: Throttle = Throttle::new();

impl Lane {
    /// What is left to work on, in order. Nothing of the batch was applied, unless the connection was lost.
    pub(super) async fn recover(&mut self, mut batch: Batch, error: CommitError) -> Vec<Batch> {
        match error {
            CommitError::HeadMoved | CommitError::NameTaken => self.again(batch).await,
            CommitError::IdTaken => {
                self.ids = Ids::default();
                self.again(batch).await
            }
            CommitError::ClockApart => {
                // The next connection compares the clocks. If they agree, the plan was late, and another may be in time.
                self.disconnect("the database's clock is far from the time of a plan");
                vec![batch]
            }
            CommitError::RowLocked => {
                batch.cautious = true;
                self.again(batch).await
            }
            CommitError::KeyTaken => match self.learn_outcomes(&mut batch).await {
                Ok(true) => vec![batch],
                Ok(false) => self.again(batch).await,
                Err(error) => self.failed_to_learn(batch, &error),
            },
            CommitError::EmailTaken => match self.learn_emails(&mut batch).await {
                Ok(true) => vec![batch],
                Ok(false) => self.again(batch).await,
                Err(error) => self.failed_to_learn(batch, &error),
            },
            CommitError::TransactionApplied => {
                batch.suspect = true;
                self.again(batch).await
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
                let commands = batch.work.len();
                TOOK_TOO_LONG.say(|held_back| {
                    tracing::warn!(commands, held_back, "a statement took too long");
                });
                batch.fail(Fault::Unavailable);
                Vec::new()
            }
            CommitError::WrongServer(why) => self.reroute(batch, &why),
            CommitError::Refused(why) => {
                let commands = batch.work.len();
                REFUSES.say(|held_back| {
                    tracing::error!(why, commands, held_back, "the database refuses to write");
                });
                batch.fail(Fault::Unavailable);
                Vec::new()
            }
        }
    }

    /// Forgets what turned out to be wrong, and rests a little so that two who disturb each other fall out of step.
    async fn again(&self, mut batch: Batch) -> Vec<Batch> {
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

    /// Which keys have an outcome. Whether that is news.
    async fn learn_outcomes(&mut self, batch: &mut Batch) -> Result<bool, CommitError> {
        let keys: Vec<_> = batch
            .commands()
            .filter_map(|command| scoped_key(command, &batch.view))
            .collect();
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let found = bounded(storage::outcomes::list_ids_by_keys(connection, &keys)).await?;
        let ids: Vec<_> = found.iter().map(|(_, id)| *id).collect();
        let outcomes = bounded(storage::outcomes::list(connection, &ids)).await?;
        let known = batch.view.outcomes.len();
        let mut unreadable = HashMap::new();
        for (position, id) in found {
            match (keys.get(position), outcomes.get(&id)) {
                (Some(key), Some(Ok(recorded))) => {
                    batch.view.outcomes.insert(key.clone(), recorded.clone());
                }
                (Some(key), Some(Err(error))) => {
                    unreadable.insert(key.clone(), error);
                }
                (None, _) | (_, None) => {}
            }
        }
        let dismissed = batch.dismiss(|command, view| {
            let key = scoped_key(command, view)?;
            unreadable.get(&key).copied().cloned()
        });
        Ok(dismissed || known < batch.view.outcomes.len())
    }

    /// Which emails are taken. Whether that is news.
    async fn learn_emails(&mut self, batch: &mut Batch) -> Result<bool, CommitError> {
        let emails: HashSet<&str> = batch.emails().map(Email::canonical).collect();
        let emails: Vec<&str> = emails.into_iter().collect();
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let taken = bounded(storage::users::list_taken_emails(connection, &emails)).await?;
        let known = batch.view.emails.len();
        batch.view.emails.extend(taken);
        Ok(known < batch.view.emails.len())
    }

    /// The batch itself was refused, so nothing of it is applied, whatever became of the look.
    fn failed_to_learn(&mut self, batch: Batch, error: &CommitError) -> Vec<Batch> {
        match error {
            CommitError::Lost(why) => {
                self.disconnect(why);
                vec![batch]
            }
            CommitError::WrongServer(why) => self.reroute(batch, why),
            error => {
                LOOK_FAILED.say(|held_back| {
                    tracing::error!(?error, held_back, "a look for known outcomes failed");
                });
                batch.fail(Fault::Unavailable);
                Vec::new()
            }
        }
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
        if batch.work.len() < 2 {
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

/// The key of a command with its scope, if it has both.
fn scoped_key(command: &Command, view: &View) -> Option<(Scope, String)> {
    let scope = key::scope(&command.action, |reference| view.account(reference))?;
    Some((scope, command.key.as_ref()?.text.clone()))
}

/// How long a batch rests at most after so many conflicts in a row. The first is likely to stay the only one.
fn rest(conflicts: u32) -> Option<Duration> {
    match conflicts {
        0 | 1 => None,
        many => Some(Duration::from_millis(1 << many.min(5)).min(REST_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_limit() {
        let rests = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(rest);
        let millis = rests.map(|rest| rest.map(|rest| rest.as_millis()));
        let [none, most] = [None, Some(20)];
        assert_eq!(
            millis,
            [none, none, Some(4), Some(8), Some(16), most, most, most]
        );
    }
}
