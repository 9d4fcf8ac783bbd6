//! The queue's promises, on examples: who gets in, who is next, and who is woken for it.

use std::task::Poll;

use tokio::time::Instant;
pub(in crate::engine) mod desk;
mod pending;
mod properties;
mod wake;
mod work;

use self::desk::{COMMAND_BYTES, Desk, POST_BYTES, keyed, numbers, on};
use crate::engine::queue::Pending;

#[test]
fn commands_are_taken_in_the_order_of_arrival_and_no_more_than_asked_for() {
    let mut desk = Desk::roomy();
    for number in 1..=5 {
        assert!(desk.submit(number, &[i64::try_from(number).expect("small")]));
    }
    assert_eq!(desk.queue.len(), 5);
    assert_eq!(numbers(&desk.work(2).pending), [1, 2]);
    assert_eq!(desk.queue.len(), 3);
    assert_eq!(numbers(&desk.work(10).pending), [3, 4, 5]);
    assert_eq!(desk.queue.len(), 0);
    assert!(desk.is_idle());
}

#[test]
fn commands_of_one_account_share_a_batch_in_their_order() {
    let mut desk = Desk::roomy();
    for number in 1..=3 {
        assert!(desk.submit(number, &[7]));
    }
    assert_eq!(numbers(&desk.work(10).pending), [1, 2, 3]);
}

#[test]
fn nobody_overtakes_on_an_account_that_a_lane_works_on() {
    let mut desk = Desk::roomy();
    assert!(desk.submit(1, &[1]));
    let first = desk.work(10);
    // 2 waits for 1, 3 for 2 and 5 for 3; only 4 has nothing to do with any of them.
    for (number, accounts) in [(2, [1, 2]), (3, [2, 3]), (4, [4, 5]), (5, [6, 3])] {
        assert!(desk.submit(number, &accounts));
    }
    let second = desk.work(10);
    assert_eq!(numbers(&second.pending), [4]);
    assert!(desk.is_idle());
    drop(first);
    assert_eq!(numbers(&desk.work(10).pending), [2, 3, 5]);
}

#[test]
fn commands_without_an_account_wait_for_nobody() {
    let mut desk = Desk::roomy();
    assert!(desk.submit(1, &[]));
    let _first = desk.work(10);
    assert!(desk.submit(2, &[]));
    assert_eq!(numbers(&desk.work(10).pending), [2]);
}

#[test]
fn so_many_commands_may_wait_and_no_more() {
    let mut desk = Desk::new(3, 1_000_000);
    assert!(desk.submit(1, &[1]) && desk.submit(2, &[2]) && desk.submit(3, &[3]));
    assert!(!desk.submit(4, &[4]));
    drop(desk.work(1));
    assert!(desk.submit(5, &[5]));
    assert!(!desk.submit(6, &[6]));
}

#[test]
fn so_many_bytes_may_wait_and_no_more() {
    let mut desk = Desk::new(100, 2 * COMMAND_BYTES + 3);
    let send = |desk: &mut Desk, number, key: &str| {
        let command = keyed(number, on(&[]), key);
        desk.send(Pending::new(command, Instant::now()))
    };
    assert!(send(&mut desk, 1, "a"));
    assert!(!send(&mut desk, 2, "abc"));
    // To the byte.
    assert!(send(&mut desk, 3, "ab"));
    assert!(!send(&mut desk, 4, ""));
    // What is taken makes room for as much as it took.
    drop(desk.work(1));
    assert!(!send(&mut desk, 5, "ab"));
    assert!(send(&mut desk, 6, "a"));
}

#[test]
fn a_command_that_is_larger_than_the_queue_is_turned_away() {
    let mut desk = Desk::new(100, POST_BYTES - 1);
    assert!(!desk.submit(1, &[1]));
    assert_eq!(desk.queue.len(), 0);
    assert!(Desk::new(100, POST_BYTES).submit(2, &[1]));
}

#[test]
fn one_account_fills_half_of_the_queue_at_most_rounded_up() {
    for (commands_max, account_max) in [(1, 1), (2, 1), (4, 2), (5, 3)] {
        let mut desk = Desk::new(commands_max, 1_000_000);
        for number in 0..account_max {
            assert!(desk.submit(number, &[1]));
        }
        if 1 < commands_max {
            assert!(!desk.submit(100, &[1]), "of {commands_max}");
            assert!(!desk.submit(101, &[2, 1]), "of {commands_max}");
            assert!(desk.submit(102, &[2]), "of {commands_max}");
        }
        // What a lane has taken waits no more.
        let work = desk.work(1);
        assert!(desk.submit(103, &[1]), "of {commands_max}");
        drop(work);
    }
}

#[test]
fn a_command_that_waited_too_long_is_taken_out_and_not_worked_on() {
    let mut desk = Desk::new(4, 1_000_000);
    assert!(desk.submit_late(1, &[1]));
    assert!(desk.submit_late(2, &[1]));
    let taken = desk.taken(10);
    assert!(taken.work.is_none());
    assert_eq!(numbers(&taken.expired), [1, 2]);
    // It blocks nobody, and gives its place back.
    assert!(desk.submit_late(3, &[1]));
    assert!(desk.submit(4, &[1]));
    let taken = desk.taken(10);
    assert_eq!(numbers(&taken.expired), [3]);
    assert_eq!(numbers(&taken.work.expect("work").pending), [4]);
}

#[test]
fn what_waited_too_long_can_be_taken_out_while_no_lane_takes_anything() {
    let mut desk = Desk::new(4, 1_000_000);
    assert!(desk.submit_late(1, &[1]));
    assert!(desk.submit(2, &[1]));
    assert!(desk.submit_late(3, &[2]));
    assert_eq!(numbers(&desk.queue.expire()), [1, 3]);
    assert_eq!(desk.queue.len(), 1);
    assert!(desk.submit(4, &[1]));
    assert!(!desk.submit(5, &[1]));
    assert_eq!(numbers(&desk.work(10).pending), [2, 4]);
}

#[test]
fn an_abandoned_command_is_dropped_unapplied_and_gives_its_place_back() {
    let mut desk = Desk::new(2, 1_000_000);
    assert!(desk.submit(1, &[1]));
    desk.abandon(1);
    assert!(desk.is_idle());
    assert_eq!(desk.queue.len(), 0);
    assert!(desk.submit(2, &[1]));
    assert_eq!(numbers(&desk.work(10).pending), [2]);
}

#[test]
fn an_abandoned_command_does_not_count_towards_the_size_of_a_batch() {
    let mut desk = Desk::roomy();
    for number in 1..=3 {
        assert!(desk.submit(number, &[1]));
    }
    desk.abandon(1);
    assert_eq!(numbers(&desk.work(2).pending), [2, 3]);
}

#[test]
fn a_lane_is_woken_for_what_it_can_start_on() {
    let mut desk = Desk::roomy();
    // The one that fell asleep last comes first.
    let (second, mut first) = (desk.sleeper(10), desk.sleeper(10));
    assert!(desk.submit(1, &[1]));
    assert!(first.is_woken() && !second.is_woken());
    let work = first.work();
    // The lane that works on the account looks again when it is done.
    assert!(desk.submit(2, &[1, 2]));
    assert!(!second.is_woken());
    drop(work);
    assert!(second.is_woken());
}

#[test]
fn a_command_that_is_turned_away_wakes_nobody() {
    let mut desk = Desk::new(1, 1);
    let lane = desk.sleeper(10);
    assert!(!desk.submit(1, &[1]));
    assert!(!lane.is_woken());
}

#[test]
fn a_batch_that_ends_wakes_nobody_where_nothing_waits() {
    let mut desk = Desk::roomy();
    assert!(desk.submit(1, &[1]));
    let work = desk.work(10);
    let lane = desk.sleeper(10);
    drop(work);
    assert!(!lane.is_woken());
}

#[test]
fn a_full_batch_wakes_a_lane_for_the_rest() {
    for (size_max, wakes) in [(1, true), (2, false), (3, false)] {
        let mut desk = Desk::roomy();
        let third = desk.sleeper(size_max);
        let (second, mut first) = (desk.sleeper(size_max), desk.sleeper(size_max));
        assert!(desk.submit(1, &[1]) && desk.submit(2, &[2]));
        assert!(second.is_woken() && !third.is_woken());
        let _work = first.work();
        assert_eq!(third.is_woken(), wakes, "batches of {size_max}");
    }
}

#[test]
fn a_batch_that_is_not_full_leaves_the_others_asleep() {
    let mut desk = Desk::roomy();
    assert!(desk.submit(1, &[1]));
    let _busy = desk.work(10);
    let (second, mut first) = (desk.sleeper(3), desk.sleeper(3));
    assert!(desk.submit(2, &[1]) && desk.submit(3, &[2]));
    let work = first.work();
    assert_eq!(numbers(&work.pending), [3]);
    assert_eq!(desk.queue.len(), 1);
    assert!(!second.is_woken());
}

#[test]
fn a_closed_queue_takes_nothing_and_ends_when_all_that_waits_is_taken() {
    let mut desk = Desk::roomy();
    assert!(!desk.queue.is_finished());
    assert!(desk.submit(1, &[1]));
    desk.queue.close();
    assert!(!desk.submit(2, &[2]));
    assert!(!desk.queue.is_finished());
    assert_eq!(numbers(&desk.work(10).pending), [1]);
    assert!(desk.queue.is_finished());
    assert!(matches!(desk.take(10), Poll::Ready(None)));
}

#[test]
fn every_lane_is_woken_at_the_end() {
    let desk = Desk::roomy();
    let mut lanes = [desk.sleeper(10), desk.sleeper(10), desk.sleeper(10)];
    desk.queue.close();
    for lane in &mut lanes {
        assert!(lane.is_woken());
        assert!(matches!(lane.look(), Poll::Ready(None)));
    }
    // So is one that was about to fall asleep.
    assert!(matches!(desk.take(10), Poll::Ready(None)));
}
