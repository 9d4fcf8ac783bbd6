//! Accounts as they stand after the commands so far, and what an attempt has changed of them, so that it can be undone.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::slice::Iter;

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::{Expected, NewEntry, View};
use crate::ledger::{
    AccountId, BookId, Change, Currency, Head, NamedAccount, Rejection, TransactionId, UserId,
    Version,
};

/// Every account that an answer depends on.
pub(super) struct Drafts<'v> {
    accounts: BTreeMap<AccountId, Draft>,
    /// What was opened on the way, by its name.
    names: HashMap<NamedAccount, AccountId>,
    entries: Vec<NewEntry>,
    unused: Iter<'v, AccountId>,
    attempt: Attempt<'v>,
}

pub(super) struct Draft {
    pub(super) head: Head,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    Stored(Expected),
    Opened(Option<NamedAccount>),
}

/// What to go back to if the command is refused.
struct Attempt<'v> {
    entries: usize,
    unused: Iter<'v, AccountId>,
    /// The heads that were changed, as they were before, in the order of the changes.
    before: Vec<Head>,
    opened: Vec<AccountId>,
}

impl<'v> Drafts<'v> {
    pub(super) fn new(view: &'v View) -> Self {
        let unused = view.unused_accounts.iter();
        Self {
            accounts: BTreeMap::new(),
            names: HashMap::new(),
            entries: Vec::new(),
            unused: unused.clone(),
            attempt: Attempt {
                entries: 0,
                unused,
                before: Vec::new(),
                opened: Vec::new(),
            },
        }
    }

    /// Begins an attempt: from here on, every step can be undone.
    pub(super) fn begin(&mut self) {
        self.attempt.entries = self.entries.len();
        self.attempt.unused = self.unused.clone();
        self.attempt.before.clear();
        self.attempt.opened.clear();
    }

    /// Takes the steps of the attempt back. That an account was looked at stays: the refusal depends on it.
    pub(super) fn undo(&mut self) {
        self.entries.truncate(self.attempt.entries);
        self.unused = self.attempt.unused.clone();
        for head in self.attempt.before.drain(..).rev() {
            if let Some(draft) = self.accounts.get_mut(&head.id) {
                draft.head = head;
            }
        }
        for id in self.attempt.opened.drain(..) {
            let opened = self.accounts.remove(&id);
            if let Some(Origin::Opened(Some(name))) = opened.map(|draft| draft.origin) {
                self.names.remove(&name);
            }
        }
    }

    /// The account, if it is there. From here on the plan depends on its head.
    pub(super) fn look(&mut self, id: AccountId, view: &View) -> Option<AccountId> {
        if let Entry::Vacant(vacant) = self.accounts.entry(id) {
            let head = view.heads.get(&id)?.clone();
            let origin = Origin::Stored(Expected::of(&head));
            vacant.insert(Draft { head, origin });
        }
        Some(id)
    }

    /// What was opened on the way under a name.
    pub(super) fn named(&self, name: &NamedAccount) -> Option<AccountId> {
        self.names.get(name).copied()
    }

    /// Lets go of the names of a book that was reset.
    pub(super) fn forget_names(&mut self, is_of_book: impl Fn(&NamedAccount) -> bool) {
        self.names.retain(|name, _| !is_of_book(name));
    }

    /// An account as it stands after the steps so far.
    pub(super) fn head(&self, id: AccountId) -> &Head {
        let draft = self.accounts.get(&id);
        &draft.expect("the account was found or opened").head
    }

    /// The version that an account had before the first step of the attempt.
    pub(super) fn version_before(&self, id: AccountId) -> Version {
        let mut before = self.attempt.before.iter();
        let changed = before.find(|head| head.id == id);
        changed.unwrap_or_else(|| self.head(id)).version
    }

    /// The time of what changes none of some accounts: not earlier than any entry that one of them has.
    pub(super) fn time(
        &self,
        now: DateTime<Utc>,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> DateTime<Utc> {
        let accounts = accounts.into_iter();
        let last = accounts.map(|id| self.head(id).last_entry_at);
        last.fold(now, DateTime::max)
    }

    /// The time of the next entry of some accounts: later than every entry that one of them has.
    pub(super) fn time_of_entry(
        &self,
        now: DateTime<Utc>,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> DateTime<Utc> {
        accounts.into_iter().fold(now, |at, id| {
            let head = self.head(id);
            let least = if head.version == Version::OPENING {
                TimeDelta::zero()
            } else {
                TimeDelta::microseconds(1)
            };
            let earliest = head.last_entry_at.checked_add_signed(least);
            at.max(earliest.unwrap_or(at))
        })
    }

    /// A step: one change of one account, and the entry of it.
    pub(super) fn step(
        &mut self,
        id: AccountId,
        change: Change,
        transaction: TransactionId,
        at: DateTime<Utc>,
    ) -> Result<(), Rejection> {
        let (head, sealed) = self.head(id).next(change, transaction, at)?;
        let currency = head.currency;
        self.entries.push(NewEntry { sealed, currency });
        if let Some(draft) = self.accounts.get_mut(&id) {
            let before = mem::replace(&mut draft.head, head);
            self.attempt.before.push(before);
        }
        Ok(())
    }

    /// A step: a new account.
    pub(super) fn open(
        &mut self,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        at: DateTime<Utc>,
        name: Option<NamedAccount>,
    ) -> AccountId {
        let unused = self.unused.next();
        let id = *unused.expect("the view holds an id for every account that may be opened");
        let head = Head::open(id, book, owner, currency, at);
        if let Some(name) = &name {
            self.names.insert(name.clone(), id);
        }
        let origin = Origin::Opened(name);
        self.accounts.insert(id, Draft { head, origin });
        self.attempt.opened.push(id);
        id
    }

    /// All accounts by id, and all entries.
    pub(super) fn finish(self) -> (impl Iterator<Item = Draft>, Vec<NewEntry>) {
        (self.accounts.into_values(), self.entries)
    }
}
