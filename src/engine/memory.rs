//! Heads and names remembered from earlier batches: guesses that the database confirms or refuses.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use crate::ledger::{AccountId, BookId, BookName, Books, Head, NamedAccount};

pub(super) struct Memory {
    heads: Cache<AccountId, Head>,
    names: Cache<NamedAccount, Named>,
    books: Mutex<Books>,
    /// Accounts whose rows somebody else held at the last look.
    held: Mutex<HashSet<AccountId>>,
}

/// The account of a name. An id alone could be another account's, after a restore that set the sequence of ids back.
#[derive(Clone, Copy)]
struct Named {
    account: AccountId,
    opened_at: DateTime<Utc>,
}

impl Memory {
    /// A memory of so many accounts: some 250 bytes for a head, and 150 for a name.
    pub(super) fn new(accounts_max: usize) -> Self {
        Self {
            heads: Cache::new(accounts_max),
            names: Cache::new(accounts_max),
            books: Mutex::default(),
            held: Mutex::default(),
        }
    }

    pub(super) fn head(&self, account: AccountId) -> Option<Head> {
        self.heads.get(&account)
    }

    /// A name never points elsewhere later, so what is remembered is true as long as the database is the same.
    pub(super) fn head_by_name(&self, name: &NamedAccount) -> Option<Head> {
        let named = self.names.get(name)?;
        let head = self.head(named.account)?;
        (head.opened_at == named.opened_at).then_some(head)
    }

    /// Which books are open. The names of a book that was reset elsewhere go on pointing to accounts of the old one, until
    /// their heads are seen not to fit.
    pub(super) fn books(&self) -> Books {
        self.open_books().clone()
    }

    pub(super) fn remember_book(&self, name: BookName, book: BookId) {
        self.open_books().insert(name, book);
    }

    pub(super) fn forget_books(&self) {
        self.open_books().clear();
    }

    pub(super) fn forget_name(&self, name: &NamedAccount) {
        self.names.remove(name);
    }

    pub(super) fn remember_head(&self, head: Head) {
        self.heads.insert(head.id, head);
    }

    pub(super) fn remember_name(&self, name: NamedAccount, head: &Head) {
        let named = Named {
            account: head.id,
            opened_at: head.opened_at,
        };
        self.names.insert(name, named);
    }

    pub(super) fn forget_head(&self, account: AccountId) {
        self.heads.remove(&account);
    }

    pub(super) fn remember_held(&self, accounts: &HashSet<AccountId>) {
        self.held().extend(accounts);
    }

    pub(super) fn forget_held(&self, accounts: &HashSet<AccountId>) {
        self.held().retain(|account| !accounts.contains(account));
    }

    /// Whether a batch on these accounts had better not wait for their rows.
    pub(super) fn is_any_held<'a>(
        &self,
        mut accounts: impl Iterator<Item = &'a AccountId>,
    ) -> bool {
        let held = self.held();
        !held.is_empty() && accounts.any(|account| held.contains(account))
    }

    /// After a new connection it may be another server, or the same one restored from a backup.
    pub(super) fn forget_all(&self) {
        self.heads.clear();
        self.names.clear();
        self.forget_books();
        self.held().clear();
    }

    fn open_books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, HashSet<AccountId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
