//! What callers are refused with, on examples: each rule, and which comes first.

use chrono::TimeDelta;

use super::super::plan::Original;
use super::super::posting_tests::{cents, command, currency, holding, now, planned, usd};
use super::asks::{
    A, B, C, account, ask, asked, bound, capture, figure, hold_of, limit, only, pay, place,
    refused, say, set,
};
use super::store::Store;
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountId, AccountRef, Action, BookId, BookName, Command, Condition, ExternalId, Head,
    HoldChange, HoldStatus, Magnitude, Metadata, Native, NewHold, OpenAccount, Part, Party,
    Posting, Rejection, Rule, Side, Status, TransactionId, UserId, Version, View,
};

const NOBODY: AccountId = AccountId(999);
const FULL: AccountId = AccountId(4);
const SEALED: AccountId = AccountId(5);

/// One with 100, a frozen, a closed, a full one, and one of a sealed book.
fn bank() -> View {
    let mut view = holding(&[100, 50, 0, MINOR_UNITS_MAX, 0]);
    view.heads.get_mut(&B).expect("a head").state.status = Status::Frozen;
    view.heads.get_mut(&C).expect("a head").state.status = Status::Closed;
    let head = Head::open(SEALED, BookId(9), None, usd(), now());
    view.heads.insert(SEALED, head);
    view.book_names.insert(BookId(9), BookName::EVENTS);
    view
}

fn short(account: AccountId, minor: i128) -> Rejection {
    Rejection::InsufficientFunds {
        account: Some(account),
        available: cents(minor),
    }
}

fn unknown(side: Side) -> Rejection {
    Rejection::AccountNotFound { side }
}

fn not_in_dollars() -> Rejection {
    let currency = "USD".to_owned();
    Native::NotInCurrency { currency }.into()
}

fn version(account: AccountId, version: i64) -> Condition {
    let (account, rule) = (AccountRef::Id(account), Rule::Version(Version(version)));
    Condition {
        account,
        rule,
        place: 3,
    }
}

/// A posting with its conditions, and why and where it is refused.
type Case = (Posting, Vec<Condition>, Rejection, Part);

fn in_euros(from: AccountId, to: AccountId) -> Posting {
    Posting {
        currency: Some(currency("EUR")),
        ..dollars(from, to, 1_000)
    }
}

fn dollars(from: AccountId, to: AccountId, minor: i128) -> Posting {
    pay(account(from), account(to), minor)
}

fn assert_refused(cases: impl IntoIterator<Item = Case>) {
    for (posting, conditions, rejection, part) in cases {
        let action = Action::post(posting);
        let asked = [Command {
            conditions,
            ..ask(1, action)
        }];
        let plan = planned(&asked, &bank());
        assert_eq!(refused(&plan), [Some((rejection, Some(part)))], "{asked:?}");
    }
}

#[test]
fn what_is_not_there_is_said_before_what_has_another_version() {
    let missing = || vec![version(NOBODY, 1)];
    let (here, there) = (Part::Posting(0), Part::Condition(3));
    let stale = Rejection::VersionMismatch {
        account: A,
        current: Version(2),
    };
    let (source, target) = (unknown(Side::Source), unknown(Side::Target));
    assert_refused([
        (dollars(NOBODY, NOBODY, 1), missing(), source, here),
        (dollars(A, NOBODY, 1), missing(), target.clone(), here),
        (
            in_euros(B, C),
            vec![version(A, 9), version(NOBODY, 1)],
            target,
            there,
        ),
        (in_euros(B, C), vec![version(A, 9)], stale, there),
    ]);
}

#[test]
fn refusals_of_a_posting_come_in_one_order() {
    let bounds = || vec![bound(A, "900.00")];
    let (here, there) = (Part::Posting(0), Part::Condition(3));
    let nobody = pay(Party::World, Party::World, 1);
    let none = Native::NoAccount.into();
    let frozen = Rejection::AccountFrozen { account: B };
    let other = Rejection::CurrencyMismatch { account: A };
    let closed = Rejection::AccountClosed { account: C };
    let same = Rejection::SameAccount { account: A };
    let full = Rejection::AmountTooLarge { account: FULL };
    let failed = Native::ConditionFailed { account: A }.into();
    assert_refused([
        (nobody, bounds(), none, here),
        (in_euros(B, C), bounds(), frozen, here),
        (in_euros(A, C), bounds(), other, here),
        (dollars(A, C, 1_000), bounds(), closed, here),
        (dollars(A, A, 1_000), bounds(), short(A, 100), here),
        (dollars(A, A, 10), bounds(), same, here),
        (dollars(A, FULL, 1), bounds(), full, here),
        (dollars(A, B, 10), vec![bound(A, "0.91")], failed, there),
        (
            dollars(A, B, 10),
            vec![bound(A, "0.901")],
            not_in_dollars(),
            there,
        ),
    ]);
    let conditions = vec![version(A, 2), bound(A, "0.90")];
    let action = Action::post(dollars(A, B, 10));
    let asked = [Command {
        conditions,
        ..ask(1, action)
    }];
    assert_eq!(refused(&planned(&asked, &bank())), [None]);
}

#[test]
fn an_account_of_a_sealed_book_is_not_seen_or_closed() {
    let dialect = command(1, Action::post(pay(account(SEALED), account(C), 1)));
    let caller = ask(2, Action::post(pay(account(SEALED), account(C), 1)));
    let mut of_its_book = ask(3, Action::post(pay(account(SEALED), Party::World, 1)));
    of_its_book.caller.as_mut().expect("a caller").book = BookName::EVENTS;
    let asked = [dialect, caller, of_its_book];
    let closed = Rejection::AccountClosed { account: SEALED };
    let expected = [
        Some(closed.clone()),
        Some(unknown(Side::Source)),
        Some(closed),
    ];
    assert_eq!(only(&refused(&planned(&asked, &bank()))), expected);
}

#[test]
fn refusals_of_a_hold_come_in_one_order() {
    let euros = |mut command: Command| {
        let Action::PlaceHold(NewHold {
            currency: coin,
            expires_at,
            ..
        }) = &mut command.action
        else {
            unreachable!("it places a hold")
        };
        *coin = currency("EUR");
        *expires_at = Some(now());
        command
    };
    let until = |mut command: Command, seconds| {
        let Action::PlaceHold(NewHold { expires_at, .. }) = &mut command.action else {
            unreachable!("it places a hold")
        };
        *expires_at = Some(now() + TimeDelta::seconds(seconds));
        command
    };
    let mut view = bank();
    view.heads.get_mut(&FULL).expect("a head").active_holds = Head::ACTIVE_HOLDS_MAX;
    let days = 90 * 24 * 3_600;
    let cases = [
        (euros(place(1, NOBODY, 1)), Some(unknown(Side::Target))),
        (
            euros(place(1, C, 1)),
            Some(Rejection::AccountClosed { account: C }),
        ),
        (
            euros(place(1, B, 1)),
            Some(Rejection::AccountFrozen { account: B }),
        ),
        (
            euros(place(1, A, 1)),
            Some(Rejection::CurrencyMismatch { account: A }),
        ),
        (
            until(place(1, FULL, 1), 0),
            Some(Native::TooManyHolds { account: FULL }.into()),
        ),
        (
            until(place(1, A, 101), 0),
            Some(Native::TimeOutOfRange.into()),
        ),
        (
            until(place(1, A, 101), days + 1),
            Some(Native::TimeOutOfRange.into()),
        ),
        (until(place(1, A, 101), days), Some(short(A, 100))),
        (until(place(1, A, 100), days), None),
        (until(place(1, A, 100), 1), None),
    ];
    for (command, expected) in cases {
        let asked = [command];
        assert_eq!(
            only(&refused(&planned(&asked, &view))),
            [expected],
            "{asked:?}"
        );
    }
    view.heads.get_mut(&FULL).expect("a head").active_holds = Head::ACTIVE_HOLDS_MAX - 1;
    let asked = [place(1, FULL, 1), place(2, FULL, 1)];
    let many = Native::TooManyHolds { account: FULL }.into();
    assert_eq!(only(&refused(&planned(&asked, &view))), [None, Some(many)]);
}

#[test]
fn a_hold_gives_what_remains_and_over_only_if_it_may() {
    let mut store = Store::new(holding(&[100, 0]));
    assert_eq!(
        asked(&mut store, &[place(1, A, 50), place(2, A, 10)], 0),
        [None, None]
    );
    let [hold, other] = [hold_of(1), hold_of(2)];
    let take = |number, minor, may_exceed| {
        let mut from = capture(hold);
        if let Party::Hold(capture) = &mut from {
            capture.may_exceed = may_exceed;
        }
        ask(number, Action::post(pay(from, account(B), minor)))
    };
    let change = |number, amount: &str| {
        let (amount, expires_at) = (Some(figure(amount)), None);
        ask(
            number,
            Action::ChangeHold(hold, HoldChange { amount, expires_at }),
        )
    };
    let exceeded = || Some(Native::HoldAmountExceeded { account: A }.into());
    let gone = || Some(Native::HoldNotActive { account: A }.into());
    let back = ask(3, Action::post(pay(capture(hold), account(A), 1)));
    let cases = [
        (back, Some(Rejection::SameAccount { account: A })),
        (take(4, 51, false), exceeded()),
        (take(5, 91, true), Some(short(A, 40))),
        (take(6, 20, false), None),
        (change(7, "0.19"), exceeded()),
        (change(8, "0.505"), Some(not_in_dollars())),
        (change(9, "0.91"), Some(short(A, 40))),
        (change(10, "0.50"), None),
        (set(11, A, Status::Frozen), None),
        (
            change(12, "0.51"),
            Some(Rejection::AccountFrozen { account: A }),
        ),
        (
            take(13, 1, false),
            Some(Rejection::AccountFrozen { account: A }),
        ),
        (change(14, "0.40"), None),
        (set(15, A, Status::Open), None),
        (take(16, 70, true), None),
        (take(17, 1, true), gone()),
        (change(18, "1"), gone()),
        (ask(19, Action::VoidHold(hold)), gone()),
        (ask(20, Action::VoidHold(other)), None),
        (
            ask(21, Action::VoidHold(hold_of(99))),
            Some(Native::HoldNotFound.into()),
        ),
    ];
    for (command, expected) in cases {
        let said = asked(&mut store, std::slice::from_ref(&command), 1);
        assert_eq!(only(&said), [expected], "{command:?}");
    }
    let state = store.all.heads[&A].state;
    assert_eq!((state.balance, state.held), (cents(10), cents(0)));
}

#[test]
fn a_hold_that_is_lowered_to_what_was_captured_of_it_is_captured() {
    let mut store = Store::new(holding(&[100, 0]));
    let hold = hold_of(1);
    let change = HoldChange {
        amount: Some(figure("0.20")),
        expires_at: None,
    };
    let commands = [
        place(1, A, 50),
        ask(2, Action::post(pay(capture(hold), account(B), 20))),
        ask(3, Action::ChangeHold(hold, change)),
        ask(4, Action::VoidHold(hold)),
    ];
    let gone = Some(Native::HoldNotActive { account: A }.into());
    let answers = asked(&mut store, &commands, 0);
    assert_eq!(only(&answers), [None, None, None, gone]);
    let hold = store.all.holds[&hold].as_ref().expect("a hold");
    assert_eq!(hold.status, HoldStatus::Captured);
    assert_eq!(store.all.heads[&A].state.held, cents(0));
}

#[test]
fn what_becomes_of_an_account_is_refused_in_one_order() {
    let member = |number: usize, value: &str| (format!("m{number:02}"), Some(value.to_owned()));
    let fifty = |last: &str| {
        let members =
            (0..Metadata::MEMBERS_MAX).map(|it| member(it, if it == 0 { last } else { "1" }));
        members.collect::<Vec<_>>()
    };
    // Each name has three bytes, and each value but one has one.
    let room = Metadata::BYTES_MAX - 4 * Metadata::MEMBERS_MAX + 1;
    let mut store = Store::new(holding(&[100, 0]));
    let large = || Some(Native::MetadataTooLarge.into());
    let closed = || Some(Rejection::AccountClosed { account: B });
    let all = ask(7, Action::post(pay(account(A), Party::World, 50)));
    let cases = [
        (place(1, A, 50), None),
        (
            set(2, A, Status::Closed),
            Some(Native::HasActiveHolds { account: A }.into()),
        ),
        (ask(3, Action::VoidHold(hold_of(1))), None),
        (
            set(4, A, Status::Closed),
            Some(Native::BalanceNotZero { account: A }.into()),
        ),
        (limit(5, A, "1.001"), Some(not_in_dollars())),
        (limit(6, A, "1.00"), None),
        (all, None),
        (
            ask(8, Action::post(pay(account(A), Party::World, 51))),
            None,
        ),
        (limit(9, A, "0"), Some(short(A, 99))),
        (limit(10, A, "0.01"), None),
        (say(11, B, &fifty(&"x".repeat(room + 1))), large()),
        (say(12, B, &fifty(&"x".repeat(room))), None),
        (say(13, B, &[member(99, "1")]), large()),
        (
            say(14, B, &[("m00".to_owned(), None), member(99, "1")]),
            None,
        ),
        (set(15, B, Status::Closed), None),
        (set(16, B, Status::Closed), None),
        (set(17, B, Status::Open), closed()),
        (say(18, B, &[]), closed()),
        (place(19, B, 1), closed()),
        (
            ask(20, Action::post(pay(account(A), account(B), 1))),
            closed(),
        ),
    ];
    for (command, expected) in cases {
        let said = asked(&mut store, std::slice::from_ref(&command), 0);
        assert_eq!(only(&said), [expected], "{command:?}");
    }
}

#[test]
fn what_is_taken_cannot_be_opened() {
    let open = |number, owner, external_id: Option<&str>| {
        let plain = OpenAccount::plain(owner, usd(), Magnitude::ZERO);
        let external_id = external_id.and_then(ExternalId::parse);
        ask(
            number,
            Action::OpenAccount(OpenAccount {
                external_id,
                ..plain
            }),
        )
    };
    let mut store = Store::new(holding(&[]));
    let stranger = || Some(Native::OwnerNotFound.into());
    let taken = || Some(Native::ExternalIdTaken.into());
    let book = |number| {
        ask(
            number,
            Action::OpenBook(BookName::parse("shop").expect("a name")),
        )
    };
    let commands = [
        open(1, Some(UserId(7)), Some("x")),
        open(2, None, Some("x")),
        open(3, Some(UserId(7)), Some("x")),
        open(4, None, Some("x")),
        book(5),
        book(6),
    ];
    let used = || Some(Native::BookTaken.into());
    let expected = [stranger(), None, stranger(), taken(), None, used()];
    assert_eq!(only(&asked(&mut store, &commands, 0)), expected);
    assert_eq!(
        only(&asked(&mut store, &[open(7, None, Some("x")), book(8)], 1)),
        [taken(), used()]
    );
}

#[test]
fn a_transaction_is_reversed_once_and_that_comes_before_funds() {
    let mut store = Store::new(holding(&[100, 0]));
    let id = |number| TransactionId(hold_of(number).0);
    let commands = [
        ask(1, Action::post(pay(account(A), account(B), 60))),
        place(2, A, 40),
    ];
    assert_eq!(asked(&mut store, &commands, 0), [None, None]);
    let elsewhere = Original {
        accounts: vec![SEALED],
        postings: Vec::new(),
        reversed_by: None,
    };
    store.all.originals.insert(id(50), Some(elsewhere));
    let head = Head::open(SEALED, BookId(2), None, usd(), now());
    store.all.heads.insert(SEALED, head);
    store.all.book_names.insert(BookId(2), BookName::EVENTS);
    let commands = [
        ask(3, Action::Reverse(id(99))),
        ask(4, Action::Reverse(id(50))),
        ask(5, Action::Reverse(id(2))),
        ask(6, Action::Reverse(id(1))),
        ask(7, Action::Reverse(id(1))),
    ];
    let missing = || Some(Native::NotFound.into());
    let again = |transaction| Some(Native::AlreadyReversed { transaction }.into());
    let still = Some(Native::NotReversible.into());
    let expected = [missing(), missing(), still, None, again(id(6))];
    assert_eq!(only(&asked(&mut store, &commands, 1)), expected);
    // What a reversal moved can be moved back, once.
    let commands = [
        ask(8, Action::Reverse(id(1))),
        ask(9, Action::Reverse(id(6))),
        ask(10, Action::Reverse(id(6))),
    ];
    let expected = [again(id(6)), None, again(id(9))];
    assert_eq!(only(&asked(&mut store, &commands, 2)), expected);
    assert_eq!(store.all.heads[&B].state.balance, cents(60));
}
