//! Holds: money of an account that is set aside for somebody, for a time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{AccountId, Version};
use super::entry::{Change, Entry, HoldKind, TransactionId};
use super::money::{Amount, Currency, Magnitude};

/// As the transaction that placed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HoldId(pub Uuid);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldStatus {
    Active,
    /// Nothing of it remains.
    Captured,
    Voided,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub account: AccountId,
    pub currency: Currency,
    pub amount: Magnitude,
    /// What was taken of it so far; more than its amount if somebody captured more than remained.
    pub captured: Magnitude,
    pub status: HoldStatus,
    pub expires_at: DateTime<Utc>,
    /// The account's, at the last change of the hold.
    pub version: Version,
    pub created_at: DateTime<Utc>,
}

impl HoldStatus {
    pub const ALL: [Self; 4] = [Self::Active, Self::Captured, Self::Voided, Self::Expired];

    /// As it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl Hold {
    /// How long a hold lives if nobody says.
    pub const LIFETIME: Duration = Duration::from_hours(7 * 24);
    /// How long a hold lives at most, from when it was placed or changed.
    pub const LIFETIME_MAX: Duration = Duration::from_hours(90 * 24);

    /// What can still be captured.
    #[must_use]
    pub fn remaining(&self) -> Magnitude {
        match self.status {
            HoldStatus::Active => self.amount.saturating_sub(self.captured),
            HoldStatus::Captured | HoldStatus::Voided | HoldStatus::Expired => Magnitude::ZERO,
        }
    }

    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == HoldStatus::Active
    }

    /// Whether its time is over, whether or not somebody has written that down.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.is_active() && self.expires_at <= now
    }

    /// The hold that an entry makes of the one before; of none, if it is placed. None if the entry is not about a hold, or cannot
    /// follow.
    #[must_use]
    pub fn follow(before: Option<&Self>, entry: &Entry, currency: Currency) -> Option<Self> {
        let after = entry.change.hold()?;
        let placed = |amount| Self {
            id: after.id,
            account: entry.account,
            currency,
            amount,
            captured: Magnitude::ZERO,
            status: HoldStatus::Active,
            expires_at: after.expires_at,
            version: entry.version,
            created_at: entry.created_at,
        };
        let Some(before) = before else {
            let is_placed = matches!(
                entry.change,
                Change::Hold {
                    kind: HoldKind::Placed,
                    ..
                }
            );
            let is_first = TransactionId(after.id.0) == entry.transaction;
            return (is_placed && is_first && !after.remaining.is_zero())
                .then(|| placed(after.remaining));
        };
        let (mut captured, mut amount) = (before.captured, before.amount);
        let status = match entry.change {
            Change::Capture { amount: moved, .. } => {
                captured = captured.checked_add(moved.magnitude())?;
                if after.remaining.is_zero() {
                    HoldStatus::Captured
                } else {
                    HoldStatus::Active
                }
            }
            Change::Hold { kind, .. } => match kind {
                HoldKind::Placed => return None,
                HoldKind::Changed => {
                    amount = captured.checked_add(after.remaining)?;
                    if after.remaining.is_zero() {
                        HoldStatus::Captured
                    } else {
                        HoldStatus::Active
                    }
                }
                HoldKind::Voided => HoldStatus::Voided,
                HoldKind::Expired => HoldStatus::Expired,
            },
            Change::Money { .. }
            | Change::Status(_)
            | Change::Limit(_)
            | Change::Details { .. } => return None,
        };
        let hold = Self {
            amount,
            captured,
            status,
            expires_at: after.expires_at,
            version: entry.version,
            ..before.clone()
        };
        let fits = before.is_active()
            && before.account == entry.account
            && before.id == after.id
            && hold.remaining() == after.remaining;
        fits.then_some(hold)
    }

    /// What the account holds more than before, from one state of the hold to the next.
    #[must_use]
    pub fn held_since(&self, before: Option<&Self>) -> Amount {
        let before = before.map_or(Magnitude::ZERO, Self::remaining).amount();
        let change = self.remaining().amount().checked_sub(before);
        change.unwrap_or_default()
    }
}
