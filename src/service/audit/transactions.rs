//! The rules of a transaction: what its kind, its key and its refusal must have to do with its entries.

use super::place::Place;
use super::report::Report;
use crate::ledger::{AccountId, BookId, Kind, Rejection, Scope, Version};
use crate::storage::audit::{SpokenOf, StoredKey, StoredPart, StoredRefusal, StoredTransaction};

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
    let found = match &transaction.refusal {
        Some(refusal) => check_refused(transaction, kind, scope, refusal),
        None => check_accepted(transaction, kind, scope),
    };
    if let Err(what) = found {
        report.find(place, what.to_owned());
    }
    for (entry, what) in misfits(transaction, kind) {
        let place = Place::Entry(entry.account, entry.version);
        report.find(place, what.to_owned());
    }
}

type Found = Result<(), &'static str>;

fn check_refused(
    transaction: &StoredTransaction,
    kind: Kind,
    scope: Scope,
    refusal: &StoredRefusal,
) -> Found {
    let StoredRefusal::Readable {
        rejection,
        has_scope,
    } = refusal
    else {
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
    hold(*has_scope, "was refused for an account that does not exist")?;
    hold(
        can_be_refused(kind, scope, rejection),
        "has a refusal that its kind or its scope cannot have",
    )
}

/// Whether the planner can have given this refusal to such a command, and remembered it.
fn can_be_refused(kind: Kind, scope: Scope, rejection: &Rejection) -> bool {
    let in_scope = |account: AccountId| scope == Scope::Account(account);
    let moves = match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Transfer => matches!(scope, Scope::Account(_)),
        Kind::Opening | Kind::Reset | Kind::Empty => false,
    };
    let gives = matches!(kind, Kind::Withdrawal | Kind::Transfer);
    match rejection {
        Rejection::UserNotFound { .. }
        | Rejection::AccountNotFound { .. }
        | Rejection::KeyReused { .. } => false,
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

fn check_accepted(transaction: &StoredTransaction, kind: Kind, scope: Scope) -> Found {
    match kind {
        Kind::Deposit | Kind::Withdrawal => check_one_sided(transaction, kind, scope),
        Kind::Transfer => check_transfer(transaction, scope),
        Kind::Opening => check_opening(transaction, scope),
        Kind::Empty => check_empty(transaction, scope),
        Kind::Reset => {
            hold(
                transaction.entries.is_empty(),
                "reset a book, but has entries",
            )?;
            let alone = transaction.spoken_of.is_none() && scope == Scope::Book(BookId::MAIN);
            hold(alone, "reset a book, but names another account or scope")
        }
    }
}

fn check_one_sided(transaction: &StoredTransaction, kind: Kind, scope: Scope) -> Found {
    let entry = match transaction.entries.as_slice() {
        [] => return Err("was accepted, but has no entry"),
        [entry] => entry,
        _ => return Err("has more entries than its kind"),
    };
    let sign = if kind == Kind::Deposit { 1 } else { -1 };
    hold(
        entry.sign == sign,
        "has an entry of the other sign than its kind",
    )?;
    hold(
        entry.counterparty.is_none(),
        "has an entry with a counterparty, which its kind has not",
    )?;
    hold(
        scope == Scope::Account(entry.account),
        "has the scope of another account than its entry",
    )?;
    check_unspoken(transaction)
}

fn check_transfer(transaction: &StoredTransaction, scope: Scope) -> Found {
    match transaction.entries.as_slice() {
        [] => return Err("was accepted, but has no entry"),
        [giver, taker] => {
            hold(
                giver.sign < 0 && 0 < taker.sign && transaction.evens_out,
                "is a transfer whose entries do not add up to zero",
            )?;
            hold(
                scope == Scope::Account(giver.account),
                "has the scope of another account than the one that gives",
            )?;
        }
        // Told where the entry is.
        [_] => {}
        _ => return Err("has more entries than its kind"),
    }
    check_unspoken(transaction)
}

fn check_opening(transaction: &StoredTransaction, scope: Scope) -> Found {
    hold(
        scope == Scope::Book(BookId::MAIN),
        "opened an account, but has another scope than the main book",
    )?;
    let Some(SpokenOf {
        account,
        version,
        now,
    }) = transaction.spoken_of
    else {
        return Err("opened an account, but does not say which");
    };
    let now = now.ok_or("opened an account that does not exist")?;
    match transaction.entries.as_slice() {
        [] => hold(
            version == Version::OPENING && transaction.created_at == now.at,
            "opened an account of another version or another time",
        ),
        [entry] => {
            hold(
                0 < entry.sign && entry.counterparty.is_none(),
                "has an entry that no opening has",
            )?;
            hold(
                (entry.account, entry.version) == (account, version)
                    && version == Version(Version::OPENING.0 + 1),
                "opened an account of another version, or another account, than its entry",
            )
        }
        _ => Err("has more entries than its kind"),
    }
}

fn check_empty(transaction: &StoredTransaction, scope: Scope) -> Found {
    hold(
        transaction.entries.is_empty(),
        "changed nothing, but has entries",
    )?;
    hold(
        transaction.key != StoredKey::None,
        "changed nothing, but has no key to be remembered under",
    )?;
    let spoken_of = transaction.spoken_of;
    let spoken_of = spoken_of.ok_or("changed nothing, but does not say on which account")?;
    hold(
        scope == Scope::Account(spoken_of.account),
        "has the scope of another account than the one that it names",
    )?;
    let now = spoken_of
        .now
        .ok_or("changed nothing on an account that does not exist")?;
    hold(
        spoken_of.version <= now.version,
        "names a version that its account has never had",
    )
}

/// What has entries says by those which accounts it changed.
fn check_unspoken(transaction: &StoredTransaction) -> Found {
    hold(
        transaction.spoken_of.is_none(),
        "names an account besides those of its entries",
    )
}

/// Entries that do not fit one another or their transaction.
fn misfits(transaction: &StoredTransaction, kind: Kind) -> Vec<(StoredPart, &'static str)> {
    let entries = &transaction.entries;
    let has_counterpart = |entry: &StoredPart| {
        entry.counterparty.is_none_or(|other| {
            transaction.evens_out
                && entries.iter().any(|part| {
                    part.account == other
                        && part.counterparty == Some(entry.account)
                        && part.sign != entry.sign
                })
        })
    };
    let mut misfits = Vec::new();
    for entry in entries {
        let is_lonely = kind == Kind::Transfer && entry.counterparty.is_none();
        if is_lonely || !has_counterpart(entry) {
            misfits.push((*entry, "has no counterpart on the other account"));
        }
        if entry.created_at != transaction.created_at {
            misfits.push((*entry, "has another time than its transaction"));
        }
    }
    misfits
}

fn hold(rule: bool, otherwise: &'static str) -> Found {
    if rule { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests;
