//! What a plan of a batch has to know: heads and names, open books, unused ids.

use std::collections::{HashMap, HashSet};

use super::batch::Batch;
use super::ids::{Lacking, needed};
use super::link::bounded;
use super::state::Lane;
use crate::ledger::{AccountRef, BookId, BookName, Command, Email, View};
use crate::storage::{self, StorageError};

impl Lane {
    /// Fills the view with the heads and names that the commands need: from memory, or else by one query.
    pub(super) async fn fill(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        let named = batch.commands().filter_map(Command::book);
        let named: Vec<BookName> = named.collect();
        batch.view.books.clear();
        self.fill_books(batch, named).await?;
        let missing = self.recall(batch);
        let unopened = if missing.is_empty() {
            0
        } else {
            self.fetch(batch, &missing).await?
        };
        if has_other_book(&batch.view) {
            self.fill_books(batch, BookName::RESETTABLE.into()).await?;
        }
        self.fill_emails(batch).await?;
        let needed = needed(batch.commands(), unopened);
        self.reserve(self.ids.lacking(&needed)).await?;
        self.ids.lend(&needed, &mut batch.view);
        Ok(())
    }

    /// Fills the view with the open books of these names. What it has of them stays: what names mean was read by it.
    async fn fill_books(
        &mut self,
        batch: &mut Batch,
        mut names: Vec<BookName>,
    ) -> Result<(), StorageError> {
        names.retain(|name| batch.view.books.id(*name).is_none());
        if names.is_empty() {
            return Ok(());
        }
        let remembered = self.shared.memory.books();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| match remembered.find(*name) {
            Some(book) => {
                batch.view.books.insert(*name, book);
                false
            }
            None => true,
        });
        if names.is_empty() {
            return Ok(());
        }
        let connection = self.link.connection()?;
        let books = bounded(storage::books::fetch_open(connection, &names)).await?;
        for (name, book) in names
            .iter()
            .filter_map(|name| Some((*name, books.find(*name)?)))
        {
            self.shared.memory.remember_book(name, book);
            batch.view.books.insert(name, book);
        }
        Ok(())
    }

    /// Fills the view with the emails that are taken, in whatever form they are stored. The unique index knows one of the forms.
    async fn fill_emails(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        let emails: Vec<String> = batch.emails().flat_map(Email::stored_as).collect();
        if emails.is_empty() {
            return Ok(());
        }
        let connection = self.link.connection()?;
        let taken = bounded(storage::users::list_taken_emails(connection, &emails)).await?;
        batch.view.emails.extend(taken);
        Ok(())
    }

    /// What memory holds goes into the view; what it does not is returned.
    fn recall(&self, batch: &mut Batch) -> Vec<AccountRef> {
        let view = &mut batch.view;
        view.heads.clear();
        view.names.clear();
        view.owners.clear();
        view.heads.reserve(batch.work.pending.len());
        view.names.reserve(batch.work.pending.len());
        let mut missing: HashSet<AccountRef> = HashSet::new();
        for reference in batch.work.commands().flat_map(Command::accounts) {
            if is_known(view, reference) {
                continue;
            }
            let head = match reference {
                AccountRef::Id(id) | AccountRef::Owned(id, _) => self.shared.memory.head(*id),
                AccountRef::Named(name) => self.shared.memory.head_by_name(name),
            };
            if let Some(head) = head.filter(|head| reference.fits(head, &view.books)) {
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

    /// Asks the database. How many of the names have no account.
    async fn fetch(
        &mut self,
        batch: &mut Batch,
        missing: &[AccountRef],
    ) -> Result<usize, StorageError> {
        let mut unopened = 0;
        let connection = self.link.connection()?;
        let found = bounded(storage::heads::list(connection, missing)).await?;
        let mut unreadable = HashMap::new();
        for (reference, found) in missing.iter().zip(found) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    unreadable.insert(reference, error);
                    continue;
                }
            };
            if let Some(head) = found.head {
                if let AccountRef::Named(name) = reference {
                    self.shared.memory.remember_name(name.clone(), &head);
                    batch.view.names.insert(name.clone(), head.id);
                }
                self.shared.memory.remember_head(head.clone());
                batch.view.heads.insert(head.id, head);
            } else if let AccountRef::Named(name) = reference {
                unopened += 1;
                self.shared.memory.forget_name(name);
                batch
                    .view
                    .owners
                    .extend(name.owner.filter(|_| found.owner_exists));
            }
        }
        if !unreadable.is_empty() {
            batch.dismiss(|command, _| {
                let mut accounts = command.accounts();
                accounts.find_map(|reference| unreadable.get(reference).cloned())
            });
        }
        Ok(unopened)
    }

    /// Takes the ids that openings may use up.
    async fn reserve(&mut self, lacking: Lacking) -> Result<(), StorageError> {
        let connection = self.link.connection()?;
        let ids = &mut self.ids;
        if let Some(count) = lacking.accounts {
            let reserved = storage::ids::reserve_accounts(connection, count);
            ids.accounts.extend(bounded(reserved).await?);
        }
        if let Some(count) = lacking.users {
            let reserved = storage::ids::reserve_users(connection, count);
            ids.users.extend(bounded(reserved).await?);
        }
        if let Some(count) = lacking.books {
            let reserved = storage::ids::reserve_books(connection, count);
            ids.books.extend(bounded(reserved).await?);
        }
        Ok(())
    }
}

fn is_known(view: &View, reference: &AccountRef) -> bool {
    match reference {
        AccountRef::Id(id) | AccountRef::Owned(id, _) => view.heads.contains_key(id),
        AccountRef::Named(name) => view.names.contains_key(name),
    }
}

/// Whether a book that may be sealed by now has an account in the view.
fn has_other_book(view: &View) -> bool {
    view.heads.values().any(|head| head.book != BookId::MAIN)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::engine::queue::tests::desk::{named, usd};
    use crate::ledger::{AccountId, Head};

    #[test]
    fn what_the_view_has_is_not_looked_up_again() {
        let mut view = View::default();
        view.names.insert(named("shop"), AccountId(1));
        assert!(is_known(&view, &AccountRef::Named(named("shop"))));
        assert!(!is_known(&view, &AccountRef::Named(named("cafe"))));
        // A name alone does not make its head known.
        let id = AccountRef::Id(AccountId(1));
        assert!(!is_known(&view, &id));
        let head = Head::open(
            AccountId(1),
            BookId::MAIN,
            None,
            usd(),
            DateTime::UNIX_EPOCH,
        );
        view.heads.insert(head.id, head);
        assert!(is_known(&view, &id));
    }
}
