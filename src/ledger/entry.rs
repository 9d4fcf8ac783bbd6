//! An entry of the journal: a change of one account that happened.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{AccountId, State, Status, Version};
use super::details::DetailsDigest;
use super::hold::HoldId;
use super::money::{Amount, Magnitude};

/// A UUID of version 7 (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransactionId(pub Uuid);

/// What happened to an account. Each kind is decided on in [`super::Head::next`], and encoded in [`super::Seal::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Money {
        /// Signed: what the account gained or lost.
        amount: Amount,
        /// The other account of a transfer; none if the money came from outside or went there.
        counterparty: Option<AccountId>,
    },
    /// Held money that left: from the balance and from what is held at once.
    Capture {
        /// Negative.
        amount: Amount,
        counterparty: Option<AccountId>,
        hold: HoldAfter,
    },
    /// Money that was set aside, or is free again.
    Hold { kind: HoldKind, hold: HoldAfter },
    /// The status is another from here on.
    Status(Status),
    /// The floor is another from here on.
    Limit(Amount),
    /// What is said of the account is something else from here on, and the floor may be another.
    Details {
        floor: Amount,
        details: Option<DetailsDigest>,
    },
}

/// A hold right after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldAfter {
    pub id: HoldId,
    pub remaining: Magnitude,
    pub expires_at: DateTime<Utc>,
}

/// What happened to a hold that was not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldKind {
    Placed,
    Changed,
    Voided,
    Expired,
}

/// What an entry is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Money,
    HoldPlaced,
    HoldChanged,
    HoldCaptured,
    HoldVoided,
    HoldExpired,
    Frozen,
    Unfrozen,
    Closed,
    Limit,
    Details,
}

/// What the entries of one transaction have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub transaction: TransactionId,
    pub created_at: DateTime<Utc>,
    /// What is said of the transaction.
    pub note: Option<DetailsDigest>,
    /// When it counts for the books, if somebody said so.
    pub effective_at: Option<DateTime<Utc>>,
}

/// A change with its place in the account's history: all that its seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: AccountId,
    pub version: Version,
    pub transaction: TransactionId,
    pub created_at: DateTime<Utc>,
    /// Which posting of the transaction it is a side of; 0 if it is none.
    pub posting: u8,
    pub change: Change,
    /// The account right after.
    pub after: State,
    pub note: Option<DetailsDigest>,
    pub effective_at: Option<DateTime<Utc>>,
}

impl Change {
    /// Signed: what the account gained or lost.
    #[must_use]
    pub fn amount(self) -> Amount {
        match self {
            Self::Money { amount, .. } | Self::Capture { amount, .. } => amount,
            Self::Hold { .. } | Self::Status(_) | Self::Limit(_) | Self::Details { .. } => {
                Amount::ZERO
            }
        }
    }

    #[must_use]
    pub fn counterparty(self) -> Option<AccountId> {
        match self {
            Self::Money { counterparty, .. } | Self::Capture { counterparty, .. } => counterparty,
            Self::Hold { .. } | Self::Status(_) | Self::Limit(_) | Self::Details { .. } => None,
        }
    }

    /// The hold that it is about.
    #[must_use]
    pub fn hold(self) -> Option<HoldAfter> {
        match self {
            Self::Capture { hold, .. } | Self::Hold { hold, .. } => Some(hold),
            Self::Money { .. } | Self::Status(_) | Self::Limit(_) | Self::Details { .. } => None,
        }
    }

    #[must_use]
    pub fn kind(self) -> EntryKind {
        match self {
            Self::Money { .. } => EntryKind::Money,
            Self::Capture { .. } => EntryKind::HoldCaptured,
            Self::Hold { kind, .. } => match kind {
                HoldKind::Placed => EntryKind::HoldPlaced,
                HoldKind::Changed => EntryKind::HoldChanged,
                HoldKind::Voided => EntryKind::HoldVoided,
                HoldKind::Expired => EntryKind::HoldExpired,
            },
            Self::Status(Status::Open) => EntryKind::Unfrozen,
            Self::Status(Status::Frozen) => EntryKind::Frozen,
            Self::Status(Status::Closed) => EntryKind::Closed,
            Self::Limit(_) => EntryKind::Limit,
            Self::Details { .. } => EntryKind::Details,
        }
    }
}

impl EntryKind {
    pub const ALL: [Self; 11] = [
        Self::Money,
        Self::HoldPlaced,
        Self::HoldChanged,
        Self::HoldCaptured,
        Self::HoldVoided,
        Self::HoldExpired,
        Self::Frozen,
        Self::Unfrozen,
        Self::Closed,
        Self::Limit,
        Self::Details,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::HoldPlaced => "hold_placed",
            Self::HoldChanged => "hold_changed",
            Self::HoldCaptured => "hold_captured",
            Self::HoldVoided => "hold_voided",
            Self::HoldExpired => "hold_expired",
            Self::Frozen => "frozen",
            Self::Unfrozen => "unfrozen",
            Self::Closed => "closed",
            Self::Limit => "limit",
            Self::Details => "details",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Entry {
    /// Whether its seal is of the first form, which knows nothing but money: so is every entry of an account that has nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.change, Change::Money { .. })
            && self.posting == 0
            && self.after.is_plain()
            && self.note.is_none()
            && self.effective_at.is_none()
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
