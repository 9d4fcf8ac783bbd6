//! What the planner decides about openings, ownership and books that are reset, on examples.

use std::time::Duration;

use chrono::TimeDelta;

use super::posting_tests::{
    carry, cents, command, deposit, holding, keyed, now, planned, post, rejection, usd, withdrawal,
};
use crate::ledger::{
    AccountId, AccountName, AccountRef, Action, BookId, BookName, Caller, CallerId, Command, Email,
    FirstAccount, Head, Kind, Magnitude, NamedAccount, NewSession, OpenAccount, OpenBook, OpenUser,
    Rejection, Scope, Side, UserId, Version, View,
};

const A: AccountId = AccountId(1);
const OWNER: UserId = UserId(5);

fn event(name: &str) -> AccountRef {
    AccountRef::Named(NamedAccount {
        book: BookName::EVENTS,
        name: AccountName::parse(name).expect("a name"),
        owner: None,
    })
}

fn deposit_event(name: &str, minor: i128) -> Action {
    post(None, Some(event(name)), minor)
}

fn withdrawal_event(name: &str, minor: i128) -> Action {
    post(Some(event(name)), None, minor)
}

fn open(minor: i128) -> Action {
    let balance = cents(minor).magnitude();
    Action::OpenAccount(OpenAccount::plain(Some(OWNER), usd(), balance))
}

fn reset() -> Action {
    Action::ResetBook(BookName::EVENTS)
}

#[test]
fn an_account_without_a_name_is_opened_once_for_a_key() {
    let view = holding(&[]);
    let commands = [
        command(1, open(0)),
        keyed(2, "k", 1, open(10)),
        keyed(3, "k", 1, open(10)),
    ];
    let plan = planned(&commands, &view);
    let opened: Vec<_> = plan.accounts.iter().map(|new| &new.head).collect();
    assert_eq!(opened.len(), 2);
    assert!(plan.accounts.iter().all(|new| new.name.is_none()));
    assert!(opened.iter().all(|head| head.owner == Some(OWNER)));
    assert_eq!(
        (opened[0].version, opened[1].version),
        (Version(1), Version(2))
    );
    assert!(plan.answers[2].replayed);
    assert_eq!(plan.answers[1].outcome, plan.answers[2].outcome);
    assert_eq!((plan.entries.len(), plan.transactions.len()), (1, 2));
    assert_eq!(plan.transactions[0].scope, Scope::Book(BookId::MAIN));
}

#[test]
fn an_account_is_not_there_for_anybody_but_its_owner() {
    let mut view = holding(&[100]);
    view.heads.get_mut(&A).expect("an account").owner = Some(OWNER);
    let take = |user| {
        let from = AccountRef::Owned(A, user);
        post(Some(from), None, 10)
    };
    let commands = [
        keyed(1, "k", 1, take(OWNER)),
        keyed(2, "k", 1, take(UserId(6))),
        command(3, take(UserId(6))),
    ];
    let plan = planned(&commands, &view);
    assert!(plan.answers[0].outcome.is_ok());
    for answered in &plan.answers[1..] {
        // Not even that the key was used.
        let unknown = Rejection::AccountNotFound { side: Side::Source };
        assert_eq!(rejection(answered), unknown);
    }
    assert_eq!(plan.entries.len(), 1);
}

#[test]
fn a_plan_that_names_a_book_confirms_that_it_is_open() {
    let view = holding(&[100]);
    let commands = [command(1, withdrawal_event("x", 1))];
    let plan = planned(&commands, &view);
    let unknown = Rejection::AccountNotFound { side: Side::Source };
    assert_eq!(rejection(&plan.answers[0]), unknown);
    assert_eq!(plan.books, [BookId(2)]);
    let commands = [command(1, deposit_event("x", 1))];
    let plan = planned(&commands, &view);
    assert_eq!(plan.books, [BookId(2)]);
    assert_eq!(plan.accounts[0].head.book, BookId(2));
    let commands = [command(1, withdrawal(A, 1))];
    assert!(planned(&commands, &view).books.is_empty());
}

#[test]
fn after_a_reset_names_are_free_and_no_money_is_lost() {
    let mut view = holding(&[]);
    let before = [command(1, deposit_event("x", 10))];
    let opened = planned(&before, &view);
    carry(&mut view, &opened);
    let commands = [
        command(2, deposit_event("x", 5)),
        command(3, reset()),
        command(4, withdrawal_event("x", 1)),
        command(5, deposit_event("x", 7)),
        command(6, withdrawal_event("x", 3)),
    ];
    let plan = planned(&commands, &view);
    let unknown = Rejection::AccountNotFound { side: Side::Source };
    assert_eq!(rejection(&plan.answers[2]), unknown);
    assert_eq!(plan.swaps.len(), 1);
    assert_eq!(plan.swaps[0].head.state.balance, cents(15));
    assert_eq!(plan.accounts.len(), 1);
    let head = &plan.accounts[0].head;
    assert_eq!((head.state.balance, head.book), (cents(4), BookId(100)));
    assert_eq!(plan.sealed_books, [(BookId(2), now())]);
    // Sealing confirms that it was open; to lock it as well would be to lock it twice.
    assert!(plan.books.is_empty());
    assert_eq!(
        (plan.new_books[0].id, plan.new_books[0].name),
        (BookId(100), BookName::EVENTS)
    );

    carry(&mut view, &plan);
    let commands = [command(7, deposit_event("x", 1))];
    let plan = planned(&commands, &view);
    assert_eq!(plan.books, [BookId(100)]);
    assert_eq!(plan.swaps[0].head.state.balance, cents(5));
}

#[test]
fn two_resets_leave_one_open_book_and_a_key_resets_once() {
    let view = holding(&[]);
    let commands = [
        command(1, reset()),
        command(2, deposit_event("x", 1)),
        keyed(3, "k", 1, reset()),
        keyed(4, "k", 1, reset()),
        command(5, deposit_event("x", 2)),
    ];
    let plan = planned(&commands, &view);
    assert!(plan.answers[3].replayed);
    assert_eq!(plan.sealed_books.len(), 1);
    let sealed: Vec<_> = plan.new_books.iter().map(|book| book.sealed_at).collect();
    assert_eq!(sealed, [Some(now()), None]);
    let books: Vec<_> = plan.accounts.iter().map(|new| new.head.book).collect();
    assert_eq!(books, [BookId(100), BookId(101)]);
    let kinds: Vec<_> = plan.transactions.iter().map(|row| row.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Reset).count(), 2);
}

#[test]
fn nothing_of_a_book_is_earlier_than_its_opening() {
    let mut view = holding(&[]);
    // Another service opened it, whose clock is ahead.
    let (id, opened_at) = (BookId(2), now() + TimeDelta::seconds(3));
    view.books
        .insert(BookName::EVENTS, OpenBook { id, opened_at });
    let commands = [
        command(1, deposit_event("x", 1)),
        command(2, reset()),
        command(3, deposit_event("x", 1)),
        command(4, reset()),
        command(5, open(1)),
    ];
    let plan = planned(&commands, &view);
    assert_eq!(plan.sealed_books, [(id, opened_at)]);
    for book in &plan.new_books {
        assert_eq!(book.opened_at, opened_at);
    }
    assert_eq!(plan.new_books[0].sealed_at, Some(opened_at));
    let of_books: Vec<_> = plan.accounts.iter().map(|new| new.head.opened_at).collect();
    assert_eq!(of_books, [now(), opened_at, opened_at]);
    let resets = plan.answers.iter().filter_map(|answered| {
        let receipt = answered.outcome.as_ref().ok()?;
        (receipt.kind == Kind::Reset).then_some(receipt.created_at)
    });
    assert_eq!(resets.collect::<Vec<_>>(), [opened_at, opened_at]);
}

#[test]
fn the_main_book_needs_no_confirmation() {
    let view = holding(&[1]);
    let commands = [command(1, deposit(A, 1)), command(2, open(1))];
    let plan = planned(&commands, &view);
    assert!(plan.books.is_empty() && plan.sealed_books.is_empty());
}

/// An account of a book, beside those of the main one.
fn holding_in(book: BookId) -> (View, AccountId) {
    let mut view = holding(&[100]);
    let id = AccountId(50);
    let head = Head::open(id, book, None, usd(), now());
    view.heads.insert(id, head);
    view.book_names.insert(book, BookName::EVENTS);
    (view, id)
}

#[test]
fn an_account_of_an_open_book_is_written_by_its_id_while_that_is_open() {
    let (view, id) = holding_in(BookId(2));
    let commands = [command(1, deposit(id, 5)), command(2, withdrawal(id, 2))];
    let plan = planned(&commands, &view);
    assert!(plan.answers.iter().all(|answered| answered.outcome.is_ok()));
    assert_eq!(plan.swaps[0].head.state.balance, cents(3));
    assert_eq!(plan.books, [BookId(2)]);
}

#[test]
fn an_account_of_a_sealed_book_is_closed() {
    let (view, id) = holding_in(BookId(9));
    let transfer = |from, to| {
        let (from, to) = (AccountRef::Id(from), AccountRef::Id(to));
        post(Some(from), Some(to), 1)
    };
    let commands = [
        command(1, deposit(id, 5)),
        keyed(2, "k", 1, withdrawal(id, 1)),
        command(3, transfer(id, A)),
        command(4, transfer(A, id)),
    ];
    let plan = planned(&commands, &view);
    let closed = Rejection::AccountClosed { account: id };
    for answered in &plan.answers {
        assert_eq!(rejection(answered), closed);
    }
    assert_eq!(plan.transactions[0].refusal, Some(closed));
    assert!(plan.swaps.is_empty() && plan.entries.is_empty());
    // The book that is open in its stead is what shows it.
    assert_eq!(plan.books, [BookId(2)]);
    assert!(plan.confirms.iter().any(|expected| expected.id == id));
}

#[test]
fn an_account_is_closed_by_the_reset_before_it_in_the_batch() {
    let (view, id) = holding_in(BookId(2));
    let commands = [
        keyed(1, "k", 1, deposit(id, 5)),
        command(2, reset()),
        command(3, deposit(id, 1)),
        keyed(4, "k", 1, deposit(id, 5)),
        command(5, deposit_event("x", 7)),
        // The first account that the plan opens.
        command(6, deposit(AccountId(100), 1)),
        command(7, reset()),
        command(8, deposit(AccountId(100), 1)),
    ];
    let plan = planned(&commands, &view);
    let accepted: Vec<bool> = plan
        .answers
        .iter()
        .map(|answered| answered.outcome.is_ok())
        .collect();
    assert_eq!(accepted, [true, true, false, true, true, true, true, false]);
    assert!(plan.answers[3].replayed);
    let closed = |account| Rejection::AccountClosed { account };
    assert_eq!(rejection(&plan.answers[2]), closed(id));
    assert_eq!(rejection(&plan.answers[7]), closed(AccountId(100)));
    assert_eq!(plan.swaps[0].head.state.balance, cents(5));
    assert_eq!(plan.accounts[0].head.state.balance, cents(8));
    assert!(plan.books.is_empty());
}

#[test]
fn a_session_begins_with_the_user_and_once_for_a_key() {
    let session = NewSession {
        token_hash: [7; 32],
        lifetime: Duration::from_hours(24),
    };
    let open = |email: &str, session| {
        Action::OpenUser(OpenUser {
            name: None,
            email: Email::parse(email),
            password_hash: None,
            session,
            account: Some(FirstAccount {
                currency: usd(),
                opening_balance: Magnitude::ZERO,
            }),
        })
    };
    let commands = [
        keyed(1, "k", 1, open("a@b", Some(session))),
        keyed(2, "k", 1, open("a@b", Some(session))),
        command(3, open("a@b", Some(session))),
        command(4, open("c@d", None)),
    ];
    let view = holding(&[]);
    let plan = planned(&commands, &view);
    let begun: Vec<_> = plan
        .users
        .iter()
        .map(|user| {
            (
                user.email.map(Email::canonical),
                user.session.map(|session| session.token_hash),
            )
        })
        .collect();
    assert_eq!(begun, [(Some("a@b"), Some([7; 32])), (Some("c@d"), None)]);
}

#[test]
fn a_book_that_is_opened_on_the_way_need_not_be_there() {
    let view = holding(&[]);
    let caller = Caller {
        id: CallerId(2),
        book: BookName::EVENTS,
        person: None,
        request_id: "r".to_owned(),
    };
    let opening = Command {
        caller: Some(caller),
        ..command(
            2,
            Action::OpenAccount(OpenAccount::plain(None, usd(), cents(0).magnitude())),
        )
    };
    let commands = [command(1, reset()), opening];
    let plan = planned(&commands, &view);
    assert_eq!(plan.accounts[0].head.book, plan.new_books[0].id);
    assert_eq!(plan.books, []);
}
