//! The planner: decides one command after the other, each on top of those before.

mod drafts;
mod locate;
pub mod needs;
mod openings;
pub mod plan;
mod posting;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod needs_tests;
#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod posting_tests;
#[cfg(test)]
mod properties;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use self::drafts::{Draft, Drafts, Origin};
use self::plan::{NewAccount, NewTransaction, Plan, Recorded, Swap, View};
use super::key::{self, Scope};
use super::{
    AccountId, AccountRef, Action, Answered, BookId, Books, Command, Kind, NamedAccount, Receipt,
    Rejection, Side, Standing, UserId,
};

/// Decides every command, in order, on top of the view and of the commands before it. Pure: the same arguments give the
/// same plan.
#[must_use]
pub fn plan<'a>(commands: &[&'a Command], view: &View, now: DateTime<Utc>) -> Plan<'a> {
    let mut planner = Planner::new(view, now);
    for command in commands {
        let answered = planner.answer(command);
        planner.decided.push(command);
        planner.plan.answers.push(answered);
    }
    planner.finish()
}

struct Planner<'a, 'v> {
    view: &'v View,
    now: DateTime<Utc>,
    drafts: Drafts<'v>,
    /// Books that must still be open when the plan is written.
    books: BTreeSet<BookId>,
    /// Books that were reset on the way: the new ones. No name that the view knows is in those.
    reset: Books,
    emails: HashSet<&'a str>,
    unused_users: std::slice::Iter<'v, UserId>,
    unused_books: std::slice::Iter<'v, BookId>,
    plan: Plan<'a>,
    /// The first command of each key, by its position.
    keys: HashMap<(Scope, &'a str), usize>,
    decided: Vec<&'a Command>,
}

/// An end of a posting, as far as there is an account.
enum End {
    World,
    Account(AccountId),
    /// A name without an account, of an owner who exists or of nobody.
    Free(NamedAccount),
}

/// What an accepted command comes to.
struct Done {
    kind: Kind,
    created_at: DateTime<Utc>,
    standings: Vec<Standing>,
}

impl<'a, 'v> Planner<'a, 'v> {
    fn new(view: &'v View, now: DateTime<Utc>) -> Self {
        Self {
            view,
            // What the database stores; a receipt shows the same time at once and later.
            now: DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now),
            drafts: Drafts::new(view),
            books: BTreeSet::new(),
            reset: Books::default(),
            emails: HashSet::new(),
            unused_users: view.unused_users.iter(),
            unused_books: view.unused_books.iter(),
            plan: Plan::default(),
            keys: HashMap::new(),
            decided: Vec::new(),
        }
    }

    fn answer(&mut self, command: &'a Command) -> Answered {
        let scope = match self.scope(command) {
            Ok(scope) => scope,
            // A key without a scope is not remembered.
            Err(rejection) => return Answered::first(Err(rejection)),
        };
        if let Some(answered) = scope.and_then(|scope| self.replay(command, scope)) {
            return answered;
        }
        self.drafts.begin();
        let outcome = match self.carry_out(command) {
            Ok(done) => Ok(self.accept(command, done)),
            Err(rejection) => {
                self.drafts.undo();
                self.refuse(command, scope, &rejection);
                Err(rejection)
            }
        };
        Answered::first(outcome)
    }

    /// Where the command's key is unique, if it has one. An account that may be opened is opened for that, and stays open
    /// whatever becomes of the command: a withdrawal that was refused must stay so after the first deposit.
    fn scope(&mut self, command: &Command) -> Result<Option<Scope>, Rejection> {
        let action = &command.action;
        if command.key.is_none() && command.conditions.is_empty() {
            // What the action names is found when it is carried out.
            return Ok(None);
        }
        if let Action::Post(posting) = action {
            self.ends(posting)?;
        }
        self.find_conditions(command)?;
        if command.key.is_none() {
            return Ok(None);
        }
        Ok(key::scope(action, |account| {
            self.find_or_open(account, action)
        }))
    }

    fn find_or_open(&mut self, reference: &AccountRef, action: &Action) -> Option<AccountId> {
        match (self.locate(reference, Side::Target).ok()?, action) {
            (End::Free(name), Action::Post(posting)) => {
                Some(self.open_named(&name, posting.currency))
            }
            (end, _) => end.account(),
        }
    }

    /// The answer that the key has already, in the database or earlier in this batch.
    fn replay(&mut self, command: &'a Command, scope: Scope) -> Option<Answered> {
        let key = command.key.as_ref()?;
        if let Some(recorded) = self.view.outcomes.get(&(scope, key.text.clone())) {
            return Some(recorded.answer_again(key));
        }
        let position = self.decided.len();
        let earlier = *self
            .keys
            .entry((scope, key.text.as_str()))
            .or_insert(position);
        let command = self.decided.get(earlier)?;
        let recorded = Recorded {
            transaction: command.id,
            digest: command.key.as_ref()?.digest,
            outcome: self.plan.answers.get(earlier)?.outcome.clone(),
        };
        Some(recorded.answer_again(key))
    }

    fn carry_out(&mut self, command: &'a Command) -> Result<Done, Rejection> {
        match &command.action {
            Action::Post(posting) => self.post(command, posting),
            Action::OpenUser(open) => self.open_user(command, open),
            Action::OpenAccount(open) => self.open_account(command, open),
            Action::ResetBook(book) => self.reset_book(command, *book),
        }
    }

    /// Writes an accepted command down. What changed nothing is written down for the sake of its key alone.
    fn accept(&mut self, command: &'a Command, done: Done) -> Receipt {
        let Done {
            kind,
            created_at,
            standings,
        } = done;
        let first = standings.first();
        let first = first.map(|first| (first.account, first.version));
        let scope = key::scope(&command.action, |_| first.map(|(account, _)| account));
        let key = command.key.as_ref();
        if let Some(scope) = scope
            && (kind != Kind::Empty || key.is_some())
        {
            self.plan.transactions.push(NewTransaction {
                id: command.id,
                kind,
                scope,
                created_at,
                account: first.filter(|_| !kind.is_told_by_entries()),
                key,
                refusal: None,
            });
        }
        Receipt {
            transaction: command.id,
            kind,
            created_at,
            standings,
        }
    }

    /// Writes a refusal down, if it is remembered under a key.
    fn refuse(&mut self, command: &'a Command, scope: Option<Scope>, rejection: &Rejection) {
        let Some(scope) = scope.filter(|_| rejection.is_remembered()) else {
            return;
        };
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Book(_) => None,
        };
        self.plan.transactions.push(NewTransaction {
            id: command.id,
            kind: command.action.kind(),
            scope,
            created_at: self.drafts.time(self.now, account),
            account: None,
            key: command.key.as_ref(),
            refusal: Some(rejection.clone()),
        });
    }

    fn finish(mut self) -> Plan<'a> {
        self.plan.at = self.now;
        let (drafts, entries) = self.drafts.finish();
        self.plan.entries = entries;
        for Draft { head, origin } in drafts {
            match origin {
                Origin::Opened(name) => self.plan.accounts.push(NewAccount { head, name }),
                Origin::Stored(expected) if head.version == expected.version => {
                    self.plan.confirms.push(expected);
                }
                Origin::Stored(expected) => self.plan.swaps.push(Swap { expected, head }),
            }
        }
        for (sealed, _) in &self.plan.sealed_books {
            // Sealing it confirms that it was open.
            self.books.remove(sealed);
        }
        self.plan.books = self.books.into_iter().collect();
        self.plan.sort();
        self.plan
    }
}

impl End {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(*id),
            Self::World | Self::Free(_) => None,
        }
    }
}
