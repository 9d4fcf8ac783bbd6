//! What a plan of a batch has to know: it is read, from memory or else from the database, until nothing is missing.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::batch::Batch;
use super::ids::Lacking;
use super::link::bounded;
use super::state::Lane;
use crate::ledger::{AccountRef, BookName, Needs, Openings, View};
use crate::storage::{self, StorageError, Unreadable};

/// Books come first, then what names mean in them, then the books of the accounts that were found.
const ROUNDS_MAX: usize = 3;

impl Lane {
    /// Fills the view with all that the commands need.
    pub(super) async fn fill(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        batch.view.forget_guesses();
        for round in 0.. {
            let needs = Needs::of(batch.work.commands(), &batch.view);
            if needs.is_empty() {
                break;
            }
            if round == ROUNDS_MAX {
                let books = needs.books;
                return Err(StorageError::Corrupt(format!("no book is open: {books:?}")));
            }
            self.fill_books(needs.books, &mut batch.view).await?;
            self.fill_emails(needs.emails, &mut batch.view).await?;
            let unreadable = self.fill_accounts(needs.accounts, &mut batch.view).await?;
            if !unreadable.is_empty() {
                batch.dismiss(|command, _| {
                    let mut accounts = command.accounts();
                    accounts.find_map(|reference| unreadable.get(reference).cloned())
                });
            }
        }
        self.lend_ids(batch).await
    }

    /// The open books of names.
    async fn fill_books(
        &mut self,
        names: BTreeSet<BookName>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        let memory = &self.shared.memory;
        let remembered = memory.books();
        let mut missing = Vec::new();
        for name in names {
            match remembered.find(name) {
                Some(book) => view.books.insert(name, book),
                None => missing.push(name),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let connection = self.link.connection()?;
        let found = bounded(storage::books::fetch_open(connection, &missing)).await?;
        for name in missing {
            if let Some(book) = found.find(name) {
                memory.remember_book(name, book);
                view.books.insert(name, book);
            }
        }
        Ok(())
    }

    /// Which emails are taken. The unique index knows one form of each alone.
    async fn fill_emails(
        &mut self,
        emails: BTreeSet<String>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        if emails.is_empty() {
            return Ok(());
        }
        let emails: Vec<String> = emails.into_iter().collect();
        let connection = self.link.connection()?;
        let taken = bounded(storage::users::list_taken_emails(connection, &emails)).await?;
        view.emails
            .extend(emails.into_iter().map(|email| (email, false)));
        view.emails
            .extend(taken.into_iter().map(|email| (email, true)));
        Ok(())
    }

    /// The heads of accounts, and what names mean. Returns those that cannot be read.
    async fn fill_accounts(
        &mut self,
        references: HashSet<&AccountRef>,
        view: &mut View,
    ) -> Result<HashMap<AccountRef, Unreadable>, StorageError> {
        let missing: Vec<AccountRef> = references
            .into_iter()
            .filter(|reference| !self.recall(reference, view))
            .cloned()
            .collect();
        let mut unreadable = HashMap::new();
        if missing.is_empty() {
            return Ok(unreadable);
        }
        let connection = self.link.connection()?;
        let found = bounded(storage::heads::list(connection, &missing)).await?;
        let memory = &self.shared.memory;
        for (reference, found) in missing.into_iter().zip(found) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    unreadable.insert(reference, error);
                    continue;
                }
            };
            match (found.head, &reference) {
                (Some(head), reference) => {
                    if let AccountRef::Named(name) = reference {
                        memory.remember_name(name.clone(), &head);
                    }
                    memory.remember_head(head.clone());
                    view.insert(reference, head);
                }
                (None, AccountRef::Named(name)) => {
                    memory.forget_name(name);
                    view.owners
                        .extend(name.owner.filter(|_| found.owner_exists));
                    view.absent.insert(reference);
                }
                (None, AccountRef::Id(_) | AccountRef::Owned(..)) => {
                    view.absent.insert(reference);
                }
            }
        }
        Ok(unreadable)
    }

    /// Whether memory has the account.
    fn recall(&self, reference: &AccountRef, view: &mut View) -> bool {
        let head = match reference {
            AccountRef::Id(id) | AccountRef::Owned(id, _) => self.shared.memory.head(*id),
            AccountRef::Named(name) => self.shared.memory.head_by_name(name),
        };
        let head = head.filter(|head| reference.fits(head, &view.books));
        let known = head.is_some();
        if let Some(head) = head {
            view.insert(reference, head);
        }
        known
    }

    /// Lets the view have the ids that openings may use up.
    async fn lend_ids(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        let openings = Openings::of(batch.work.commands(), &batch.view);
        self.reserve(self.ids.lacking(&openings)).await?;
        self.ids.lend(&openings, &mut batch.view);
        Ok(())
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
