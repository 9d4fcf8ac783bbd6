//! What a plan has to know of the world, and does not know yet.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::View;
use crate::ledger::{
    AccountId, AccountRef, Action, Amendment, BookId, BookName, Command, Email, ExternalId, Hold,
    HoldId, OpenAccount, TransactionId, UserId,
};

/// How long before their time holds are read, lest it comes between the reading and the plan.
const DUE_AHEAD: TimeDelta = TimeDelta::seconds(30);

/// What a view lacks for a plan of some commands.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Of which name the open book is not known.
    pub books: BTreeSet<BookName>,
    /// What is called what is not known.
    pub book_names: BTreeSet<BookId>,
    /// What leads to an account, or nowhere; nobody knows yet. Names in a book are asked for once the book is known.
    pub accounts: HashSet<AccountRef>,
    /// Every form in which an email may be stored, of those that may be taken.
    pub emails: BTreeSet<String>,
    pub holds: BTreeSet<HoldId>,
    /// Accounts of which something may be due.
    pub due: BTreeSet<AccountId>,
    /// Until when that is asked.
    pub due_until: Option<DateTime<Utc>>,
    pub originals: BTreeSet<TransactionId>,
    /// Accounts of which it is not known what is said.
    pub details: BTreeSet<AccountId>,
    pub external_ids: BTreeSet<(BookId, ExternalId)>,
    pub users: BTreeSet<UserId>,
}

/// How much is opened, or may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    pub accounts: usize,
    pub users: usize,
    pub books: usize,
    /// Holds that may expire.
    pub transactions: usize,
}

impl Needs {
    #[must_use]
    pub fn of<'a>(
        commands: impl Iterator<Item = &'a Command>,
        view: &View,
        now: DateTime<Utc>,
    ) -> Self {
        let mut needs = Self::default();
        for command in commands {
            needs.note(command, view);
        }
        let soon = now.checked_add_signed(DUE_AHEAD).unwrap_or(now);
        for head in view.heads.values() {
            if head.due_at.is_some_and(|due_at| due_at <= soon) && !view.due.contains_key(&head.id)
            {
                needs.due.insert(head.id);
                needs.due_until = Some(soon);
            }
            if head.book == BookId::MAIN {
                continue;
            }
            // The account may be of a book that is sealed by now, which the open one of its name shows.
            match view.book_name(head.book) {
                None => drop(needs.book_names.insert(head.book)),
                Some(name) => needs.note_book(name, view),
            }
        }
        needs
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            books,
            book_names,
            accounts,
            emails,
            holds,
            due,
            due_until: _,
            originals,
            details,
            external_ids,
            users,
        } = self;
        books.is_empty()
            && book_names.is_empty()
            && accounts.is_empty()
            && emails.is_empty()
            && holds.is_empty()
            && due.is_empty()
            && originals.is_empty()
            && details.is_empty()
            && external_ids.is_empty()
            && users.is_empty()
    }

    fn note(&mut self, command: &Command, view: &View) {
        for reference in command.accounts() {
            self.note_account(reference, view);
        }
        self.note_holds(command, view);
        match &command.action {
            Action::ResetBook(book) | Action::OpenBook(book) => self.note_book(*book, view),
            Action::OpenUser(open) => {
                // All forms are read together, and one says whether they were: there are many, and dear to find.
                let is_unknown = |email: &&Email| !view.emails.contains_key(email.canonical());
                let unknown = open.email.iter().filter(is_unknown);
                self.emails.extend(unknown.flat_map(Email::stored_as));
            }
            Action::OpenAccount(open) => self.note_opening(command, open, view),
            Action::Reverse(transaction) => match view.originals.get(transaction) {
                None => drop(self.originals.insert(*transaction)),
                Some(original) => {
                    let accounts = original.iter().flat_map(|original| &original.accounts);
                    for account in accounts {
                        self.note_account(&AccountRef::Id(*account), view);
                    }
                }
            },
            Action::Expire(account) => self.note_account(&AccountRef::Id(*account), view),
            Action::Amend(account, Amendment::Details(change)) if change.metadata.is_some() => {
                // Only once the head is known: what is read later is not older than it.
                let account = view.account(account);
                let known = account.filter(|account| view.heads.contains_key(account));
                self.details
                    .extend(known.filter(|account| !view.details.contains_key(account)));
            }
            Action::Post(_)
            | Action::PlaceHold(_)
            | Action::ChangeHold(..)
            | Action::VoidHold(_)
            | Action::Amend(..) => {}
        }
    }

    fn note_account(&mut self, reference: &AccountRef, view: &View) {
        match reference {
            AccountRef::Named(name) if view.books.id(name.book).is_none() => {
                self.books.insert(name.book);
            }
            _ if view.knows(reference) => {}
            _ => drop(self.accounts.insert(reference.clone())),
        }
    }

    /// A hold is read together with its account.
    fn note_holds(&mut self, command: &Command, view: &View) {
        let holds = command.holds();
        self.holds
            .extend(holds.filter(|hold| !view.holds.contains_key(hold)));
    }

    fn note_book(&mut self, name: BookName, view: &View) {
        if view.books.id(name).is_none() && !view.absent_books.contains(&name) {
            self.books.insert(name);
        }
    }

    fn note_opening(&mut self, command: &Command, open: &OpenAccount, view: &View) {
        let Some(caller) = &command.caller else {
            return;
        };
        self.note_book(caller.book, view);
        self.users
            .extend(open.owner.filter(|owner| !view.users.contains_key(owner)));
        let book = view.books.id(caller.book);
        let id = book.zip(open.external_id.clone());
        self.external_ids
            .extend(id.filter(|id| !view.external_ids.contains_key(id)));
    }
}

impl Openings {
    /// How much the commands may open at most, once a view has all that they need. Each name without an account may get one;
    /// after a reset, every name at all.
    #[must_use]
    pub fn of<'a>(commands: impl Iterator<Item = &'a Command>, view: &View) -> Self {
        let is_name = |absent: &&AccountRef| matches!(absent, AccountRef::Named(_));
        let due = view.due.values().flat_map(|due| &due.holds);
        let mut openings = Self {
            accounts: view.absent.iter().filter(is_name).count(),
            transactions: due.filter(|hold| Hold::is_active(hold)).count(),
            ..Self::default()
        };
        let mut named: usize = 0;
        for command in commands {
            let [accounts, users, books] = match &command.action {
                Action::OpenUser(open) => [usize::from(open.account.is_some()), 1, 0],
                Action::OpenAccount(_) => [1, 0, 0],
                Action::OpenBook(_) | Action::ResetBook(_) => [0, 0, 1],
                Action::Post(_)
                | Action::Reverse(_)
                | Action::PlaceHold(_)
                | Action::ChangeHold(..)
                | Action::VoidHold(_)
                | Action::Expire(_)
                | Action::Amend(..) => [0, 0, 0],
            };
            openings.accounts = openings.accounts.saturating_add(accounts);
            openings.users = openings.users.saturating_add(users);
            openings.books = openings.books.saturating_add(books);
            named = named.saturating_add(command.accounts().count());
        }
        if openings.books != 0 {
            openings.accounts = openings.accounts.saturating_add(named);
        }
        openings
    }
}
