//! What becomes of a batch after each error, by a lane without a connection.

use super::super::tests::lane;
use super::*;
use crate::engine::queue::tests::desk::{Desk, numbers};
use crate::ledger::AccountId;

/// A batch of so many commands, with those who wait for their answers.
fn batch(commands: u128) -> (Desk, Batch) {
    let mut desk = Desk::roomy();
    for number in 1..=commands {
        assert!(desk.submit(number, &[1]));
    }
    let work = desk.work(10);
    (desk, Batch::new(work))
}

/// The one batch that is left, with all its commands.
async fn whole(error: impl Into<RoundError>) -> (Lane, Batch) {
    let (mut lane, (_desk, batch)) = (lane(), batch(2));
    lane.ids.accounts.push(AccountId(1));
    let mut left = lane.recover(batch, error.into()).await;
    assert_eq!(left.len(), 1);
    let left = left.remove(0);
    assert_eq!(numbers(&left.work.pending), [1, 2]);
    (lane, left)
}

fn lost() -> String {
    "lost".to_owned()
}

#[test]
fn rests_grow_to_a_limit() {
    let rests = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(rest);
    let millis = rests.map(|rest| rest.map(|rest| rest.as_millis()));
    let [none, most] = [None, Some(20)];
    assert_eq!(
        millis,
        [none, none, Some(4), Some(8), Some(16), most, most, most]
    );
}

#[tokio::test]
async fn a_batch_may_be_committed_if_the_connection_is_lost_in_writing_and_in_reading_not() {
    let (_lane, left) = whole(CommitError::Lost(lost())).await;
    assert!(left.maybe_committed);
    assert_eq!(left.conflicts, 0);
    let (_lane, left) = whole(StorageError::Lost(lost())).await;
    assert!(!left.maybe_committed);
    assert_eq!(left.conflicts, 0);
}

#[tokio::test]
async fn what_was_doubtful_once_stays_so() {
    let (mut lane, (_desk, mut batch)) = (lane(), batch(1));
    batch.maybe_committed = true;
    let left = lane.recover(batch, StorageError::Lost(lost()).into()).await;
    assert!(left[0].maybe_committed);
}

#[tokio::test]
async fn a_batch_that_lost_to_another_writer_is_tried_again() {
    for error in [
        CommitError::HeadMoved,
        CommitError::NameTaken,
        CommitError::EmailTaken,
        CommitError::IdTaken,
        CommitError::RowLocked,
        CommitError::TransactionApplied,
    ] {
        let locked = error == CommitError::RowLocked;
        let applied = error == CommitError::TransactionApplied;
        let id_taken = error == CommitError::IdTaken;
        let (lane, left) = whole(error).await;
        assert_eq!(left.conflicts, 1);
        assert_eq!(left.skips_locked, locked);
        assert_eq!(left.maybe_committed, applied);
        assert_eq!(lane.ids.accounts.is_empty(), id_taken);
        assert_eq!(lane.shared.stats.conflicts.get(), 1);
    }
}

#[tokio::test]
async fn a_batch_stays_as_it_is_if_nobody_can_say_what_its_keys_mean() {
    let (_lane, left) = whole(CommitError::KeyTaken).await;
    assert_eq!(left.conflicts, 0);
    assert!(!left.maybe_committed);
}

#[tokio::test]
async fn a_command_that_the_database_cannot_take_answers_for_itself_alone() {
    for error in [
        RoundError::from(CommitError::BadData("bad".to_owned())),
        RoundError::from(StorageError::Corrupt("bad".to_owned())),
    ] {
        let (mut lane, (mut desk, batch)) = (lane(), batch(3));
        let halves = lane.recover(batch, error).await;
        let numbers = halves.iter().map(|half| numbers(&half.work.pending));
        assert_eq!(numbers.collect::<Vec<_>>(), [vec![1], vec![2, 3]]);
        for half in halves {
            let bad = CommitError::BadData("bad".to_owned());
            let is_one = half.work.pending.len() == 1;
            let left = lane.recover(half, bad.into()).await;
            assert_eq!(left.is_empty(), is_one);
        }
        assert_eq!(desk.answer(1), Some(Err(Fault::Bug)));
    }
}

#[tokio::test]
async fn a_batch_that_took_too_long_is_halved_once() {
    let (mut lane, (mut desk, batch)) = (lane(), batch(4));
    let halves = lane.recover(batch, CommitError::Cancelled.into()).await;
    assert_eq!(halves.len(), 2);
    for half in halves {
        assert!(half.halved);
        let left = lane.recover(half, CommitError::Cancelled.into()).await;
        assert!(left.is_empty());
    }
    // Several callers on one runtime are answered by a task there.
    tokio::task::yield_now().await;
    for number in 1..=4 {
        assert_eq!(desk.answer(number), Some(Err(Fault::Unavailable)));
    }
}

#[tokio::test]
async fn a_batch_finds_its_way_to_another_server_once() {
    for error in [
        || RoundError::from(CommitError::WrongServer("a standby".to_owned())),
        || RoundError::from(StorageError::Unfit("a standby".to_owned())),
    ] {
        let (mut lane, (mut desk, batch)) = (lane(), batch(1));
        let mut left = lane.recover(batch, error()).await;
        assert_eq!(left.len(), 1);
        let left = lane.recover(left.remove(0), error()).await;
        assert!(left.is_empty());
        assert_eq!(desk.answer(1), Some(Err(Fault::Unavailable)));
    }
}

#[tokio::test]
async fn a_server_that_takes_no_writes_fails_the_batch() {
    let (mut lane, (mut desk, batch)) = (lane(), batch(1));
    let refused = CommitError::Refused("full".to_owned());
    assert!(lane.recover(batch, refused.into()).await.is_empty());
    assert_eq!(desk.answer(1), Some(Err(Fault::Unavailable)));
}
