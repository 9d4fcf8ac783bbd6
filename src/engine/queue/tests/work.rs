//! What commands that a lane took keep from other lanes, whole and in parts.

use std::collections::HashSet;

use super::desk::{Desk, numbers};
use crate::engine::queue::{Resource, Work};
use crate::ledger::AccountId;

fn account(id: i64) -> Resource {
    Resource::account(AccountId(id))
}

fn accounts<const N: usize>(ids: [i64; N]) -> HashSet<Resource> {
    ids.map(account).into()
}

/// Work on commands 1, 2, … on these accounts, with the queue that it was taken from.
fn taken(commands: &[&[i64]]) -> (Desk, Work) {
    let mut desk = Desk::roomy();
    for (number, accounts) in (1..).zip(commands) {
        assert!(desk.submit(number, accounts));
    }
    let work = desk.work(commands.len());
    assert_eq!(work.pending.len(), commands.len());
    (desk, work)
}

/// Which of the accounts 1 to 9 no other lane may work on.
fn busy(desk: &mut Desk) -> Vec<i64> {
    (1..10)
        .filter(|account| {
            assert!(desk.submit(1_000, &[*account]));
            let is_busy = desk.is_idle();
            desk.abandon(1_000);
            is_busy
        })
        .collect()
}

#[test]
fn work_names_its_commands_in_order() {
    let (_desk, work) = taken(&[&[1], &[], &[1, 2]]);
    let numbers: Vec<_> = work
        .commands()
        .map(|command| command.id.0.as_u128())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn work_keeps_its_accounts_as_long_as_it_lives() {
    let (mut desk, mut work) = taken(&[&[1], &[2, 3], &[]]);
    assert_eq!(busy(&mut desk), [1, 2, 3]);
    // Also those of commands that have their answer by now.
    work.pending.clear();
    assert_eq!(busy(&mut desk), [1, 2, 3]);
    drop(work);
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn work_is_split_in_the_middle_and_the_second_half_is_no_smaller() {
    for (size, first_size) in [(1, 0), (2, 1), (3, 1), (7, 3), (8, 4)] {
        let commands = vec![[1].as_slice(); size];
        let (_desk, mut first) = taken(&commands);
        let second = first.split_off();
        let all = [numbers(&first.pending), numbers(&second.pending)];
        assert_eq!(all[0].len(), first_size, "of {size}");
        assert!(all.concat().into_iter().eq((1..).take(size)));
    }
}

#[test]
fn each_half_frees_its_own_accounts_and_both_free_what_they_share() {
    let (mut desk, mut first) = taken(&[&[1], &[2, 3], &[3, 4], &[5]]);
    let second = first.split_off();
    assert_eq!(busy(&mut desk), [1, 2, 3, 4, 5]);
    drop(first);
    assert_eq!(busy(&mut desk), [3, 4, 5]);
    drop(second);
    assert!(busy(&mut desk).is_empty());
    let (mut desk, mut first) = taken(&[&[1], &[2, 3], &[3, 4], &[5]]);
    drop(first.split_off());
    assert_eq!(busy(&mut desk), [1, 2, 3]);
    drop(first);
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn nothing_is_free_while_work_is_parted() {
    let (mut desk, mut work) = taken(&[&[1], &[1]]);
    assert!(desk.submit(3, &[1]));
    let lane = desk.sleeper(10);
    let apart = work.separate(&accounts([1]));
    assert!(desk.is_idle());
    drop((apart, work));
    assert_eq!(numbers(&desk.work(10).pending), [3]);
    drop(lane);
}

#[test]
fn commands_are_separated_with_all_that_must_not_overtake_them() {
    // 2 is asked for, 4 would overtake it on 3, and 5 would overtake 4 on 5. 1 comes before them all.
    let work: [&[i64]; 6] = [&[3, 8], &[2, 3], &[6], &[3, 5], &[5], &[8]];
    let (mut desk, mut work) = taken(&work);
    let apart = work.separate(&accounts([2]));
    assert_eq!(numbers(&apart.pending), [2, 4, 5]);
    assert_eq!(numbers(&work.pending), [1, 3, 6]);
    drop(work);
    assert_eq!(busy(&mut desk), [2, 3, 5]);
    drop(apart);
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn accounts_that_nobody_touches_separate_nothing() {
    let (mut desk, mut work) = taken(&[&[1], &[]]);
    let apart = work.separate(&accounts([2]));
    assert!(apart.pending.is_empty());
    assert_eq!(numbers(&work.pending), [1, 2]);
    drop(apart);
    assert_eq!(busy(&mut desk), [1]);
}
