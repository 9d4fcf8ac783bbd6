//! What the ledger says to a command: a receipt, a refusal, or that it cannot say.

use chrono::{DateTime, Utc};

use super::account::{AccountId, UserId, Version};
use super::action::Kind;
use super::entry::TransactionId;
use super::error::{Fault, Rejection};
use super::head::Head;
use super::money::{Amount, Currency};

/// What the ledger says to a command, or that it cannot say.
pub type Answer = Result<Answered, Fault>;

/// A final answer, and whether it had been given before under the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub outcome: Result<Receipt, Rejection>,
    pub replayed: bool,
}

/// What became of an accepted command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub transaction: TransactionId,
    pub kind: Kind,
    pub created_at: DateTime<Utc>,
    /// Each account it spoke of, the giving one first. Empty where there was no account to speak of.
    pub standings: Vec<Standing>,
}

/// An account right after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    /// Signed: what the command changed.
    pub amount: Amount,
    pub balance: Amount,
    pub version: Version,
    /// When its last entry was made until then, or when it was opened.
    pub last_entry_at: DateTime<Utc>,
}

impl Answered {
    /// An answer that is given for the first time.
    #[must_use]
    pub fn first(outcome: Result<Receipt, Rejection>) -> Self {
        Self {
            outcome,
            replayed: false,
        }
    }

    /// The accounts that it changed, now and not before.
    pub fn changes(&self) -> impl Iterator<Item = AccountId> {
        let receipt = self.outcome.as_ref().ok().filter(|_| !self.replayed);
        let standings = receipt.into_iter().flat_map(|receipt| &receipt.standings);
        let changed = standings.filter(|standing| !standing.amount.is_zero());
        changed.map(|standing| standing.account)
    }
}

impl Standing {
    /// An account as it stands now, after a command that changed it by so much.
    #[must_use]
    pub fn of(head: &Head, amount: Amount) -> Self {
        Self {
            account: head.id,
            owner: head.owner,
            currency: head.currency,
            amount,
            balance: head.balance,
            version: head.version,
            last_entry_at: head.last_entry_at,
        }
    }
}
