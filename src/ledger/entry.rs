//! An entry of the journal: a change of one account that happened.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{AccountId, Version};
use super::money::Amount;

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
}

/// A change with its place in the account's history: all that its seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: AccountId,
    pub version: Version,
    pub transaction: TransactionId,
    pub created_at: DateTime<Utc>,
    pub change: Change,
    /// The balance right after.
    pub balance: Amount,
}

impl Change {
    /// Signed: what the account gained or lost.
    #[must_use]
    pub fn amount(self) -> Amount {
        let Self::Money { amount, .. } = self;
        amount
    }

    #[must_use]
    pub fn counterparty(self) -> Option<AccountId> {
        let Self::Money { counterparty, .. } = self;
        counterparty
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
