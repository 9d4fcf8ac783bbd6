//! A command: an action with its key and the conditions under which it applies.

use chrono::{DateTime, Utc};

use super::account::{UserId, Version};
use super::action::{AccountRef, Action, Posting};
use super::book::BookName;
use super::details::Note;
use super::entry::TransactionId;
use super::figure::Figure;
use super::hold::HoldId;
use super::key::{CallerId, Key};

/// One request to the ledger: applied whole, exactly once, or refused.
#[derive(Clone, Debug)]
pub struct Command {
    /// Given once, when the command enters, and kept through every retry.
    pub id: TransactionId,
    pub key: Option<Key>,
    /// Who asks by the native interface; none by a dialect.
    pub caller: Option<Caller>,
    /// What the request is addressed to.
    pub target: Option<Target>,
    /// All of which must hold.
    pub conditions: Vec<Condition>,
    pub action: Action,
    /// What the caller says of it.
    pub note: Option<Note>,
    /// When it counts for the books, if somebody says so.
    pub effective_at: Option<DateTime<Utc>>,
    /// Whether nothing is kept of it, whatever its answer is.
    pub is_dry: bool,
}

/// Who asks by the native interface, and in which book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub id: CallerId,
    /// Accounts of another book do not exist for it.
    pub book: BookName,
    /// Holds of others' accounts neither, if it is a person.
    pub person: Option<UserId>,
    /// The request, as its answer calls it.
    pub request_id: String,
}

/// What the path of a request names. If it is not there, nothing is remembered.
#[derive(Clone, Debug)]
pub struct Target {
    pub object: Object,
    /// If there are some, it must have one of these versions.
    pub versions: Option<Vec<Version>>,
}

#[derive(Clone, Debug)]
pub enum Object {
    Account(AccountRef),
    Hold(HoldId),
    Transaction(TransactionId),
}

/// What must be so of an account for a command to apply.
#[derive(Clone, Debug)]
pub struct Condition {
    pub account: AccountRef,
    pub rule: Rule,
    /// Where it stands among those of its request.
    pub place: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Before the first step.
    Version(Version),
    /// Before the first step as well, but refused only once the account that gives was found to have enough.
    VersionOfFunded(Version),
    /// After the last step.
    Bound {
        of: Measure,
        side: Bound,
        figure: Figure,
    },
}

/// What a bound is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Balance,
    Available,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    AtLeast,
    AtMost,
}

impl Command {
    /// A command of a dialect.
    #[must_use]
    pub fn new(id: TransactionId, action: Action) -> Self {
        Self {
            id,
            key: None,
            caller: None,
            target: None,
            conditions: Vec::new(),
            action,
            note: None,
            effective_at: None,
            is_dry: false,
        }
    }

    /// The accounts that the command names, in its conditions too.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        let posted = self.action.postings().iter().flat_map(Posting::accounts);
        let named = self.action.account();
        let conditions = self.conditions.iter();
        let conditions = conditions.map(|condition| &condition.account);
        posted.chain(named).chain(conditions)
    }

    /// The holds that the command names.
    pub fn holds(&self) -> impl Iterator<Item = HoldId> {
        let captured = self.action.postings().iter().filter_map(Posting::hold);
        let named = match self.action {
            Action::ChangeHold(hold, _) | Action::VoidHold(hold) => Some(hold),
            _ => None,
        };
        captured.chain(named)
    }

    /// How much of a batch it is.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.action.postings().len().max(1)
    }
}
