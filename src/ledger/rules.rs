//! The rules that a move of money must keep.

use chrono::{DateTime, TimeDelta, Utc};

use super::command::{Move, NamedAccount, Scope};
use super::error::{Rejection, Side};
use super::{Head, Version};

/// Where a party of a move stands.
pub(super) enum Place {
    World,
    Account(Head),
    /// A name without an account, of an owner who exists or of nobody.
    Free(NamedAccount),
}

/// The rules, in the order in which their refusals come first.
pub(super) fn check(
    money: &Move,
    expected_version: Option<Version>,
    from: &Place,
    to: &Place,
) -> Result<(), Rejection> {
    for (place, side) in [(from, Side::Source), (to, Side::Target)] {
        if let Place::Account(head) = place {
            head.admits(money.currency(), side)?;
        }
    }
    if let Place::Account(head) = from {
        let left = head.balance.checked_sub(money.amount());
        if left.is_none_or(|left| left < head.floor) {
            return Err(Rejection::InsufficientFunds {
                account: Some(head.id),
                available: head.available(),
            });
        }
    }
    if let (Place::Account(source), Place::Account(target)) = (from, to)
        && source.id == target.id
    {
        return Err(Rejection::SameAccount { account: source.id });
    }
    let in_scope = [from, to].into_iter().find_map(|place| match place {
        Place::Account(head) => Some(head),
        Place::World | Place::Free(_) => None,
    });
    if let (Some(expected), Some(head)) = (expected_version, in_scope)
        && expected != head.version
    {
        return Err(Rejection::VersionMismatch {
            account: head.id,
            current: head.version,
        });
    }
    match to {
        Place::Account(head) if head.balance.checked_add(money.amount()).is_none() => {
            Err(Rejection::AmountTooLarge { account: head.id })
        }
        Place::Account(_) | Place::World | Place::Free(_) => Ok(()),
    }
}

/// The account that the money leaves; for a deposit, the one it reaches. None while that does not exist.
pub(super) fn scope_of(from: &Place, to: &Place) -> Option<Scope> {
    match (from, to) {
        (Place::Account(head), _) | (Place::World, Place::Account(head)) => {
            Some(Scope::Account(head.id))
        }
        (Place::World | Place::Free(_), _) => None,
    }
}

/// The time of the next entry of some accounts: never at or before an entry that one of them has.
pub(super) fn after(now: DateTime<Utc>, heads: &[&Head]) -> DateTime<Utc> {
    heads.iter().fold(now, |at, head| {
        if head.version == Version::OPENING {
            at.max(head.last_entry_at)
        } else {
            at.max(
                head.last_entry_at
                    .checked_add_signed(TimeDelta::microseconds(1))
                    .unwrap_or(at),
            )
        }
    })
}
