//! A command: an action with its key and the conditions under which it applies.

use super::account::Version;
use super::action::{AccountRef, Action, Posting};
use super::book::BookName;
use super::entry::TransactionId;
use super::key::Key;

/// One request to the ledger: applied whole, exactly once, or refused.
#[derive(Clone, Debug)]
pub struct Command {
    /// Given once, when the command enters, and kept through every retry.
    pub id: TransactionId,
    pub key: Option<Key>,
    /// All of which must hold before the first step.
    pub conditions: Vec<Condition>,
    pub action: Action,
}

/// What must be so for a command to apply.
#[derive(Clone, Debug)]
pub enum Condition {
    Version {
        account: AccountRef,
        version: Version,
    },
}

impl Command {
    /// The book that can be reset and that the command names, if it does.
    #[must_use]
    pub fn book(&self) -> Option<BookName> {
        if let Action::ResetBook(book) = self.action {
            return Some(book);
        }
        let named = self.accounts().find_map(|reference| match reference {
            AccountRef::Named(name) => Some(name.book),
            AccountRef::Id(_) | AccountRef::Owned(..) => None,
        });
        named.filter(|book| *book != BookName::MAIN)
    }

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
