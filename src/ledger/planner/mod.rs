//! The planner: decides one command after the other, each on top of those before.

mod amending;
mod conditions;
mod drafts;
mod expiries;
mod holds;
mod locate;
pub mod needs;
mod openings;
pub mod plan;
mod posting;
mod reversal;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod native;
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
use self::plan::{NewAccount, NewNote, NewTransaction, Plan, Recorded, Swap, View};
use super::key::{self, Scope};
use super::{
    AccountId, AccountRef, Action, Answered, BookId, BookName, Books, Caller, Command, ExternalId,
    Kind, More, NamedAccount, Note, Part, Receipt, Rejection, Seen, Side, Sight, Stamp, Standing,
    TransactionId, UserId,
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
    /// The book beyond which nothing exists for who asks.
    within: Option<BookName>,
    /// The person who asks, if one does.
    person: Option<UserId>,
    /// The part of the command that is being carried out.
    part: Option<Part>,
    /// Books that must still be open when the plan is written.
    books: BTreeSet<BookId>,
    /// Books that were reset on the way: the new ones. No name that the view knows is in those.
    reset: Books,
    emails: HashSet<&'a str>,
    external_ids: HashSet<(BookId, &'a ExternalId)>,
    /// What was reversed on the way, and by what.
    reversed: HashMap<TransactionId, TransactionId>,
    /// Accounts that an accepted command depends on, whether or not it changes them.
    conditioned: BTreeSet<AccountId>,
    unused_users: std::slice::Iter<'v, UserId>,
    unused_books: std::slice::Iter<'v, BookId>,
    unused_transactions: std::slice::Iter<'v, TransactionId>,
    plan: Plan<'a>,
    /// The first command of each key, by its position.
    keys: HashMap<(Scope, &'a str), usize>,
    decided: Vec<&'a Command>,
}

/// An end of a posting, as far as there is an account.
#[derive(Clone)]
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
    more: More,
}

impl<'a, 'v> Planner<'a, 'v> {
    fn new(view: &'v View, now: DateTime<Utc>) -> Self {
        Self {
            view,
            // What the database stores; a receipt shows the same time at once and later.
            now: DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now),
            drafts: Drafts::new(view),
            within: None,
            person: None,
            part: None,
            books: BTreeSet::new(),
            reset: Books::default(),
            emails: HashSet::new(),
            external_ids: HashSet::new(),
            reversed: HashMap::new(),
            conditioned: BTreeSet::new(),
            unused_users: view.unused_users.iter(),
            unused_books: view.unused_books.iter(),
            unused_transactions: view.unused_transactions.iter(),
            plan: Plan::default(),
            keys: HashMap::new(),
            decided: Vec::new(),
        }
    }

    fn answer(&mut self, command: &'a Command) -> Answered {
        let caller = command.caller.as_ref();
        self.within = caller.map(|caller| caller.book);
        self.person = caller.and_then(|caller| caller.person);
        self.part = None;
        self.expire_due(command);
        let scope = match self.scope(command) {
            Ok(scope) => scope,
            // A key without a scope is not remembered.
            Err(rejection) => return Answered::first(Err(rejection)),
        };
        if let Some(answered) = scope.and_then(|scope| self.replay(command, scope)) {
            return answered;
        }
        self.drafts.begin();
        match self.carry_out(command) {
            Ok(done) if command.is_dry => {
                self.drafts.undo();
                Answered::first(Ok(done.receipt(command)))
            }
            Ok(done) => Answered::first(Ok(self.accept(command, done))),
            Err(rejection) => {
                self.drafts.undo();
                let caller = command.caller.as_ref();
                let sight = caller.map(|caller| Box::new(self.sight(command, caller, &rejection)));
                self.refuse(command, scope, &rejection, sight.as_deref());
                self.note_forgotten(command, scope, &rejection);
                Answered {
                    sight,
                    ..Answered::first(Err(rejection))
                }
            }
        }
    }

    /// Where the command's key is unique, if it has one. An account that may be opened is opened for that, and stays open
    /// whatever becomes of the command: a withdrawal that was refused must stay so after the first deposit.
    fn scope(&mut self, command: &Command) -> Result<Option<Scope>, Rejection> {
        if let Some(caller) = &command.caller {
            return Ok(Some(Scope::Caller(caller.id)));
        }
        if command.key.is_none() && command.conditions.is_empty() {
            // What the action names is found when it is carried out.
            return Ok(None);
        }
        for posting in command.action.postings() {
            self.ends(posting)?;
        }
        self.find_conditions(command)?;
        if command.key.is_none() {
            return Ok(None);
        }
        Ok(key::scope(command, |account| {
            self.find_or_open(account, &command.action)
        }))
    }

    fn find_or_open(&mut self, reference: &AccountRef, action: &Action) -> Option<AccountId> {
        let found = self.locate(reference, Side::Target).ok()?;
        let currency = action.postings().first().and_then(|first| first.currency);
        match (found, currency) {
            (End::Free(name), Some(currency)) => Some(self.open_named(&name, currency)),
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
        let found = self.keys.get(&(scope, key.text.as_str())).copied();
        let is_kept = |earlier: usize| {
            let answered = self.plan.answers.get(earlier);
            answered.is_some_and(|answered| answered.is_remembered(scope))
        };
        let Some(earlier) = found.filter(|earlier| is_kept(*earlier)) else {
            self.keys.insert((scope, key.text.as_str()), position);
            return None;
        };
        let command = self.decided.get(earlier)?;
        let answered = self.plan.answers.get(earlier)?;
        let recorded = Recorded {
            transaction: command.id,
            digest: command.key.as_ref()?.digest,
            outcome: answered.outcome.clone(),
            sight: answered.sight.clone(),
            salt: command.key.as_ref()?.said.as_ref().map(|said| said.salt),
        };
        Some(recorded.answer_again(key))
    }

    fn carry_out(&mut self, command: &'a Command) -> Result<Done, Rejection> {
        self.check_target(command)?;
        match &command.action {
            Action::Post(postings) => self.post(command, postings),
            Action::Reverse(transaction) => self.reverse(command, *transaction),
            Action::PlaceHold(new) => self.place_hold(command, new),
            Action::ChangeHold(hold, change) => self.change_hold(command, *hold, change),
            Action::VoidHold(hold) => self.void_hold(command, *hold),
            Action::Expire(account) => Ok(self.expire(*account)),
            Action::Amend(account, amendment) => self.amend(command, account, amendment),
            Action::OpenUser(open) => self.open_user(command, open),
            Action::OpenAccount(open) => self.open_account(command, open),
            Action::OpenBook(book) => self.open_book(*book),
            Action::ResetBook(book) => self.reset_book(command, *book),
        }
    }

    /// What the entries of a command have in common.
    fn stamp(command: &Command, created_at: DateTime<Utc>) -> Stamp {
        Stamp {
            transaction: command.id,
            created_at,
            note: command.note.as_ref().map(Note::digest),
            effective_at: command.effective_at,
        }
    }

    /// Writes an accepted command down. What changed nothing is written down for the sake of its key alone.
    fn accept(&mut self, command: &'a Command, done: Done) -> Receipt {
        let first = done.standings.first();
        let first = first.map(|first| (first.account, first.version));
        let scope = key::scope(command, |_| first.map(|(account, _)| account));
        let key = command.key.as_ref();
        if let Some(scope) = scope
            && (done.kind != Kind::Empty || key.is_some())
        {
            if let Some(note) = &command.note {
                let transaction = command.id;
                self.plan.notes.push(NewNote { transaction, note });
            }
            if let Some(reversed) = done.more.reverses {
                self.reversed.insert(reversed, command.id);
            }
            self.plan.transactions.push(NewTransaction {
                account: first.filter(|_| !done.kind.is_told_by_entries()),
                key,
                note: command.note.as_ref().map(Note::digest),
                reverses: done.more.reverses,
                effective_at: command.effective_at,
                user: done.more.user,
                book: done.more.book,
                ..NewTransaction::new(command.id, done.kind, scope, done.created_at)
            });
        }
        self.depend_on_conditions(command);
        done.receipt(command)
    }

    /// What a refusal was decided on: the account before the command, whose steps are undone.
    fn sight(&self, command: &Command, caller: &Caller, rejection: &Rejection) -> Sight {
        let account = rejection.account().filter(|id| self.drafts.has(*id));
        Sight {
            request_id: caller.request_id.clone(),
            // What is addressed to an object has no parts of its own.
            part: self.part.filter(|_| command.target.is_none()),
            account: account.map(|id| Seen::of(self.drafts.head(id))),
            at: self.drafts.time(self.now, account),
        }
    }

    /// Writes a refusal down, if it is remembered under a key.
    fn refuse(
        &mut self,
        command: &'a Command,
        scope: Option<Scope>,
        rejection: &Rejection,
        sight: Option<&Sight>,
    ) {
        let scope = scope.filter(|scope| rejection.is_remembered(*scope));
        let Some((scope, key)) = scope.zip(command.key.as_ref()) else {
            return;
        };
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Book(_) | Scope::Caller(_) => None,
        };
        let at = self.drafts.time(self.now, account);
        self.plan.transactions.push(NewTransaction {
            key: Some(key),
            refusal: Some(rejection.clone()),
            sight: sight.cloned(),
            ..NewTransaction::new(
                command.id,
                command.action.kind(),
                scope,
                sight.map_or(at, |sight| sight.at),
            )
        });
    }

    /// A refusal that is not remembered is written under no key, so no other outcome of its key stands in its way: it has to be
    /// known that there is none.
    fn note_forgotten(&mut self, command: &Command, scope: Option<Scope>, rejection: &Rejection) {
        let Some((scope, key)) = scope.zip(command.key.as_ref()) else {
            return;
        };
        let is_known = |scope| self.view.looked_up.contains(&(scope, key.text.clone()));
        if !rejection.is_remembered(scope) && !is_known(scope) {
            self.plan.needs_outcomes = true;
        }
    }

    fn finish(mut self) -> Plan<'a> {
        self.plan.at = self.now;
        let finished = self.drafts.finish();
        self.plan.entries = finished.entries;
        self.plan.new_holds = finished.new_holds;
        self.plan.hold_swaps = finished.hold_swaps;
        for Draft { head, origin } in finished.accounts {
            match origin {
                Origin::Opened(name) => self.plan.accounts.push(NewAccount { head, name }),
                Origin::Stored(expected, due_at)
                    if head.version == expected.version
                        && head.due_at == due_at
                        && !self.conditioned.contains(&head.id) =>
                {
                    self.plan.confirms.push(expected);
                }
                Origin::Stored(expected, _) => self.plan.swaps.push(Swap { expected, head }),
            }
        }
        for (sealed, _) in &self.plan.sealed_books {
            // Sealing it confirms that it was open.
            self.books.remove(sealed);
        }
        for new in &self.plan.new_books {
            // It is not there before.
            self.books.remove(&new.id);
        }
        self.plan.books = self.books.into_iter().collect();
        self.plan.sort();
        self.plan
    }
}

impl Done {
    /// What changed nothing.
    fn nothing(created_at: DateTime<Utc>, standings: Vec<Standing>) -> Self {
        Self {
            kind: Kind::Empty,
            created_at,
            standings,
            more: More::default(),
        }
    }

    fn receipt(self, command: &Command) -> Receipt {
        let more = More {
            effective_at: command.effective_at,
            ..self.more
        };
        Receipt {
            transaction: command.id,
            kind: self.kind,
            created_at: self.created_at,
            standings: self.standings,
            more: command.caller.as_ref().map(|_| Box::new(more)),
        }
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
