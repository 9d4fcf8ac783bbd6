//! What a plan of a batch has to know: it is read, from memory or else from the database, until nothing is missing.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::batch::Batch;
use super::ids::Lacking;
use super::link::bounded;
use super::state::Lane;
use crate::ledger::{
    AccountId, AccountRef, BookId, ExternalId, HoldId, Needs, Openings, TransactionId, UserId, View,
};
use crate::storage::{self, StorageError, Unreadable};

/// Books and holds come first, then the accounts that these mean, then what those are called whose book it is, then the open
/// book of that name.
const ROUNDS_MAX: usize = 5;

impl Lane {
    /// Fills the view with all that the commands need.
    pub(super) async fn fill(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        batch.view.forget_guesses();
        for round in 0.. {
            let needs = Needs::of(batch.work.commands(), &batch.view, Utc::now());
            if needs.is_empty() {
                break;
            }
            if round == ROUNDS_MAX {
                let books = needs.books;
                return Err(StorageError::Corrupt(format!("no book is open: {books:?}")));
            }
            self.fill_books(&needs, &mut batch.view).await?;
            self.fill_emails(needs.emails, &mut batch.view).await?;
            // With their accounts, so before those.
            let unreadable_holds = self.fill_holds(needs.holds, &mut batch.view).await?;
            let unreadable = self.fill_accounts(needs.accounts, &mut batch.view).await?;
            if !unreadable.is_empty() || !unreadable_holds.is_empty() {
                batch.dismiss(|command, _| {
                    let mut accounts = command.accounts();
                    let account = accounts.find_map(|reference| unreadable.get(reference));
                    let mut holds = command.holds();
                    let hold = || holds.find_map(|hold| unreadable_holds.get(&hold));
                    account.or_else(hold).cloned()
                });
            }
            self.fill_due(&needs.due, needs.due_until, &mut batch.view)
                .await?;
            self.fill_originals(needs.originals, &mut batch.view)
                .await?;
            self.fill_details(needs.details, &mut batch.view).await?;
            self.fill_registers(needs.external_ids, needs.users, &mut batch.view)
                .await?;
        }
        self.lend_ids(batch).await
    }

    /// The open books of names, and the names of books.
    async fn fill_books(&mut self, needs: &Needs, view: &mut View) -> Result<(), StorageError> {
        let memory = &self.shared.memory;
        let remembered = memory.books();
        let mut missing = Vec::new();
        for name in &needs.books {
            match remembered.find(*name) {
                Some(book) => view.books.insert(*name, book),
                None => missing.push(*name),
            }
        }
        let mut nameless = Vec::new();
        for book in &needs.book_names {
            match remembered.name(*book) {
                Some(name) => drop(view.book_names.insert(*book, name)),
                None => nameless.push(*book),
            }
        }
        if !missing.is_empty() {
            let connection = self.link.connection()?;
            let found = bounded(storage::books::fetch_open(connection, &missing)).await?;
            for name in missing {
                match found.find(name) {
                    Some(book) => {
                        memory.remember_book(name, book);
                        view.books.insert(name, book);
                    }
                    None => drop(view.absent_books.insert(name)),
                }
            }
        }
        if !nameless.is_empty() {
            let connection = self.link.connection()?;
            let named = bounded(storage::books::list_names(connection, &nameless)).await?;
            view.book_names.extend(named);
        }
        Ok(())
    }

    /// Holds with the heads of their accounts, as they are at one moment: what memory knows may be older or newer.
    async fn fill_holds(
        &mut self,
        holds: BTreeSet<HoldId>,
        view: &mut View,
    ) -> Result<HashMap<HoldId, Unreadable>, StorageError> {
        let mut unreadable = HashMap::new();
        if holds.is_empty() {
            return Ok(unreadable);
        }
        let ids: Vec<HoldId> = holds.into_iter().collect();
        let connection = self.link.connection()?;
        let found = bounded(storage::holds::list_with_heads(connection, &ids)).await?;
        view.holds.extend(ids.into_iter().map(|id| (id, None)));
        for (id, found) in found {
            match found {
                Ok((hold, head)) => {
                    view.holds.insert(id, Some(hold));
                    view.heads.insert(head.id, head);
                }
                Err(error) => drop(unreadable.insert(id, error)),
            }
        }
        Ok(unreadable)
    }

    async fn fill_due(
        &mut self,
        accounts: &BTreeSet<AccountId>,
        until: Option<DateTime<Utc>>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        let Some(until) = until.filter(|_| !accounts.is_empty()) else {
            return Ok(());
        };
        let accounts: Vec<AccountId> = accounts.iter().copied().collect();
        let connection = self.link.connection()?;
        let due = bounded(storage::holds::list_due(connection, &accounts, until)).await?;
        view.due.extend(due);
        Ok(())
    }

    /// Transactions that are to be reversed.
    async fn fill_originals(
        &mut self,
        ids: BTreeSet<TransactionId>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<TransactionId> = ids.into_iter().collect();
        let connection = self.link.connection()?;
        let mut found = bounded(storage::originals::list(connection, &ids)).await?;
        view.originals
            .extend(ids.into_iter().map(|id| (id, found.remove(&id))));
        Ok(())
    }

    /// What is said of accounts.
    async fn fill_details(
        &mut self,
        accounts: BTreeSet<AccountId>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        if accounts.is_empty() {
            return Ok(());
        }
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let connection = self.link.connection()?;
        let mut found = bounded(storage::details::list_of_accounts(connection, &accounts)).await?;
        let said = |id| (id, found.remove(&id).unwrap_or_default());
        view.details.extend(accounts.into_iter().map(said));
        Ok(())
    }

    /// Which external ids are taken, and which users there are.
    async fn fill_registers(
        &mut self,
        external_ids: BTreeSet<(BookId, ExternalId)>,
        users: BTreeSet<UserId>,
        view: &mut View,
    ) -> Result<(), StorageError> {
        if !external_ids.is_empty() {
            let ids: Vec<(BookId, ExternalId)> = external_ids.into_iter().collect();
            let connection = self.link.connection()?;
            let taken = storage::details::list_taken_external_ids(connection, &ids);
            let taken = bounded(taken).await?;
            view.external_ids
                .extend(ids.into_iter().map(|id| (id, false)));
            view.external_ids
                .extend(taken.into_iter().map(|id| (id, true)));
        }
        if !users.is_empty() {
            let users: Vec<UserId> = users.into_iter().collect();
            let connection = self.link.connection()?;
            let found = bounded(storage::details::list_users(connection, &users)).await?;
            view.users
                .extend(users.into_iter().map(|user| (user, false)));
            view.users
                .extend(found.into_iter().map(|user| (user, true)));
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
        references: HashSet<AccountRef>,
        view: &mut View,
    ) -> Result<HashMap<AccountRef, Unreadable>, StorageError> {
        let missing: Vec<AccountRef> = references
            .into_iter()
            // A hold may have brought its head, and what is older than the hold must not take its place.
            .filter(|reference| !view.knows(reference) && !self.recall(reference, view))
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
