//! What commands hold, who may not work on what meanwhile, and what callers hear when it goes wrong.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, Pending, Resource, answer_all, resources};
use super::desk::{
    COMMAND_BYTES, Desk, command, keyed, named, numbers, on, open_account, open_user, pending,
    touching, usd,
};
use super::{COMMIT_MAX, FINAL_AFTER, SETTLE_MAX, WAIT_MAX};
use crate::ledger::plan::Recorded;
use crate::ledger::{
    AccountId, AccountRef, Action, Answered, BookName, Fault, Head, Rejection, Scope, UserId,
};

fn account(id: i64) -> Resource {
    Resource::account(AccountId(id))
}

fn accounts<const N: usize>(ids: [i64; N]) -> HashSet<Resource> {
    ids.map(account).into()
}

/// A batch of commands 1, 2, … on these accounts, with the queue that it was taken from.
fn taken(commands: &[&[i64]]) -> (Desk, Batch) {
    let mut desk = Desk::roomy();
    for (number, accounts) in (1..).zip(commands) {
        assert!(desk.submit(number, accounts));
    }
    let batch = desk.batch(commands.len());
    assert_eq!(batch.work.len(), commands.len());
    (desk, batch)
}

#[test]
fn a_batch_is_late_when_it_can_no_longer_be_final_in_time() {
    let (_desk, mut batch) = taken(&[&[1]]);
    let now = Instant::now();
    batch.began = now + Duration::from_secs(1) - COMMIT_MAX;
    assert!(!batch.is_late() && batch.until() < now);
    batch.began = now - COMMIT_MAX;
    assert!(batch.is_late());
    // As the documents say.
    assert_eq!(FINAL_AFTER, Duration::from_secs(27));
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
fn a_command_holds_its_accounts_as_they_are_called() {
    let id = AccountRef::Id(AccountId(1));
    let owned = AccountRef::Owned(AccountId(2), UserId(7));
    let name = AccountRef::Named(named("shop"));
    let works = [[id, owned], [name.clone(), name]].map(|accounts| {
        let (pending, _caller) = Pending::new(command(1, touching(&accounts)), Instant::now());
        pending
    });
    assert_eq!(works[0].resources, [account(1), account(2)]);
    let shop = Resource::name(&named("shop"));
    assert_eq!(works[1].resources, [shop, shop]);
    assert_eq!(
        resources(&works),
        HashSet::from([account(1), account(2), shop])
    );
    assert_eq!(resources(&[]), HashSet::new());
}

#[test]
fn a_command_is_as_large_as_the_texts_that_it_carries() {
    let name = AccountRef::Named(named("caf\u{e9}"));
    let open_account = open_account();
    for (action, bytes) in [
        (on(&[1, 2]), 0),
        (touching(std::slice::from_ref(&name)), 5),
        (touching(&[name.clone(), name]), 10),
        (touching(&[AccountRef::Owned(AccountId(1), UserId(2))]), 0),
        (open_user(None), 0),
        (open_user(Some("ann")), 3 + 3 * 5 + 8),
        (open_account, 0),
        (Action::ResetBook(BookName::EVENTS), 0),
    ] {
        for key in ["", "k", "a-key"] {
            let command = keyed(1, action.clone(), key);
            let (pending, _caller) = Pending::new(command, Instant::now());
            let expected = COMMAND_BYTES + bytes + key.len();
            assert_eq!(pending.bytes, expected, "{action:?} {key:?}");
        }
        let (pending, _caller) = Pending::new(command(1, action), Instant::now());
        assert_eq!(pending.bytes, COMMAND_BYTES + bytes);
    }
}

#[test]
fn a_command_knows_how_long_it_has_waited_and_when_that_is_too_long() {
    let now = Instant::now();
    let (pending, _caller) = Pending::new(command(1, on(&[1])), now);
    assert_eq!(pending.deadline, now + WAIT_MAX);
    assert_eq!(pending.waited(now), Duration::ZERO);
    let later = Duration::from_millis(1_234);
    assert_eq!(pending.waited(now + later), later);
}

#[test]
fn a_batch_has_so_long_and_starts_out_well() {
    let before = Instant::now();
    let (_desk, batch) = taken(&[&[1]]);
    assert!((before..=Instant::now()).contains(&batch.began));
    assert_eq!(batch.until(), batch.began + SETTLE_MAX);
    assert_eq!((batch.conflicts, batch.rests), (0, 0));
    assert!(!batch.cautious && !batch.suspect && !batch.halved);
}

#[test]
fn a_command_is_abandoned_when_its_caller_is_gone() {
    let (pending, caller) = pending(1, &[1]);
    assert!(!pending.is_abandoned());
    drop(caller);
    assert!(pending.is_abandoned());
    // Nobody hears it, and nobody minds.
    answer_all([(pending, Err(Fault::Bug))]);
}

#[test]
fn a_caller_hears_the_answer_to_its_own_command() {
    let (mut desk, mut batch) = taken(&[&[1], &[2]]);
    let refused = Answered::first(Err(Rejection::EmailTaken));
    answer_all([(batch.work.remove(1), Ok(refused.clone()))]);
    assert_eq!(desk.answer(1), None);
    assert_eq!(desk.answer(2), Some(Ok(refused)));
}

#[test]
fn a_batch_names_its_commands_in_order() {
    let (_desk, batch) = taken(&[&[1], &[], &[1, 2]]);
    let numbers: Vec<_> = batch
        .commands()
        .map(|command| command.id.0.as_u128())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_batch_that_fails_tells_every_caller_and_frees_its_accounts() {
    let (mut desk, batch) = taken(&[&[1], &[2, 3]]);
    batch.fail(Fault::Unavailable);
    for number in [1, 2] {
        assert_eq!(desk.answer(number), Some(Err(Fault::Unavailable)));
    }
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn a_batch_that_may_have_been_committed_never_says_that_nothing_was_applied() {
    for fault in Fault::ALL {
        let (mut desk, mut batch) = taken(&[&[1]]);
        batch.suspect = true;
        batch.fail(fault);
        assert_eq!(desk.answer(1), Some(Err(Fault::OutcomeUnknown)));
    }
}

#[test]
fn a_batch_keeps_its_accounts_as_long_as_it_lives() {
    let (mut desk, mut batch) = taken(&[&[1], &[2, 3], &[]]);
    assert_eq!(busy(&mut desk), [1, 2, 3]);
    // Also those of commands that have their answer by now.
    batch.work.clear();
    assert_eq!(busy(&mut desk), [1, 2, 3]);
    drop(batch);
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn a_batch_is_split_in_the_middle_and_the_second_half_is_no_smaller() {
    for (size, first_size) in [(1, 0), (2, 1), (3, 1), (7, 3), (8, 4)] {
        let commands = vec![[1].as_slice(); size];
        let (_desk, mut first) = taken(&commands);
        let second = first.split_off();
        let all = [numbers(&first.work), numbers(&second.work)];
        assert_eq!(all[0].len(), first_size, "of {size}");
        assert!(all.concat().into_iter().eq((1..).take(size)));
    }
}

#[test]
fn a_batch_of_several_may_be_halved_unless_it_was() {
    for (size, may_be_halved) in [(1, false), (2, true), (3, true)] {
        let (_desk, mut batch) = taken(&vec![[1].as_slice(); size]);
        assert_eq!(batch.may_be_halved(), may_be_halved, "of {size}");
        batch.halved = true;
        assert!(!batch.may_be_halved());
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
fn nothing_is_free_while_a_batch_is_parted() {
    let (mut desk, mut batch) = taken(&[&[1], &[1]]);
    assert!(desk.submit(3, &[1]));
    let lane = desk.sleeper(10);
    let apart = batch.separate(&accounts([1]));
    assert!(desk.is_idle());
    drop((apart, batch));
    assert_eq!(numbers(&desk.batch(10).work), [3]);
    drop(lane);
}

#[test]
fn commands_are_separated_with_all_that_must_not_overtake_them() {
    // 2 is asked for, 4 would overtake it on 3, and 5 would overtake 4 on 5. 1 comes before them all.
    let work: [&[i64]; 6] = [&[3, 8], &[2, 3], &[6], &[3, 5], &[5], &[8]];
    let (mut desk, mut batch) = taken(&work);
    let apart = batch.separate(&accounts([2]));
    assert_eq!(numbers(&apart.work), [2, 4, 5]);
    assert_eq!(numbers(&batch.work), [1, 3, 6]);
    drop(batch);
    assert_eq!(busy(&mut desk), [2, 3, 5]);
    drop(apart);
    assert!(busy(&mut desk).is_empty());
}

#[test]
fn accounts_that_nobody_touches_separate_nothing() {
    let (mut desk, mut batch) = taken(&[&[1], &[]]);
    let apart = batch.separate(&accounts([2]));
    assert!(apart.work.is_empty());
    assert_eq!(numbers(&batch.work), [1, 2]);
    drop(apart);
    assert_eq!(busy(&mut desk), [1]);
}

#[test]
fn a_part_knows_outcomes_and_emails_and_how_it_went_and_reads_heads_again() {
    let (_desk, mut batch) = taken(&[&[1], &[2]]);
    let now = chrono::DateTime::UNIX_EPOCH;
    let scope = Scope::Account(AccountId(1));
    let head = Head::open(AccountId(1), crate::ledger::BookId::MAIN, None, usd(), now);
    let recorded = Recorded {
        transaction: batch.work[0].command.id,
        digest: [7; 32],
        outcome: Err(Rejection::EmailTaken),
    };
    let view = &mut batch.view;
    view.outcomes.insert((scope, "key".to_owned()), recorded);
    view.emails.insert("ann@example.org".to_owned());
    view.heads.insert(head.id, head);
    view.unused_accounts.push(AccountId(9));
    batch.conflicts = 2;
    batch.cautious = true;
    batch.suspect = true;
    batch.halved = true;
    batch.rests = 3;
    let part = batch.split_off();
    for part in [&part, &batch] {
        assert_eq!(part.view.outcomes.len(), 1);
        assert!(part.view.emails.contains("ann@example.org"));
        assert_eq!((part.conflicts, part.rests), (2, 3));
        assert!(part.cautious && part.suspect && part.halved);
        assert_eq!(part.began, batch.began);
    }
    assert!(part.view.heads.is_empty() && part.view.unused_accounts.is_empty());
}
