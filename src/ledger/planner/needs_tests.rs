//! What a view lacks for a plan, and how much the plan may open.

use super::needs::{Needs, Openings};
use super::posting_tests::{command, deposit, holding, now, post, transfer, usd};
use crate::ledger::{
    AccountId, AccountName, AccountRef, Action, BookId, BookName, Command, Email, FirstAccount,
    Head, Magnitude, NamedAccount, OpenAccount, OpenBook, OpenUser, View,
};

const A: AccountId = AccountId(1);
const B: AccountId = AccountId(2);

fn event(name: &str) -> AccountRef {
    AccountRef::Named(NamedAccount {
        book: BookName::EVENTS,
        name: AccountName::parse(name).expect("a name"),
        owner: None,
    })
}

fn open_user(email: Option<&str>) -> Action {
    Action::OpenUser(OpenUser {
        name: None,
        email: email.and_then(Email::parse),
        password_hash: None,
        session: None,
        account: Some(FirstAccount {
            currency: usd(),
            opening_balance: Magnitude::ZERO,
        }),
    })
}

fn open_account() -> Action {
    Action::OpenAccount(OpenAccount::plain(None, usd(), Magnitude::ZERO))
}

fn commands<const N: usize>(actions: [Action; N]) -> Vec<Command> {
    (1..)
        .zip(actions)
        .map(|(number, action)| command(number, action))
        .collect()
}

fn openings<const N: usize>(actions: [Action; N], view: &View) -> [usize; 3] {
    let commands = commands(actions);
    let openings = Openings::of(commands.iter(), view);
    [openings.accounts, openings.users, openings.books]
}

#[test]
fn accounts_are_needed_until_it_is_known_where_they_lead() {
    let commands = commands([transfer(A, B, 1), transfer(B, A, 1)]);
    let mut view = holding(&[10]);
    let needs = Needs::of(commands.iter(), &view, now());
    assert_eq!(needs.accounts, [AccountRef::Id(B)].into());
    view.absent.insert(AccountRef::Id(B));
    assert!(Needs::of(commands.iter(), &view, now()).is_empty());
}

#[test]
fn a_name_is_asked_for_once_its_book_is_known() {
    let to = event("shop");
    let commands = commands([post(None, Some(to.clone()), 1)]);
    let mut view = View::default();
    let needs = Needs::of(commands.iter(), &view, now());
    assert_eq!((needs.books.len(), needs.accounts.len()), (1, 0));
    let (id, opened_at) = (BookId(2), now());
    view.books
        .insert(BookName::EVENTS, OpenBook { id, opened_at });
    let needs = Needs::of(commands.iter(), &view, now());
    assert_eq!(
        (needs.books.len(), &needs.accounts),
        (0, &[to.clone()].into())
    );
    // A name alone does not make its head known.
    let head = Head::open(A, id, None, usd(), now());
    let AccountRef::Named(name) = &to else {
        unreachable!("an event has a name")
    };
    view.names.insert(name.clone(), A);
    assert!(!Needs::of(commands.iter(), &view, now()).is_empty());
    view.insert(&to, head);
    assert!(Needs::of(commands.iter(), &view, now()).is_empty());
}

#[test]
fn an_account_of_another_book_needs_its_name_and_the_open_book_of_that() {
    let commands = commands([deposit(A, 1)]);
    let mut view = View::default();
    let reference = AccountRef::Id(A);
    view.insert(&reference, Head::open(A, BookId(9), None, usd(), now()));
    let needs = Needs::of(commands.iter(), &view, now());
    assert_eq!(needs.book_names, [BookId(9)].into());
    view.book_names.insert(BookId(9), BookName::EVENTS);
    let needs = Needs::of(commands.iter(), &view, now());
    assert_eq!(needs.books, [BookName::EVENTS].into());
}

#[test]
fn emails_are_needed_in_every_form_until_it_is_known_who_has_them() {
    let commands = commands([open_user(Some("Ann@x")), open_user(None)]);
    let mut view = View::default();
    let needs = Needs::of(commands.iter(), &view, now());
    assert!(needs.emails.contains("ann@x"));
    view.emails
        .extend(needs.emails.into_iter().map(|email| (email, false)));
    assert!(Needs::of(commands.iter(), &view, now()).is_empty());
    // It may be taken by the next attempt.
    view.forget_guesses();
    assert!(!Needs::of(commands.iter(), &view, now()).is_empty());
}

#[test]
fn what_is_opened_needs_ids() {
    let view = holding(&[10, 10]);
    let [money, user, account] = [transfer(A, B, 1), open_user(None), open_account()];
    assert_eq!(openings([money.clone(), money], &view), [0, 0, 0]);
    assert_eq!(openings([user.clone(), user.clone()], &view), [2, 2, 0]);
    assert_eq!(openings([account.clone(), account, user], &view), [3, 1, 0]);
}

#[test]
fn a_name_without_an_account_needs_an_id_and_an_id_without_one_does_not() {
    let mut view = holding(&[]);
    view.absent
        .extend([event("shop"), event("cafe"), AccountRef::Id(A)]);
    assert_eq!(openings([deposit(A, 1)], &view), [2, 0, 0]);
}

#[test]
fn a_reset_may_leave_every_name_without_an_account() {
    let reset = || Action::ResetBook(BookName::EVENTS);
    let mut view = holding(&[10, 10]);
    assert_eq!(openings([reset(), reset()], &view), [0, 0, 2]);
    view.absent.insert(event("shop"));
    let [one, two] = [deposit(A, 1), transfer(A, B, 1)];
    assert_eq!(openings([one, reset(), two], &view), [1 + 3, 0, 1]);
}
