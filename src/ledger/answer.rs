//! What the ledger says to a command: a receipt, a refusal, or that it cannot say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::account::{AccountId, State, UserId, Version};
use super::action::Kind;
use super::book::BookId;
use super::entry::TransactionId;
use super::error::{Fault, Rejection};
use super::head::Head;
use super::hold::{Hold, HoldId};
use super::key::Scope;
use super::money::{Amount, Currency, Magnitude};

/// What the ledger says to a command, or that it cannot say.
pub type Answer = Result<Answered, Fault>;

/// A final answer, and whether it had been given before under the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub outcome: Result<Receipt, Rejection>,
    /// How a refusal came about; for callers alone.
    pub sight: Option<Box<Sight>>,
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
    /// For callers alone, what a dialect does not tell.
    pub more: Option<Box<More>>,
}

/// What became of a caller's command, besides the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct More {
    /// With what became of their amounts.
    pub postings: Vec<Posted>,
    pub effective_at: Option<DateTime<Utc>>,
    pub reverses: Option<TransactionId>,
    /// The hold that was placed, changed or captured last, right after.
    pub hold: Option<Hold>,
    pub user: Option<UserId>,
    pub book: Option<BookId>,
}

/// Money that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// None for the world.
    pub from: Option<AccountId>,
    pub to: Option<AccountId>,
    pub amount: Magnitude,
    pub currency: Currency,
    /// The hold that it was taken out of.
    pub hold: Option<HoldId>,
}

/// What a refusal was decided on. Stored with it for good: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// The request that was refused.
    pub request_id: String,
    /// Which part of the command was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Seen>,
    /// The moment of the decision.
    pub at: DateTime<Utc>,
}

/// An account before the command that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub account: AccountId,
    pub version: Version,
    /// With all decimals of its currency.
    pub balance: String,
    pub available: String,
}

/// A part of a command, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Posting(usize),
    Condition(usize),
}

/// An account right after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    /// Signed: what the command changed.
    pub amount: Amount,
    pub state: State,
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
            sight: None,
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

impl Answered {
    /// Whether it stands under its key from now on.
    #[must_use]
    pub fn is_remembered(&self, scope: Scope) -> bool {
        match &self.outcome {
            Ok(_) => true,
            Err(rejection) => rejection.is_remembered(scope),
        }
    }
}

impl Posted {
    /// The posting of which an entry is the side that gives, or the only one. None for the other side, and for what moved no money.
    #[must_use]
    pub fn of_entry(
        account: AccountId,
        amount: Amount,
        counterparty: Option<AccountId>,
        hold: Option<HoldId>,
        currency: Currency,
    ) -> Option<Self> {
        let (from, to) = match (amount.is_negative(), counterparty) {
            (true, other) => (Some(account), other),
            (false, None) => (None, Some(account)),
            (false, Some(_)) => return None,
        };
        (!amount.is_zero()).then(|| Self {
            from,
            to,
            amount: amount.magnitude(),
            currency,
            hold,
        })
    }
}

impl Seen {
    #[must_use]
    pub fn of(head: &Head) -> Self {
        let text = |amount: Amount| amount.to_text(head.currency.scale);
        Self {
            account: head.id,
            version: head.version,
            balance: text(head.state.balance),
            available: text(head.state.available()),
        }
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
            state: head.state,
            version: head.version,
            last_entry_at: head.last_entry_at,
        }
    }
}
