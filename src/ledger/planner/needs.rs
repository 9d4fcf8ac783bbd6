//! What a plan has to know of the world, and does not know yet.

use std::collections::{BTreeSet, HashSet};

use super::plan::View;
use crate::ledger::{AccountRef, Action, BookId, BookName, Command, Email};

/// What a view lacks for a plan of some commands.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs<'a> {
    /// Of which name the open book is not known.
    pub books: BTreeSet<BookName>,
    /// What leads to an account, or nowhere; nobody knows yet. Names in a book are asked for once the book is known.
    pub accounts: HashSet<&'a AccountRef>,
    /// Every form in which an email may be stored, of those that may be taken.
    pub emails: BTreeSet<String>,
}

/// How much is opened, or may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    pub accounts: usize,
    pub users: usize,
    pub books: usize,
}

impl<'a> Needs<'a> {
    #[must_use]
    pub fn of(commands: impl Iterator<Item = &'a Command>, view: &View) -> Self {
        let mut needs = Self::default();
        for command in commands {
            needs.note(command, view);
        }
        if view.heads.values().any(|head| head.book != BookId::MAIN) {
            // The account may be of a book that is sealed by now, which the open ones show.
            let books = BookName::RESETTABLE.into_iter();
            needs
                .books
                .extend(books.filter(|name| view.books.id(*name).is_none()));
        }
        needs
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.books.is_empty() && self.accounts.is_empty() && self.emails.is_empty()
    }

    fn note(&mut self, command: &'a Command, view: &View) {
        for reference in command.accounts() {
            match reference {
                AccountRef::Named(name) if view.books.id(name.book).is_none() => {
                    self.books.insert(name.book);
                }
                _ if view.knows(reference) => {}
                _ => {
                    self.accounts.insert(reference);
                }
            }
        }
        match &command.action {
            Action::ResetBook(book) if view.books.id(*book).is_none() => {
                self.books.insert(*book);
            }
            Action::OpenUser(open) => {
                // All forms are read together, and one says whether they were: there are many, and dear to find.
                let is_unknown = |email: &&Email| !view.emails.contains_key(email.canonical());
                let unknown = open.email.iter().filter(is_unknown);
                self.emails.extend(unknown.flat_map(Email::stored_as));
            }
            Action::Post(_) | Action::OpenAccount(_) | Action::ResetBook(_) => {}
        }
    }
}

impl Openings {
    /// How much the commands may open at most, once a view has all that they need. Each name without an account may get one;
    /// after a reset, every name at all.
    #[must_use]
    pub fn of<'a>(commands: impl Iterator<Item = &'a Command>, view: &View) -> Self {
        let is_name = |absent: &&AccountRef| matches!(absent, AccountRef::Named(_));
        let mut openings = Self {
            accounts: view.absent.iter().filter(is_name).count(),
            ..Self::default()
        };
        let mut named: usize = 0;
        for command in commands {
            let [accounts, users, books] = match &command.action {
                Action::Post(_) => [0, 0, 0],
                Action::OpenUser(_) => [1, 1, 0],
                Action::OpenAccount(_) => [1, 0, 0],
                Action::ResetBook(_) => [0, 0, 1],
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
