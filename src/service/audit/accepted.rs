//! What an accepted transaction of each kind has done, and for whom.

use super::postings;
use super::transactions::{Found, hold};
use crate::ledger::{AccountId, BookId, EntryKind, Kind, Scope, Version};
use crate::storage::audit::{Made, SpokenOf, StoredKey, StoredPart, StoredTransaction};

pub(super) fn check(transaction: &StoredTransaction, kind: Kind, scope: Scope) -> Found {
    hold(
        transaction.has_scope,
        "has the scope of a caller that does not exist",
    )?;
    if kind.is_told_by_entries() {
        hold(
            transaction.entries.is_empty() || transaction.spoken_of.is_none(),
            "names an account besides those of its entries",
        )?;
    }
    match kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Transfer | Kind::Transaction => {
            postings::check(transaction, kind, scope)
        }
        Kind::Opening => check_opening(transaction, scope),
        Kind::Empty => check_empty(transaction, scope),
        Kind::HoldPlaced => check_placed(transaction, scope),
        Kind::HoldChanged => check_one(transaction, scope, &[EntryKind::HoldChanged]),
        Kind::HoldVoided => check_one(transaction, scope, &[EntryKind::HoldVoided]),
        Kind::HoldExpired => check_expired(transaction, scope),
        Kind::Amended => check_one(transaction, scope, &[EntryKind::Limit, EntryKind::Details]),
        Kind::Frozen => check_one(transaction, scope, &[EntryKind::Frozen]),
        Kind::Unfrozen => check_one(transaction, scope, &[EntryKind::Unfrozen]),
        Kind::Closed => check_one(transaction, scope, &[EntryKind::Closed]),
        Kind::UserOpened => check_user(transaction, scope),
        Kind::BookOpened => check_book(transaction, scope),
        Kind::Reset => check_reset(transaction, scope),
    }?;
    check_more(transaction, kind)
}

/// Whether a command on an account can have this scope: of the account, or of whoever asked.
pub(super) fn is_of(scope: Scope, account: AccountId) -> bool {
    match scope {
        Scope::Account(of) => of == account,
        Scope::Caller(_) => true,
        Scope::Book(_) => false,
    }
}

/// Whether what is opened can have this scope: of the main book, or of whoever asked.
fn is_of_opening(scope: Scope) -> bool {
    match scope {
        Scope::Book(of) => of == BookId::MAIN,
        Scope::Caller(_) => true,
        Scope::Account(_) => false,
    }
}

/// What only some kinds say.
fn check_more(transaction: &StoredTransaction, kind: Kind) -> Found {
    let more = &transaction.more;
    hold(
        !more.is_part(),
        "says that it is an item of another, which nothing is",
    )?;
    hold(
        more.reverses.is_none() || kind.is_money(),
        "says that it reverses another, but moves no money",
    )?;
    hold(
        more.effective_at.is_none() || kind.is_money(),
        "counts for another time, but moves no money",
    )?;
    hold(
        more.user().is_none() || kind == Kind::UserOpened,
        "names a user, which its kind does not",
    )?;
    hold(
        more.book().is_none() || kind == Kind::BookOpened,
        "names a book, which its kind does not",
    )?;
    match (more.note(), &more.text) {
        (None, _) => Ok(()),
        (Some(_), None) => Err("has a digest of details that are not stored"),
        (Some(digest), Some(text)) => hold(
            text.fits(digest),
            "has a digest of other details than are stored",
        ),
    }
}

/// One entry of a kind.
fn one<'t>(
    transaction: &'t StoredTransaction,
    scope: Scope,
    kinds: &[EntryKind],
) -> Result<&'t StoredPart, &'static str> {
    let entry = match transaction.entries.as_slice() {
        [] => return Err("was accepted, but has no entry"),
        [entry] => entry,
        _ => return Err("has more entries than its kind"),
    };
    hold(
        entry.kind.is_some_and(|kind| kinds.contains(&kind)) && entry.posting == 0,
        "has an entry of another kind than its own",
    )?;
    hold(
        is_of(scope, entry.account),
        "has the scope of another account than its entry",
    )?;
    Ok(entry)
}

fn check_one(transaction: &StoredTransaction, scope: Scope, kinds: &[EntryKind]) -> Found {
    one(transaction, scope, kinds).map(drop)
}

fn check_placed(transaction: &StoredTransaction, scope: Scope) -> Found {
    let entry = one(transaction, scope, &[EntryKind::HoldPlaced])?;
    hold(
        entry.hold == Some(transaction.id),
        "placed a hold that is not called as it is",
    )
}

/// Nobody asks for it, so it has no key.
fn check_expired(transaction: &StoredTransaction, scope: Scope) -> Found {
    let entry = one(transaction, scope, &[EntryKind::HoldExpired])?;
    hold(
        scope == Scope::Account(entry.account) && transaction.key == StoredKey::None,
        "ended a hold, but as if somebody had asked for it",
    )
}

fn check_opening(transaction: &StoredTransaction, scope: Scope) -> Found {
    hold(
        is_of_opening(scope),
        "opened an account, but has another scope than the main book or a caller",
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
    let entries = transaction.entries.as_slice();
    let is_deposit = |entry: &StoredPart| {
        entry.kind == Some(EntryKind::Money) && 0 < entry.sign && entry.counterparty.is_none()
    };
    let is_details = |entry: &StoredPart| entry.kind == Some(EntryKind::Details);
    match entries {
        [] => {
            return hold(
                version == Version::OPENING && transaction.created_at == now.at,
                "opened an account of another version or another time",
            );
        }
        [entry] => hold(
            is_deposit(entry) || is_details(entry),
            "has an entry that no opening has",
        )?,
        [details, deposit] => hold(
            is_details(details) && is_deposit(deposit),
            "has an entry that no opening has",
        )?,
        _ => return Err("has more entries than its kind"),
    }
    let mut expected = Version::OPENING;
    let follow = entries.iter().all(|entry| {
        expected = expected.next();
        (entry.account, entry.version, entry.posting) == (account, expected, 0)
    });
    hold(
        follow && version == expected,
        "opened an account of another version, or another account, than its entry",
    )
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
        is_of(scope, spoken_of.account),
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

fn check_user(transaction: &StoredTransaction, scope: Scope) -> Found {
    check_nothing_else(transaction, scope)?;
    check_made(transaction, transaction.more.user())
}

fn check_book(transaction: &StoredTransaction, scope: Scope) -> Found {
    check_nothing_else(transaction, scope)?;
    check_made(transaction, transaction.more.book())
}

fn check_made<I>(transaction: &StoredTransaction, made: Option<Made<I>>) -> Found {
    let made = made.ok_or("opened something, but does not say what")?;
    let at = made.at.ok_or("opened what does not exist")?;
    hold(
        at == transaction.created_at,
        "opened what was opened at another time",
    )
}

fn check_nothing_else(transaction: &StoredTransaction, scope: Scope) -> Found {
    let is_alone = transaction.entries.is_empty() && transaction.spoken_of.is_none();
    hold(
        is_alone && is_of_opening(scope),
        "opened a user or a book, but has entries, or another account or scope",
    )
}

fn check_reset(transaction: &StoredTransaction, scope: Scope) -> Found {
    hold(
        transaction.entries.is_empty(),
        "reset a book, but has entries",
    )?;
    let alone = transaction.spoken_of.is_none() && scope == Scope::Book(BookId::MAIN);
    hold(alone, "reset a book, but names another account or scope")
}
