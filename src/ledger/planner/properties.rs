//! What holds of any plan, on random batches, beside a ledger written in the most obvious way.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a panic would be a failed test"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::naive::{Account, Naive, Said, Shown};
use super::plan::{Plan, Recorded, View};
use super::posting_tests::{
    carry, cents, command, currency, expecting, holding, keyed, now, planned, posting, usd,
};
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountId, AccountName, AccountRef, Action, Answered, BookId, BookName, Command, Currency,
    Email, FirstAccount, NamedAccount, OpenAccount, OpenUser, Scope, Sealed, Status, UserId,
    Version, key, plan,
};

/// What a random command asks. Half of them are on few accounts, so that they meet.
#[derive(Clone, Debug)]
struct Asked {
    action: Action,
    key: Option<u8>,
    digest: u8,
    expected_version: Option<i64>,
}

fn reference() -> impl Strategy<Value = AccountRef> {
    let event = prop::sample::select(vec!["a", "b"]).prop_map(|name| {
        AccountRef::Named(NamedAccount {
            book: BookName::EVENTS,
            name: AccountName::parse(name).expect("a name"),
            owner: None,
        })
    });
    let of_user = (5_i64..8, coin()).prop_map(|(user, currency)| {
        AccountRef::Named(NamedAccount::of_user(UserId(user), currency))
    });
    let owned =
        (1_i64..6, 5_i64..7).prop_map(|(id, user)| AccountRef::Owned(AccountId(id), UserId(user)));
    prop_oneof![
        4 => (1_i64..7).prop_map(|id| AccountRef::Id(AccountId(id))),
        1 => (100_i64..104).prop_map(|id| AccountRef::Id(AccountId(id))),
        1 => owned,
        2 => of_user,
        3 => event,
    ]
}

/// What money is in: mostly dollars.
fn coin() -> impl Strategy<Value = Currency> {
    prop_oneof![9 => Just(usd()), 1 => Just(currency("EUR"))]
}

fn minor() -> impl Strategy<Value = i128> {
    prop_oneof![8 => 1_i128..80, 2 => Just(0), 1 => Just(MINOR_UNITS_MAX)]
}

fn money() -> impl Strategy<Value = Action> {
    let ends = prop_oneof![
        reference().prop_map(|to| (None, Some(to))),
        reference().prop_map(|from| (Some(from), None)),
        (reference(), reference()).prop_map(|(from, to)| (Some(from), Some(to))),
    ];
    (ends, minor(), coin()).prop_map(|((from, to), minor, currency)| {
        // Nobody moves nothing from a name to itself.
        let minor = minor.max(i128::from(from == to));
        Action::post(posting(from, to, minor, currency))
    })
}

fn opening() -> impl Strategy<Value = Action> {
    let email = prop::option::of(prop::sample::select(vec!["a@x", "A@X", "b@x", "c@x"]));
    let user = (email, 0_i128..50, coin()).prop_map(|(email, minor, currency)| {
        Action::OpenUser(OpenUser {
            name: None,
            email: email.and_then(Email::parse),
            password_hash: None,
            session: None,
            account: Some(FirstAccount {
                currency,
                opening_balance: cents(minor).magnitude(),
            }),
        })
    });
    let account = (prop::option::of(Just(UserId(5))), 0_i128..50).prop_map(|(owner, minor)| {
        Action::OpenAccount(OpenAccount::plain(owner, usd(), cents(minor).magnitude()))
    });
    prop_oneof![2 => user, 2 => account, 1 => Just(Action::ResetBook(BookName::EVENTS))]
}

fn asked() -> impl Strategy<Value = Asked> {
    let action = prop_oneof![6 => money(), 1 => opening()];
    let key = prop::option::weighted(0.4, 0_u8..6);
    let expected_version = prop::option::weighted(0.15, 1_i64..5);
    (action, key, 0_u8..2, expected_version).prop_map(|(action, key, digest, expected_version)| {
        Asked {
            action,
            key,
            digest,
            expected_version,
        }
    })
}

fn commands_of(asked: &[Asked], first: usize) -> Vec<Command> {
    let commands = (first..).zip(asked).map(|(number, asked)| {
        let action = asked.action.clone();
        let command = match asked.key {
            Some(key) => keyed(number, &format!("k{key}"), asked.digest, action),
            None => command(number, action),
        };
        let first = command.accounts().next();
        match (asked.expected_version, first.cloned()) {
            (Some(version), Some(AccountRef::Id(id))) => expecting(id, version, command),
            _ => command,
        }
    });
    commands.collect()
}

/// Accounts 1 to 6: one that pays, one without money, one below whose floor nothing goes, one in euros, a frozen and a closed one.
/// Users 5 and 6 own some of them. User 7 does not exist.
fn bank() -> View {
    let mut view = holding(&[50, 0, 200, 1, 90, 90]);
    view.owners = [5, 6].map(UserId).into();
    for (id, head) in &mut view.heads {
        head.owner = [None, Some(UserId(5)), Some(UserId(6))][usize::try_from(id.0 % 3).unwrap()];
    }
    for (id, head) in &mut view.heads {
        match id.0 {
            2 => head.state.floor = cents(-30),
            3 => head.state.floor = cents(100),
            4 => head.currency = currency("EUR"),
            5 => head.state.status = Status::Frozen,
            6 => head.state.status = Status::Closed,
            _ => {}
        }
    }
    view
}

fn naive(view: &View) -> Naive {
    let accounts = view.heads.values().map(|head| {
        let account = Account {
            book: head.book,
            owner: head.owner,
            currency: head.currency,
            status: head.state.status,
            floor: head.state.floor.minor(),
            balance: head.state.balance.minor(),
            version: head.version.0,
        };
        (head.id, account)
    });
    Naive {
        accounts: accounts.collect(),
        names: HashMap::new(),
        events: BookId(2),
        owners: view.owners.iter().copied().collect(),
        emails: BTreeSet::new(),
        keys: HashMap::new(),
        next: [99, 99, 99],
    }
}

/// Writes a plan into the view as the database would, and the outcomes that it remembers.
fn write(view: &mut View, commands: &[Command], plan: &Plan<'_>) {
    carry(view, plan);
    let View {
        names,
        heads,
        books,
        ..
    } = view;
    names.retain(|name, id| AccountRef::Named(name.clone()).fits(&heads[id], books));
    let emails = plan.users.iter().filter_map(|user| user.email);
    view.emails
        .extend(emails.map(|email| (email.canonical().to_owned(), true)));
    let commands: HashMap<_, _> = commands
        .iter()
        .zip(&plan.answers)
        .map(|(command, answered)| (command.id, answered))
        .collect();
    for row in &plan.transactions {
        let Some(key) = row.key else { continue };
        let recorded = Recorded {
            transaction: row.id,
            digest: key.digest,
            outcome: commands[&row.id].outcome.clone(),
            sight: None,
            salt: None,
        };
        let before = view
            .outcomes
            .insert((row.scope, key.text.clone()), recorded);
        assert!(before.is_none(), "a key is remembered once");
    }
}

fn said(answered: &Answered) -> Said {
    let receipt = answered.outcome.clone()?;
    let shown = receipt.standings.iter().map(|standing| {
        let (id, owner, amount) = (standing.account, standing.owner, standing.amount);
        (id, owner, amount, standing.state.balance, standing.version)
    });
    Ok(shown.collect::<Vec<Shown>>())
}

/// Every plan: sorted, disjoint, conserving, chained, never below a floor, and its answers confirmed.
fn assert_sound(plan: &Plan<'_>, view: &View) {
    let swapped: Vec<_> = plan.swaps.iter().map(|swap| swap.expected.id).collect();
    assert!(swapped.is_sorted() && plan.confirms.is_sorted_by_key(|head| head.id));
    assert!(plan.confirms.iter().all(|head| !swapped.contains(&head.id)));
    let mut heads = view.heads.clone();
    heads.extend(plan.accounts.iter().map(|new| {
        let head = &new.head;
        (head.id, head.opening())
    }));
    let mut sums: HashMap<Uuid, (i128, bool)> = HashMap::new();
    for Sealed { entry, seal } in plan.entries.iter().map(|new| new.sealed) {
        let head = heads.get_mut(&entry.account).expect("a head");
        let followed = head.follow(&entry, None);
        let amount = entry.change.amount().minor();
        assert_eq!(entry.version.0, head.version.0 + 1, "no gap");
        assert_eq!(
            entry.after.balance.minor(),
            head.state.balance.minor() + amount
        );
        assert!(head.state.floor <= entry.after.balance, "below the floor");
        assert_eq!(seal, head.seal.next(&entry), "sealed to the one before");
        let first = head.version == Version::OPENING;
        assert!(
            head.last_entry_at < entry.created_at
                || first && head.last_entry_at == entry.created_at,
            "later than the one before"
        );
        (head.version, head.state) = (entry.version, entry.after);
        (head.seal, head.last_entry_at) = (seal, entry.created_at);
        assert_eq!(followed, Ok(head.clone()), "the same backwards");
        let sum = sums.entry(entry.transaction.0).or_default();
        let is_transfer = entry.change.counterparty().is_some();
        *sum = (sum.0 + amount, is_transfer);
    }
    assert!(
        sums.values()
            .all(|(sum, is_transfer)| !is_transfer || *sum == 0),
        "transfers sum to zero"
    );
    let written = plan.swaps.iter().map(|swap| &swap.head);
    for head in written.chain(plan.accounts.iter().map(|new| &new.head)) {
        assert_eq!(
            *head, heads[&head.id],
            "the head is what its entries make it"
        );
    }
    for row in &plan.transactions {
        if let Scope::Account(id) = row.scope
            && let Some(head) = view.heads.get(&id)
        {
            assert!(head.last_entry_at <= row.created_at, "{row:?}");
        }
    }
    assert_confirmed(plan);
}

/// What an answer depends on, the database confirms.
fn assert_confirmed(plan: &Plan<'_>) {
    let confirmed = plan.confirms.iter().map(|head| head.id);
    let swapped = plan.swaps.iter().map(|swap| swap.expected.id);
    let opened = plan.accounts.iter().map(|new| new.head.id);
    let seen: HashSet<AccountId> = confirmed.chain(swapped).chain(opened).collect();
    for answered in plan.answers.iter().filter(|answered| !answered.replayed) {
        let accounts = match &answered.outcome {
            Ok(receipt) => receipt
                .standings
                .iter()
                .map(|standing| standing.account)
                .collect(),
            Err(rejection) => Vec::from_iter(rejection.account()),
        };
        assert!(accounts.iter().all(|id| seen.contains(id)), "{answered:?}");
    }
}

fn assert_agrees(view: &View, naive: &Naive) {
    let accounts: BTreeMap<AccountId, Account> = self::naive(view).accounts;
    assert_eq!(accounts, naive.accounts);
    assert_eq!(view.names, naive.names);
    assert_eq!(view.books.id(BookName::EVENTS), Some(naive.events));
    let keys: HashSet<_> = view.outcomes.keys().collect();
    assert_eq!(keys, naive.keys.keys().collect());
}

/// What a plan writes of each transaction besides its key: scope, time, and the account that it names.
type Row = (Scope, DateTime<Utc>, Option<(AccountId, Version)>);

fn rows(plan: &Plan<'_>) -> BTreeMap<Uuid, Row> {
    let rows = plan.transactions.iter();
    rows.map(|row| (row.id.0, (row.scope, row.created_at, row.account)))
        .collect()
}

/// The clocks of services are apart, so a batch may be planned at an earlier time than the one before.
fn at(number: usize) -> DateTime<Utc> {
    now() + TimeDelta::seconds([0, -3, 2, 1][number % 4])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_batches_agree_with_the_naive_ledger(batches in prop::collection::vec(prop::collection::vec(asked(), 1..40), 1..4)) {
        let mut view = bank();
        let mut naive = naive(&view);
        for (number, asked) in batches.iter().enumerate() {
            let commands = commands_of(asked, number * 100);
            let references: Vec<&Command> = commands.iter().collect();
            let plan = plan(&references, &view, at(number));
            assert_sound(&plan, &view);
            for (command, answered) in commands.iter().zip(&plan.answers) {
                let expected = naive.ask(command);
                prop_assert_eq!((said(answered), answered.replayed), expected, "{:?}", command);
            }
            write(&mut view, &commands, &plan);
            assert_agrees(&view, &naive);
        }
    }

    #[test]
    fn how_commands_are_grouped_makes_no_difference(asked in prop::collection::vec(asked(), 1..30)) {
        let commands = commands_of(&asked, 0);
        let mut together = bank();
        let plan = planned(&commands, &together);
        let answers: Vec<Answered> = plan.answers.clone();
        let rows = rows(&plan);
        write(&mut together, &commands, &plan);
        let (mut alone, mut rows_alone) = (bank(), BTreeMap::new());
        for (command, answered) in commands.iter().zip(answers) {
            let one = std::slice::from_ref(command);
            let plan = planned(one, &alone);
            prop_assert_eq!(&plan.answers[0], &answered);
            rows_alone.extend(self::rows(&plan));
            write(&mut alone, one, &plan);
        }
        prop_assert_eq!(rows, rows_alone);
        prop_assert_eq!(together.heads, alone.heads);
        prop_assert_eq!(together.names, alone.names);
    }

    #[test]
    fn a_key_is_looked_up_in_the_scope_under_which_it_was_remembered(asked in prop::collection::vec(asked(), 1..30)) {
        let mut view = bank();
        for command in &commands_of(&asked, 0) {
            let plan = planned(std::slice::from_ref(command), &view);
            let remembered: Vec<_> = plan.transactions.iter().filter(|row| row.key.is_some()).map(|row| row.scope).collect();
            write(&mut view, std::slice::from_ref(command), &plan);
            for scope in remembered {
                let looked_up = key::scope(command, |reference| view.account(reference));
                prop_assert_eq!(looked_up, Some(scope), "{:?}", command);
            }
        }
    }

    #[test]
    fn a_batch_that_comes_again_under_its_keys_is_replayed(asked in prop::collection::vec(asked(), 1..30)) {
        // After a reset a name means another account, whose keys are its own.
        let is_reset = |command: &Command| matches!(command.action, Action::ResetBook(_));
        let mut commands = commands_of(&asked, 0);
        commands.retain(|command| !is_reset(command));
        let mut view = bank();
        let first = planned(&commands, &view);
        write(&mut view, &commands, &first);
        let outcomes: HashMap<_, _> = view.outcomes.values().map(|known| (known.transaction, known.outcome.clone())).collect();
        let again: Vec<Command> = commands.iter().filter(|command| outcomes.contains_key(&command.id)).cloned().collect();
        let plan = planned(&again, &view);
        prop_assert!(plan.swaps.is_empty() && plan.entries.is_empty() && plan.transactions.is_empty());
        prop_assert!(plan.accounts.is_empty() && plan.users.is_empty() && plan.new_books.is_empty());
        for (command, answered) in again.iter().zip(&plan.answers) {
            prop_assert_eq!(&answered.outcome, &outcomes[&command.id]);
            prop_assert!(answered.replayed);
        }
    }

    #[test]
    fn the_order_of_different_accounts_makes_no_difference(asked in prop::collection::vec(asked(), 1..30)) {
        let is_on_one = |command: &Command| {
            let is_id = |reference: &AccountRef| matches!(reference, AccountRef::Id(_));
            let mut accounts = command.accounts();
            accounts.next().is_some_and(is_id) && accounts.all(|it| Some(it) == command.accounts().next())
        };
        let commands: Vec<Command> = commands_of(&asked, 0).into_iter().filter(is_on_one).collect();
        let view = bank();
        let mut sorted: Vec<&Command> = commands.iter().collect();
        sorted.sort_by_key(|command| match command.accounts().next() {
            Some(AccountRef::Id(id)) => id.0,
            _ => 0,
        });
        let in_order = planned(&commands, &view);
        let by_account = plan(&sorted, &view, now());
        let heads = |plan: &Plan<'_>| plan.swaps.iter().map(|swap| swap.head.clone()).collect::<Vec<_>>();
        prop_assert_eq!(heads(&in_order), heads(&by_account));
    }
}
