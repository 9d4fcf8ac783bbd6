//! Transactions of more than one statement: how a batch gets through if planning on guesses keeps losing, or if a
//! commit needs a message of its own.

use std::collections::HashSet;

use tokio::time::Instant;

use super::batch::Batch;
use super::error::RoundError;
use super::link::bounded;
use super::state::Lane;
use super::write::Written;
use crate::engine::queue::Resource;
use crate::ledger::AccountId;
use crate::storage::connection::{begin, commit, rollback};
use crate::storage::heads::{self, Locked};
use crate::storage::{CommitError, StorageError};

impl Lane {
    /// Locks the heads, then plans on what cannot move any more. A batch that skips locked rows goes on without those
    /// that somebody else has locked; their commands wait on their own.
    pub(super) async fn write_locked(&mut self, batch: &mut Batch) -> Result<Written, RoundError> {
        self.shared.stats.lock_firsts.inc();
        let written = self.lock_and_write(batch).await;
        self.roll_back_unless_written(written).await
    }

    /// Writes as [`Lane::write`] does, with a commit that is only sent when the statement has its answer.
    pub(super) async fn write_and_commit(&mut self, batch: &Batch) -> Result<Written, RoundError> {
        let written = self.begin_and_write(batch).await;
        self.roll_back_unless_written(written).await
    }

    async fn roll_back_unless_written(
        &mut self,
        written: Result<Written, RoundError>,
    ) -> Result<Written, RoundError> {
        if let Err(error) = &written
            && error.leaves_connection()
        {
            bounded(rollback(self.link.connection()?)).await?;
        }
        written
    }

    async fn lock_and_write(&mut self, batch: &mut Batch) -> Result<Written, RoundError> {
        let connection = self.link.connection()?;
        let accounts: HashSet<AccountId> = batch.view.heads.keys().copied().collect();
        let how = if batch.skips_locked {
            Locked::Skip
        } else {
            Locked::Wait
        };
        bounded(begin(connection)).await?;
        let ours = bounded(heads::lock(connection, accounts.iter().copied(), how)).await?;
        let ours: HashSet<AccountId> = ours.into_iter().collect();
        let locked: HashSet<AccountId> = accounts.difference(&ours).copied().collect();
        self.shared.memory.forget_locked(&ours);
        if !locked.is_empty() {
            self.set_aside(batch, &locked);
        }
        for account in &accounts {
            self.shared.memory.forget_head(*account);
        }
        self.fill(batch).await?;
        if batch.maybe_committed {
            self.answer_committed(batch).await?;
        }
        self.write_to_the_end(batch).await
    }

    async fn begin_and_write(&mut self, batch: &Batch) -> Result<Written, RoundError> {
        bounded(begin(self.link.connection()?)).await?;
        self.write_to_the_end(batch).await
    }

    /// The statement, and the commit: in time, or not at all.
    async fn write_to_the_end(&mut self, batch: &Batch) -> Result<Written, RoundError> {
        let written = self.write(batch).await?;
        if batch.is_late() {
            return Err(CommitError::ClockApart.into());
        }
        let committed = bounded(commit(self.link.connection()?)).await;
        committed.map_err(StorageError::into_commit_error)?;
        Ok(written)
    }

    /// Lets the commands of accounts rest that somebody else has locked, without keeping the lane.
    fn set_aside(&mut self, batch: &mut Batch, locked: &HashSet<AccountId>) {
        self.shared.memory.remember_locked(locked);
        let names = batch.view.names.iter();
        let names = names.filter(|(_, account)| locked.contains(account));
        let resources: HashSet<Resource> = names
            .map(|(name, _)| Resource::name(name))
            .chain(locked.iter().copied().map(Resource::account))
            .collect();
        let mut apart = batch.separate(&resources);
        let commands = apart.work.pending.len();
        if commands == 0 {
            return;
        }
        if apart.rests == 0 {
            self.shared.stats.set_aside.inc_by(commands as u64);
        }
        apart.rests = apart.rests.saturating_add(1);
        self.aside.push(apart, Instant::now());
    }
}
