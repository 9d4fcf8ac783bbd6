//! What a command on its way holds, how large it is, and what its caller hears.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::desk::{
    COMMAND_BYTES, Desk, command, keyed, named, on, open_account, open_user, pending, touching,
};
use crate::engine::limits::WAIT_MAX;
use crate::engine::queue::pending::resources;
use crate::engine::queue::{Pending, Resource, answer_all};
use crate::engine::watch::passage::Trail;
use crate::ledger::{
    AccountId, AccountRef, Action, Answered, BookName, Command, Condition, Fault, Posting,
    Rejection, Rule, UserId, Version,
};

fn account(id: i64) -> Resource {
    Resource::account(AccountId(id))
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
    let both = HashSet::from([account(1), account(2)]);
    assert_eq!(HashSet::from_iter(works[0].resources.clone()), both);
    let shop = Resource::name(&named("shop"));
    assert_eq!(works[1].resources, [shop]);
    assert_eq!(
        resources(&works),
        HashSet::from([account(1), account(2), shop])
    );
    assert_eq!(resources(&[]), HashSet::new());
}

#[test]
fn an_account_counts_once_if_a_condition_is_about_it_too() {
    let condition = Condition {
        account: AccountRef::Id(AccountId(1)),
        rule: Rule::Version(Version(1)),
        place: 0,
    };
    let command = Command {
        conditions: vec![condition],
        ..command(1, on(&[1]))
    };
    let (pending, _caller) = Pending::new(command, Instant::now());
    assert_eq!(pending.resources, [account(1)]);
    assert_eq!(
        pending.bytes,
        COMMAND_BYTES + size_of::<Condition>() + size_of::<Posting>()
    );
}

#[test]
fn a_command_is_as_large_as_the_texts_that_it_carries() {
    let name = AccountRef::Named(named("caf\u{e9}"));
    let open_account = open_account();
    for (action, bytes) in [
        (on(&[1, 2]), size_of::<Posting>()),
        (
            touching(std::slice::from_ref(&name)),
            size_of::<Posting>() + 5,
        ),
        (touching(&[name.clone(), name]), size_of::<Posting>() + 10),
        (
            touching(&[AccountRef::Owned(AccountId(1), UserId(2))]),
            size_of::<Posting>(),
        ),
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
    let mut desk = Desk::roomy();
    assert!(desk.submit(1, &[1]) && desk.submit(2, &[2]));
    let mut work = desk.work(2);
    let refused = Answered::first(Err(Rejection::EmailTaken));
    answer_all([(work.pending.remove(1), Ok(refused.clone()))]);
    assert_eq!(desk.answer(1), None);
    assert_eq!(desk.answer(2), Some(Ok(refused)));
}

#[test]
fn a_command_takes_the_passage_of_its_request_along_to_its_answer() {
    let (untraced, _caller) = pending(1, &[1]);
    assert!(untraced.passage.is_none());
    for answer in [Fault::Overloaded, Fault::Bug] {
        let trail = Trail::default();
        let request = trail.follow(async { pending(1, &[1]) });
        let (traced, _caller) = request.now_or_never().expect("nothing to wait for");
        answer_all([(traced, Err(answer))]);
        let answered = trail.passages()[0].answered().expect("answered");
        assert_eq!(answered.fault, Some(answer));
    }
}
