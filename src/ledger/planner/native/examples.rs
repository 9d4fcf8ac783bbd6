//! What callers ask, on examples: what is undone, what is replayed, and what expires.

use chrono::TimeDelta;

use super::super::posting_tests::{cents, command, holding, keyed, now, planned, withdrawal};
use super::asks::{
    A, B, C, account, ask, asked, by_caller, capture, hold_of, only, pay, place, refused, say,
};
use super::store::Store;
use crate::ledger::{
    AccountId, AccountRef, Action, Amendment, CallerId, Command, HoldStatus, Native, Object, Part,
    Party, Quantity, Rejection, Scope, Status, Target, Version, plan,
};

#[test]
fn every_step_of_a_refused_transaction_is_undone_of_each_account() {
    let view = holding(&[100, 0, 0]);
    let there_and_back = [
        pay(account(A), account(B), 60),
        pay(account(B), account(A), 10),
        pay(account(A), account(B), 30),
        pay(account(B), account(C), 81),
    ];
    let commands = [
        ask(1, Action::Post(there_and_back.to_vec())),
        command(2, withdrawal(A, 100)),
    ];
    let plan = planned(&commands, &view);
    let refusal = Rejection::InsufficientFunds {
        account: Some(B),
        available: cents(80),
    };
    assert_eq!(
        refused(&plan),
        [Some((refusal, Some(Part::Posting(3)))), None]
    );
    let sight = plan.answers[0].sight.as_ref().expect("a sight");
    let seen = sight.account.as_ref().expect("an account");
    assert_eq!(
        (seen.version, seen.available.as_str()),
        (Version(1), "0.00")
    );
    // Only the withdrawal is written, on the account as it was.
    assert_eq!(plan.entries.len(), 1);
    assert_eq!(plan.swaps.len(), 1);
    assert_eq!(plan.swaps[0].head.version, Version(3));
    let confirmed: Vec<AccountId> = plan.confirms.iter().map(|head| head.id).collect();
    assert_eq!(confirmed, [B, C]);
}

#[test]
fn a_posting_uses_what_an_earlier_one_brought() {
    let view = holding(&[0, 0, 0]);
    let mut all = pay(account(B), account(C), 1);
    all.amount = Quantity::All;
    let postings = vec![
        pay(Party::World, account(A), 70),
        pay(account(A), account(B), 70),
        all,
    ];
    let commands = [ask(1, Action::Post(postings))];
    let plan = planned(&commands, &view);
    let receipt = plan.answers[0].outcome.as_ref().expect("a receipt");
    let shown = receipt.standings.iter();
    let shown: Vec<_> = shown
        .map(|it| (it.account, it.amount, it.version))
        .collect();
    let expected = [
        (A, cents(0), Version(3)),
        (B, cents(0), Version(3)),
        (C, cents(70), Version(2)),
    ];
    assert_eq!(shown, expected);
    let posted = &receipt.more.as_ref().expect("a caller's").postings;
    assert_eq!(posted[2].amount, cents(70).magnitude());
}

#[test]
fn a_hold_that_a_refused_transaction_captured_is_as_it_was() {
    let mut store = Store::new(holding(&[100, 0]));
    assert_eq!(asked(&mut store, &[place(1, A, 50)], 0), [None]);
    let hold = hold_of(1);
    let postings = vec![
        pay(capture(hold), account(B), 20),
        pay(account(B), Party::World, 21),
    ];
    let commands = [
        ask(2, Action::Post(postings)),
        // The money of the hold is still held, and all of it can be captured.
        command(3, withdrawal(A, 51)),
        ask(4, Action::Post(vec![pay(capture(hold), account(B), 50)])),
        ask(5, Action::VoidHold(hold)),
    ];
    let short = |account, minor| Rejection::InsufficientFunds {
        account: Some(account),
        available: cents(minor),
    };
    let over = Native::HoldNotActive { account: A }.into();
    let answers = asked(&mut store, &commands, 1);
    assert_eq!(
        only(&answers),
        [Some(short(B, 20)), Some(short(A, 50)), None, Some(over)]
    );
}

#[test]
fn a_hold_that_was_refused_was_never_placed() {
    let mut store = Store::new(holding(&[100]));
    let commands = [
        place(1, A, 101),
        ask(2, Action::VoidHold(hold_of(1))),
        place(3, A, 100),
    ];
    let short = Rejection::InsufficientFunds {
        account: Some(A),
        available: cents(100),
    };
    let answers = asked(&mut store, &commands, 0);
    assert_eq!(
        only(&answers),
        [Some(short), Some(Native::HoldNotFound.into()), None]
    );
    assert_eq!(store.all.heads[&A].active_holds, 1);
}

#[test]
fn what_is_tried_out_leaves_nothing() {
    let mut store = Store::new(holding(&[100, 0]));
    let dry = |command| Command {
        is_dry: true,
        ..command
    };
    let payment = pay(account(A), account(B), 100);
    let commands = [
        dry(ask(1, Action::post(payment))),
        dry(place(2, A, 100)),
        ask(3, Action::VoidHold(hold_of(2))),
        dry(place(4, A, 100)),
    ];
    let gone = Some(Native::HoldNotFound.into());
    let answers = asked(&mut store, &commands, 0);
    assert_eq!(only(&answers), [None, None, gone, None]);
    assert_eq!(store.all.originals.len(), 0);
    assert_eq!(store.all.heads[&A].version, Version(2));
}

#[test]
fn a_retried_freeze_is_replayed_before_its_version_is_looked_at() {
    let mut store = Store::new(holding(&[100]));
    let freeze = |number, key: &str| {
        let action = Action::Amend(AccountRef::Id(A), Amendment::Status(Status::Frozen));
        let object = Object::Account(AccountRef::Id(A));
        let versions = Some(vec![Version(2)]);
        let target = Some(Target { object, versions });
        let command = by_caller(keyed(number, key, 1, action));
        Command { target, ..command }
    };
    let stale = Native::PreconditionFailed {
        current: Version(3),
    }
    .into();
    let commands = [freeze(1, "k"), freeze(2, "k"), freeze(3, "other")];
    assert_eq!(
        only(&asked(&mut store, &commands, 0)),
        [None, None, Some(stale)]
    );
    // Nobody remembers, so whether the key has an outcome must be known before it is refused.
    let retried = [freeze(4, "k")];
    let retried: Vec<&Command> = retried.iter().collect();
    let mut view = store.read(&retried, now());
    view.outcomes.clear();
    assert!(plan(&retried, &view, now()).needs_outcomes);
    view.looked_up
        .insert((Scope::Caller(CallerId::ANYONE), "k".to_owned()));
    assert!(!plan(&retried, &view, now()).needs_outcomes);
    view.outcomes.clone_from(&store.all.outcomes);
    let again = plan(&retried, &view, now());
    assert!(again.answers[0].replayed && !again.needs_outcomes && !again.writes());
}

#[test]
fn what_is_due_is_expired_by_whoever_touches_the_account_even_if_refused() {
    let mut store = Store::new(holding(&[100, 0]));
    let holds = [(1, 60, 10), (2, 30, 20), (3, 10, 100)];
    let placed = holds.map(|(number, minor, seconds)| until(place(number, A, minor), seconds));
    assert_eq!(asked(&mut store, &placed, 0), [None, None, None]);
    // A second before, all is held.
    let withdraw = |number, minor| [command(number, withdrawal(A, minor))];
    let answers = asked(&mut store, &withdraw(4, 1), 9);
    assert_eq!(only(&answers), [Some(short(0))]);
    assert_eq!(due(&store), (3, Some(10)));
    let answers = asked(&mut store, &withdraw(5, 61), 10);
    assert_eq!(only(&answers), [Some(short(60))]);
    assert_eq!(due(&store), (2, Some(20)));
    assert_eq!(
        asked(&mut store, &[command(6, Action::Expire(A))], 20),
        [None]
    );
    assert_eq!(due(&store), (1, Some(100)));
    assert_eq!(asked(&mut store, &withdraw(7, 100), 100), [None]);
    assert_eq!(due(&store), (0, None));
    let statuses = holds.map(|(number, ..)| {
        let hold = store.all.holds[&hold_of(number)].as_ref();
        hold.expect("a hold").status
    });
    assert_eq!(statuses, [HoldStatus::Expired; 3]);
}

fn until(mut command: Command, seconds: i64) -> Command {
    let Action::PlaceHold(hold) = &mut command.action else {
        unreachable!("it places a hold")
    };
    hold.expires_at = Some(now() + TimeDelta::seconds(seconds));
    command
}

fn short(minor: i128) -> Rejection {
    Rejection::InsufficientFunds {
        account: Some(A),
        available: cents(minor),
    }
}

/// How many holds are active, and after how many seconds the first may be due.
fn due(store: &Store) -> (u16, Option<i64>) {
    let head = &store.all.heads[&A];
    let seconds = head.due_at.map(|due_at| (due_at - now()).num_seconds());
    (head.active_holds, seconds)
}

#[test]
fn a_hold_whose_time_is_over_gives_nothing_even_if_nobody_has_written_that_down() {
    let mut store = Store::new(holding(&[100, 0]));
    assert_eq!(asked(&mut store, &[until(place(1, A, 60), 10)], 0), [None]);
    let capture = ask(2, Action::post(pay(capture(hold_of(1)), account(B), 1)));
    let commands = [&capture];
    let at = now() + TimeDelta::seconds(10);
    let mut view = store.read(&commands, at);
    // What is due was not asked for.
    view.due.clear();
    let over = Native::HoldNotActive { account: A }.into();
    assert_eq!(only(&refused(&plan(&commands, &view, at))), [Some(over)]);
    assert_eq!(view.heads[&A].state.held, cents(60));
}

#[test]
fn what_is_said_of_an_account_is_said_on_top_of_what_was_said_before_it() {
    let mut store = Store::new(holding(&[0]));
    let member = |name: &str, value: Option<&str>| [(name.to_owned(), value.map(str::to_owned))];
    let commands = [
        say(1, A, &member("a", Some("1"))),
        say(2, A, &member("b", Some("2"))),
        say(3, A, &member("b", Some("2"))),
    ];
    assert_eq!(asked(&mut store, &commands, 0), [None, None, None]);
    let names = |store: &Store| {
        let members = store.all.details[&A].0.keys();
        members.cloned().collect::<Vec<String>>()
    };
    assert_eq!(names(&store), ["a", "b"]);
    assert_eq!(store.all.heads[&A].version, Version(3));
    let commands = [
        say(4, A, &member("c", Some("3"))),
        say(5, A, &member("a", None)),
    ];
    assert_eq!(asked(&mut store, &commands, 1), [None, None]);
    assert_eq!(names(&store), ["b", "c"]);
    assert_eq!(store.all.heads[&A].version, Version(5));
}
