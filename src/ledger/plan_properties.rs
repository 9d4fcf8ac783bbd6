//! What holds of any plan, on random batches, beside a ledger written in the most obvious way.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the naive ledger is written in the most obvious way"
)]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use uuid::Uuid;

use super::plan::{Plan, Recorded, View};
use super::plan_tests::{
    carry, command, deposit, holding, keyed, now, planned, transfer, withdrawal,
};
use super::{AccountId, AccountRef, Action, Command, Kind, Scope, Version, plan};

/// What a random command asks: from, to (0 is the world), cents, key, expected version.
type Asked = (i64, i64, i128, Option<u8>, Option<i64>);

fn asked() -> impl Strategy<Value = Asked> {
    let key = prop::option::weighted(0.4, 0_u8..12);
    let version = prop::option::weighted(0.1, 1_i64..6);
    (0_i64..5, 0_i64..5, 0_i128..80, key, version)
}

fn commands_of(asked: &[Asked], first: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    for (number, (from, to, minor, key, expected_version)) in (first..).zip(asked) {
        let (from, to) = (AccountId(*from), AccountId(*to));
        let action = match (from.0, to.0) {
            (0, 0) => continue,
            (0, _) => deposit(to, *minor),
            (_, 0) => withdrawal(from, *minor),
            _ => transfer(from, to, *minor),
        };
        let digest = u8::try_from((from.0 * 5 + to.0) % 3).expect("small");
        let mut command = match key {
            Some(key) => keyed(number, &format!("k{key}"), digest, action),
            None => command(number, action),
        };
        command.expected_version = expected_version.map(Version);
        commands.push(command);
    }
    commands
}

/// Outcomes as the database would remember them.
fn remember(view: &mut View, commands: &[Command], plan: &Plan<'_>) {
    for (command, answered) in commands.iter().zip(&plan.answers) {
        if let (Some(key), Some(scope), false) =
            (&command.key, view.scope(command), answered.replayed)
        {
            let kept = plan.transactions.iter().any(|row| row.id == command.id);
            let recorded = Recorded {
                transaction: command.id,
                digest: key.digest,
                outcome: answered.outcome.clone(),
            };
            if kept {
                view.outcomes
                    .entry((scope, key.text.clone()))
                    .or_insert(recorded);
            }
        }
    }
}

/// The most obvious ledger: balances, versions, and first outcomes by key.
#[derive(Default)]
struct Naive {
    accounts: BTreeMap<i64, (i128, i64)>,
    keys: HashMap<(i64, String), ([u8; 32], bool)>,
}

impl Naive {
    /// Whether the command is accepted.
    fn ask(&mut self, command: &Command) -> bool {
        let Action::Move(money) = &command.action else {
            unreachable!("only moves are asked")
        };
        let id = |party: Option<&AccountRef>| match party {
            Some(AccountRef::Id(id)) => id.0,
            _ => 0,
        };
        let (from, to) = (id(money.parties().from()), id(money.parties().to()));
        let scope = if from == 0 { to } else { from };
        if let Some(key) = &command.key
            && let Some((digest, accepted)) = self.keys.get(&(scope, key.text.clone()))
        {
            return *digest == key.digest && *accepted;
        }
        let accepted = self.allows(
            from,
            to,
            scope,
            money.amount().minor(),
            command.expected_version,
        );
        if accepted && !money.amount().is_zero() {
            for (account, change) in [
                (from, -money.amount().minor()),
                (to, money.amount().minor()),
            ] {
                if let Some((balance, version)) = self.accounts.get_mut(&account) {
                    *balance += change;
                    *version += 1;
                }
            }
        }
        if let Some(key) = &command.key {
            self.keys
                .insert((scope, key.text.clone()), (key.digest, accepted));
        }
        accepted
    }

    fn allows(
        &self,
        from: i64,
        to: i64,
        scope: i64,
        minor: i128,
        expected: Option<Version>,
    ) -> bool {
        let as_expected = expected.is_none_or(|version| self.accounts[&scope].1 == version.0);
        let covered = from == 0 || minor <= self.accounts[&from].0;
        as_expected && (minor == 0 || (covered && from != to))
    }
}

/// Every plan: sorted, disjoint, conserving, chained, and never below a floor.
fn assert_sound(plan: &Plan<'_>, view: &View) {
    let swapped: Vec<_> = plan.swaps.iter().map(|swap| swap.expected.id).collect();
    assert!(swapped.is_sorted() && plan.confirms.is_sorted_by_key(|head| head.id));
    assert!(plan.confirms.iter().all(|head| !swapped.contains(&head.id)));
    let mut heads = view.heads.clone();
    let mut sums: HashMap<Uuid, (i128, bool)> = HashMap::new();
    for entry in &plan.entries {
        let head = heads.get_mut(&entry.sealed.account).expect("a head");
        assert_eq!(entry.sealed.version.0, head.version.0 + 1, "no gap");
        assert_eq!(
            entry.sealed.balance.minor(),
            head.balance.minor() + entry.sealed.amount.minor()
        );
        assert!(head.floor <= entry.sealed.balance, "below the floor");
        assert_eq!(
            entry.seal,
            head.seal.next(&entry.sealed),
            "sealed to the one before"
        );
        assert!(
            head.last_entry_at < entry.sealed.created_at,
            "later than the one before"
        );
        (head.version, head.balance) = (entry.sealed.version, entry.sealed.balance);
        (head.seal, head.last_entry_at) = (entry.seal, entry.sealed.created_at);
        let sum = sums.entry(entry.sealed.transaction.0).or_default();
        *sum = (
            sum.0 + entry.sealed.amount.minor(),
            entry.sealed.counterparty.is_some(),
        );
    }
    assert!(
        sums.values()
            .all(|(sum, is_transfer)| !is_transfer || *sum == 0),
        "transfers sum to zero"
    );
    for swap in &plan.swaps {
        assert_eq!(
            swap.head, heads[&swap.expected.id],
            "the head is what its entries make it"
        );
    }
}

proptest! {
    #[test]
    fn any_batches_agree_with_the_naive_ledger(batches in prop::collection::vec(prop::collection::vec(asked(), 1..40), 1..4)) {
        let mut view = holding(&[50, 0, 200, 1]);
        let mut naive = Naive::default();
        for (id, head) in &view.heads {
            naive.accounts.insert(id.0, (head.balance.minor(), head.version.0));
        }
        for (number, asked) in batches.iter().enumerate() {
            let commands = commands_of(asked, number * 100);
            let plan = planned(&commands, &view);
            assert_sound(&plan, &view);
            for (command, answered) in commands.iter().zip(&plan.answers) {
                prop_assert_eq!(answered.outcome.is_ok(), naive.ask(command), "{:?}", command);
            }
            carry(&mut view, &plan);
            remember(&mut view, &commands, &plan);
        }
        for (id, head) in &view.heads {
            prop_assert_eq!((head.balance.minor(), head.version.0), naive.accounts[&id.0]);
        }
    }

    #[test]
    fn how_commands_are_grouped_makes_no_difference(asked in prop::collection::vec(asked(), 1..30)) {
        let commands = commands_of(&asked, 0);
        let mut together = holding(&[50, 0, 200, 1]);
        let plan = planned(&commands, &together);
        let answers: Vec<_> = plan.answers.iter().map(|answered| answered.outcome.is_ok()).collect();
        carry(&mut together, &plan);
        let mut alone = holding(&[50, 0, 200, 1]);
        for (command, accepted) in commands.iter().zip(answers) {
            let one = std::slice::from_ref(command);
            let plan = planned(one, &alone);
            prop_assert_eq!(plan.answers[0].outcome.is_ok(), accepted);
            carry(&mut alone, &plan);
            remember(&mut alone, one, &plan);
        }
        prop_assert_eq!(together.heads, alone.heads);
    }

    #[test]
    fn a_batch_that_comes_again_under_its_keys_is_replayed(asked in prop::collection::vec(asked(), 1..30)) {
        let commands: Vec<Command> =
            commands_of(&asked, 0).into_iter().filter(|command| command.key.is_some()).collect();
        let mut view = holding(&[50, 0, 200, 1]);
        let first = planned(&commands, &view);
        carry(&mut view, &first);
        remember(&mut view, &commands, &first);
        let again = planned(&commands, &view);
        prop_assert!(again.swaps.is_empty() && again.entries.is_empty() && again.transactions.is_empty());
        for (one, other) in first.answers.iter().zip(&again.answers) {
            prop_assert_eq!(&one.outcome, &other.outcome);
        }
    }

    #[test]
    fn the_order_of_different_accounts_makes_no_difference(asked in prop::collection::vec(asked(), 1..30)) {
        let commands: Vec<Command> = commands_of(&asked, 0)
            .into_iter()
            .filter(|command| !matches!(&command.action, Action::Move(money) if money.parties().kind() == Kind::Transfer))
            .collect();
        let view = holding(&[50, 0, 200, 1]);
        let mut sorted: Vec<&Command> = commands.iter().collect();
        sorted.sort_by_key(|command| match view.scope(command) {
            Some(Scope::Account(account)) => account.0,
            _ => 0,
        });
        let in_order = planned(&commands, &view);
        let by_account = plan(&sorted, &view, now());
        let heads = |plan: &Plan<'_>| plan.swaps.iter().map(|swap| swap.head.clone()).collect::<Vec<_>>();
        prop_assert_eq!(heads(&in_order), heads(&by_account));
    }
}
