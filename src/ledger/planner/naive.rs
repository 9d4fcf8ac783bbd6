//! The most obvious ledger, for comparison: all in the open, one command at a time, and undone by a copy.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "it is written in the most obvious way"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::posting_tests::cents;
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountId, AccountRef, Action, Amount, BookId, BookName, Command, Condition, Currency, Email,
    Key, NamedAccount, OpenUser, Party, Posting, Quantity, Rejection, Rule, Scope, Side, Status,
    TransactionId, UserId, Version,
};

/// What an answer shows of an account: id, owner, amount, balance, version.
pub(super) type Shown = (AccountId, Option<UserId>, Amount, Amount, Version);

pub(super) type Said = Result<Vec<Shown>, Rejection>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub status: Status,
    pub floor: i128,
    pub balance: i128,
    pub version: i64,
}

#[derive(Clone)]
pub(super) struct Naive {
    pub accounts: BTreeMap<AccountId, Account>,
    pub names: HashMap<NamedAccount, AccountId>,
    /// The open book of the events.
    pub events: BookId,
    pub owners: BTreeSet<UserId>,
    pub emails: BTreeSet<String>,
    pub keys: HashMap<(Scope, String), Remembered>,
    /// The last ids that were given to accounts, users and books.
    pub next: [i64; 3],
}

#[derive(Clone)]
pub(super) struct Remembered {
    transaction: TransactionId,
    digest: [u8; 32],
    said: Said,
}

/// An end of a move.
#[derive(Clone)]
enum End {
    World,
    Account(AccountId),
    Free(NamedAccount),
}

impl Naive {
    /// What is said to a command, and whether it had been said before.
    pub(super) fn ask(&mut self, command: &Command) -> (Said, bool) {
        let scope = match self.scope(command) {
            Ok(scope) => scope,
            Err(rejection) => return (Err(rejection), false),
        };
        let key = command.key.as_ref().zip(scope);
        if let Some((key, scope)) = key
            && let Some(before) = self.keys.get(&(scope, key.text.clone()))
        {
            return before.say_again(key);
        }
        let copy = self.clone();
        let said = self.carry_out(command);
        if said.is_err() {
            *self = copy;
        }
        if let Some((key, scope)) = key {
            let remembered = Remembered {
                transaction: command.id,
                digest: key.digest,
                said: said.clone(),
            };
            self.keys.insert((scope, key.text.clone()), remembered);
        }
        (said, false)
    }

    /// Where the command's key is unique. Under a key, an account that may be opened is opened for that.
    fn scope(&mut self, command: &Command) -> Result<Option<Scope>, Rejection> {
        let [posting] = command.action.postings() else {
            return Ok(Some(Scope::Book(BookId::MAIN)));
        };
        let (from, to) = self.ends(posting)?;
        let end = if matches!(from, End::World) { to } else { from };
        Ok(match (end, &command.key) {
            (End::Account(id), _) => Some(Scope::Account(id)),
            (End::Free(name), Some(_)) => {
                let id = self.open(Some(name.clone()), name.owner, currency(posting));
                Some(Scope::Account(id))
            }
            (End::World | End::Free(_), _) => None,
        })
    }

    fn ends(&self, posting: &Posting) -> Result<(End, End), Rejection> {
        let from = self.find(&posting.from, Side::Source)?;
        Ok((from, self.find(&posting.to, Side::Target)?))
    }

    fn find(&self, party: &Party, side: Side) -> Result<End, Rejection> {
        let Party::Account(reference) = party else {
            return Ok(End::World);
        };
        let unknown = Err(Rejection::AccountNotFound { side });
        match reference {
            AccountRef::Id(id) if self.accounts.contains_key(id) => Ok(End::Account(*id)),
            AccountRef::Id(_) => unknown,
            AccountRef::Owned(id, user) => match self.accounts.get(id) {
                Some(account) if account.owner == Some(*user) => Ok(End::Account(*id)),
                _ => unknown,
            },
            AccountRef::Named(name) => match (self.names.get(name), name.owner) {
                (Some(id), _) => Ok(End::Account(*id)),
                (None, Some(owner)) if !self.owners.contains(&owner) => {
                    Err(Rejection::UserNotFound { side })
                }
                (None, None) if side == Side::Source => unknown,
                (None, _) => Ok(End::Free(name.clone())),
            },
        }
    }

    fn carry_out(&mut self, command: &Command) -> Said {
        match &command.action {
            Action::Post(postings) => self.post(&postings[0], &command.conditions),
            Action::OpenUser(open) => self.open_user(open),
            Action::OpenAccount(open) => {
                let id = self.open(None, open.owner, open.currency);
                Ok(vec![self.change(id, open.opening_balance.amount().minor())])
            }
            Action::ResetBook(_) => {
                self.events = BookId(self.take(2));
                self.names.retain(|name, _| name.book == BookName::MAIN);
                Ok(Vec::new())
            }
            other => unreachable!("{other:?} is no dialect's"),
        }
    }

    fn open_user(&mut self, open: &OpenUser) -> Said {
        if let Some(email) = open.email.as_ref().map(Email::canonical)
            && !self.emails.insert(email.to_owned())
        {
            return Err(Rejection::EmailTaken);
        }
        let user = UserId(self.take(1));
        let first = open.account.expect("an account");
        let name = NamedAccount::of_user(user, first.currency);
        let id = self.open(Some(name), Some(user), first.currency);
        Ok(vec![
            self.change(id, first.opening_balance.amount().minor()),
        ])
    }

    fn post(&mut self, posting: &Posting, conditions: &[Condition]) -> Said {
        let (from, to) = self.ends(posting)?;
        let minor = self::minor(posting);
        let before = [&from, &to].map(|end| match end {
            End::Account(id) => Some(*id),
            End::World | End::Free(_) => None,
        });
        if let End::Free(_) = from {
            let (account, available) = (None, Amount::ZERO);
            return Err(Rejection::InsufficientFunds { account, available });
        }
        if minor == 0 {
            self.check_conditions(conditions)?;
            let ids = before.into_iter().flatten();
            return Ok(ids.map(|id| self.show(id, 0)).collect());
        }
        self.check(before, posting, conditions)?;
        let mut shown = Vec::new();
        for (end, change) in [(from, -minor), (to, minor)] {
            let id = match end {
                End::World => continue,
                End::Account(id) => id,
                End::Free(name) => self.open(Some(name.clone()), name.owner, currency(posting)),
            };
            shown.push(self.change(id, change));
        }
        Ok(shown)
    }

    fn check(
        &self,
        before: [Option<AccountId>; 2],
        posting: &Posting,
        conditions: &[Condition],
    ) -> Result<(), Rejection> {
        let minor = self::minor(posting);
        for id in before.into_iter().flatten() {
            if ![BookId::MAIN, self.events].contains(&self.accounts[&id].book) {
                return Err(Rejection::AccountClosed { account: id });
            }
        }
        for (account, gives) in before.into_iter().zip([true, false]) {
            let Some(account) = account else { continue };
            let state = &self.accounts[&account];
            if state.status == Status::Closed {
                return Err(Rejection::AccountClosed { account });
            }
            if state.status == Status::Frozen && gives {
                return Err(Rejection::AccountFrozen { account });
            }
            if state.currency != currency(posting) {
                return Err(Rejection::CurrencyMismatch { account });
            }
        }
        if let Some(id) = before[0]
            && self.accounts[&id].balance - minor < self.accounts[&id].floor
        {
            let state = &self.accounts[&id];
            return Err(Rejection::InsufficientFunds {
                account: Some(id),
                available: cents(state.balance - state.floor),
            });
        }
        if let (Some(account), true) = (before[0], before[0] == before[1]) {
            return Err(Rejection::SameAccount { account });
        }
        self.check_conditions(conditions)?;
        if let Some(account) = before[1]
            && MINOR_UNITS_MAX < self.accounts[&account].balance + minor
        {
            return Err(Rejection::AmountTooLarge { account });
        }
        Ok(())
    }

    fn check_conditions(&self, conditions: &[Condition]) -> Result<(), Rejection> {
        for Condition { account, rule, .. } in conditions {
            let Rule::VersionOfFunded(version) = rule else {
                unreachable!("no dialect has another")
            };
            let End::Account(account) =
                self.find(&Party::Account(account.clone()), Side::Target)?
            else {
                unreachable!("conditions are on accounts that are there")
            };
            let current = Version(self.accounts[&account].version);
            if current != *version {
                return Err(Rejection::VersionMismatch { account, current });
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        name: Option<NamedAccount>,
        owner: Option<UserId>,
        currency: Currency,
    ) -> AccountId {
        let id = AccountId(self.take(0));
        let is_event = name.as_ref().map(|name| name.book) == Some(BookName::EVENTS);
        let book = if is_event { self.events } else { BookId::MAIN };
        if let Some(name) = name {
            self.names.insert(name, id);
        }
        let account = Account {
            book,
            owner,
            currency,
            status: Status::Open,
            floor: 0,
            balance: 0,
            version: 1,
        };
        self.accounts.insert(id, account);
        id
    }

    fn change(&mut self, id: AccountId, minor: i128) -> Shown {
        let account = self.accounts.get_mut(&id).expect("an account");
        if minor != 0 {
            account.balance += minor;
            account.version += 1;
        }
        self.show(id, minor)
    }

    fn show(&self, id: AccountId, minor: i128) -> Shown {
        let account = &self.accounts[&id];
        let (balance, version) = (cents(account.balance), Version(account.version));
        (id, account.owner, cents(minor), balance, version)
    }

    fn take(&mut self, kind: usize) -> i64 {
        self.next[kind] += 1;
        self.next[kind]
    }
}

fn minor(posting: &Posting) -> i128 {
    match posting.amount {
        Quantity::Exactly(amount) => amount.amount().minor(),
        Quantity::Written(_) | Quantity::All => unreachable!("no dialect asks for it"),
    }
}

fn currency(posting: &Posting) -> Currency {
    posting.currency.expect("a dialect says it")
}

impl Remembered {
    fn say_again(&self, key: &Key) -> (Said, bool) {
        if self.digest == key.digest {
            (self.said.clone(), true)
        } else {
            let transaction = self.transaction;
            (Err(Rejection::KeyReused { transaction }), false)
        }
    }
}
