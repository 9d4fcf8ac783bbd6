//! A command: an action with its key and the conditions under which it applies.

use super::account::Version;
use super::action::{AccountRef, Action, Posting};
use super::entry::TransactionId;
use super::key::Key;

/// One request to the ledger: applied whole, exactly once, or refused.
#[derive(Clone, Debug)]
pub struct Command {
    /// Given once, when the command enters, and kept through every retry.
    pub id: TransactionId,
    pub key: Option<Key>,
    /// All of which must hold.
    pub conditions: Vec<Condition>,
    pub action: Action,
}

/// What must be so for a command to apply: of the accounts as they were before its first step.
#[derive(Clone, Debug)]
pub enum Condition {
    Version {
        account: AccountRef,
        version: Version,
    },
}

impl Command {
    /// The accounts that the command names, in its conditions too.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        let posting = match &self.action {
            Action::Post(posting) => Some(posting),
            Action::OpenUser(_) | Action::OpenAccount(_) | Action::ResetBook(_) => None,
        };
        let posted = posting.into_iter().flat_map(Posting::accounts);
        let conditions = self.conditions.iter();
        let conditions = conditions.map(|Condition::Version { account, .. }| account);
        posted.chain(conditions)
    }
}
