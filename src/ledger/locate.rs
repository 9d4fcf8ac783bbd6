//! How the planner finds the accounts that a command names, as they stand after the commands so far.

use chrono::{DateTime, Utc};

use super::command::{AccountRef, NamedAccount};
use super::error::{Rejection, Side};
use super::plan::Expected;
use super::planner::{Draft, Origin, Planner};
use super::rules::Place;
use super::{AccountId, BookId, BookName, UserId};

impl Planner<'_, '_> {
    /// Finds a party's account; the head is a copy, drafted only once the command is accepted or remembered.
    pub(super) fn locate(
        &mut self,
        reference: Option<&AccountRef>,
        side: Side,
    ) -> Result<Place, Rejection> {
        let id = match reference {
            None => return Ok(Place::World),
            Some(AccountRef::Id(id)) => *id,
            Some(AccountRef::Owned(id, user)) => return self.locate_owned(*id, *user, side),
            Some(AccountRef::Named(name)) => match self.find_named(name) {
                Some(id) => id,
                None => return self.free(name, side),
            },
        };
        self.locate_id(id, side)
    }

    fn locate_owned(
        &mut self,
        id: AccountId,
        user: UserId,
        side: Side,
    ) -> Result<Place, Rejection> {
        match self.locate_id(id, side)? {
            Place::Account(head) if head.owner != Some(user) => {
                Err(Rejection::AccountNotFound { side })
            }
            place => Ok(place),
        }
    }

    fn find_named(&mut self, name: &NamedAccount) -> Option<AccountId> {
        if name.book == BookName::MAIN {
            return self
                .opened
                .get(name)
                .or_else(|| self.view.names.get(name))
                .copied();
        }
        let known = if self.reset.find(name.book).is_some() {
            None
        } else {
            self.books.insert(self.book(name.book));
            self.view.names.get(name)
        };
        self.opened.get(name).or(known).copied()
    }

    fn locate_id(&mut self, id: AccountId, side: Side) -> Result<Place, Rejection> {
        if let Some(draft) = self.drafts.get(&id) {
            return Ok(Place::Account(draft.head.clone()));
        }
        let head = self
            .view
            .heads
            .get(&id)
            .ok_or(Rejection::AccountNotFound { side })?;
        let expected = Expected::of(head);
        self.drafts.insert(
            id,
            Draft {
                head: head.clone(),
                origin: Origin::Stored(expected),
            },
        );
        Ok(Place::Account(head.clone()))
    }

    /// An account of a sealed book is closed, however it is called.
    pub(super) fn check_books(&mut self, from: &Place, to: &Place) -> Result<(), Rejection> {
        for place in [from, to] {
            if let Place::Account(head) = place
                && !self.is_open(head.book)
            {
                return Err(Rejection::AccountClosed { account: head.id });
            }
        }
        Ok(())
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
        let is_open = self.view.books.ids().any(|open| open == book);
        if is_open {
            self.books.insert(book);
        } else {
            // That its name has another open book is what shows it to be sealed.
            self.books.extend(self.view.books.ids());
        }
        is_open
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

    fn free(&self, name: &NamedAccount, side: Side) -> Result<Place, Rejection> {
        match (name.owner, side) {
            (Some(owner), _) if !self.view.owners.contains(&owner) => {
                Err(Rejection::UserNotFound { side })
            }
            (None, Side::Source) => Err(Rejection::AccountNotFound { side }),
            (Some(_), _) | (None, Side::Target) => Ok(Place::Free(name.clone())),
        }
    }
}
