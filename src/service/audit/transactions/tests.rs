//! Whichever way the halves of two transfers are moved or taken away, the audit tells.

use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::ledger::EntryKind;
use crate::storage::audit::{StoredMore, StoredPart};

/// A half of a transfer: who moved what, and with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Half {
    account: i64,
    counterparty: i64,
    amount: i64,
}

fn halves([from, to, amount]: [i64; 3]) -> [Half; 2] {
    [(from, to, -amount), (to, from, amount)].map(|(account, counterparty, amount)| Half {
        account,
        counterparty,
        amount,
    })
}

/// A transfer as it is stored, with the halves that are in it. All are of one time, which is the worst case.
fn stored(from: i64, halves: &[Half]) -> StoredTransaction {
    let mut halves = halves.to_vec();
    halves.sort_by_key(|half| half.amount);
    let evens_out = halves.iter().map(|half| half.amount).sum::<i64>() == 0;
    let entries = halves.iter().map(|half| StoredPart {
        account: AccountId(half.account),
        version: Version(2),
        counterparty: Some(AccountId(half.counterparty)),
        created_at: DateTime::UNIX_EPOCH,
        sign: if half.amount < 0 { -1 } else { 1 },
        kind: Some(EntryKind::Money),
        posting: 0,
        hold: None,
        effective_at: None,
        evens_out,
    });
    StoredTransaction {
        id: Uuid::nil(),
        kind: Some(Kind::Transfer),
        scope: Some(Scope::Account(AccountId(from))),
        has_scope: true,
        created_at: DateTime::UNIX_EPOCH,
        spoken_of: None,
        key: StoredKey::None,
        refusal: None,
        more: StoredMore::default(),
        entries: entries.collect(),
        columns: Vec::new(),
    }
}

fn is_clean(transfer: [i64; 3], halves: &[Half]) -> bool {
    let mut report = Report::default();
    check(&mut report, &stored(transfer[0], halves));
    report.is_clean()
}

/// Each half is in the one transfer, in the other or gone, in all 81 ways. That both halves of another transfer from the same
/// account are in its place is for the seals to tell.
#[test]
fn a_transfer_is_clean_only_with_the_two_halves_of_one() {
    const FIRST: [i64; 3] = [1, 2, 5];
    for second in [FIRST, [2, 1, 5], [1, 3, 5], [3, 2, 5], [1, 2, 7], [3, 4, 5]] {
        let all = [halves(FIRST), halves(second)].concat();
        for way in 0..81_usize {
            let place = |half: usize| way / [1, 3, 9, 27][half] % 3;
            for (number, transfer) in [FIRST, second].into_iter().enumerate() {
                let there = (0..4).filter(|half| place(*half) == number);
                let mut there: Vec<Half> = there.map(|half| all[half]).collect();
                there.sort_by_key(|half| half.amount);
                let is_one = |one: [i64; 3]| one[0] == transfer[0] && there == halves(one);
                let is_right = is_one(FIRST) || is_one(second);
                assert_eq!(is_clean(transfer, &there), is_right, "{there:?}");
            }
        }
    }
}
