//! What the planner decides about openings: of users, of accounts, of books.

use chrono::{DateTime, Utc};

use super::command::{
    Command, Kind, NamedAccount, OpenAccount, OpenUser, Receipt, Scope, Standing,
};
use super::error::{Answered, Rejection};
use super::plan::{NewBook, NewUser};
use super::planner::Planner;
use super::rules::after;
use super::{Amount, BookId, BookName, Email, Head, OpenBook};

/// Where keys of openings are unique. The main book is never reset, so that a key outlives a reset.
const SCOPE: Scope = Scope::Book(BookId::MAIN);

impl<'a> Planner<'a, '_> {
    pub(super) fn decide_open_user(
        &mut self,
        command: &'a Command,
        open: &'a OpenUser,
    ) -> Answered {
        if let Some(answered) = self.replay(command, SCOPE) {
            return answered;
        }
        if let Some(email) = &open.email
            && (self.is_taken(email) || !self.emails.insert(email.canonical()))
        {
            let taken = Rejection::EmailTaken;
            return Answered::first(self.refuse(command, Kind::Opening, SCOPE, taken));
        }
        let user = *self
            .unused_users
            .next()
            .expect("the view holds an id for every user that may be opened");
        self.plan.users.push(NewUser {
            id: user,
            name: open.name.as_deref(),
            email: open.email.as_ref(),
            password_hash: open.password_hash.as_ref(),
            session: open.session.as_ref(),
            created_at: self.now,
        });
        let head = self.open_named(NamedAccount::of_user(user, open.currency), open.currency);
        self.accept_opening(command, head, open.opening_balance)
    }

    fn is_taken(&self, email: &Email) -> bool {
        let forms = [Some(email.canonical()), email.stored_before()];
        let mut forms = forms.into_iter().flatten();
        forms.any(|form| self.view.emails.contains(form))
    }

    pub(super) fn decide_open_account(
        &mut self,
        command: &'a Command,
        open: &OpenAccount,
    ) -> Answered {
        if let Some(answered) = self.replay(command, SCOPE) {
            return answered;
        }
        let head = self.open_account(BookId::MAIN, open.owner, open.currency, None, self.now);
        self.accept_opening(command, head, open.opening_balance)
    }

    fn accept_opening(
        &mut self,
        command: &'a Command,
        mut head: Head,
        opening_balance: Amount,
    ) -> Answered {
        let mut at = head.last_entry_at;
        if !opening_balance.is_zero() {
            at = after(self.now, &[&head]);
            self.write_entry(&mut head, command.id, opening_balance, None, at);
        }
        let standing = Standing::of(&head, opening_balance);
        let spoken_of = Some((head.id, head.version));
        self.record(command, Kind::Opening, SCOPE, at, spoken_of, None);
        self.keep(head);
        accepted(command, Kind::Opening, at, vec![standing])
    }

    /// From here on the names of the book are free again, and accounts that they meant are left as they are.
    pub(super) fn decide_reset(&mut self, command: &'a Command, name: BookName) -> Answered {
        if let Some(answered) = self.replay(command, SCOPE) {
            return answered;
        }
        let before = self.book(name);
        let id = *self
            .unused_books
            .next()
            .expect("the view holds an id for every book that may be opened");
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
        self.opened.retain(|opened, _| opened.book != name);
        self.record(command, Kind::Reset, SCOPE, at, None, None);
        accepted(command, Kind::Reset, at, Vec::new())
    }
}

fn accepted(
    command: &Command,
    kind: Kind,
    created_at: DateTime<Utc>,
    standings: Vec<Standing>,
) -> Answered {
    Answered::first(Ok(Receipt {
        transaction: command.id,
        kind,
        created_at,
        standings,
    }))
}
