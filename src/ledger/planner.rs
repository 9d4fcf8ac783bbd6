//! The planner: decides one command after the other, each on top of those before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::command::{
    Action, Command, Kind, Move, NamedAccount, Receipt, Scope, Standing, TransactionId,
};
use super::error::{Answered, Rejection, Side};
use super::plan::{Expected, NewAccount, NewEntry, NewTransaction, Plan, Recorded, Swap, View};
use super::rules::{Place, after, check, scope_of};
use super::{AccountId, Amount, BookId, Books, Change, Currency, Email, Head, UserId, Version};

/// Decides every command, in order, on top of the view and of the commands before it. Pure: the same arguments give the
/// same plan.
#[must_use]
pub fn plan<'a>(commands: &[&'a Command], view: &View, now: DateTime<Utc>) -> Plan<'a> {
    let mut planner = Planner::new(view, now);
    for command in commands {
        planner.decide(command);
    }
    planner.finish()
}

pub(super) struct Planner<'a, 'v> {
    pub(super) view: &'v View,
    pub(super) now: DateTime<Utc>,
    /// Every account that an answer depends on, as it stands after the commands so far.
    pub(super) drafts: BTreeMap<AccountId, Draft>,
    pub(super) opened: HashMap<NamedAccount, AccountId>,
    /// Books that must still be open when the plan is written.
    pub(super) books: BTreeSet<BookId>,
    /// Books that were reset on the way: the new ones. No name that the view knows is in those.
    pub(super) reset: Books,
    /// The first command of each key, by its position.
    keys: HashMap<(Scope, &'a str), usize>,
    pub(super) emails: HashSet<&'a str>,
    unused_accounts: std::slice::Iter<'v, AccountId>,
    pub(super) unused_users: std::slice::Iter<'v, UserId>,
    pub(super) unused_books: std::slice::Iter<'v, BookId>,
    /// The commands decided so far: their ids, and the digests of their keys.
    decided: Vec<&'a Command>,
    pub(super) plan: Plan<'a>,
}

pub(super) struct Draft {
    pub(super) head: Head,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    Stored(Expected),
    Opened(Option<NamedAccount>),
}

/// What a command comes to: the answer, and whether it is written down.
pub(super) type Decision = Result<Receipt, Rejection>;

impl<'a, 'v> Planner<'a, 'v> {
    fn new(view: &'v View, now: DateTime<Utc>) -> Self {
        Self {
            view,
            // What the database stores; a receipt shows the same time at once and later.
            now: DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now),
            drafts: BTreeMap::new(),
            opened: HashMap::new(),
            books: BTreeSet::new(),
            reset: Books::default(),
            keys: HashMap::new(),
            emails: HashSet::new(),
            unused_accounts: view.unused_accounts.iter(),
            unused_users: view.unused_users.iter(),
            unused_books: view.unused_books.iter(),
            decided: Vec::new(),
            plan: Plan::default(),
        }
    }

    fn decide(&mut self, command: &'a Command) {
        let answered = match &command.action {
            Action::Move(money) => self.decide_move(command, money),
            Action::OpenUser(open) => self.decide_open_user(command, open),
            Action::OpenAccount(open) => self.decide_open_account(command, open),
            Action::ResetBook(book) => self.decide_reset(command, *book),
        };
        self.decided.push(command);
        self.plan.answers.push(answered);
    }

    fn decide_move(&mut self, command: &'a Command, money: &Move) -> Answered {
        let places = self
            .locate(money.parties().from(), Side::Source)
            .and_then(|from| Ok((from, self.locate(money.parties().to(), Side::Target)?)));
        let (from, to) = match places {
            Ok(places) => places,
            Err(rejection) => return Answered::first(Err(rejection)),
        };
        let (from, to) = self.open_for_key(command, money, from, to);
        let Some(scope) = scope_of(&from, &to) else {
            return self.decide_unscoped(command, money, &from, to);
        };
        if let Some(answered) = self.replay(command, scope) {
            return answered;
        }
        if money.amount().is_zero() {
            return Answered::first(self.accept_nothing(command, money, scope, &from, &to));
        }
        let outcome = self
            .check_books(&from, &to)
            .and_then(|()| check(money, command.expected_version, &from, &to));
        match outcome {
            Ok(()) => Answered::first(Ok(self.apply(command, money, Some(scope), from, to))),
            Err(rejection) => {
                Answered::first(self.refuse(command, money.parties().kind(), scope, rejection))
            }
        }
    }

    /// A key is remembered under an account, so a command that carries one opens the account in its scope, whatever
    /// becomes of it otherwise: a withdrawal that was refused must stay so after the first deposit.
    fn open_for_key(
        &mut self,
        command: &Command,
        money: &Move,
        from: Place,
        to: Place,
    ) -> (Place, Place) {
        if command.key.is_none() {
            return (from, to);
        }
        match (from, to) {
            (Place::Free(name), to) => {
                (Place::Account(self.open_named(name, money.currency())), to)
            }
            (Place::World, Place::Free(name)) => (
                Place::World,
                Place::Account(self.open_named(name, money.currency())),
            ),
            places => places,
        }
    }

    /// The account in scope does not exist yet, and there is no key. Money that reaches it opens it; none can leave it.
    fn decide_unscoped(
        &mut self,
        command: &'a Command,
        money: &Move,
        from: &Place,
        to: Place,
    ) -> Answered {
        if let Place::Free(_) = from {
            return Answered::first(Err(Rejection::InsufficientFunds {
                account: None,
                available: Amount::ZERO,
            }));
        }
        if money.amount().is_zero() {
            return Answered::first(Ok(Receipt {
                transaction: command.id,
                kind: Kind::Empty,
                created_at: self.now,
                standings: Vec::new(),
            }));
        }
        Answered::first(Ok(self.apply(command, money, None, Place::World, to)))
    }

    /// The answer that the key has already, in the database or earlier in this batch.
    pub(super) fn replay(&mut self, command: &'a Command, scope: Scope) -> Option<Answered> {
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

    /// Zero moves nothing and makes no entry; the key is remembered with the version that the answer spoke of.
    fn accept_nothing(
        &mut self,
        command: &'a Command,
        money: &Move,
        scope: Scope,
        from: &Place,
        to: &Place,
    ) -> Decision {
        let standings: Vec<Standing> = [from, to]
            .into_iter()
            .filter_map(|place| match place {
                Place::Account(head) => Some(Standing::of(head, Amount::ZERO)),
                Place::World | Place::Free(_) => None,
            })
            .collect();
        let spoken_of = standings
            .first()
            .map(|standing| (standing.account, standing.version));
        if let (Some(expected), Some((account, current))) = (command.expected_version, spoken_of)
            && expected != current
        {
            let rejection = Rejection::VersionMismatch { account, current };
            return self.refuse(command, money.parties().kind(), scope, rejection);
        }
        if command.key.is_some() {
            self.record(command, Kind::Empty, scope, self.now, spoken_of, None);
        }
        Ok(Receipt {
            transaction: command.id,
            kind: Kind::Empty,
            created_at: self.now,
            standings,
        })
    }

    pub(super) fn refuse(
        &mut self,
        command: &'a Command,
        kind: Kind,
        scope: Scope,
        rejection: Rejection,
    ) -> Decision {
        if command.key.is_some() && rejection.is_remembered() {
            self.record(
                command,
                kind,
                scope,
                self.now,
                None,
                Some(rejection.clone()),
            );
        }
        Err(rejection)
    }

    /// Both ends of an accepted move. `scope` is `None` where the money opens the account that it reaches.
    fn apply(
        &mut self,
        command: &'a Command,
        money: &Move,
        scope: Option<Scope>,
        from: Place,
        to: Place,
    ) -> Receipt {
        let mut source = self.settle(from, money.currency());
        let mut target = self.settle(to, money.currency());
        let touched: Vec<&Head> = source.iter().chain(target.iter()).collect();
        let at = after(self.now, &touched);
        let (source_id, target_id) = (
            source.as_ref().map(|head| head.id),
            target.as_ref().map(|head| head.id),
        );
        let mut standings = Vec::with_capacity(touched.len());
        for (head, amount, counterparty) in [
            (&mut source, money.amount().negated(), target_id),
            (&mut target, money.amount(), source_id),
        ] {
            if let Some(mut head) = head.take() {
                self.write_entry(&mut head, command.id, amount, counterparty, at);
                standings.push(Standing::of(&head, amount));
                self.keep(head);
            }
        }
        let kind = money.parties().kind();
        let scope = scope
            .or(target_id.map(Scope::Account))
            .expect("a move has an account at one end");
        self.record(command, kind, scope, at, None, None);
        Receipt {
            transaction: command.id,
            kind,
            created_at: at,
            standings,
        }
    }

    fn settle(&mut self, place: Place, currency: Currency) -> Option<Head> {
        match place {
            Place::World => None,
            Place::Account(head) => Some(head),
            Place::Free(name) => Some(self.open_named(name, currency)),
        }
    }

    pub(super) fn open_named(&mut self, name: NamedAccount, currency: Currency) -> Head {
        let book = self.book(name.book);
        let at = self.now_in(name.book);
        let head = self.open_account(book, name.owner, currency, Some(name.clone()), at);
        self.opened.insert(name, head.id);
        head
    }

    pub(super) fn open_account(
        &mut self,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        name: Option<NamedAccount>,
        at: DateTime<Utc>,
    ) -> Head {
        let id = *self
            .unused_accounts
            .next()
            .expect("the view holds an id for every account that may be opened");
        let head = Head::open(id, book, owner, currency, at);
        self.drafts.insert(
            id,
            Draft {
                head: head.clone(),
                origin: Origin::Opened(name),
            },
        );
        head
    }

    pub(super) fn write_entry(
        &mut self,
        head: &mut Head,
        transaction: TransactionId,
        amount: Amount,
        counterparty: Option<AccountId>,
        created_at: DateTime<Utc>,
    ) {
        let change = Change::Money {
            amount,
            counterparty,
        };
        let (next, sealed) = head
            .next(change, transaction, created_at)
            .expect("the rules were checked before the move was accepted");
        *head = next;
        let currency = head.currency;
        self.plan.entries.push(NewEntry { sealed, currency });
    }

    pub(super) fn record(
        &mut self,
        command: &'a Command,
        kind: Kind,
        scope: Scope,
        created_at: DateTime<Utc>,
        account: Option<(AccountId, Version)>,
        refusal: Option<Rejection>,
    ) {
        let key = command.key.as_ref();
        self.plan.transactions.push(NewTransaction {
            id: command.id,
            kind,
            scope,
            created_at,
            account,
            key,
            refusal,
        });
    }

    pub(super) fn keep(&mut self, head: Head) {
        if let Some(draft) = self.drafts.get_mut(&head.id) {
            draft.head = head;
        }
    }

    fn finish(mut self) -> Plan<'a> {
        self.plan.at = self.now;
        for (_, Draft { head, origin }) in self.drafts {
            match origin {
                Origin::Opened(name) => self.plan.accounts.push(NewAccount { head, name }),
                Origin::Stored(expected) if head.version == expected.version => {
                    self.plan.confirms.push(expected);
                }
                Origin::Stored(expected) => self.plan.swaps.push(Swap { expected, head }),
            }
        }
        self.plan
            .entries
            .sort_by_key(|entry| (entry.sealed.entry.account, entry.sealed.entry.version));
        for (sealed, _) in &self.plan.sealed_books {
            // Sealing it confirms that it was open.
            self.books.remove(sealed);
        }
        self.plan.books = self.books.into_iter().collect();
        // As their unique keys are sorted, so that two who open the same things wait for each other instead of both.
        self.plan
            .users
            .sort_by_key(|user| user.email.map(Email::canonical));
        self.plan.accounts.sort_by(|one, other| {
            let name = |new: &NewAccount| new.name.clone().map(|name| (name.book, name.name));
            name(one).cmp(&name(other))
        });
        self.plan.transactions.sort_by_key(|transaction| {
            (
                transaction.scope,
                transaction.key.map(|key| &key.text),
                transaction.id,
            )
        });
        self.plan
    }
}
