//! The head of an account, and the one law of how an entry follows on it. Planner, audit and chains use nothing else.

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::account::{AccountId, Status, UserId, Version};
use super::book::BookId;
use super::entry::{Change, Entry, TransactionId};
use super::error::{Rejection, Side};
use super::money::{Amount, Currency};
use super::seal::{Seal, Sealed};

/// The state of an account right after its last entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub id: AccountId,
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub opened_at: DateTime<Utc>,
    pub balance: Amount,
    /// The balance never goes below it.
    pub floor: Amount,
    pub version: Version,
    pub seal: Seal,
    pub status: Status,
    pub last_entry_at: DateTime<Utc>,
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
    #[error("the balance is below the floor")]
    BelowFloor,
    #[error("the time is not later than that of the entry before")]
    NotLater,
}

impl Head {
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
            balance: Amount::ZERO,
            floor: Amount::ZERO,
            version: Version::OPENING,
            seal: Seal::genesis(id, book, owner, currency, at),
            status: Status::Open,
            last_entry_at: at,
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

    /// What may leave the account.
    #[must_use]
    pub fn available(&self) -> Amount {
        self.balance.checked_sub(self.floor).unwrap_or(self.balance)
    }

    /// Whether money of a currency may move on this side of a posting, whatever there is of it.
    ///
    /// # Errors
    /// If the status forbids it, or the account holds another currency.
    pub fn admits(&self, currency: Currency, side: Side) -> Result<(), Rejection> {
        let account = self.id;
        match (self.status, side) {
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

    /// The head after one more change, with the entry of it.
    ///
    /// # Errors
    /// If the account does not hold enough, or cannot hold as much.
    pub fn next(
        &self,
        change: Change,
        transaction: TransactionId,
        created_at: DateTime<Utc>,
    ) -> Result<(Self, Sealed), Rejection> {
        let balance = self.balance.checked_add(change.amount());
        if change.amount().is_negative() && balance.is_none_or(|balance| balance < self.floor) {
            return Err(Rejection::InsufficientFunds {
                account: Some(self.id),
                available: self.available(),
            });
        }
        let too_large = Rejection::AmountTooLarge { account: self.id };
        let entry = Entry {
            account: self.id,
            version: self.version.next(),
            transaction,
            created_at,
            change,
            balance: balance.ok_or(too_large)?,
        };
        let head = self.with(&entry);
        let seal = head.seal;
        Ok((head, Sealed { entry, seal }))
    }

    /// The head after an entry that is in the journal. Its seal is what the entry's should be.
    ///
    /// # Errors
    /// If the entry cannot come next.
    pub fn follow(&self, entry: &Entry) -> Result<Self, Break> {
        if entry.version != self.version.next() {
            return Err(Break::Missing);
        }
        let sum = self.balance.checked_add(entry.change.amount());
        let sum = sum.ok_or(Break::TooLarge)?;
        if entry.balance != sum {
            let said = entry.balance;
            return Err(Break::Balance { said, sum });
        }
        if entry.balance < self.floor {
            return Err(Break::BelowFloor);
        }
        let is_later = if self.version == Version::OPENING {
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
            balance: entry.balance,
            version: entry.version,
            seal: self.seal.next(entry),
            last_entry_at: entry.created_at,
            ..self.clone()
        }
    }
}
