//! The head of an account, and the one law of how an entry follows on it. Planner, audit and chains use nothing else.

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::account::{AccountId, State, Status, UserId, Version};
use super::book::BookId;
use super::entry::{Change, Entry, HoldKind, Stamp, TransactionId};
use super::error::{Rejection, Side};
use super::money::{Amount, Currency};
use super::native::Native;
use super::seal::{Seal, Sealed};

/// An account right after its last entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub id: AccountId,
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub opened_at: DateTime<Utc>,
    pub version: Version,
    pub seal: Seal,
    pub last_entry_at: DateTime<Utc>,
    pub state: State,
    /// How many of its holds are active.
    pub active_holds: u16,
    /// Nothing of it expires before; it may be that nothing expires then either. No seal covers it.
    pub due_at: Option<DateTime<Utc>>,
}

/// A change that an account is asked to make.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub change: Change,
    /// What the account holds more than before.
    pub held: Amount,
    /// Which posting of its transaction it is a side of.
    pub posting: u8,
}

/// Why an entry does not follow on a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Break {
    #[error("entries are missing")]
    Missing,
    #[error("the sum is beyond the largest amount")]
    TooLarge,
    #[error("the balance is not the sum")]
    Balance { said: Amount, sum: Amount },
    #[error("what is not held is below the floor")]
    BelowFloor,
    #[error("the state after it is not what its kind makes of the state before")]
    State,
    #[error("the time is not later than that of the entry before")]
    NotLater,
}

impl Head {
    /// How many holds of an account may be active.
    pub const ACTIVE_HOLDS_MAX: u16 = 1_000;

    /// A new account: no money, no entry, and the genesis seal that its identity gives.
    #[must_use]
    pub fn open(
        id: AccountId,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            book,
            owner,
            currency,
            opened_at: at,
            version: Version::OPENING,
            seal: Seal::genesis(id, book, owner, currency, at),
            last_entry_at: at,
            state: State::default(),
            active_holds: 0,
            due_at: None,
        }
    }

    /// The account as it was opened.
    #[must_use]
    pub fn opening(&self) -> Self {
        Self::open(
            self.id,
            self.book,
            self.owner,
            self.currency,
            self.opened_at,
        )
    }

    /// Whether money of a currency may move on this side of a posting, whatever there is of it.
    ///
    /// # Errors
    /// If the status forbids it, or the account holds another currency.
    pub fn admits(&self, currency: Currency, side: Side) -> Result<(), Rejection> {
        let account = self.id;
        match (self.state.status, side) {
            (Status::Closed, _) => return Err(Rejection::AccountClosed { account }),
            (Status::Frozen, Side::Source) => return Err(Rejection::AccountFrozen { account }),
            (Status::Frozen, Side::Target) | (Status::Open, _) => {}
        }
        if self.currency == currency {
            Ok(())
        } else {
            Err(Rejection::CurrencyMismatch { account })
        }
    }

    /// Whether there is nothing but money, and nothing to come.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.state.is_plain() && self.active_holds == 0 && self.due_at.is_none()
    }

    /// Whether there is anything but reading that may be done with it.
    ///
    /// # Errors
    /// If it is closed.
    pub fn is_not_closed(&self) -> Result<(), Rejection> {
        match self.state.status {
            Status::Open | Status::Frozen => Ok(()),
            Status::Closed => Err(Rejection::AccountClosed { account: self.id }),
        }
    }

    /// The head after one more step, with the entry of it.
    ///
    /// # Errors
    /// If the account does not hold enough, or cannot hold as much, or cannot be closed as it is.
    pub fn next(&self, step: Step, stamp: &Stamp) -> Result<(Self, Sealed), Rejection> {
        let Step {
            change,
            held: holds,
            posting,
        } = step;
        let account = self.id;
        let takes = change.amount().is_negative() || Amount::ZERO < holds;
        let balance = self.state.balance.checked_add(change.amount());
        let held = self.state.held.checked_add(holds);
        let after = balance.zip(held).map(|(balance, held)| State {
            balance,
            held,
            ..self.state.with(change)
        });
        let takes = takes || after.is_some_and(|after| self.state.floor < after.floor);
        if takes && after.is_none_or(|after| !after.is_covered()) {
            return Err(Rejection::InsufficientFunds {
                account: Some(account),
                available: self.state.available(),
            });
        }
        let after = after.ok_or(Rejection::AmountTooLarge { account })?;
        if after.status == Status::Closed {
            if !after.held.is_zero() {
                return Err(Native::HasActiveHolds { account }.into());
            }
            if !after.balance.is_zero() {
                return Err(Native::BalanceNotZero { account }.into());
            }
        }
        let entry = Entry {
            account,
            version: self.version.next(),
            transaction: stamp.transaction,
            created_at: stamp.created_at,
            posting,
            change,
            after,
            note: stamp.note,
            effective_at: stamp.effective_at,
        };
        let after = self.with(&entry);
        let seal = after.seal;
        Ok((after, Sealed { entry, seal }))
    }

    /// The head after an entry that is in the journal. Its seal is what the entry's should be.
    ///
    /// What the entry says of a hold is not looked at: [`Hold::follow`](super::Hold::follow) does.
    ///
    /// # Errors
    /// If the entry cannot come next. `before` is the transaction of the entry before, if it is known.
    pub fn follow(&self, entry: &Entry, before: Option<TransactionId>) -> Result<Self, Break> {
        if entry.version != self.version.next() {
            return Err(Break::Missing);
        }
        let sum = self.state.balance.checked_add(entry.change.amount());
        let sum = sum.ok_or(Break::TooLarge)?;
        if entry.after.balance != sum {
            let said = entry.after.balance;
            return Err(Break::Balance { said, sum });
        }
        if !entry.after.is_covered() {
            return Err(Break::BelowFloor);
        }
        if !self.state.makes(entry) {
            return Err(Break::State);
        }
        let is_same = before == Some(entry.transaction) || self.version == Version::OPENING;
        let is_later = if is_same {
            self.last_entry_at <= entry.created_at
        } else {
            self.last_entry_at < entry.created_at
        };
        if is_later {
            Ok(self.with(entry))
        } else {
            Err(Break::NotLater)
        }
    }

    fn with(&self, entry: &Entry) -> Self {
        Self {
            version: entry.version,
            seal: self.seal.next(entry),
            last_entry_at: entry.created_at,
            state: entry.after,
            ..self.clone()
        }
    }
}

impl State {
    /// Whether what is not held is not below the floor.
    fn is_covered(&self) -> bool {
        let free = self.balance.minor().checked_sub(self.held.minor());
        free.is_some_and(|free| self.floor.minor() <= free)
    }

    /// With what a change says to be otherwise from here on.
    fn with(&self, change: Change) -> Self {
        match change {
            Change::Money { .. } | Change::Capture { .. } | Change::Hold { .. } => *self,
            Change::Status(status) => Self { status, ..*self },
            Change::Limit(floor) => Self { floor, ..*self },
            Change::Details { floor, details } => Self {
                floor,
                details,
                ..*self
            },
        }
    }

    /// Whether an entry may leave such a state after it; how much is held is another's law.
    fn makes(&self, entry: &Entry) -> bool {
        let after = &entry.after;
        let expected = Self {
            balance: after.balance,
            held: if entry.change.hold().is_some() {
                after.held
            } else {
                self.held
            },
            ..self.with(entry.change)
        };
        let may_follow = match (self.status, entry.change) {
            (Status::Closed, _) | (Status::Frozen, Change::Capture { .. }) => false,
            (_, Change::Status(Status::Closed)) => after.balance.is_zero() && after.held.is_zero(),
            (before, Change::Status(status)) => before != status,
            (Status::Frozen, Change::Money { amount, .. }) => !amount.is_negative(),
            (Status::Frozen, Change::Hold { kind, .. }) => {
                kind != HoldKind::Placed && after.held <= self.held
            }
            (Status::Open, Change::Money { .. } | Change::Capture { .. } | Change::Hold { .. })
            | (_, Change::Limit(_) | Change::Details { .. }) => true,
        };
        *after == expected && may_follow && !after.held.is_negative()
    }
}

impl Step {
    /// A step that is no side of a posting, and holds nothing.
    #[must_use]
    pub fn of(change: Change) -> Self {
        Self {
            change,
            held: Amount::ZERO,
            posting: 0,
        }
    }
}
