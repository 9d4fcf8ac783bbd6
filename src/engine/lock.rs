//! Transactions of more than one statement: how a batch gets through where planning on guesses keeps losing, or where a commit needs
//! a message of its own.

use std::collections::HashSet;

use super::batch::{Batch, Resource};
use super::lane::Lane;
use super::settle::{Written, bounded, not_connected};
use crate::ledger::AccountId;
use crate::storage::CommitError;
use crate::storage::connection::{begin, commit, rollback};
use crate::storage::heads::{self, Locked};

impl Lane {
    /// Locks the heads, then plans on what cannot move any more. A cautious batch goes on without the rows that somebody
    /// else holds; the commands of those wait on their own.
    pub(super) async fn write_locked(&mut self, batch: &mut Batch) -> Result<Written, CommitError> {
        self.shared.stats.lock_firsts.inc();
        let written = self.lock_and_write(batch).await;
        self.roll_back_unless_written(written).await
    }

    /// Writes as [`Lane::write`] does, with a commit that is only sent when the statement has its answer.
    pub(super) async fn write_and_commit(&mut self, batch: &Batch) -> Result<Written, CommitError> {
        let written = self.begin_and_write(batch).await;
        self.roll_back_unless_written(written).await
    }

    async fn roll_back_unless_written(
        &mut self,
        written: Result<Written, CommitError>,
    ) -> Result<Written, CommitError> {
        if let (Err(error), Some(connection)) = (&written, self.connection.as_mut())
            && !matches!(error, CommitError::Lost(_))
        {
            bounded(rollback(connection)).await?;
        }
        written
    }

    async fn lock_and_write(&mut self, batch: &mut Batch) -> Result<Written, CommitError> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let accounts: HashSet<AccountId> = batch.view.heads.keys().copied().collect();
        let how = if batch.cautious {
            Locked::Skip
        } else {
            Locked::Wait
        };
        bounded(begin(connection)).await?;
        let locked = bounded(heads::lock(connection, accounts.iter().copied(), how)).await?;
        let locked: HashSet<AccountId> = locked.into_iter().collect();
        let held: HashSet<AccountId> = accounts.difference(&locked).copied().collect();
        self.shared.memory.forget_held(&locked);
        if !held.is_empty() {
            self.part_from(batch, &held);
        }
        for account in &accounts {
            self.shared.memory.forget_head(*account);
        }
        self.read(batch).await?;
        if batch.suspect {
            self.look(batch).await?;
        }
        self.write_to_the_end(batch).await
    }

    async fn begin_and_write(&mut self, batch: &Batch) -> Result<Written, CommitError> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        bounded(begin(connection)).await?;
        self.write_to_the_end(batch).await
    }

    /// The statement, and the commit: in time, or not at all.
    async fn write_to_the_end(&mut self, batch: &Batch) -> Result<Written, CommitError> {
        let written = self.write(batch).await?;
        if batch.is_late() {
            return Err(CommitError::ClockApart);
        }
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        bounded(commit(connection)).await?;
        Ok(written)
    }

    /// Sets the commands of accounts aside that somebody else holds.
    fn part_from(&self, batch: &mut Batch, held: &HashSet<AccountId>) {
        self.shared.memory.remember_held(held);
        let names = batch
            .view
            .names
            .iter()
            .filter(|(_, account)| held.contains(account));
        let resources: HashSet<Resource> = names
            .map(|(name, _)| Resource::name(name))
            .chain(held.iter().copied().map(Resource::account))
            .collect();
        let apart = batch.separate(&resources);
        if !apart.work.is_empty() {
            self.set_aside(apart);
        }
    }
}
