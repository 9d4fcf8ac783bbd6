//! What two lanes must not work on at the same time.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::LazyLock;

use crate::ledger::{AccountId, AccountRef, Action, Command, NamedAccount};

/// What two lanes must not work on at the same time, lest they overtake one another: an account as it is called, in 64
/// bits.
///
/// Two accounts of the same bits wait for one another as if they were one. An account that is called by both its name
/// and its id may be in two lanes at once: the compare-and-swap sorts that out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::engine) struct Resource(u64);

impl Resource {
    pub(in crate::engine) fn account(account: AccountId) -> Self {
        Self::of(&account)
    }

    pub(in crate::engine) fn name(name: &NamedAccount) -> Self {
        Self::of(name)
    }

    pub(super) fn called(reference: &AccountRef) -> Self {
        match reference {
            AccountRef::Id(id) | AccountRef::Owned(id, _) => Self::account(*id),
            AccountRef::Named(name) => Self::name(name),
        }
    }

    /// What a command touches besides the accounts that it names. The account of a hold, or of what is reversed, is not known
    /// here; if another lane works on it, the compare-and-swap sorts that out.
    pub(super) fn others(command: &Command) -> impl Iterator<Item = Self> + '_ {
        let holds = command.holds().map(|hold| Self::of(&hold));
        let other = match command.action {
            Action::Reverse(transaction) => Some(Self::of(&transaction)),
            Action::Expire(account) => Some(Self::account(account)),
            _ => None,
        };
        holds.chain(other)
    }

    /// No client knows the key, so none can choose a name that another account waits for.
    fn of(called: &impl Hash) -> Self {
        static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(KEYED.hash_one(called))
    }
}
