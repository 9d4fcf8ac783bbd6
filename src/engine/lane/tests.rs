//! What a batch knows of itself, where it rests, and what its callers hear when it goes wrong.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::aside::Aside;
use super::batch::Batch;
use super::expiry::expire;
use super::ids::Ids;
use super::link::Link;
use super::state::Lane;
use crate::engine::Settings;
use crate::engine::limits::{COMMIT_MAX, FINAL_AFTER, RETRY_MAX};
use crate::engine::queue::tests::desk::{Desk, numbers, pending, usd};
use crate::engine::shared::Shared;
use crate::ledger::plan::Recorded;
use crate::ledger::{AccountId, Fault, Head, Rejection, Scope};
use crate::storage::Database;

/// A batch of commands 1, 2, … on these accounts, with the queue that it was taken from.
fn taken(commands: &[&[i64]]) -> (Desk, Batch) {
    let mut desk = Desk::roomy();
    for (number, accounts) in (1..).zip(commands) {
        assert!(desk.submit(number, accounts));
    }
    let batch = Batch::new(desk.work(commands.len()));
    assert_eq!(batch.work.pending.len(), commands.len());
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

#[test]
fn a_batch_has_so_long_and_starts_out_well() {
    let before = Instant::now();
    let (_desk, batch) = taken(&[&[1]]);
    assert!((before..=Instant::now()).contains(&batch.began));
    assert_eq!(batch.until(), batch.began + RETRY_MAX);
    assert_eq!((batch.conflicts, batch.rests), (0, 0));
    assert!(!batch.skips_locked && !batch.maybe_committed && !batch.halved);
}

#[test]
fn a_batch_that_fails_tells_every_caller_and_frees_its_accounts() {
    let (mut desk, batch) = taken(&[&[1], &[2, 3]]);
    batch.fail(Fault::Unavailable);
    for number in [1, 2] {
        assert_eq!(desk.answer(number), Some(Err(Fault::Unavailable)));
    }
    assert!(desk.submit(3, &[1, 2]));
    assert_eq!(numbers(&desk.work(10).pending), [3]);
}

#[test]
fn a_batch_that_may_have_been_committed_never_says_that_nothing_was_applied() {
    for fault in Fault::ALL {
        let (mut desk, mut batch) = taken(&[&[1]]);
        batch.maybe_committed = true;
        batch.fail(fault);
        assert_eq!(desk.answer(1), Some(Err(Fault::OutcomeUnknown)));
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
fn a_part_knows_outcomes_and_emails_and_how_it_went_and_reads_heads_again() {
    let (_desk, mut batch) = taken(&[&[1], &[2]]);
    let now = chrono::DateTime::UNIX_EPOCH;
    let scope = Scope::Account(AccountId(1));
    let head = Head::open(AccountId(1), crate::ledger::BookId::MAIN, None, usd(), now);
    let recorded = Recorded {
        transaction: batch.work.pending[0].command.id,
        digest: [7; 32],
        outcome: Err(Rejection::EmailTaken),
        sight: None,
        salt: None,
    };
    let view = &mut batch.view;
    view.outcomes.insert((scope, "key".to_owned()), recorded);
    view.emails.insert("ann@example.org".to_owned(), true);
    view.heads.insert(head.id, head);
    view.unused_accounts.push(AccountId(9));
    batch.conflicts = 2;
    batch.skips_locked = true;
    batch.maybe_committed = true;
    batch.halved = true;
    batch.rests = 3;
    let part = batch.split_off();
    for part in [&part, &batch] {
        assert_eq!(part.view.outcomes.len(), 1);
        assert!(part.view.emails["ann@example.org"]);
        assert_eq!((part.conflicts, part.rests), (2, 3));
        assert!(part.skips_locked && part.maybe_committed && part.halved);
        assert_eq!(part.began, batch.began);
    }
    assert!(part.view.heads.is_empty() && part.view.unused_accounts.is_empty());
}

/// A lane that has never had a connection.
pub(super) fn lane() -> Lane {
    let database = Database::parse("postgres://localhost/none", false).expect("a URL");
    let settings = Settings {
        lanes: 1,
        batch_size_max: 10,
        queue_max: 10,
        queue_bytes_max: 10_000,
        heads_max: 1_000,
    };
    let shared = Arc::new(Shared::new(database, settings));
    Lane {
        link: Link::new(shared.stats.connected.clone()),
        ids: Ids::default(),
        aside: Aside::default(),
        shared,
    }
}

#[test]
fn a_batch_rests_until_it_is_due_and_keeps_its_accounts() {
    let (mut desk, batch) = taken(&[&[1], &[1]]);
    let (mut aside, now) = (Aside::default(), Instant::now());
    aside.push(batch, now);
    assert!(aside.take(now).is_none());
    assert!(desk.submit(3, &[1]));
    assert!(desk.is_idle());
    let due = aside.due().expect("a batch");
    assert!(now < due && !aside.is_empty());
    let batch = aside.take(due).expect("due");
    assert_eq!(numbers(&batch.work.pending), [1, 2]);
    assert!(aside.is_empty() && aside.due().is_none());
    drop(batch);
    assert_eq!(numbers(&desk.work(10).pending), [3]);
}

#[test]
fn batches_are_due_in_the_order_in_which_they_were_set_aside() {
    let (mut aside, now) = (Aside::default(), Instant::now());
    let ((_first, first), (_second, second)) = (taken(&[&[1]]), taken(&[&[1], &[2]]));
    aside.push(first, now);
    aside.push(second, now + Duration::from_millis(1));
    let later = now + Duration::from_secs(1);
    let mut sizes = || aside.take(later).map(|batch| batch.work.pending.len());
    assert_eq!([sizes(), sizes(), sizes()], [Some(1), Some(2), None]);
}

#[test]
fn a_batch_that_rests_too_long_is_taken_out_and_the_others_stay() {
    let (mut aside, now) = (Aside::default(), Instant::now());
    let (_desk, mut whole) = taken(&[&[1], &[2], &[3]]);
    let mut second = whole.split_off();
    let third = second.split_off();
    second.began -= RETRY_MAX;
    for batch in [whole, second, third] {
        aside.push(batch, now);
    }
    let expired = aside.expire(Instant::now());
    assert_eq!(expired.len(), 1);
    assert_eq!(numbers(&expired[0].work.pending), [2]);
    assert!(aside.expire(Instant::now()).is_empty());
    let later = now + Duration::from_secs(1);
    let mut left = || aside.take(later).map(|batch| numbers(&batch.work.pending));
    assert_eq!(
        [left(), left(), left()],
        [Some(vec![1]), Some(vec![3]), None]
    );
}

#[tokio::test]
async fn a_lane_takes_what_has_rested_first_and_ends_after_the_last() {
    let mut lane = lane();
    let (_desk, resting) = taken(&[&[1]]);
    let long_ago = Instant::now() - Duration::from_secs(1);
    lane.aside.push(resting, long_ago);
    let (second, _caller) = pending(2, &[2]);
    assert!(lane.shared.queue.push(second));
    let mut next = async || Some(numbers(&lane.next().await?.work.pending));
    assert_eq!(next().await, Some(vec![1]));
    assert_eq!(next().await, Some(vec![2]));
    let (_desk, resting) = taken(&[&[3]]);
    lane.aside.push(resting, Instant::now());
    let (fourth, _caller) = pending(4, &[4]);
    assert!(lane.shared.queue.push(fourth));
    lane.shared.queue.close();
    let mut next = async || Some(numbers(&lane.next().await?.work.pending));
    assert_eq!(next().await, Some(vec![4]), "it is not due yet");
    assert_eq!(next().await, Some(vec![1]));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_lane_without_a_connection_waits_for_what_rests_and_tells_it_when_time_is_up() {
    let mut lane = lane();
    let (mut desk, mut resting) = taken(&[&[1]]);
    resting.began -= RETRY_MAX;
    lane.aside.push(resting, Instant::now());
    lane.shared.queue.close();
    expire(&lane.shared, &mut lane.aside, None).await;
    assert!(lane.aside.is_empty());
    assert_eq!(desk.answer(1), Some(Err(Fault::Unavailable)));
}
