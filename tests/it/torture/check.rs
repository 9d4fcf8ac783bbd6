//! Whether what clients were told is what happened: every acknowledged operation exactly once, every key with one outcome, nothing
//! half done, and all of it in an order that the clients cannot have been mistaken about.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::clients::World;
use super::history::{History, Operation, Told};
use super::run::Run;
use crate::support::bank::at_once;

/// How many keys are asked for again at a time.
const AT_ONCE: usize = 32;

/// An entry of the journal, as the database has it.
#[derive(sqlx::FromRow)]
struct Entry {
    account: String,
    version: i64,
    /// Of the entry, without its sign.
    amount: i64,
    is_gain: bool,
    balance: i64,
}

/// A history with what has become of it.
struct Settled {
    operations: Vec<Operation>,
    /// By amount.
    entries: HashMap<u64, Vec<Entry>>,
    findings: Vec<String>,
}

/// Settles what is open by asking again, and fails with the history on disk where anything is not as it was told.
pub(super) async fn check(run: &mut Run, world: &World, history: History, database_url: &str) {
    let lines = history.to_lines();
    let mut findings = Vec::new();
    let operations = ask_again(run, world, history, &mut findings).await;
    let entries = read_entries(database_url, &operations).await;
    let mut settled = Settled {
        operations,
        entries,
        findings,
    };
    settled.check_effects(run);
    settled.check_order();
    settled.check_refusals();
    let Settled {
        operations,
        findings,
        ..
    } = settled;
    run.count("operations checked", operations.len() as u64);
    run.judge(&findings, &lines);
}

/// Asks for everything that has a key again, twice. What was told is told the same; what was not has one outcome from now on.
async fn ask_again(
    run: &mut Run,
    world: &World,
    history: History,
    findings: &mut Vec<String>,
) -> Vec<Operation> {
    let mut open = Vec::new();
    let mut operations = Vec::new();
    for operation in history.operations {
        if let Told::Wrong(what) = &operation.told {
            findings.push(format!("{:?} was answered {what}", operation.asked));
        }
        let mut operation = operation;
        if operation.asked.key.is_some() {
            open.push(operation);
            continue;
        }
        if let Told::Unknown(_) = operation.told {
            // It may have happened long after the client heard so.
            operation.ended = Duration::MAX;
        }
        operations.push(operation);
    }
    for some in open.chunks(AT_ONCE) {
        let again = some.iter().map(async |operation| {
            let first = world.send(&operation.asked).await;
            (first, world.send(&operation.asked).await)
        });
        for (operation, ((first, replayed), second)) in some.iter().zip(at_once(again).await) {
            let asked = &operation.asked;
            if !matches!(first, Told::Done(_) | Told::Refused(_)) {
                findings.push(format!(
                    "{asked:?} has no outcome when asked again: {first:?}"
                ));
            }
            if second != (first.clone(), true) {
                findings.push(format!("{asked:?}: {first:?}, then {second:?}"));
            }
            let is_open = match &operation.told {
                Told::Done(_) | Told::Refused(_) => {
                    if (&first, replayed) != (&operation.told, true) {
                        findings.push(format!(
                            "{asked:?} was told {:?}, asked again {first:?}, replayed: {replayed}",
                            operation.told
                        ));
                    }
                    false
                }
                Told::NothingApplied => {
                    if replayed {
                        findings.push(format!("{asked:?}: nothing was applied, and yet {first:?}"));
                    }
                    true
                }
                Told::Unknown(_) => {
                    let became = if replayed {
                        "had an outcome"
                    } else {
                        "had none"
                    };
                    run.count(format!("unknown under a key that {became}"), 1);
                    true
                }
                Told::Wrong(_) => true,
            };
            let mut operation = operation.clone();
            if is_open {
                operation.told = first;
                // At some time between the first asking and now.
                operation.ended = Duration::MAX;
            }
            operations.push(operation);
        }
    }
    operations
}

/// What the operations left in the journal, by their amounts.
async fn read_entries(database_url: &str, operations: &[Operation]) -> HashMap<u64, Vec<Entry>> {
    const SQL: &str = "
        select account_names.name as account, version, abs(amount)::bigint as amount, amount > 0 as is_gain,
            balance::bigint as balance
        from entries join account_names on account_names.account_id = entries.account_id
        where abs(amount) = any($1)";
    let amounts: Vec<i64> = operations
        .iter()
        .map(|operation| i64::try_from(operation.asked.amount).expect("small"))
        .collect();
    let mut connection = PgConnection::connect(database_url)
        .await
        .expect("a connection");
    let read: Vec<Entry> = sqlx::query_as(SQL)
        .bind(amounts)
        .fetch_all(&mut connection)
        .await
        .expect("rows");
    connection.close().await.expect("closed");
    let mut entries: HashMap<u64, Vec<Entry>> = HashMap::new();
    for entry in read {
        let amount = u64::try_from(entry.amount).expect("no sign");
        entries.entry(amount).or_default().push(entry);
    }
    entries
}

impl Settled {
    /// Each operation has left all of its entries or none, once, with the balances that were told.
    fn check_effects(&mut self, run: &mut Run) {
        for operation in &self.operations {
            let asked = &operation.asked;
            let none = Vec::new();
            let entries = self.entries.get(&asked.amount).unwrap_or(&none);
            let mut found: Vec<_> = entries
                .iter()
                .map(|entry| (entry.account.as_str(), entry.is_gain))
                .collect();
            found.sort_unstable();
            let sides = [(&asked.origin, false), (&asked.destination, true)];
            let mut whole: Vec<_> = sides
                .into_iter()
                .filter_map(|(account, is_gain)| Some((account.as_deref()?, is_gain)))
                .collect();
            whole.sort_unstable();
            let is_right = match &operation.told {
                Told::Done(body) => {
                    run.count("operations done", 1);
                    found == whole && entries.iter().all(|entry| is_told(body, entry))
                }
                Told::Refused(_) => {
                    run.count("operations refused", 1);
                    found.is_empty()
                }
                Told::NothingApplied => {
                    run.count("operations that were not applied", 1);
                    found.is_empty()
                }
                Told::Unknown(_) => {
                    let became = if found.is_empty() {
                        "did not happen"
                    } else {
                        "happened"
                    };
                    run.count(format!("unknown without a key that {became}"), 1);
                    found.is_empty() || found == whole
                }
                Told::Wrong(_) => true,
            };
            if !is_right {
                self.findings
                    .push(format!("{operation:?}, but the journal has {found:?}"));
            }
        }
    }

    /// What ended before something else began is before it in each account that both touch.
    fn check_order(&mut self) {
        let mut findings = Vec::new();
        for (account, touched) in self.by_account() {
            let mut by_begin = touched.clone();
            by_begin.sort_unstable_by_key(|(operation, _)| operation.began);
            let mut by_end = touched.into_iter().peekable();
            let mut latest = 0;
            for (operation, version) in by_begin {
                while let Some((_, version)) =
                    by_end.next_if(|(other, _)| other.ended < operation.began)
                {
                    latest = latest.max(version);
                }
                if version <= latest {
                    findings.push(format!(
                        "{:?} is entry {version} of {account}, but began when entry {latest} had been answered",
                        operation.asked
                    ));
                }
            }
        }
        self.findings.extend(findings);
    }

    /// A refusal speaks of a balance that the account had between the question and the answer.
    fn check_refusals(&mut self) {
        let by_account = self.by_account();
        let mut findings = Vec::new();
        for operation in &self.operations {
            let Told::Refused(_) = operation.told else {
                continue;
            };
            // Asked again later: any balance of the time since may be meant.
            if operation.ended == Duration::MAX {
                continue;
            }
            let account = operation
                .asked
                .origin
                .as_deref()
                .expect("money is lacking somewhere");
            let none = Vec::new();
            let touched = by_account.get(account).unwrap_or(&none);
            let before = touched
                .iter()
                .filter(|(other, _)| other.ended < operation.began);
            let after = touched
                .iter()
                .filter(|(other, _)| operation.ended < other.began);
            let first = before.map(|(_, version)| *version).max();
            let last = after.map(|(_, version)| *version).min();
            // Without an entry of this history before it, an earlier one may be meant.
            let Some(first) = first else { continue };
            let is_meant = self.entries.values().flatten().any(|entry| {
                entry.account == account
                    && first <= entry.version
                    && last.is_none_or(|last| entry.version < last)
                    && u64::try_from(entry.balance).expect("not below zero")
                        < operation.asked.amount
            });
            if !is_meant {
                findings.push(format!(
                    "{operation:?}, but {account} had more all the while"
                ));
            }
        }
        self.findings.extend(findings);
    }

    /// What has moved each account, by when it ended, with the versions that it made.
    fn by_account(&self) -> BTreeMap<&str, Vec<(&Operation, i64)>> {
        let mut by_account: BTreeMap<&str, Vec<(&Operation, i64)>> = BTreeMap::new();
        for operation in &self.operations {
            for entry in self
                .entries
                .get(&operation.asked.amount)
                .into_iter()
                .flatten()
            {
                by_account
                    .entry(&entry.account)
                    .or_default()
                    .push((operation, entry.version));
            }
        }
        for touched in by_account.values_mut() {
            touched.sort_unstable_by_key(|(operation, _)| operation.ended);
        }
        by_account
    }
}

/// Whether the answer speaks of the balance that the entry made.
fn is_told(body: &str, entry: &Entry) -> bool {
    let Ok(answer) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let side = &answer[if entry.is_gain {
        "destination"
    } else {
        "origin"
    }];
    side["id"] == entry.account.as_str() && side["balance"].as_i64() == Some(entry.balance)
}
