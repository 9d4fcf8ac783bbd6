//! What the planner does about openings: of users, of accounts, of books.
//!
//! A user and a book are not taken back if the command is refused, so nothing refuses after one is written.

use super::plan::{NewBook, NewUser};
use super::{Done, Planner};
use crate::ledger::{
    AccountId, BookId, BookName, Change, Command, Currency, Email, Kind, Magnitude, NamedAccount,
    OpenAccount, OpenBook, OpenUser, Rejection, Standing, TransactionId,
};

impl<'a> Planner<'a, '_> {
    pub(super) fn open_user(
        &mut self,
        command: &'a Command,
        open: &'a OpenUser,
    ) -> Result<Done, Rejection> {
        self.check_conditions(command)?;
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
        let account = NamedAccount::of_user(user, open.currency);
        let account = self.open_named(&account, open.currency);
        self.begin_with(account, open.opening_balance, command.id)
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
        command: &Command,
        open: &OpenAccount,
    ) -> Result<Done, Rejection> {
        self.check_conditions(command)?;
        let (owner, currency) = (open.owner, open.currency);
        let account = self
            .drafts
            .open(BookId::MAIN, owner, currency, self.now, None);
        self.begin_with(account, open.opening_balance, command.id)
    }

    /// What an account holds from the start.
    fn begin_with(
        &mut self,
        account: AccountId,
        balance: Magnitude,
        transaction: TransactionId,
    ) -> Result<Done, Rejection> {
        let amount = balance.amount();
        if !balance.is_zero() {
            let change = Change::Money {
                amount,
                counterparty: None,
            };
            let at = self.drafts.time_of_entry(self.now, [account]);
            self.drafts.step(account, change, transaction, at)?;
        }
        let head = self.drafts.head(account);
        Ok(Done {
            kind: Kind::Opening,
            created_at: head.last_entry_at,
            standings: vec![Standing::of(head, amount)],
        })
    }

    /// From here on the names of the book are free again, and accounts that they meant are left as they are.
    pub(super) fn reset_book(
        &mut self,
        command: &Command,
        name: BookName,
    ) -> Result<Done, Rejection> {
        self.check_conditions(command)?;
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
            created_at: at,
            standings: Vec::new(),
        })
    }
}
