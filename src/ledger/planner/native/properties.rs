//! What holds of callers' commands: random ones in batches, beside a ledger written in the most obvious way.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::super::plan::{Plan, View};
use super::super::posting_tests::{cents, currency, holding, now};
use super::dice::{Dice, Table};
use super::naive::{Account, Book, Naive};
use super::sound::assert_sound;
use super::store::{FIRST_ID, Store, expiries};
use crate::ledger::{
    Answered, BookId, BookName, Command, Head, Hold, HoldId, OpenBook, Scope, TransactionId,
    UserId, plan,
};

/// Batches of commands, each by the seed of its dice, and how many seconds go by before each batch.
type Seeds = Vec<(i64, Vec<u64>)>;

fn seeds() -> impl Strategy<Value = Seeds> {
    let pause = prop_oneof![
        3 => Just(0_i64),
        2 => Just(-3),
        3 => 1_i64..100,
        1 => Just(86_400),
        1 => Just(8_000_000),
    ];
    let batch = (pause, prop::collection::vec(any::<u64>(), 1..25));
    prop::collection::vec(batch, 1..6)
}

/// Accounts of three books, one in euros, one with an overdraft, and one with less than it must keep.
fn bank() -> Store {
    let mut view = holding(&[5_000, 200, 0, 300, 400, 500, 100]);
    let book = |name| BookName::parse(name).expect("a name");
    let opened_at = now() - TimeDelta::hours(2);
    let shop = OpenBook {
        id: BookId(3),
        opened_at,
    };
    view.books.insert(book("shop"), shop);
    view.book_names = [(BookId(2), BookName::EVENTS), (BookId(3), book("shop"))].into();
    view.users = [(UserId(5), true)].into();
    let heads = std::mem::take(&mut view.heads);
    let heads = heads.into_values().map(|before| {
        let (id, balance) = (before.id, before.state.balance);
        let (book, coin, floor) = match id.0 {
            3 => (BookId::MAIN, "USD", -300),
            4 => (BookId::MAIN, "EUR", 0),
            5 => (BookId(2), "USD", 0),
            6 => (BookId(3), "USD", 0),
            7 => (BookId::MAIN, "USD", 100),
            _ => (BookId::MAIN, "USD", 0),
        };
        let mut head = Head::open(id, book, None, currency(coin), before.opened_at);
        (head.state.balance, head.state.floor) = (balance, cents(floor));
        (id, head)
    });
    view.heads = heads.collect();
    Store::new(view)
}

/// All of what is stored that the most obvious ledger knows as well.
fn naive(store: &Store) -> Naive {
    let View {
        heads,
        books,
        users,
        ..
    } = &store.all;
    let accounts = heads.values().map(|head| (head.id, account(head)));
    let names = store.all.book_names.iter().map(|(id, name)| (*id, *name));
    let names = names.chain([(BookId::MAIN, BookName::MAIN)]);
    let books = names.map(|(id, name)| {
        let opened_at = books
            .find(name)
            .map_or(DateTime::UNIX_EPOCH, |book| book.opened_at);
        let is_open = true;
        (
            id,
            Book {
                name,
                opened_at,
                is_open,
            },
        )
    });
    Naive {
        now: now(),
        within: None,
        accounts: accounts.collect(),
        holds: BTreeMap::new(),
        books: books.collect(),
        users: users.keys().copied().collect(),
        external_ids: BTreeMap::new(),
        transactions: BTreeMap::new(),
        keys: BTreeMap::new(),
        next: [FIRST_ID; 3],
        expiries: expiries(0).take(1_000).collect(),
    }
}

fn account(head: &Head) -> Account {
    Account {
        book: head.book,
        owner: head.owner,
        currency: head.currency,
        balance: head.state.balance.minor(),
        floor: head.state.floor.minor(),
        status: head.state.status,
        details: None,
        version: head.version.0,
        last_entry_at: head.last_entry_at,
    }
}

fn throw(naive: &Naive, batch: usize, seeds: &[u64]) -> Vec<Command> {
    let first = batch * 100;
    let numbers = (first..).zip(seeds);
    let commands = numbers.map(|(number, seed)| {
        let mut dice = Dice(*seed);
        Table::new(naive, first, number, &mut dice).throw(&mut dice)
    });
    commands.collect()
}

/// What both ledgers know is the same.
fn assert_agree(store: &Store, naive: &Naive) {
    let all = &store.all;
    assert_eq!(all.heads.len(), naive.accounts.len());
    for (id, account) in &naive.accounts {
        let head = &all.heads[id];
        let details = account.details.clone();
        let stored = Account {
            details,
            ..self::account(head)
        };
        assert_eq!(*account, stored, "{id}");
        assert_eq!(head.state, naive.standing(*id, 0).state, "{id}");
        let said = account.details.as_ref().map(|details| &details.metadata);
        assert_eq!(all.details.get(id), said, "{id}");
    }
    let holds: BTreeMap<HoldId, Hold> = all
        .holds
        .values()
        .flatten()
        .map(|hold| (hold.id, hold.clone()))
        .collect();
    assert_eq!(holds, naive.holds);
    let mut external_ids = all.external_ids.keys();
    assert!(external_ids.all(|id| naive.external_ids.contains_key(id)));
    assert_eq!(all.external_ids.len(), naive.external_ids.len());
    assert_eq!(all.outcomes.len(), naive.keys.len());
    assert_eq!(all.originals.len(), naive.transactions.len());
    for (id, moved) in &naive.transactions {
        let original = all.originals[id].as_ref().expect("a transaction");
        assert!(original.accounts.iter().eq(&moved.accounts), "{id}");
        assert_eq!(
            (&original.postings, original.reversed_by),
            (&moved.postings, moved.reversed_by)
        );
    }
}

/// What a plan writes of each transaction, in the order of their ids.
fn rows(plan: &Plan<'_>) -> BTreeMap<TransactionId, String> {
    let rows = plan.transactions.iter();
    rows.map(|row| (row.id, format!("{row:?}"))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn callers_batches_agree_with_the_naive_ledger(seeds in seeds()) {
        let mut store = bank();
        let mut naive = naive(&store);
        for (batch, (pause, seeds)) in seeds.iter().enumerate() {
            naive.now += TimeDelta::seconds(*pause);
            let commands = throw(&naive, batch, seeds);
            let commands: Vec<&Command> = commands.iter().collect();
            let keys = commands.iter().filter_map(|command| command.caller.as_ref().zip(command.key.as_ref()));
            if batch % 2 == 0 {
                store.all.looked_up = keys.map(|(caller, key)| (Scope::Caller(caller.id), key.text.clone())).collect();
            } else {
                store.all.looked_up.clear();
            }
            let view = store.read(&commands, naive.now);
            let plan = plan(&commands, &view, naive.now);
            for (command, answered) in commands.iter().zip(&plan.answers) {
                let expected = naive.ask(command);
                prop_assert_eq!(answered, &expected, "{:#?}", command);
            }
            assert_sound(&plan, &commands, &store);
            store.write(&commands, &plan);
            assert_agree(&store, &naive);
        }
    }

    #[test]
    fn how_callers_commands_are_grouped_makes_no_difference(seeds in seeds()) {
        let (mut together, mut alone) = (bank(), bank());
        let mut naive = naive(&together);
        for (batch, (pause, seeds)) in seeds.iter().enumerate() {
            naive.now += TimeDelta::seconds(*pause);
            let commands = throw(&naive, batch, seeds);
            let commands: Vec<&Command> = commands.iter().collect();
            let view = together.read(&commands, naive.now);
            let plan = plan(&commands, &view, naive.now);
            together.write(&commands, &plan);
            let mut rows_alone = BTreeMap::new();
            for (command, answered) in commands.iter().zip(&plan.answers) {
                naive.ask(command);
                let one = std::slice::from_ref(command);
                let view = alone.read(one, naive.now);
                let plan = crate::ledger::plan(one, &view, naive.now);
                prop_assert_eq!(&plan.answers[0], answered, "{:#?}", command);
                rows_alone.extend(rows(&plan));
                alone.write(one, &plan);
            }
            prop_assert_eq!(rows(&plan), rows_alone);
            prop_assert_eq!(&together.all.heads, &alone.all.heads);
            prop_assert_eq!(&together.all.holds, &alone.all.holds);
            prop_assert_eq!(&together.all.details, &alone.all.details);
            prop_assert_eq!(&together.all.originals, &alone.all.originals);
        }
    }

    #[test]
    fn a_callers_batch_that_comes_again_is_replayed(seeds in seeds()) {
        let mut store = bank();
        let mut naive = naive(&store);
        for (batch, (pause, seeds)) in seeds.iter().enumerate() {
            naive.now += TimeDelta::seconds(*pause);
            let commands = throw(&naive, batch, seeds);
            let commands: Vec<&Command> = commands.iter().collect();
            let view = store.read(&commands, naive.now);
            let first = plan(&commands, &view, naive.now);
            for command in &commands {
                naive.ask(command);
            }
            store.write(&commands, &first);
            let outcomes: HashMap<TransactionId, _> = store.all.outcomes.values().map(|it| (it.transaction, it)).collect();
            let again: Vec<&Command> = commands.iter().copied().filter(|command| outcomes.contains_key(&command.id)).collect();
            let view = store.read(&again, naive.now);
            let plan = plan(&again, &view, naive.now);
            prop_assert!(!plan.writes());
            for (command, answered) in again.iter().zip(&plan.answers) {
                let before = outcomes[&command.id];
                let (outcome, sight, replayed) = (before.outcome.clone(), before.sight.clone(), true);
                prop_assert_eq!(answered, &Answered { outcome, sight, replayed });
            }
        }
    }
}
