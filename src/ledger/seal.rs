//! The hash chain that seals each entry of an account to the one before (docs/seal.md).

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::account::{AccountId, UserId};
use super::book::BookId;
use super::entry::{Change, Entry};
use super::money::Currency;

/// The first byte under every seal; a later kind of entry gets a number of its own.
const FORMAT_GENESIS: u8 = 0;
const FORMAT_MONEY: u8 = 1;

/// SHA-256 over a format number, the seal before and the fields of the entry, in one fixed encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seal(pub [u8; 32]);

/// An entry under its seal: one row of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub entry: Entry,
    pub seal: Seal,
}

impl Seal {
    /// The seal of an opening: it has no entry, its identity is all that it says.
    #[must_use]
    pub fn genesis(
        account: AccountId,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        opened_at: DateTime<Utc>,
    ) -> Self {
        let mut text = [0; 12];
        let code = currency.code.as_str().as_bytes();
        if let Some(start) = text.get_mut(..code.len()) {
            start.copy_from_slice(code);
        }
        let mut hash = Sha256::new();
        hash.update([FORMAT_GENESIS]);
        hash.update(account.0.to_be_bytes());
        hash.update(book.0.to_be_bytes());
        hash.update(owner.map_or(0, |user| user.0).to_be_bytes());
        hash.update(text);
        hash.update([currency.scale]);
        hash.update(opened_at.timestamp_micros().to_be_bytes());
        Self(hash.finalize().into())
    }

    /// The seal of the entry that comes after this one.
    #[must_use]
    pub fn next(&self, entry: &Entry) -> Self {
        let Change::Money {
            amount,
            counterparty,
        } = entry.change;
        let counterparty = counterparty.map_or(0, |account| account.0);
        let mut hash = Sha256::new();
        hash.update([FORMAT_MONEY]);
        hash.update(self.0);
        hash.update(entry.account.0.to_be_bytes());
        hash.update(entry.version.0.to_be_bytes());
        hash.update(entry.transaction.0.as_bytes());
        hash.update(amount.minor().to_be_bytes());
        hash.update(entry.balance.minor().to_be_bytes());
        hash.update(counterparty.to_be_bytes());
        hash.update(entry.created_at.timestamp_micros().to_be_bytes());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
