//! The hash chain that seals each entry of an account to the one before (docs/seal.md).

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::account::{AccountId, Status, UserId};
use super::book::BookId;
use super::entry::{Entry, EntryKind};
use super::money::{Amount, Currency};

/// The first byte under every seal; a later form of entry gets a number of its own.
const FORMAT_GENESIS: u8 = 0;
const FORMAT_MONEY: u8 = 1;
const FORMAT_STATE: u8 = 2;

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
        if entry.is_plain() {
            self.next_plain(entry)
        } else {
            self.next_whole(entry)
        }
    }

    /// Of money alone.
    fn next_plain(&self, entry: &Entry) -> Self {
        let counterparty = entry.change.counterparty().map_or(0, |account| account.0);
        let mut hash = Sha256::new();
        hash.update([FORMAT_MONEY]);
        hash.update(self.0);
        hash.update(entry.account.0.to_be_bytes());
        hash.update(entry.version.0.to_be_bytes());
        hash.update(entry.transaction.0.as_bytes());
        hash.update(entry.change.amount().minor().to_be_bytes());
        hash.update(entry.after.balance.minor().to_be_bytes());
        hash.update(counterparty.to_be_bytes());
        hash.update(entry.created_at.timestamp_micros().to_be_bytes());
        Self(hash.finalize().into())
    }

    /// Of any change, with all that the account is after it. Zeros stand for what there is nothing of.
    fn next_whole(&self, entry: &Entry) -> Self {
        let micros = |at: Option<DateTime<Utc>>| at.map_or(0, |at| at.timestamp_micros());
        let (change, after) = (entry.change, &entry.after);
        let hold = change.hold();
        let mut hash = Sha256::new();
        hash.update([FORMAT_STATE]);
        hash.update(self.0);
        hash.update(entry.account.0.to_be_bytes());
        hash.update(entry.version.0.to_be_bytes());
        hash.update(entry.transaction.0.as_bytes());
        hash.update([kind_number(change.kind())]);
        hash.update(u16::from(entry.posting).to_be_bytes());
        hash.update(change.amount().minor().to_be_bytes());
        let counterparty = change.counterparty();
        hash.update(counterparty.map_or(0, |account| account.0).to_be_bytes());
        hash.update(hold.map_or([0; 16], |hold| hold.id.0.into_bytes()));
        let remaining = hold.map_or(Amount::ZERO, |hold| hold.remaining.amount());
        hash.update(remaining.minor().to_be_bytes());
        hash.update(micros(hold.map(|hold| hold.expires_at)).to_be_bytes());
        for amount in [after.balance, after.held, after.floor] {
            hash.update(amount.minor().to_be_bytes());
        }
        hash.update([status_number(after.status)]);
        for digest in [after.details, entry.note] {
            hash.update(digest.map_or([0; 32], |digest| digest.0));
        }
        hash.update(micros(entry.effective_at).to_be_bytes());
        hash.update(entry.created_at.timestamp_micros().to_be_bytes());
        Self(hash.finalize().into())
    }
}

/// Never changes, as seals are for good.
fn kind_number(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Money => 1,
        EntryKind::HoldPlaced => 2,
        EntryKind::HoldChanged => 3,
        EntryKind::HoldCaptured => 4,
        EntryKind::HoldVoided => 5,
        EntryKind::HoldExpired => 6,
        EntryKind::Frozen => 7,
        EntryKind::Unfrozen => 8,
        EntryKind::Closed => 9,
        EntryKind::Limit => 10,
        EntryKind::Details => 11,
    }
}

/// As [`kind_number`].
fn status_number(status: Status) -> u8 {
    match status {
        Status::Open => 0,
        Status::Frozen => 1,
        Status::Closed => 2,
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
