//! What the planner does about openings: of users, of accounts, of books.
//!
//! A user and a book are not taken back if the command is refused, so nothing refuses after one is written.

use super::plan::{NewBook, NewExternalId, NewUser};
use super::{Done, Planner};
use crate::ledger::{
    AccountDetails, AccountId, BookName, Change, Command, Currency, Email, Kind, Magnitude, More,
    NamedAccount, Native, OpenAccount, OpenBook, OpenUser, Rejection, Standing, Step,
};

impl<'a> Planner<'a, '_> {
    pub(super) fn open_user(
        &mut self,
        command: &'a Command,
        open: &'a OpenUser,
    ) -> Result<Done, Rejection> {
        self.check_opening(command)?;
        if let Some(email) = &open.email
            && (self.is_taken(email) || !self.emails.insert(email.canonical()))
        {
            return Err(Rejection::EmailTaken);
        }
        let unused = self.unused_users.next();
        let user = *unused.expect("the view holds an id for every user that may be opened");
        self.plan.users.push(NewUser {
            id: user,
            name: open.name.as_deref(),
            email: open.email.as_ref(),
            password_hash: open.password_hash.as_ref(),
            session: open.session.as_ref(),
            created_at: self.now,
        });
        let Some(first) = open.account else {
            return Ok(Done {
                kind: Kind::UserOpened,
                more: More {
                    user: Some(user),
                    ..More::default()
                },
                ..Done::nothing(self.now, Vec::new())
            });
        };
        let account = NamedAccount::of_user(user, first.currency);
        let account = self.open_named(&account, first.currency);
        self.begin_with(account, first.opening_balance, command)
    }

    /// The account of a name that has none yet.
    pub(super) fn open_named(&mut self, name: &NamedAccount, currency: Currency) -> AccountId {
        let (book, at) = (self.book(name.book), self.now_in(name.book));
        let owner = name.owner;
        self.drafts
            .open(book, owner, currency, at, Some(name.clone()))
    }

    fn is_taken(&self, email: &Email) -> bool {
        let mut forms = email.stored_as().into_iter();
        forms.any(|form| self.view.emails.get(&form) == Some(&true))
    }

    pub(super) fn open_account(
        &mut self,
        command: &'a Command,
        open: &'a OpenAccount,
    ) -> Result<Done, Rejection> {
        self.check_opening(command)?;
        let (owner, currency) = (open.owner, open.currency);
        let name = self.within.unwrap_or(BookName::MAIN);
        let (book, at) = (self.book(name), self.now_in(name));
        if command.caller.is_some() {
            // A dialect's owner was signed in, or is none.
            let is_known = |user| self.view.users.get(&user) == Some(&true);
            if !owner.is_none_or(is_known) {
                return Err(Native::OwnerNotFound.into());
            }
        }
        if name != BookName::MAIN {
            self.books.insert(book);
        }
        if let Some(external_id) = &open.external_id {
            let id = (book, external_id.clone());
            let is_taken = self.view.external_ids.get(&id) == Some(&true);
            if is_taken || !self.external_ids.insert((book, external_id)) {
                return Err(Native::ExternalIdTaken.into());
            }
        }
        let account = self.drafts.open(book, owner, currency, at, None);
        if let Some(external_id) = &open.external_id {
            self.plan.external_ids.push(NewExternalId {
                book,
                external_id,
                account,
            });
        }
        let floor = open.overdraft_limit.amount().negated();
        let details = open.details.as_ref().map(AccountDetails::digest);
        if !floor.is_zero() || details.is_some() {
            let change = Change::Details { floor, details };
            let stamp = Self::stamp(command, self.entry_time(account));
            self.drafts.step(account, Step::of(change), &stamp)?;
        }
        if let Some(details) = &open.details {
            self.write_details(account, details.clone());
        }
        self.begin_with(account, open.opening_balance, command)
    }

    /// What an account holds from the start.
    fn begin_with(
        &mut self,
        account: AccountId,
        balance: Magnitude,
        command: &Command,
    ) -> Result<Done, Rejection> {
        let amount = balance.amount();
        if !balance.is_zero() {
            let change = Change::Money {
                amount,
                counterparty: None,
            };
            let stamp = Self::stamp(command, self.entry_time(account));
            self.drafts.step(account, Step::of(change), &stamp)?;
        }
        let head = self.drafts.head(account);
        Ok(Done {
            kind: Kind::Opening,
            ..Done::nothing(head.last_entry_at, vec![Standing::of(head, amount)])
        })
    }

    /// A dialect's conditions are about accounts that are there already.
    fn check_opening(&mut self, command: &Command) -> Result<(), Rejection> {
        self.check_versions(command)?;
        self.check_versions_of_funded(command)
    }

    pub(super) fn open_book(&mut self, name: BookName) -> Result<Done, Rejection> {
        let is_open = self.view.books.id(name).is_some() || self.reset.id(name).is_some();
        let id = if is_open {
            None
        } else {
            self.unused_books.next().copied()
        };
        let id = id.ok_or(Native::BookTaken)?;
        let opened_at = self.now;
        self.plan.new_books.push(NewBook {
            id,
            name,
            opened_at,
            sealed_at: None,
        });
        self.reset.insert(name, OpenBook { id, opened_at });
        Ok(Done {
            kind: Kind::BookOpened,
            more: More {
                book: Some(id),
                ..More::default()
            },
            ..Done::nothing(self.now, Vec::new())
        })
    }

    /// From here on the names of the book are free again, and accounts that they meant are left as they are.
    pub(super) fn reset_book(
        &mut self,
        command: &Command,
        name: BookName,
    ) -> Result<Done, Rejection> {
        self.check_opening(command)?;
        let before = self.book(name);
        let unused = self.unused_books.next();
        let id = *unused.expect("the view holds an id for every book that may be opened");
        let at = self.now_in(name);
        let mut new_books = self.plan.new_books.iter_mut();
        match new_books.find(|book| book.id == before) {
            Some(new) => new.sealed_at = Some(at),
            None => self.plan.sealed_books.push((before, at)),
        }
        self.plan.new_books.push(NewBook {
            id,
            name,
            opened_at: at,
            sealed_at: None,
        });
        let opened_at = at;
        self.reset.insert(name, OpenBook { id, opened_at });
        self.drafts.forget_names(|opened| opened.book == name);
        Ok(Done {
            kind: Kind::Reset,
            ..Done::nothing(at, Vec::new())
        })
    }
}
