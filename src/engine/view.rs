//! What a batch has to know before it is planned: what is done already, heads and names, unused ids.

use std::collections::{HashMap, HashSet};

use super::batch::Batch;
use super::lane::Lane;
use super::settle::{bounded, not_connected};
use crate::ledger::{AccountId, AccountRef, Action, Answered, View};
use crate::storage::{self, CommitError};

/// Account ids taken from the sequence at a time. Gaps are normal.
const ACCOUNT_IDS: usize = 32;

impl Lane {
    /// Asks what became of an earlier attempt, and answers what was done. Comes after the heads were read under lock: what was
    /// committed before that is seen here, and what is committed later moves a head.
    pub(super) async fn look(&mut self, batch: &mut Batch) -> Result<(), CommitError> {
        self.shared.stats.looks.add(1);
        let ids: Vec<_> = batch.commands().map(|command| command.id).collect();
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let outcomes = bounded(storage::outcomes::list(connection, &ids)).await?;
        let mut done: HashMap<_, _> = outcomes
            .into_iter()
            .map(|outcome| (outcome.recorded.transaction, outcome.recorded.outcome))
            .collect();
        for pending in std::mem::take(&mut batch.work) {
            match done.remove(&pending.command.id) {
                Some(outcome) => pending.answer(Ok(Answered::first(outcome))),
                None => batch.work.push(pending),
            }
        }
        Ok(())
    }

    /// Fills the view with the heads and names that the commands need: from memory, or else by one query.
    pub(super) async fn read(&mut self, batch: &mut Batch) -> Result<(), CommitError> {
        let missing = self.recall(batch);
        if !missing.is_empty() {
            self.fetch(batch, &missing).await?;
        }
        let users = batch
            .commands()
            .filter(|command| matches!(command.action, Action::OpenUser(_)))
            .count();
        // Every name without an account may get one.
        let accounts = missing.len().saturating_add(users);
        if 0 < accounts {
            self.reserve(accounts, users).await?;
            batch.view.unused_accounts.clone_from(&self.ids.accounts);
            batch.view.unused_users.clone_from(&self.ids.users);
        }
        Ok(())
    }

    /// What memory holds goes into the view; what it does not is returned.
    fn recall(&self, batch: &mut Batch) -> Vec<AccountRef> {
        let view = &mut batch.view;
        view.heads.clear();
        view.names.clear();
        view.owners.clear();
        let mut missing: HashSet<AccountRef> = HashSet::new();
        for reference in batch
            .work
            .iter()
            .flat_map(|pending| pending.command.action.accounts())
        {
            let id = match reference {
                AccountRef::Id(id) => Some(*id),
                AccountRef::Named(name) => self.shared.memory.account(name),
            };
            if id.is_some_and(|id| view.heads.contains_key(&id)) && is_named(view, reference) {
                continue;
            }
            let head = id.and_then(|id| self.shared.memory.head(id));
            if let Some(head) = head.filter(|head| reference.fits(head)) {
                if let AccountRef::Named(name) = reference {
                    view.names.insert(name.clone(), head.id);
                }
                view.heads.insert(head.id, head);
            } else {
                missing.insert(reference.clone());
            }
        }
        missing.into_iter().collect()
    }

    async fn fetch(
        &mut self,
        batch: &mut Batch,
        missing: &[AccountRef],
    ) -> Result<(), CommitError> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let found = bounded(storage::heads::list(connection, missing)).await?;
        for (reference, found) in missing.iter().zip(found) {
            if let Some(head) = found.head {
                if let AccountRef::Named(name) = reference {
                    self.shared.memory.remember_name(name.clone(), head.id);
                    batch.view.names.insert(name.clone(), head.id);
                }
                self.shared.memory.remember_head(head.clone());
                batch.view.heads.insert(head.id, head);
            } else if let AccountRef::Named(name) = reference {
                self.shared.memory.forget_name(name);
                batch
                    .view
                    .owners
                    .extend(name.owner.filter(|_| found.owner_exists));
            }
        }
        Ok(())
    }

    /// Sees to it that there are unused ids for so many openings.
    async fn reserve(&mut self, accounts: usize, users: usize) -> Result<(), CommitError> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let lacking = |have: &[AccountId]| accounts.saturating_sub(have.len());
        if 0 < lacking(&self.ids.accounts) {
            let count =
                i32::try_from(lacking(&self.ids.accounts).max(ACCOUNT_IDS)).unwrap_or(i32::MAX);
            self.ids
                .accounts
                .extend(bounded(storage::ids::reserve_accounts(connection, count)).await?);
        }
        let lacking = users.saturating_sub(self.ids.users.len());
        if 0 < lacking {
            let count = i32::try_from(lacking).unwrap_or(i32::MAX);
            self.ids
                .users
                .extend(bounded(storage::ids::reserve_users(connection, count)).await?);
        }
        Ok(())
    }
}

/// Whether the view knows the name, where the reference is one.
fn is_named(view: &View, reference: &AccountRef) -> bool {
    match reference {
        AccountRef::Id(_) => true,
        AccountRef::Named(name) => view.names.contains_key(name),
    }
}
