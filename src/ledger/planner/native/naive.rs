//! The most obvious ledger of what callers can ask, for comparison: one command at a time, and undone by a copy.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::super::posting_tests::cents;
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountDetails, AccountId, AccountRef, Action, Amendment, Answered, BookId, BookName, Command,
    Currency, ExternalId, Hold, HoldId, HoldStatus, Kind, More, Native, Object, Part, Party,
    Posted, Posting, Quantity, Receipt, Rejection, Scope, Seen, Side, Sight, Standing, State,
    Status, Target, TransactionId, UserId, Version,
};

pub(super) type Time = DateTime<Utc>;

/// A refusal, and at which part of the command.
pub(super) type Refused = (Option<Part>, Rejection);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub balance: i128,
    pub floor: i128,
    pub status: Status,
    pub details: Option<AccountDetails>,
    pub version: i64,
    pub last_entry_at: Time,
}

/// A transaction that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub accounts: BTreeSet<AccountId>,
    pub postings: Vec<Posted>,
    pub reversed_by: Option<TransactionId>,
}

#[derive(Clone, Debug)]
pub(super) struct Book {
    pub name: BookName,
    pub opened_at: Time,
    pub is_open: bool,
}

#[derive(Clone)]
pub(super) struct Naive {
    pub now: Time,
    /// The book beyond which nothing is seen.
    pub within: Option<BookName>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub holds: BTreeMap<HoldId, Hold>,
    pub books: BTreeMap<BookId, Book>,
    pub users: BTreeSet<UserId>,
    pub external_ids: BTreeMap<(BookId, ExternalId), AccountId>,
    pub transactions: BTreeMap<TransactionId, Moved>,
    pub keys: BTreeMap<(Scope, String), (TransactionId, [u8; 32], Answered)>,
    /// The next ids of accounts, users and books, and of transactions in which holds expire.
    pub next: [i64; 3],
    pub expiries: Vec<TransactionId>,
}

impl Naive {
    pub(super) fn ask(&mut self, command: &Command) -> Answered {
        self.within = command.caller.as_ref().map(|caller| caller.book);
        self.expire(command);
        let key = command.key.as_ref().zip(self.scope(command));
        let key = key.map(|(key, scope)| (scope, key.text.clone(), key.digest));
        if let Some((scope, text, asked)) = &key
            && let Some((transaction, digest, answered)) = self.keys.get(&(*scope, text.clone()))
        {
            let transaction = *transaction;
            let reused = Answered::first(Err(Rejection::KeyReused { transaction }));
            let replayed = true;
            let again = Answered {
                replayed,
                ..answered.clone()
            };
            return if digest == asked { again } else { reused };
        }
        let copy = self.clone();
        let answered = match self.carry_out(command) {
            Ok(receipt) => {
                if command.is_dry {
                    *self = copy;
                } else if receipt.kind != Kind::Empty || key.is_some() {
                    self.remember_transaction(command, &receipt, &copy);
                }
                Answered::first(Ok(receipt))
            }
            Err((part, rejection)) => {
                *self = copy;
                let sight = command.caller.is_some();
                let sight = sight.then(|| Box::new(self.sight(command, part, &rejection)));
                let outcome = Err(rejection);
                Answered {
                    outcome,
                    sight,
                    replayed: false,
                }
            }
        };
        if let Some((scope, text, digest)) = key
            && is_remembered(&answered)
        {
            let remembered = (command.id, digest, answered.clone());
            self.keys.insert((scope, text), remembered);
        }
        answered
    }

    fn carry_out(&mut self, command: &Command) -> Result<Receipt, Refused> {
        let nowhere = |rejection| (None, rejection);
        self.check_target(command).map_err(nowhere)?;
        match &command.action {
            Action::Post(postings) => self.post(command, postings),
            Action::Reverse(transaction) => self.reverse(command, *transaction),
            Action::PlaceHold(new) => self.place(command, new).map_err(nowhere),
            Action::ChangeHold(id, change) => {
                self.change_hold(command, *id, change).map_err(nowhere)
            }
            Action::VoidHold(id) => self.void(command, *id).map_err(nowhere),
            Action::Amend(account, Amendment::Status(status)) => {
                self.set_status(command, account, *status).map_err(nowhere)
            }
            Action::Amend(account, Amendment::Details(change)) => {
                self.set_details(command, account, change).map_err(nowhere)
            }
            Action::OpenAccount(open) => self.open_account(command, open).map_err(nowhere),
            Action::OpenUser(_) => {
                let user = UserId(self.take(1));
                self.users.insert(user);
                let user = Some(user);
                let more = More {
                    user,
                    ..More::default()
                };
                Ok(said(command, Kind::UserOpened, self.now, vec![], more))
            }
            Action::OpenBook(name) => self.open_book(command, *name).map_err(nowhere),
            Action::ResetBook(name) => {
                let (old, at) = self.open_of(*name);
                self.books.get_mut(&old).expect("a book").is_open = false;
                self.new_book(*name, at);
                Ok(said(command, Kind::Reset, at, vec![], More::default()))
            }
            // What is over is written down by every command.
            Action::Expire(_) => {
                let (kind, more) = (Kind::Empty, More::default());
                Ok(said(command, kind, self.now, vec![], more))
            }
        }
    }

    /// Dialects call accounts by their ids here, and a key of theirs is for the account that gives, or the only one.
    fn scope(&self, command: &Command) -> Option<Scope> {
        if let Some(caller) = &command.caller {
            return Some(Scope::Caller(caller.id));
        }
        match &command.action {
            Action::Post(postings) => {
                let accounts = postings[0].accounts();
                let ids: Vec<AccountId> = accounts.map(id).collect();
                let are_there = ids.iter().all(|id| self.accounts.contains_key(id));
                are_there.then(|| Scope::Account(ids[0]))
            }
            _ => Some(Scope::Book(BookId::MAIN)),
        }
    }

    fn remember_transaction(&mut self, command: &Command, receipt: &Receipt, before: &Self) {
        let more = receipt.more.clone().unwrap_or_default();
        if let Some(reversed) = more.reverses {
            let moved = self.transactions.get_mut(&reversed).expect("the original");
            moved.reversed_by = Some(command.id);
        }
        let version = |naive: &Self, id| naive.accounts.get(&id).map_or(1, |it| it.version);
        let ids = self.accounts.keys().copied();
        let accounts = ids.filter(|id| version(self, *id) != version(before, *id));
        let accounts: BTreeSet<AccountId> = accounts.collect();
        let postings = match (&command.action, command.caller.is_some()) {
            // A dialect is not told its postings.
            (Action::Post(postings), false) => postings.iter().map(as_posted).collect(),
            _ => more.postings,
        };
        let moved = Moved {
            accounts,
            postings,
            reversed_by: None,
        };
        self.transactions.insert(command.id, moved);
    }

    fn sight(&self, command: &Command, part: Option<Part>, rejection: &Rejection) -> Sight {
        let caller = command.caller.as_ref().expect("a caller");
        let account = rejection.account();
        let at = account.map_or(self.now, |id| {
            self.accounts[&id].last_entry_at.max(self.now)
        });
        let seen = account.map(|account| Seen {
            account,
            version: Version(self.accounts[&account].version),
            balance: text(self.accounts[&account].balance),
            available: text(self.available(account)),
        });
        Sight {
            request_id: caller.request_id.clone(),
            part: part.filter(|_| command.target.is_none()),
            account: seen,
            at,
        }
    }

    /// Every hold whose time is over, of every account that the command speaks of.
    fn expire(&mut self, command: &Command) {
        let mut accounts: BTreeSet<AccountId> = command.accounts().map(id).collect();
        let holds = command.holds().filter_map(|hold| self.holds.get(&hold));
        accounts.extend(holds.map(|hold| hold.account));
        match command.action {
            Action::Reverse(transaction) => accounts.extend(
                self.transactions
                    .get(&transaction)
                    .into_iter()
                    .flat_map(|moved| &moved.accounts),
            ),
            Action::Expire(account) => drop(accounts.insert(account)),
            _ => {}
        }
        for account in accounts {
            let is_over = |hold: &&Hold| {
                hold.account == account
                    && hold.status == HoldStatus::Active
                    && hold.expires_at <= self.now
            };
            let mut over: Vec<Hold> = self.holds.values().filter(is_over).cloned().collect();
            over.sort_by_key(|hold| (hold.expires_at, hold.id));
            for mut hold in over {
                let transaction = self.expiries.remove(0);
                hold.status = HoldStatus::Expired;
                let at = self.entry_time([account]);
                self.write_hold(hold, at);
                let accounts = [account].into();
                let moved = Moved {
                    accounts,
                    postings: vec![],
                    reversed_by: None,
                };
                self.transactions.insert(transaction, moved);
            }
        }
    }

    fn check_target(&self, command: &Command) -> Result<(), Rejection> {
        let Some(Target { object, versions }) = &command.target else {
            return Ok(());
        };
        let missing = |_| Native::NotFound;
        let current = match object {
            Object::Account(account) => {
                let id = self.find(account, Side::Target).map_err(missing)?;
                Version(self.accounts[&id].version)
            }
            Object::Hold(hold) => self.hold(*hold).map_err(missing)?.version,
            Object::Transaction(_) => return Ok(()),
        };
        match versions {
            Some(versions) if !versions.contains(&current) => {
                Err(Native::PreconditionFailed { current }.into())
            }
            _ => Ok(()),
        }
    }

    fn sees(&self, account: AccountId) -> bool {
        let book = |id: AccountId| self.books[&self.accounts[&id].book].name;
        let there = self.accounts.contains_key(&account);
        there && self.within.is_none_or(|within| within == book(account))
    }

    pub(super) fn find(&self, account: &AccountRef, side: Side) -> Result<AccountId, Rejection> {
        let id = id(account);
        let found = self.sees(id).then_some(id);
        found.ok_or(Rejection::AccountNotFound { side })
    }

    pub(super) fn hold(&self, id: HoldId) -> Result<Hold, Rejection> {
        let hold = self.holds.get(&id).filter(|hold| self.sees(hold.account));
        Ok(hold.cloned().ok_or(Native::HoldNotFound)?)
    }

    pub(super) fn active(&self, id: HoldId) -> Result<Hold, Rejection> {
        let hold = self.hold(id)?;
        let account = hold.account;
        if hold.status == HoldStatus::Active && self.now < hold.expires_at {
            Ok(hold)
        } else {
            Err(Native::HoldNotActive { account }.into())
        }
    }

    pub(super) fn held(&self, account: AccountId) -> i128 {
        let holds = self.holds.values();
        let own = holds.filter(|hold| hold.account == account);
        own.map(left).sum()
    }

    pub(super) fn available(&self, account: AccountId) -> i128 {
        let Account { balance, floor, .. } = self.accounts[&account];
        (balance - self.held(account) - floor).min(MINOR_UNITS_MAX)
    }

    /// What is left of an account if its balance and its holds were these.
    pub(super) fn check_funds(
        &self,
        account: AccountId,
        balance: i128,
        held: i128,
    ) -> Result<(), Rejection> {
        if balance - held < self.accounts[&account].floor || MINOR_UNITS_MAX < held {
            return Err(Rejection::InsufficientFunds {
                account: Some(account),
                available: cents(self.available(account)),
            });
        }
        Ok(())
    }

    /// Later than every entry of these accounts; an opening is none.
    pub(super) fn entry_time(&self, accounts: impl IntoIterator<Item = AccountId>) -> Time {
        let times = accounts.into_iter().map(|id| {
            let account = &self.accounts[&id];
            let later = i64::from(account.version != 1);
            account.last_entry_at + TimeDelta::microseconds(later)
        });
        times.fold(self.now, Time::max)
    }

    pub(super) fn check_book(&self, account: AccountId) -> Result<(), Rejection> {
        if self.books[&self.accounts[&account].book].is_open {
            Ok(())
        } else {
            Err(Rejection::AccountClosed { account })
        }
    }

    pub(super) fn check_giving(&self, id: AccountId, currency: Currency) -> Result<(), Rejection> {
        if self.accounts[&id].status == Status::Frozen {
            return Err(Rejection::AccountFrozen { account: id });
        }
        self.check_taking(id, currency)
    }

    pub(super) fn check_taking(&self, id: AccountId, currency: Currency) -> Result<(), Rejection> {
        let account = &self.accounts[&id];
        if account.status == Status::Closed {
            return Err(Rejection::AccountClosed { account: id });
        }
        if account.currency != currency {
            return Err(Rejection::CurrencyMismatch { account: id });
        }
        Ok(())
    }

    /// An entry that changes nothing but what the caller has changed already.
    pub(super) fn write(&mut self, id: AccountId, at: Time) {
        let account = self.accounts.get_mut(&id).expect("an account");
        account.version += 1;
        account.last_entry_at = at;
    }

    pub(super) fn write_hold(&mut self, mut hold: Hold, at: Time) -> Hold {
        self.write(hold.account, at);
        hold.version = Version(self.accounts[&hold.account].version);
        self.holds.insert(hold.id, hold.clone());
        hold
    }

    pub(super) fn standing(&self, id: AccountId, amount: i128) -> Standing {
        let account = &self.accounts[&id];
        let state = State {
            balance: cents(account.balance),
            held: cents(self.held(id)),
            floor: cents(account.floor),
            status: account.status,
            details: account.details.as_ref().map(AccountDetails::digest),
        };
        Standing {
            account: id,
            owner: account.owner,
            currency: account.currency,
            amount: cents(amount.clamp(-MINOR_UNITS_MAX, MINOR_UNITS_MAX)),
            state,
            version: Version(account.version),
            last_entry_at: account.last_entry_at,
        }
    }

    pub(super) fn take(&mut self, kind: usize) -> i64 {
        self.next[kind] += 1;
        self.next[kind] - 1
    }
}

/// What is asked in another way after reading again is not remembered.
fn is_remembered(answered: &Answered) -> bool {
    !matches!(
        answered.outcome,
        Err(Rejection::KeyReused { .. }
            | Rejection::Native(
                Native::NotFound
                    | Native::PreconditionFailed { .. }
                    | Native::NotInCurrency { .. }
                    | Native::MetadataTooLarge
            ))
    )
}

pub(super) fn said(
    command: &Command,
    kind: Kind,
    created_at: Time,
    standings: Vec<Standing>,
    more: More,
) -> Receipt {
    let effective_at = command.effective_at;
    let more = More {
        effective_at,
        ..more
    };
    Receipt {
        transaction: command.id,
        kind,
        created_at,
        standings,
        more: command.caller.as_ref().map(|_| Box::new(more)),
    }
}

pub(super) fn id(account: &AccountRef) -> AccountId {
    match account {
        AccountRef::Id(id) => *id,
        other => unreachable!("{other:?} is not asked for here"),
    }
}

/// The posting of a dialect, which says its amount.
fn as_posted(posting: &Posting) -> Posted {
    let account = |party: &Party| match party {
        Party::Account(account) => Some(id(account)),
        Party::World | Party::Hold(_) => None,
    };
    let Quantity::Exactly(amount) = posting.amount else {
        unreachable!("a dialect says it")
    };
    Posted {
        from: account(&posting.from),
        to: account(&posting.to),
        amount,
        currency: posting.currency.expect("a dialect says it"),
        hold: None,
    }
}

/// What can still be captured of a hold.
pub(super) fn left(hold: &Hold) -> i128 {
    match hold.status {
        HoldStatus::Active => {
            (hold.amount.amount().minor() - hold.captured.amount().minor()).max(0)
        }
        HoldStatus::Captured | HoldStatus::Voided | HoldStatus::Expired => 0,
    }
}

fn text(minor: i128) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}
