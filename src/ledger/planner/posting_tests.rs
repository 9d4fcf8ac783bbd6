//! The planner's rules, on examples.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a panic would be a failed test"
)]

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::plan::{Plan, View};
use crate::ledger::{
    AccountId, AccountName, AccountRef, Action, Amount, Answered, BookId, BookName, Command,
    Condition, Currency, CurrencyCode, Email, FirstAccount, Head, Key, Kind, Magnitude,
    NamedAccount, OpenBook, OpenUser, Party, Posting, Rejection, Rule, Side, Status, TransactionId,
    UserId, Version, plan,
};

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a time")
}

pub(super) fn usd() -> Currency {
    currency("USD")
}

pub(super) fn currency(code: &str) -> Currency {
    Currency {
        code: CurrencyCode::parse(code).expect("a code"),
        scale: 2,
    }
}

pub(super) fn cents(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("an amount")
}

/// Accounts 1, 2, … with these balances, each of one entry where it holds something.
pub(super) fn holding(balances: &[i128]) -> View {
    let mut view = View::default();
    let mut commands = Vec::new();
    for (id, balance) in (1..).map(AccountId).zip(balances) {
        let opened_at = now() - TimeDelta::hours(1);
        view.heads
            .insert(id, Head::open(id, BookId::MAIN, None, usd(), opened_at));
        if *balance != 0 {
            commands.push(command(1_000 + commands.len(), deposit(id, *balance)));
        }
    }
    view.unused_accounts = (100..200).map(AccountId).collect();
    view.unused_users = (100..200).map(UserId).collect();
    view.unused_books = (100..200).map(BookId).collect();
    let (id, opened_at) = (BookId(2), now() - TimeDelta::hours(2));
    view.books
        .insert(BookName::EVENTS, OpenBook { id, opened_at });
    let commands: Vec<&Command> = commands.iter().collect();
    let opening = plan(&commands, &view, now() - TimeDelta::minutes(1));
    carry(&mut view, &opening);
    view
}

/// The view after a plan was written.
pub(super) fn carry(view: &mut View, plan: &Plan<'_>) {
    for head in plan
        .swaps
        .iter()
        .map(|swap| &swap.head)
        .chain(plan.accounts.iter().map(|new| &new.head))
    {
        view.heads.insert(head.id, head.clone());
    }
    for account in &plan.accounts {
        if let Some(name) = &account.name {
            view.names.insert(name.clone(), account.head.id);
        }
        view.unused_accounts.retain(|id| *id != account.head.id);
    }
    for book in &plan.new_books {
        let (id, opened_at) = (book.id, book.opened_at);
        view.books.insert(book.name, OpenBook { id, opened_at });
        view.unused_books.retain(|id| *id != book.id);
    }
    view.unused_users
        .retain(|id| plan.users.iter().all(|user| user.id != *id));
}

pub(super) fn command(number: usize, action: Action) -> Command {
    let id = TransactionId(Uuid::from_u128(
        0x019b_7600_0000_7000_8000_0000_0000_0000 | u128::try_from(number).expect("a small number"),
    ));
    Command::new(id, action)
}

pub(super) fn keyed(number: usize, key: &str, digest: u8, action: Action) -> Command {
    let key = Key {
        text: key.to_owned(),
        digest: [digest; 32],
        said: None,
    };
    Command {
        key: Some(key),
        ..command(number, action)
    }
}

pub(super) fn deposit(to: AccountId, minor: i128) -> Action {
    post(None, Some(AccountRef::Id(to)), minor)
}

pub(super) fn withdrawal(from: AccountId, minor: i128) -> Action {
    post(Some(AccountRef::Id(from)), None, minor)
}

pub(super) fn transfer(from: AccountId, to: AccountId, minor: i128) -> Action {
    post(Some(AccountRef::Id(from)), Some(AccountRef::Id(to)), minor)
}

pub(super) fn post(from: Option<AccountRef>, to: Option<AccountRef>, minor: i128) -> Action {
    Action::post(posting(from, to, minor, usd()))
}

/// Money between accounts; none is the world.
pub(super) fn posting(
    from: Option<AccountRef>,
    to: Option<AccountRef>,
    minor: i128,
    currency: Currency,
) -> Posting {
    Posting::new(
        from.map_or(Party::World, Party::Account),
        to.map_or(Party::World, Party::Account),
        Magnitude::new(cents(minor)).expect("not negative"),
        currency,
    )
}

/// A command that depends on the version of an account.
pub(super) fn expecting(account: AccountId, version: i64, command: Command) -> Command {
    let (account, version) = (AccountRef::Id(account), Version(version));
    let rule = Rule::VersionOfFunded(version);
    let conditions = vec![Condition {
        account,
        rule,
        place: 0,
    }];
    Command {
        conditions,
        ..command
    }
}

fn named(name: &str) -> NamedAccount {
    NamedAccount {
        book: BookName::MAIN,
        name: AccountName::parse(name).expect("a name"),
        owner: None,
    }
}

pub(super) fn rejection(answered: &Answered) -> Rejection {
    answered.outcome.clone().expect_err("refused")
}

pub(super) fn planned<'a>(commands: &'a [Command], view: &View) -> Plan<'a> {
    plan(&commands.iter().collect::<Vec<_>>(), view, now())
}

const A: AccountId = AccountId(1);
const B: AccountId = AccountId(2);
const NOBODY: AccountId = AccountId(99);

#[test]
fn refusals_come_in_one_order() {
    let mut view = holding(&[1_000, 1_000, 0]);
    let frozen = AccountId(3);
    view.heads.get_mut(&frozen).expect("a head").state.status = Status::Frozen;
    let expecting = |version, action| expecting(A, version, command(9, action));
    let short = || Rejection::InsufficientFunds {
        account: Some(A),
        available: cents(1_000),
    };
    for (command, expected) in [
        (
            command(1, transfer(NOBODY, NOBODY, 1)),
            Rejection::AccountNotFound { side: Side::Source },
        ),
        (
            command(1, transfer(A, NOBODY, 5_000)),
            Rejection::AccountNotFound { side: Side::Target },
        ),
        (
            command(1, transfer(frozen, A, 5_000)),
            Rejection::AccountFrozen { account: frozen },
        ),
        (command(1, transfer(A, A, 5_000)), short()),
        (expecting(7, transfer(A, B, 5_000)), short()),
        (
            expecting(7, transfer(A, A, 1)),
            Rejection::SameAccount { account: A },
        ),
        (
            expecting(7, transfer(A, B, 1)),
            Rejection::VersionMismatch {
                account: A,
                current: Version(2),
            },
        ),
    ] {
        let commands = [command];
        assert_eq!(rejection(&planned(&commands, &view).answers[0]), expected);
    }
    let euros = posting(None, Some(AccountRef::Id(A)), 1, currency("EUR"));
    let commands = [command(1, Action::post(euros))];
    let mismatch = Rejection::CurrencyMismatch { account: A };
    assert_eq!(rejection(&planned(&commands, &view).answers[0]), mismatch);
    let most = crate::ledger::money::MINOR_UNITS_MAX;
    let commands = [command(1, deposit(A, most))];
    assert_eq!(
        rejection(&planned(&commands, &view).answers[0]),
        Rejection::AmountTooLarge { account: A }
    );
    let into_frozen = [command(1, deposit(frozen, 1))];
    assert!(
        planned(&into_frozen, &view).answers[0].outcome.is_ok(),
        "it takes money in"
    );
}

#[test]
fn all_that_is_there_can_be_spent_and_not_a_cent_more() {
    let view = holding(&[1_000]);
    let commands = [
        command(1, withdrawal(A, 1_000)),
        command(2, withdrawal(A, 1)),
    ];
    let plan = planned(&commands, &view);
    assert_eq!(
        plan.answers[0]
            .outcome
            .as_ref()
            .expect("accepted")
            .standings[0]
            .state
            .balance,
        Amount::ZERO
    );
    let short = Rejection::InsufficientFunds {
        account: Some(A),
        available: Amount::ZERO,
    };
    assert_eq!(rejection(&plan.answers[1]), short);
    assert_eq!(
        (plan.swaps.len(), plan.confirms.len(), plan.entries.len()),
        (1, 0, 1)
    );
}

#[test]
fn a_refusal_is_a_statement_about_a_head_and_is_confirmed() {
    let view = holding(&[10, 10]);
    let commands = [command(1, withdrawal(A, 11)), command(2, deposit(B, 1))];
    let plan = planned(&commands, &view);
    assert_eq!(
        plan.confirms.iter().map(|head| head.id).collect::<Vec<_>>(),
        [A]
    );
    assert_eq!(
        plan.swaps
            .iter()
            .map(|swap| swap.expected.id)
            .collect::<Vec<_>>(),
        [B]
    );
    assert!(
        plan.transactions.iter().all(|row| row.refusal.is_none()),
        "no key, no record"
    );
    let commands = [keyed(1, "k", 1, withdrawal(A, 11))];
    assert!(
        planned(&commands, &view).transactions[0].refusal.is_some(),
        "a key is remembered"
    );
}

#[test]
fn of_two_commands_with_one_key_the_second_gets_the_first_ones_outcome() {
    let view = holding(&[100]);
    let commands = [
        keyed(1, "k", 1, withdrawal(A, 60)),
        keyed(2, "k", 1, withdrawal(A, 60)),
        keyed(3, "k", 2, withdrawal(A, 5)),
        keyed(4, "l", 1, withdrawal(A, 60)),
        keyed(5, "l", 1, withdrawal(A, 60)),
        keyed(6, "z", 1, deposit(A, 0)),
        keyed(7, "z", 1, deposit(A, 0)),
    ];
    let plan = planned(&commands, &view);
    let replayed: Vec<bool> = plan
        .answers
        .iter()
        .map(|answered| answered.replayed)
        .collect();
    assert_eq!(replayed, [false, true, false, false, true, false, true]);
    assert_eq!(plan.answers[0].outcome, plan.answers[1].outcome);
    assert_eq!(
        rejection(&plan.answers[2]),
        Rejection::KeyReused {
            transaction: commands[0].id
        }
    );
    assert_eq!(plan.answers[3].outcome, plan.answers[4].outcome);
    assert_eq!(
        plan.answers[5].outcome.as_ref().expect("empty").kind,
        Kind::Empty
    );
    assert_eq!(plan.entries.len(), 1, "one withdrawal");
    assert_eq!(plan.transactions.len(), 3, "one for each key");
    let empty = plan
        .transactions
        .iter()
        .find(|row| row.kind == Kind::Empty)
        .expect("recorded");
    assert_eq!(empty.account, Some((A, Version(3))));
}

#[test]
fn only_an_accepted_command_or_a_key_opens_an_account() {
    let view = holding(&[10]);
    let to_new = |minor| {
        post(
            Some(AccountRef::Id(A)),
            Some(AccountRef::Named(named("new"))),
            minor,
        )
    };
    let commands = [command(1, to_new(11))];
    assert!(planned(&commands, &view).accounts.is_empty());
    let commands = [command(1, to_new(4)), command(2, to_new(3))];
    let plan = planned(&commands, &view);
    assert_eq!(plan.accounts.len(), 1);
    let head = &plan.accounts[0].head;
    assert_eq!((head.state.balance, head.version), (cents(7), Version(3)));
    assert_eq!(plan.entries.len(), 4);

    let mut view = holding(&[]);
    let owned = NamedAccount::of_user(UserId(5), usd());
    let take = |minor| post(Some(AccountRef::Named(owned.clone())), None, minor);
    let commands = [command(1, take(1))];
    let unknown = Rejection::UserNotFound { side: Side::Source };
    assert_eq!(rejection(&planned(&commands, &view).answers[0]), unknown);
    view.owners.insert(UserId(5));
    let short = Rejection::InsufficientFunds {
        account: None,
        available: Amount::ZERO,
    };
    let plan = planned(&commands, &view);
    assert_eq!(
        (rejection(&plan.answers[0]), plan.accounts.len()),
        (short, 0)
    );
    let commands = [keyed(1, "k", 1, take(1))];
    let plan = planned(&commands, &view);
    assert_eq!(
        (
            plan.accounts.len(),
            plan.transactions.len(),
            plan.entries.len()
        ),
        (1, 1, 0)
    );
}

#[test]
fn a_condition_on_an_account_that_is_not_there_opens_nothing() {
    let view = holding(&[]);
    let to = || Some(AccountRef::Named(named("new")));
    let commands = [
        expecting(NOBODY, 1, keyed(1, "k", 1, post(None, to(), 5))),
        keyed(2, "k", 1, post(None, to(), 5)),
    ];
    let plan = planned(&commands, &view);
    let unknown = Rejection::AccountNotFound { side: Side::Target };
    assert_eq!(rejection(&plan.answers[0]), unknown);
    // Nothing was remembered under the key.
    assert!(plan.answers[1].outcome.is_ok() && !plan.answers[1].replayed);
    let plan = planned(&commands[..1], &view);
    assert!(!plan.writes());
}

#[test]
fn a_plan_that_only_opens_an_account_writes() {
    let view = holding(&[]);
    let commands = [command(
        1,
        post(None, Some(AccountRef::Named(named("new"))), 5),
    )];
    let whole = planned(&commands, &view);
    assert!(whole.writes());
    let opens = Plan {
        accounts: whole.accounts,
        ..Plan::default()
    };
    assert!(opens.writes());
}

#[test]
fn an_email_opens_one_user() {
    let mut view = holding(&[]);
    let open = || {
        Action::OpenUser(OpenUser {
            name: None,
            email: Email::parse("a@b"),
            password_hash: None,
            session: None,
            account: Some(FirstAccount {
                currency: usd(),
                opening_balance: cents(5).magnitude(),
            }),
        })
    };
    let commands = [command(1, open()), keyed(2, "k", 1, open())];
    let plan = planned(&commands, &view);
    assert_eq!(rejection(&plan.answers[1]), Rejection::EmailTaken);
    assert_eq!(
        (plan.users.len(), plan.accounts.len(), plan.entries.len()),
        (1, 1, 1)
    );
    assert_eq!(plan.transactions[1].refusal, Some(Rejection::EmailTaken));
    view.emails.insert("a@b".to_owned(), true);
    assert_eq!(
        rejection(&planned(&commands, &view).answers[0]),
        Rejection::EmailTaken
    );
}

#[test]
fn time_never_goes_back_on_an_account() {
    let view = holding(&[100]);
    let commands = [command(1, withdrawal(A, 1)), command(2, withdrawal(A, 1))];
    let plan = plan(
        &commands.iter().collect::<Vec<_>>(),
        &view,
        now() - TimeDelta::days(1),
    );
    let before = view.heads[&A].last_entry_at;
    let times: Vec<_> = plan
        .entries
        .iter()
        .map(|entry| entry.sealed.entry.created_at)
        .collect();
    assert_eq!(
        times,
        [1, 2].map(|micros| before + TimeDelta::microseconds(micros))
    );
}
