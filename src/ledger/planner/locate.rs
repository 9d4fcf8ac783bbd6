//! How the planner finds the accounts that a command names, as they stand after the commands so far.

use chrono::{DateTime, Utc};

use super::{End, Planner};
use crate::ledger::{AccountId, AccountRef, BookId, BookName, NamedAccount, Rejection, Side};

impl Planner<'_, '_> {
    /// Finds an account, or a name that may be opened. From here on its head is confirmed by the plan.
    pub(super) fn locate(&mut self, reference: &AccountRef, side: Side) -> Result<End, Rejection> {
        let found = match reference {
            AccountRef::Id(id) => self.drafts.look(*id, self.view),
            AccountRef::Owned(id, user) => {
                let found = self.drafts.look(*id, self.view);
                found.filter(|id| self.drafts.head(*id).owner == Some(*user))
            }
            AccountRef::Named(name) => match self.find_named(name) {
                Some(id) => self.drafts.look(id, self.view),
                None => return self.free(name, side),
            },
        };
        let found = found.ok_or(Rejection::AccountNotFound { side })?;
        if self.is_within(self.drafts.head(found).book) {
            Ok(End::Account(found))
        } else {
            Err(Rejection::AccountNotFound { side })
        }
    }

    /// Whether accounts of a book exist for who asks. A dialect names what it may.
    pub(super) fn is_within(&self, book: BookId) -> bool {
        self.within
            .is_none_or(|within| self.book_name(book) == Some(within))
    }

    fn book_name(&self, book: BookId) -> Option<BookName> {
        let mut new_books = self.plan.new_books.iter();
        let new = new_books.find(|new| new.id == book).map(|new| new.name);
        new.or_else(|| self.view.book_name(book))
    }

    fn find_named(&mut self, name: &NamedAccount) -> Option<AccountId> {
        if let Some(opened) = self.drafts.named(name) {
            return Some(opened);
        }
        if name.book != BookName::MAIN {
            if self.reset.find(name.book).is_some() {
                return None;
            }
            self.books.insert(self.book(name.book));
        }
        self.view.names.get(name).copied()
    }

    /// An account of a sealed book is closed, however it is called.
    pub(super) fn check_book(&mut self, account: AccountId) -> Result<(), Rejection> {
        if self.is_open(self.drafts.head(account).book) {
            Ok(())
        } else {
            Err(Rejection::AccountClosed { account })
        }
    }

    /// Whether a book is open after the commands so far. It must still be, or still not be, when the plan is written.
    fn is_open(&mut self, book: BookId) -> bool {
        if book == BookId::MAIN {
            return true;
        }
        let mut new_books = self.plan.new_books.iter();
        if let Some(new) = new_books.find(|new| new.id == book) {
            return new.sealed_at.is_none();
        }
        let mut sealed_books = self.plan.sealed_books.iter();
        if sealed_books.any(|(sealed, _)| *sealed == book) {
            return false;
        }
        let name = self.view.book_name(book);
        let open = name.and_then(|name| self.view.books.id(name));
        // That its name has another open book is what shows a book to be sealed.
        self.books.extend(open);
        open == Some(book)
    }

    /// The book of a name that is open after the commands so far.
    pub(super) fn book(&self, name: BookName) -> BookId {
        let reset = self.reset.find(name).map(|book| book.id);
        reset
            .or_else(|| self.view.books.id(name))
            .expect("the view knows every book that a command names")
    }

    /// The time of what happens to that book: never before its opening, which another clock may have set.
    pub(super) fn now_in(&self, name: BookName) -> DateTime<Utc> {
        let book = self.reset.find(name).or_else(|| self.view.books.find(name));
        book.map_or(self.now, |book| book.opened_at.max(self.now))
    }

    fn free(&self, name: &NamedAccount, side: Side) -> Result<End, Rejection> {
        match (name.owner, side) {
            (Some(owner), _) if !self.view.owners.contains(&owner) => {
                Err(Rejection::UserNotFound { side })
            }
            (None, Side::Source) => Err(Rejection::AccountNotFound { side }),
            (Some(_), _) | (None, Side::Target) => Ok(End::Free(name.clone())),
        }
    }
}
