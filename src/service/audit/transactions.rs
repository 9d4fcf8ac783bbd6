//! The rules of a transaction: what its kind, its key and its refusal must have to do with its entries.

use super::accepted;
use super::place::Place;
use super::postings;
use super::report::Report;
use crate::ledger::{AccountId, BookId, Kind, Rejection, Scope, Sight, Version};
use crate::storage::audit::{StoredKey, StoredRefusal, StoredTransaction};

/// Checks one transaction with all that it left in the journal.
pub(super) fn check(report: &mut Report, transaction: &StoredTransaction) {
    let place = Place::Transaction(transaction.id);
    if transaction.key == StoredKey::Broken {
        let what = "has a key, a digest and a hash that do not belong together";
        report.find(place.clone(), what.to_owned());
    }
    let Some((kind, scope)) = transaction.kind.zip(transaction.scope) else {
        let what = "is of a kind or a scope that this program does not know";
        report.find(place, what.to_owned());
        return;
    };
    let is_of_caller = matches!(scope, Scope::Caller(_)) && transaction.key == StoredKey::Whole;
    if transaction.more.has_key_salt && !is_of_caller {
        let what = "has the salt of a key, but no key of a caller";
        report.find(place.clone(), what.to_owned());
    }
    let found = match &transaction.refusal {
        Some(refusal) => check_refused(transaction, kind, scope, refusal),
        None => accepted::check(transaction, kind, scope),
    };
    if let Err(what) = found {
        report.find(place, what.to_owned());
    }
    for (entry, what) in postings::misfits(transaction, kind) {
        let place = Place::Entry(entry.account, entry.version);
        report.find(place, what.to_owned());
    }
}

pub(super) type Found = Result<(), &'static str>;

fn check_refused(
    transaction: &StoredTransaction,
    kind: Kind,
    scope: Scope,
    refusal: &StoredRefusal,
) -> Found {
    let StoredRefusal::Readable(rejection, sight) = refusal else {
        return Err("has a refusal that this program cannot read");
    };
    hold(
        transaction.entries.is_empty(),
        "was refused, but has entries",
    )?;
    hold(
        transaction.key != StoredKey::None,
        "was refused, but has no key to be remembered under",
    )?;
    hold(
        transaction.spoken_of.is_none(),
        "was refused, but names an account that it opened or left as it was",
    )?;
    hold(
        transaction.more.is_of_key_alone(),
        "was refused, but says what only an accepted transaction can",
    )?;
    hold(
        transaction.has_scope,
        "was refused for an account or a caller that does not exist",
    )?;
    let is_possible = match (scope, sight) {
        (Scope::Caller(_), Some(sight)) => {
            hold(
                sight.at == transaction.created_at,
                "was refused at another time than it says",
            )?;
            can_be_refused_to_caller(kind, scope, rejection, sight)
        }
        (Scope::Account(_) | Scope::Book(_), None) => can_be_refused(kind, scope, rejection),
        (Scope::Caller(_), None) | (Scope::Account(_) | Scope::Book(_), Some(_)) => false,
    };
    hold(
        is_possible,
        "has a refusal that its kind or its scope cannot have",
    )
}

/// Whether the planner can have given this refusal to a caller's command, and remembered it.
fn can_be_refused_to_caller(
    kind: Kind,
    scope: Scope,
    rejection: &Rejection,
    sight: &Sight,
) -> bool {
    let seen = sight.account.as_ref().map(|seen| seen.account);
    let is_of_account = rejection
        .account()
        .zip(seen)
        .is_none_or(|(it, seen)| it == seen);
    let is_by_dialects_alone = matches!(kind, Kind::Reset | Kind::Empty | Kind::HoldExpired);
    rejection.is_remembered(scope) && is_of_account && !is_by_dialects_alone
}

/// Whether the planner can have given this refusal to a dialect's command, and remembered it.
fn can_be_refused(kind: Kind, scope: Scope, rejection: &Rejection) -> bool {
    let in_scope = |account: AccountId| scope == Scope::Account(account);
    let moves = match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Transfer => matches!(scope, Scope::Account(_)),
        _ => false,
    };
    let gives = matches!(kind, Kind::Withdrawal | Kind::Transfer);
    match rejection {
        Rejection::UserNotFound { .. }
        | Rejection::AccountNotFound { .. }
        | Rejection::KeyReused { .. }
        | Rejection::Native(_) => false,
        Rejection::EmailTaken => kind == Kind::Opening && scope == Scope::Book(BookId::MAIN),
        Rejection::InsufficientFunds { account, available } => {
            moves && gives && !available.is_negative() && account.is_some_and(in_scope)
        }
        Rejection::SameAccount { account } => kind == Kind::Transfer && in_scope(*account),
        Rejection::VersionMismatch { account, current } => {
            moves && in_scope(*account) && Version::OPENING <= *current
        }
        Rejection::CurrencyMismatch { account }
        | Rejection::AmountTooLarge { account }
        | Rejection::AccountFrozen { account }
        | Rejection::AccountClosed { account } => {
            moves && (kind == Kind::Transfer || in_scope(*account))
        }
    }
}

pub(super) fn hold(rule: bool, otherwise: &'static str) -> Found {
    if rule { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests;
