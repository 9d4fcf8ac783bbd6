//! The two ways of saying no: a rule forbids it, or there is no answer to be had.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::account::{AccountId, Version};
use super::entry::TransactionId;
use super::key::Scope;
use super::money::Amount;
use super::native::Native;

/// The rules said no. Final: shown to the caller and, under a key, remembered.
///
/// The serialised form stands in `transactions.refusal` for as long as the ledger lives: variants and fields are added, never
/// renamed.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    #[error("there is no such user")]
    UserNotFound { side: Side },
    #[error("there is no such account")]
    AccountNotFound { side: Side },
    #[error("the key was used for another request")]
    KeyReused { transaction: TransactionId },
    #[error("the account does not hold enough")]
    InsufficientFunds {
        account: Option<AccountId>,
        available: Amount,
    },
    #[error("an account cannot pay itself")]
    SameAccount { account: AccountId },
    #[error("the account holds another currency")]
    CurrencyMismatch { account: AccountId },
    #[error("the account has another version by now")]
    VersionMismatch {
        account: AccountId,
        current: Version,
    },
    #[error("the account would hold more than an account can")]
    AmountTooLarge { account: AccountId },
    #[error("the account is frozen")]
    AccountFrozen { account: AccountId },
    #[error("the account is closed")]
    AccountClosed { account: AccountId },
    #[error("another user has this email")]
    EmailTaken,
    /// Given to callers of the native interface alone.
    #[error(transparent)]
    Native(#[from] Native),
}

/// The end of a move that an account stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Source,
    Target,
}

/// No answer could be given. Asking again with the same key is right in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Too much waits already; nothing was applied.
    #[error("overloaded: nothing was applied, retry later")]
    Overloaded,
    /// The database is away or takes no writes; nothing was applied.
    #[error("the database is unavailable: nothing was applied, retry later")]
    Unavailable,
    /// The database went away in the middle: applied or not, a retry with the same key tells.
    #[error("the outcome is unknown: retry with the same key")]
    OutcomeUnknown,
    /// The fault is ours; nothing was applied.
    #[error("internal error: nothing was applied")]
    Bug,
}

impl Fault {
    pub const ALL: [Self; 4] = [
        Self::Overloaded,
        Self::Unavailable,
        Self::OutcomeUnknown,
        Self::Bug,
    ];

    /// What it is called where faults are counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Bug => "bug",
        }
    }
}

impl Rejection {
    /// What it is called where refusals are counted; as it is stored.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UserNotFound { .. } => "user_not_found",
            Self::AccountNotFound { .. } => "account_not_found",
            Self::KeyReused { .. } => "key_reused",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::SameAccount { .. } => "same_account",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::AmountTooLarge { .. } => "amount_too_large",
            Self::AccountFrozen { .. } => "account_frozen",
            Self::AccountClosed { .. } => "account_closed",
            Self::EmailTaken => "email_taken",
            Self::Native(native) => native.name(),
        }
    }

    /// The account that it was decided on.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::InsufficientFunds { account, .. } => *account,
            Self::SameAccount { account }
            | Self::CurrencyMismatch { account }
            | Self::VersionMismatch { account, .. }
            | Self::AmountTooLarge { account }
            | Self::AccountFrozen { account }
            | Self::AccountClosed { account } => Some(*account),
            Self::Native(native) => native.account(),
            Self::UserNotFound { .. }
            | Self::AccountNotFound { .. }
            | Self::KeyReused { .. }
            | Self::EmailTaken => None,
        }
    }

    /// Whether the outcome is kept under the command's key. What has no scope cannot be, and a reused key has an outcome. A
    /// caller has a scope whatever they name; what they would ask in another way after reading again is not kept.
    #[must_use]
    pub fn is_remembered(&self, scope: Scope) -> bool {
        match self {
            Self::UserNotFound { .. } | Self::AccountNotFound { .. } => {
                matches!(scope, Scope::Caller(_))
            }
            Self::KeyReused { .. } => false,
            Self::Native(native) => native.is_remembered(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_of_a_refusal_never_changes() {
        let refusal = Rejection::InsufficientFunds {
            account: Some(AccountId(7)),
            available: Amount::from_minor(-1250).expect("an amount"),
        };
        let json = r#"{"insufficient_funds":{"account":7,"available":"-1250"}}"#;
        assert_eq!(serde_json::to_string(&refusal).expect("JSON"), json);
        assert_eq!(
            serde_json::from_str::<Rejection>(json).expect("a refusal"),
            refusal
        );
        assert_eq!(
            serde_json::to_string(&Rejection::EmailTaken).expect("JSON"),
            r#""email_taken""#
        );
    }
}
