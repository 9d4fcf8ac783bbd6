//! What is refused to callers of the native interface alone.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::account::{AccountId, Version};
use super::entry::TransactionId;

/// A refusal that no dialect can be given. Stored as [`Rejection`](super::Rejection) is.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Native {
    /// What the path of the request names.
    #[error("there is no such object")]
    NotFound,
    #[error("it has another version by now")]
    PreconditionFailed { current: Version },
    #[error("a bound does not hold")]
    ConditionFailed { account: AccountId },
    #[error("the currency has fewer decimals, or its amounts are smaller")]
    NotInCurrency { currency: String },
    #[error("the world cannot pay itself")]
    NoAccount,
    #[error("the transaction was reversed before")]
    AlreadyReversed { transaction: TransactionId },
    #[error("the transaction moved no money")]
    NotReversible,
    #[error("there is no such hold")]
    HoldNotFound,
    #[error("the hold is not active any more")]
    HoldNotActive { account: AccountId },
    #[error("more than the hold has left")]
    HoldAmountExceeded { account: AccountId },
    #[error("the account has active holds")]
    HasActiveHolds { account: AccountId },
    #[error("the account has as many active holds as an account can")]
    TooManyHolds { account: AccountId },
    #[error("the balance is not zero")]
    BalanceNotZero { account: AccountId },
    #[error("another account of the book has this external id")]
    ExternalIdTaken,
    #[error("the owner does not exist")]
    OwnerNotFound,
    #[error("there is an open book of this name")]
    BookTaken,
    #[error("the time is too early or too late")]
    TimeOutOfRange,
    #[error("more would be said of the account than can be")]
    MetadataTooLarge,
}

impl Native {
    /// What it is called where refusals are counted; as it is stored.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::ConditionFailed { .. } => "condition_failed",
            Self::NotInCurrency { .. } => "not_in_currency",
            Self::NoAccount => "no_account",
            Self::AlreadyReversed { .. } => "already_reversed",
            Self::NotReversible => "not_reversible",
            Self::HoldNotFound => "hold_not_found",
            Self::HoldNotActive { .. } => "hold_not_active",
            Self::HoldAmountExceeded { .. } => "hold_amount_exceeded",
            Self::HasActiveHolds { .. } => "has_active_holds",
            Self::TooManyHolds { .. } => "too_many_holds",
            Self::BalanceNotZero { .. } => "balance_not_zero",
            Self::ExternalIdTaken => "external_id_taken",
            Self::OwnerNotFound => "owner_not_found",
            Self::BookTaken => "book_taken",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::MetadataTooLarge => "metadata_too_large",
        }
    }

    /// The account that it was decided on.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::ConditionFailed { account }
            | Self::HoldNotActive { account }
            | Self::HoldAmountExceeded { account }
            | Self::HasActiveHolds { account }
            | Self::TooManyHolds { account }
            | Self::BalanceNotZero { account } => Some(*account),
            Self::NotFound
            | Self::PreconditionFailed { .. }
            | Self::NotInCurrency { .. }
            | Self::NoAccount
            | Self::AlreadyReversed { .. }
            | Self::NotReversible
            | Self::HoldNotFound
            | Self::ExternalIdTaken
            | Self::OwnerNotFound
            | Self::BookTaken
            | Self::TimeOutOfRange
            | Self::MetadataTooLarge => None,
        }
    }

    /// Whether it is kept under a key: not what the caller would ask in another way after reading again.
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        !matches!(
            self,
            Self::NotFound
                | Self::PreconditionFailed { .. }
                | Self::NotInCurrency { .. }
                | Self::MetadataTooLarge
        )
    }
}
