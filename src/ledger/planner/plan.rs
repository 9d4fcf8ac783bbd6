//! What the planner takes and gives: a view that is taken to be true, for a plan that makes the answers so.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::ledger::{
    AccountDetails, AccountId, AccountRef, Action, Answered, BookId, BookName, Books, Command,
    Currency, DetailsDigest, Email, ExternalId, Head, Hold, HoldId, Key, Kind, Metadata,
    NamedAccount, NewSession, Note, PasswordHash, Posted, Receipt, Rejection, Salt, Scope, Seal,
    Sealed, Sight, TransactionId, UserId, Version,
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
    /// Keys of which it was asked whether they have one.
    pub looked_up: HashSet<(Scope, String)>,
    /// Emails as they are stored, and whether somebody has them.
    pub emails: HashMap<String, bool>,
    /// The name of every book that an account or a hold is of, if it is not open.
    pub book_names: HashMap<BookId, BookName>,
    /// Every hold that a command names, as it stood when its account's head was read or later.
    pub holds: HashMap<HoldId, Option<Hold>>,
    /// What is due, of every account of which something may be.
    pub due: HashMap<AccountId, Due>,
    /// Every transaction that is to be reversed.
    pub originals: HashMap<TransactionId, Option<Original>>,
    /// What is said of every account of which that is to change.
    pub details: HashMap<AccountId, Metadata>,
    /// External ids, and whether some account has them.
    pub external_ids: HashMap<(BookId, ExternalId), bool>,
    /// Users, and whether they exist.
    pub users: HashMap<UserId, bool>,
    /// Names of which no book is open.
    pub absent_books: HashSet<BookName>,
    /// Unused ids: at least one for each command that may open something, and for each hold that may expire.
    pub unused_accounts: Vec<AccountId>,
    pub unused_users: Vec<UserId>,
    pub unused_books: Vec<BookId>,
    pub unused_transactions: Vec<TransactionId>,
}

/// Holds of an account whose time may be over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    pub holds: Vec<Hold>,
    /// When the next of the others is.
    pub next: Option<DateTime<Utc>>,
}

/// A transaction as far as it can be reversed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Every account that it changed.
    pub accounts: Vec<AccountId>,
    pub postings: Vec<Posted>,
    pub reversed_by: Option<TransactionId>,
}

/// What is stored of a command under its key.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub transaction: TransactionId,
    pub digest: [u8; 32],
    pub outcome: Result<Receipt, Rejection>,
    pub sight: Option<Box<Sight>>,
    /// Under which its digest is over what was said.
    pub salt: Option<Salt>,
}

/// The answers, one for each command in its order, with all that makes them true. Accounts are sorted by id, so that
/// everyone locks in one order.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// When it was made. It is only true near that time.
    pub at: DateTime<Utc>,
    pub answers: Vec<Answered>,
    /// Whether an answer stands on a key having no outcome, and nothing that is written would show that it has one.
    pub needs_outcomes: bool,
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
    pub new_holds: Vec<Hold>,
    pub hold_swaps: Vec<HoldSwap>,
    pub notes: Vec<NewNote<'a>>,
    pub account_details: Vec<NewDetails>,
    pub external_ids: Vec<NewExternalId<'a>>,
}

/// The state of an account that the plan stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub id: AccountId,
    pub version: Version,
    pub seal: Seal,
    /// Whether there was nothing but money.
    pub is_plain: bool,
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
    /// What a caller's refusal was decided on.
    pub sight: Option<Sight>,
    pub note: Option<DetailsDigest>,
    pub reverses: Option<TransactionId>,
    pub effective_at: Option<DateTime<Utc>>,
    pub user: Option<UserId>,
    pub book: Option<BookId>,
}

/// Replace a hold, if it is still as its account's version says.
#[derive(Clone, Debug)]
pub struct HoldSwap {
    pub expected: Version,
    pub hold: Hold,
}

/// What is said of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct NewNote<'a> {
    pub transaction: TransactionId,
    pub note: &'a Note,
}

/// What is said of an account from a version on.
#[derive(Clone, Debug)]
pub struct NewDetails {
    pub account: AccountId,
    pub version: Version,
    pub details: AccountDetails,
}

#[derive(Clone, Copy, Debug)]
pub struct NewExternalId<'a> {
    pub book: BookId,
    pub external_id: &'a ExternalId,
    pub account: AccountId,
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
        self.new_holds.sort_by_key(|hold| hold.id);
        self.hold_swaps.sort_by_key(|swap| swap.hold.id);
        self.external_ids
            .sort_by_key(|new| (new.book, new.external_id));
    }

    /// Whether it leaves anything behind. All that it has is named, so that a new kind of rows is thought of here.
    #[must_use]
    pub fn writes(&self) -> bool {
        let Self {
            at: _,
            answers: _,
            needs_outcomes: _,
            confirms: _,
            books: _,
            swaps,
            sealed_books,
            new_books,
            users,
            accounts,
            transactions,
            entries,
            new_holds,
            hold_swaps,
            notes,
            account_details,
            external_ids,
        } = self;
        let is_empty = swaps.is_empty()
            && sealed_books.is_empty()
            && new_books.is_empty()
            && users.is_empty()
            && accounts.is_empty()
            && transactions.is_empty()
            && entries.is_empty()
            && new_holds.is_empty()
            && hold_swaps.is_empty()
            && notes.is_empty()
            && account_details.is_empty()
            && external_ids.is_empty();
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
        self.holds.clear();
        self.due.clear();
        self.originals.clear();
        self.details.clear();
        self.external_ids.clear();
        self.users.clear();
        self.absent_books.clear();
    }

    /// What stays true, for a part of the commands.
    #[must_use]
    pub fn without_guesses(&self) -> Self {
        let taken = self.emails.iter().filter(|(_, taken)| **taken);
        Self {
            outcomes: self.outcomes.clone(),
            looked_up: self.looked_up.clone(),
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

    /// Every account that a command touches, as far as it is known: named, or behind a hold, or behind what is reversed.
    pub fn accounts_of<'v>(&'v self, command: &'v Command) -> impl Iterator<Item = AccountId> + 'v {
        let named = command.accounts();
        let named = named.filter_map(|reference| self.account(reference));
        let holds = command.holds().filter_map(|hold| self.holds.get(&hold));
        let holds = holds.flatten().map(|hold| hold.account);
        let reversed = match command.action {
            Action::Reverse(transaction) => self.originals.get(&transaction),
            _ => None,
        };
        let reversed = reversed.into_iter().flatten();
        let reversed = reversed.flat_map(|original| original.accounts.iter().copied());
        let expiring = match command.action {
            Action::Expire(account) => Some(account),
            _ => None,
        };
        named.chain(holds).chain(reversed).chain(expiring)
    }

    /// What a book is called.
    #[must_use]
    pub fn book_name(&self, book: BookId) -> Option<BookName> {
        if book == BookId::MAIN {
            return Some(BookName::MAIN);
        }
        let named = self.book_names.get(&book).copied();
        named.or_else(|| self.books.name(book))
    }
}

impl NewTransaction<'_> {
    /// One that says nothing else.
    #[must_use]
    pub fn new(id: TransactionId, kind: Kind, scope: Scope, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            kind,
            scope,
            created_at,
            account: None,
            key: None,
            refusal: None,
            sight: None,
            note: None,
            reverses: None,
            effective_at: None,
            user: None,
            book: None,
        }
    }
}

impl Recorded {
    /// The same again to who asks the same; to another request under the key, that it was used.
    pub(super) fn answer_again(&self, key: &Key) -> Answered {
        if key.asks_again(&self.digest, self.salt.as_ref()) {
            Answered {
                outcome: self.outcome.clone(),
                sight: self.sight.clone(),
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
        Self {
            id: head.id,
            version: head.version,
            seal: head.seal,
            is_plain: head.is_plain(),
        }
    }
}
