//! What the planner takes and gives: a view that is taken to be true, for a plan that makes the answers so.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::ledger::{
    AccountId, AccountRef, Amount, Answered, BookId, BookName, Books, Currency, Email, Head, Key,
    Kind, NamedAccount, NewSession, PasswordHash, Receipt, Rejection, Scope, Seal, Sealed, Status,
    TransactionId, UserId, Version,
};

/// What is taken to be true while planning. The database confirms it, or refuses the plan.
#[derive(Debug, Default)]
pub struct View {
    /// Every book that a command names; if it calls an account outside the main book, of every name.
    pub books: Books,
    /// Every account that a command names and that exists.
    pub heads: HashMap<AccountId, Head>,
    /// Every name that a command uses and that points to an account.
    pub names: HashMap<NamedAccount, AccountId>,
    /// Whatever else a command calls an account, and that leads to none.
    pub absent: HashSet<AccountRef>,
    /// Every owner of a name without an account who exists.
    pub owners: HashSet<UserId>,
    /// Keys that are known to have an outcome.
    pub outcomes: HashMap<(Scope, String), Recorded>,
    /// Emails as they are stored, and whether somebody has them.
    pub emails: HashMap<String, bool>,
    /// Unused ids: at least one for each command that may open something.
    pub unused_accounts: Vec<AccountId>,
    pub unused_users: Vec<UserId>,
    pub unused_books: Vec<BookId>,
}

/// What is stored of a command under its key.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub transaction: TransactionId,
    pub digest: [u8; 32],
    pub outcome: Result<Receipt, Rejection>,
}

/// The answers, one for each command in its order, with all that makes them true. Accounts are sorted by id, so that
/// everyone locks in one order.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// When it was made. It is only true near that time.
    pub at: DateTime<Utc>,
    pub answers: Vec<Answered>,
    pub swaps: Vec<Swap>,
    pub confirms: Vec<Expected>,
    /// Books that must still be open.
    pub books: Vec<BookId>,
    /// Books that are sealed, with the time.
    pub sealed_books: Vec<(BookId, DateTime<Utc>)>,
    pub new_books: Vec<NewBook>,
    pub users: Vec<NewUser<'a>>,
    pub accounts: Vec<NewAccount>,
    pub transactions: Vec<NewTransaction<'a>>,
    pub entries: Vec<NewEntry>,
}

/// The state of an account that the plan stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub id: AccountId,
    pub version: Version,
    pub seal: Seal,
    pub status: Status,
    pub floor: Amount,
    pub currency: Currency,
}

/// Replace a head, if it is still the expected one.
#[derive(Clone, Debug)]
pub struct Swap {
    pub expected: Expected,
    pub head: Head,
}

#[derive(Clone, Debug)]
pub struct NewBook {
    pub id: BookId,
    pub name: BookName,
    pub opened_at: DateTime<Utc>,
    /// Where it is reset again in the same plan.
    pub sealed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug)]
pub struct NewAccount {
    pub head: Head,
    pub name: Option<NamedAccount>,
}

#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    pub id: UserId,
    pub name: Option<&'a str>,
    pub email: Option<&'a Email>,
    pub password_hash: Option<&'a PasswordHash>,
    pub session: Option<&'a NewSession>,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct NewTransaction<'a> {
    pub id: TransactionId,
    pub kind: Kind,
    pub scope: Scope,
    pub created_at: DateTime<Utc>,
    /// The account that the answer spoke of, where no entry tells.
    pub account: Option<(AccountId, Version)>,
    pub key: Option<&'a Key>,
    pub refusal: Option<Rejection>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    pub sealed: Sealed,
    pub currency: Currency,
}

impl Plan<'_> {
    /// Puts the rows in the order of their unique keys, so that two who write the same ones wait for each other instead of both.
    pub(super) fn sort(&mut self) {
        self.entries.sort_by_key(|new| {
            let entry = &new.sealed.entry;
            (entry.account, entry.version)
        });
        self.users
            .sort_by_key(|user| user.email.map(Email::canonical));
        self.accounts.sort_by(|one, other| {
            let name = |new: &NewAccount| new.name.clone().map(|name| (name.book, name.name));
            name(one).cmp(&name(other))
        });
        self.transactions.sort_by_key(|transaction| {
            let key = transaction.key.map(|key| &key.text);
            (transaction.scope, key, transaction.id)
        });
    }

    /// Whether it leaves anything behind. All that it has is named, so that a new kind of rows is thought of here.
    #[must_use]
    pub fn writes(&self) -> bool {
        let Self {
            at: _,
            answers: _,
            confirms: _,
            books: _,
            swaps,
            sealed_books,
            new_books,
            users,
            accounts,
            transactions,
            entries,
        } = self;
        let is_empty = swaps.is_empty()
            && sealed_books.is_empty()
            && new_books.is_empty()
            && users.is_empty()
            && accounts.is_empty()
            && transactions.is_empty()
            && entries.is_empty();
        !is_empty
    }

    /// Whether it gives an id to something.
    #[must_use]
    pub fn has_new_ids(&self) -> bool {
        !(self.accounts.is_empty() && self.users.is_empty() && self.new_books.is_empty())
    }
}

impl View {
    /// Leaves what stays true: outcomes of keys, and emails that are taken. All else is to be read again.
    pub fn forget_guesses(&mut self) {
        self.books.clear();
        self.heads.clear();
        self.names.clear();
        self.absent.clear();
        self.owners.clear();
        self.emails.retain(|_, taken| *taken);
    }

    /// What stays true, for a part of the commands.
    #[must_use]
    pub fn without_guesses(&self) -> Self {
        let taken = self.emails.iter().filter(|(_, taken)| **taken);
        Self {
            outcomes: self.outcomes.clone(),
            emails: taken.map(|(email, _)| (email.clone(), true)).collect(),
            ..Self::default()
        }
    }

    /// Notes where a reference leads.
    pub fn insert(&mut self, reference: &AccountRef, head: Head) {
        if let AccountRef::Named(name) = reference {
            self.names.insert(name.clone(), head.id);
        }
        self.heads.insert(head.id, head);
    }

    /// Whether it says where a reference leads, be it nowhere.
    #[must_use]
    pub fn knows(&self, reference: &AccountRef) -> bool {
        let account = self.account(reference);
        account.is_some_and(|id| self.heads.contains_key(&id)) || self.absent.contains(reference)
    }

    /// The account that a reference means, if there is one.
    #[must_use]
    pub fn account(&self, reference: &AccountRef) -> Option<AccountId> {
        match reference {
            AccountRef::Id(id) | AccountRef::Owned(id, _) => Some(*id),
            AccountRef::Named(name) => self.names.get(name).copied(),
        }
    }
}

impl Recorded {
    /// The same again to who asks the same; to another request under the key, that it was used.
    pub(super) fn answer_again(&self, key: &Key) -> Answered {
        if key.digest == self.digest {
            Answered {
                outcome: self.outcome.clone(),
                replayed: true,
            }
        } else {
            Answered::first(Err(Rejection::KeyReused {
                transaction: self.transaction,
            }))
        }
    }
}

impl Expected {
    #[must_use]
    pub fn of(head: &Head) -> Self {
        let Head {
            id,
            version,
            seal,
            status,
            floor,
            currency,
            ..
        } = *head;
        Self {
            id,
            version,
            seal,
            status,
            floor,
            currency,
        }
    }
}
