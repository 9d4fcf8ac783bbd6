//! How the entries of a transaction pair: each posting is two, of which each names the other, or one if the world is a side.

use super::accepted::is_of;
use super::transactions::{Found, hold};
use crate::ledger::{EntryKind, Kind, Scope};
use crate::storage::audit::{StoredPart, StoredTransaction};

/// Money that moved in postings, numbered from zero.
pub(super) fn check(transaction: &StoredTransaction, kind: Kind, scope: Scope) -> Found {
    let entries = transaction.entries.as_slice();
    let first = entries.first().ok_or("was accepted, but has no entry")?;
    hold(
        entries.iter().all(is_money),
        "has an entry that moves no money, which its kind does",
    )?;
    let mut count: i16 = 0;
    for posting in entries.chunk_by(is_of_one_posting) {
        hold(
            posting.iter().all(|entry| entry.posting == count),
            "has postings that are not numbered one after the other",
        )?;
        check_posting(posting, kind)?;
        count = count.saturating_add(1);
    }
    match kind {
        Kind::Transaction => hold(1 < count, "is of several postings, but has one")?,
        _ => hold(count == 1, "has more entries than its kind")?,
    }
    hold(
        is_of(scope, first.account),
        match kind {
            Kind::Transfer => "has the scope of another account than the one that gives",
            _ => "has the scope of another account than its entry",
        },
    )
}

fn check_posting(posting: &[StoredPart], kind: Kind) -> Found {
    match (kind, posting) {
        (Kind::Deposit | Kind::Withdrawal, [entry]) => {
            let sign = if kind == Kind::Deposit { 1 } else { -1 };
            hold(
                entry.sign == sign,
                "has an entry of the other sign than its kind",
            )?;
            hold(
                entry.counterparty.is_none(),
                "has an entry with a counterparty, which its kind has not",
            )
        }
        // A half alone is told at its entry.
        (_, [_]) => Ok(()),
        (Kind::Transfer | Kind::Transaction, [giver, taker]) => hold(
            giver.sign < 0 && 0 < taker.sign && giver.evens_out,
            if kind == Kind::Transfer {
                "is a transfer whose entries do not add up to zero"
            } else {
                "has a posting whose entries do not add up to zero"
            },
        ),
        _ => Err("has more entries than its kind"),
    }
}

/// Money leaves an account out of a hold, or not; it arrives in one way.
fn is_money(entry: &StoredPart) -> bool {
    match entry.kind {
        Some(EntryKind::Money) => entry.sign != 0,
        Some(EntryKind::HoldCaptured) => entry.sign < 0,
        Some(_) | None => false,
    }
}

fn is_of_one_posting(one: &StoredPart, other: &StoredPart) -> bool {
    one.posting == other.posting
}

/// Entries that do not fit one another or their transaction.
pub(super) fn misfits(
    transaction: &StoredTransaction,
    kind: Kind,
) -> Vec<(StoredPart, &'static str)> {
    let mut misfits = Vec::new();
    for posting in transaction.entries.chunk_by(is_of_one_posting) {
        let needs_other = kind == Kind::Transfer || (kind.is_money() && 1 < posting.len());
        for entry in posting {
            let is_lonely = match entry.counterparty {
                None => needs_other,
                Some(_) => !posting.iter().any(|part| is_other_half(entry, part)),
            };
            if is_lonely {
                misfits.push((*entry, "has no counterpart on the other account"));
            }
            if entry.created_at != transaction.created_at {
                misfits.push((*entry, "has another time than its transaction"));
            }
            if entry.effective_at != transaction.more.effective_at {
                misfits.push((*entry, "counts for another time than its transaction"));
            }
        }
    }
    misfits
}

fn is_other_half(entry: &StoredPart, part: &StoredPart) -> bool {
    entry.evens_out
        && entry.counterparty == Some(part.account)
        && part.counterparty == Some(entry.account)
        && part.sign != entry.sign
}
