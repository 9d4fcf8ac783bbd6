//! Heads and names remembered from earlier batches: guesses that the database confirms or refuses.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use crate::ledger::{AccountId, BookName, Books, Head, NamedAccount, OpenBook};

pub(super) struct Memory {
    heads: Cache<AccountId, Head>,
    names: Cache<NamedAccount, Named>,
    books: Mutex<Books>,
    /// Accounts whose rows somebody else had locked at the last look.
    locked: Mutex<HashSet<AccountId>>,
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
            locked: Mutex::default(),
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

    pub(super) fn remember_book(&self, name: BookName, book: OpenBook) {
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

    pub(super) fn remember_locked(&self, accounts: &HashSet<AccountId>) {
        self.locked().extend(accounts);
    }

    pub(super) fn forget_locked(&self, accounts: &HashSet<AccountId>) {
        self.locked().retain(|account| !accounts.contains(account));
    }

    /// Whether a batch on these accounts had better not wait for their rows.
    pub(super) fn is_any_locked<'a>(
        &self,
        mut accounts: impl Iterator<Item = &'a AccountId>,
    ) -> bool {
        let locked = self.locked();
        !locked.is_empty() && accounts.any(|account| locked.contains(account))
    }

    /// After a new connection it may be another server, or the same one restored from a backup.
    pub(super) fn forget_all(&self) {
        self.heads.clear();
        self.names.clear();
        self.forget_books();
        self.locked().clear();
    }

    fn open_books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<AccountId>> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::engine::queue::tests::desk::usd;
    use crate::ledger::{AccountName, BookId, UserId};

    const ACCOUNTS_MAX: usize = 1_000;

    fn head(id: i64, opened_at: DateTime<Utc>) -> Head {
        Head::open(AccountId(id), BookId::MAIN, None, usd(), opened_at)
    }

    fn open(id: i64) -> OpenBook {
        let (id, opened_at) = (BookId(id), DateTime::UNIX_EPOCH);
        OpenBook { id, opened_at }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn name(user: i64) -> NamedAccount {
        NamedAccount::of_user(UserId(user), usd())
    }

    fn accounts<const N: usize>(ids: [i64; N]) -> HashSet<AccountId> {
        ids.map(AccountId).into()
    }

    /// Whether a batch on these accounts had better not wait.
    fn is_any_locked<const N: usize>(memory: &Memory, ids: [i64; N]) -> bool {
        memory.is_any_locked(ids.map(AccountId).iter())
    }

    #[test]
    fn the_last_head_is_remembered_until_it_is_forgotten() {
        let memory = Memory::new(ACCOUNTS_MAX);
        assert_eq!(memory.head(AccountId(1)), None);
        memory.remember_head(head(1, now()));
        memory.remember_head(head(2, now()));
        let later = head(1, now() + TimeDelta::hours(1));
        memory.remember_head(later.clone());
        assert_eq!(memory.head(AccountId(1)), Some(later));
        memory.forget_head(AccountId(1));
        assert_eq!(memory.head(AccountId(1)), None);
        assert_eq!(memory.head(AccountId(2)), Some(head(2, now())));
    }

    #[test]
    fn a_name_leads_to_the_head_until_either_is_forgotten() {
        let memory = Memory::new(ACCOUNTS_MAX);
        memory.remember_name(name(1), &head(1, now()));
        assert_eq!(memory.head_by_name(&name(1)), None);
        memory.remember_head(head(1, now()));
        assert_eq!(memory.head_by_name(&name(1)), Some(head(1, now())));
        assert_eq!(memory.head_by_name(&name(2)), None);
        memory.forget_name(&name(1));
        assert_eq!(memory.head_by_name(&name(1)), None);
        assert_eq!(memory.head(AccountId(1)), Some(head(1, now())));
    }

    #[test]
    fn a_name_does_not_lead_to_another_account_of_the_same_id() {
        let memory = Memory::new(ACCOUNTS_MAX);
        memory.remember_name(name(1), &head(1, now()));
        let other = head(1, now() + TimeDelta::microseconds(1));
        memory.remember_head(other.clone());
        assert_eq!(memory.head_by_name(&name(1)), None);
        assert_eq!(memory.head(AccountId(1)), Some(other));
    }

    #[test]
    fn open_books_are_remembered_until_they_are_forgotten() {
        let memory = Memory::new(ACCOUNTS_MAX);
        assert_eq!(memory.books().id(BookName::EVENTS), None);
        memory.remember_book(BookName::EVENTS, open(7));
        assert_eq!(memory.books().id(BookName::EVENTS), Some(BookId(7)));
        memory.remember_book(BookName::EVENTS, open(8));
        assert_eq!(memory.books().id(BookName::EVENTS), Some(BookId(8)));
        memory.forget_books();
        assert_eq!(memory.books().id(BookName::EVENTS), None);
    }

    #[test]
    fn an_account_is_locked_from_when_its_row_was_until_it_is_not() {
        let memory = Memory::new(ACCOUNTS_MAX);
        assert!(!is_any_locked(&memory, [1]));
        memory.remember_locked(&accounts([1, 2]));
        memory.remember_locked(&accounts([3]));
        assert!(is_any_locked(&memory, [1]));
        assert!(is_any_locked(&memory, [9, 3]));
        assert!(!is_any_locked(&memory, [9]));
        assert!(!is_any_locked(&memory, []));
        memory.forget_locked(&accounts([1, 3, 9]));
        assert!(!is_any_locked(&memory, [1, 3, 9]));
        assert!(is_any_locked(&memory, [2]));
    }

    #[test]
    fn nothing_is_believed_after_a_new_connection() {
        let memory = Memory::new(ACCOUNTS_MAX);
        memory.remember_head(head(1, now()));
        memory.remember_name(name(1), &head(1, now()));
        memory.remember_book(BookName::EVENTS, open(7));
        memory.remember_locked(&accounts([1]));
        memory.forget_all();
        assert_eq!(memory.head(AccountId(1)), None);
        assert_eq!(memory.books().id(BookName::EVENTS), None);
        assert!(!is_any_locked(&memory, [1]));
        // The name is gone as well, not only what it led to.
        memory.remember_head(head(1, now()));
        assert_eq!(memory.head_by_name(&name(1)), None);
    }

    #[test]
    fn no_more_heads_are_remembered_than_there_is_room_for() {
        let memory = Memory::new(ACCOUNTS_MAX);
        let any = head(1, now());
        let ids = (1..).map(AccountId).take(ACCOUNTS_MAX + ACCOUNTS_MAX / 10);
        for id in ids.clone() {
            memory.remember_head(Head { id, ..any.clone() });
        }
        let remembered = ids.filter(|id| memory.head(*id).is_some()).count();
        assert!(
            (ACCOUNTS_MAX / 2..=ACCOUNTS_MAX).contains(&remembered),
            "{remembered}"
        );
    }

    #[test]
    fn no_more_names_are_remembered_than_there_is_room_for() {
        let memory = Memory::new(ACCOUNTS_MAX);
        let any = head(1, now());
        memory.remember_head(any.clone());
        let names = (0..ACCOUNTS_MAX + ACCOUNTS_MAX / 10).map(|number| NamedAccount {
            name: AccountName::parse(&number.to_string()).expect("a name"),
            ..name(1)
        });
        for name in names.clone() {
            memory.remember_name(name, &any);
        }
        let remembered = names.filter(|name| memory.head_by_name(name).is_some());
        let remembered = remembered.count();
        assert!(
            (ACCOUNTS_MAX / 2..=ACCOUNTS_MAX).contains(&remembered),
            "{remembered}"
        );
    }
}
