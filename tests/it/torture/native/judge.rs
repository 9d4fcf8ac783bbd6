//! Whether what callers were told is what happened: each key once, every entry somebody's, holds as they were told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use passbook::ledger::AccountId;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::callers::{Told, World};
use super::holds::Holds;
use crate::support::bank::at_once;
use crate::support::eventually;
use crate::support::wishes::cents;
use crate::torture::run::Run;

/// How many keys are asked for again at a time.
const AT_ONCE: usize = 32;

/// An entry of the journal, as the database has it.
#[derive(Debug, sqlx::FromRow)]
struct Entry {
    account_id: i64,
    version: i64,
    kind: String,
    cents: i64,
    key: Option<String>,
}

/// A key as the database has it.
#[derive(Debug, sqlx::FromRow)]
struct Outcome {
    key: String,
    is_refused: bool,
}

/// A turn with what has become of it.
struct Judged<'w> {
    world: &'w World,
    told: Vec<Told>,
    entries: Vec<Entry>,
    findings: Vec<String>,
}

/// Fails with the history on disk, if anything is not as it was told.
pub(super) async fn judge(run: &mut Run, world: &World, database_url: &str) {
    let told = world.take_told();
    let lines = told
        .iter()
        .map(|told| serde_json::to_string(told).expect("plain values") + "\n");
    let lines: String = lines.collect();
    count(run, &told);
    let mut judged = Judged {
        world,
        told,
        entries: Vec::new(),
        findings: Vec::new(),
    };
    judged.ask_again().await;
    let mut connection = PgConnection::connect(database_url)
        .await
        .expect("a connection");
    are_swept(&mut connection).await;
    judged.check_outcomes(&mut connection).await;
    judged.entries = read_entries(&mut connection, &world.accounts()).await;
    connection.close().await.expect("closed");
    judged.check_entries();
    judged.check_order();
    judged.check_holds_and_accounts(run).await;
    run.judge(&judged.findings, &lines);
}

fn count(run: &mut Run, told: &[Told]) {
    run.count("operations checked", told.len() as u64);
    for told in told {
        let what = match told.answer.status {
            200 | 201 if told.key.is_none() => "dry runs",
            200 | 201 => "accepted",
            _ => "refused",
        };
        run.count(what, 1);
        if told.is_replayed {
            run.count("answers that were found under their key", 1);
        }
        for (what, number) in &told.vain {
            run.count(format!("asked again after: {what}"), *number);
        }
    }
}

/// Waits until the sweeper has written down what is due, and nothing will be for a while.
async fn are_swept(connection: &mut PgConnection) {
    const SQL: &str = "select count(*) from holds
        where status = 'active' and expires_at < now() + interval '1 hour'";
    let connection = tokio::sync::Mutex::new(connection);
    eventually("the sweeper has come by", async || {
        let due: i64 = sqlx::query_scalar(SQL)
            .fetch_one(&mut **connection.lock().await)
            .await
            .expect("a number");
        due == 0
    })
    .await;
}

async fn read_entries(connection: &mut PgConnection, accounts: &[String]) -> Vec<Entry> {
    const SQL: &str = "
        select entries.account_id, version, coalesce(entries.kind::text, 'money') as kind,
            (amount * 100)::bigint as cents, idempotency_key as key
        from entries join transactions on transactions.id = entries.transaction_id
        where entries.account_id = any($1) order by entries.account_id, version";
    let ids: Vec<i64> = accounts.iter().map(|number| id_of(number)).collect();
    let read = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await;
    read.expect("rows")
}

fn id_of(number: &str) -> i64 {
    AccountId::parse_number(number).expect("an account").0
}

impl Judged<'_> {
    /// Every key is replayed byte for byte, by both services.
    async fn ask_again(&mut self) {
        let urls = self.world.urls();
        let keyed: Vec<&Told> = self.told.iter().filter(|told| told.key.is_some()).collect();
        for some in keyed.chunks(AT_ONCE) {
            for url in &urls {
                let again = some.iter().map(|told| self.world.ask_again(url, told));
                for (told, again) in some.iter().zip(at_once(again).await) {
                    if again != (told.answer.clone(), true) {
                        let finding = format!("{told:?}, asked again {again:?}");
                        self.findings.push(finding);
                    }
                }
            }
        }
    }

    /// The database has each key once, accepted or refused as its answer says, and no other.
    async fn check_outcomes(&mut self, connection: &mut PgConnection) {
        const SQL: &str = "
            select idempotency_key as key, refusal is not null as is_refused
            from transactions where starts_with(idempotency_key, $1)";
        let read: Vec<Outcome> = sqlx::query_as(SQL)
            .bind(self.world.prefix())
            .fetch_all(connection)
            .await
            .expect("rows");
        let mut outcomes: HashMap<&str, Vec<bool>> = HashMap::new();
        for outcome in &read {
            let found = outcomes.entry(&outcome.key).or_default();
            found.push(outcome.is_refused);
        }
        for told in &self.told {
            let Some(key) = &told.key else { continue };
            let found = outcomes.remove(key.as_str()).unwrap_or_default();
            if found != [!told.answer.is_accepted()] {
                let finding = format!("{told:?} has these outcomes, refused: {found:?}");
                self.findings.push(finding);
            }
        }
        let strays = outcomes.keys().map(|key| format!("nobody heard of {key}"));
        self.findings.extend(strays);
    }

    /// Each operation has left all of its entries and no other, and what nobody asked for are expiries.
    fn check_entries(&mut self) {
        let mut by_key: HashMap<&str, Vec<&Entry>> = HashMap::new();
        let mut versions: HashMap<i64, i64> = HashMap::new();
        for entry in &self.entries {
            let before = versions.insert(entry.account_id, entry.version);
            if entry.version != before.unwrap_or(1) + 1 {
                let finding = format!("{entry:?} comes after version {before:?}");
                self.findings.push(finding);
            }
            match &entry.key {
                Some(key) => by_key.entry(key).or_default().push(entry),
                None if entry.kind == "hold_expired" => {}
                None => self.findings.push(format!("nobody asked for {entry:?}")),
            }
        }
        for told in &self.told {
            let key = told.key.as_deref().unwrap_or_default();
            let found = by_key.remove(key).unwrap_or_default();
            if !is_whole(told, &found) {
                self.findings.push(format!("{told:?} left {found:?}"));
            }
        }
        let strays = by_key.keys().map(|key| format!("{key} has entries"));
        self.findings.extend(strays);
    }

    /// What was answered before something else was asked is before it on each account that both touch.
    fn check_order(&mut self) {
        let mut touches: BTreeMap<i64, Vec<(&Told, i64)>> = BTreeMap::new();
        let asked = self.told.iter();
        let by_key: HashMap<&str, &Told> = asked
            .filter_map(|told| Some((told.key.as_deref()?, told)))
            .collect();
        for entry in &self.entries {
            let told = entry.key.as_deref().and_then(|key| by_key.get(key));
            if let Some(told) = told {
                let of_account = touches.entry(entry.account_id).or_default();
                of_account.push((told, entry.version));
            }
        }
        for (account, by_version) in touches {
            // From the last entry to the first: none began after a later one had been answered.
            let mut first_end = Duration::MAX;
            for (told, version) in by_version.iter().rev() {
                if first_end < told.began {
                    let finding =
                        format!("{told:?} is entry {version} of {account}, before one that ended");
                    self.findings.push(finding);
                }
                first_end = first_end.min(told.ended);
            }
        }
    }

    /// Balances, held money, limits and states are what the answers add up to.
    async fn check_holds_and_accounts(&mut self, run: &mut Run) {
        let holds = Holds::of(&self.told);
        let mut findings = holds.check(self.world, run).await;
        for number in self.world.accounts() {
            let shown = self.world.show(&format!("/v1/accounts/{number}")).await;
            let own = self.entries.iter();
            let own = own.filter(|entry| entry.account_id == id_of(&number));
            let last = own.map(|entry| entry.version).max().unwrap_or(1);
            let (status, limit) = self.last_state(&number);
            let (balance, held) = (self.balance(&number), holds.held(&number));
            let expected = (last, balance, held, balance - held + limit, limit, status);
            let found = (
                shown["version"].as_i64().expect("a version"),
                cents(&shown["balance"]),
                cents(&shown["held"]),
                cents(&shown["available"]),
                cents(&shown["overdraft_limit"]),
                shown["status"].as_str().expect("a status").to_owned(),
            );
            if found != expected {
                findings.push(format!("{number} is {found:?}, should be {expected:?}"));
            }
        }
        self.findings.extend(findings);
    }

    /// All that the answers say was moved there, less what was moved away.
    fn balance(&self, number: &str) -> i64 {
        let accepted = self.told.iter().filter(|told| told.is_done());
        let answers = accepted.map(|told| told.answer.json());
        let moved = answers.flat_map(|answer| moves(&answer));
        let own = moved.filter(|(account, _)| account == number);
        own.map(|(_, cents)| cents).sum()
    }

    /// As the answer of the highest version shows the account.
    fn last_state(&self, number: &str) -> (String, i64) {
        let accepted = self.told.iter().filter(|told| told.is_done());
        let answers = accepted.map(|told| told.answer.json());
        let own = answers.filter(|shown| shown["id"] == number);
        let last = own.max_by_key(|shown| shown["version"].as_i64());
        let last = last.expect("it was opened");
        let status = last["status"].as_str().expect("a status").to_owned();
        (status, cents(&last["overdraft_limit"]))
    }
}

impl Told {
    /// Whether it was accepted for good.
    pub(super) fn is_done(&self) -> bool {
        self.key.is_some() && self.answer.is_accepted()
    }
}

/// What an answer says was moved, by account; nothing, if it is of no transaction.
fn moves(answer: &Value) -> Vec<(String, i64)> {
    let postings = answer["postings"].as_array().into_iter().flatten();
    let moved = postings.flat_map(|posting| {
        let amount = cents(&posting["amount"]);
        [("from", -amount), ("to", amount)].map(|(side, cents)| {
            let account = posting[side].as_str().expect("a side");
            (account.to_owned(), cents)
        })
    });
    moved.filter(|(account, _)| account != "world").collect()
}

/// Whether these are the entries that an operation should have left.
fn is_whole(told: &Told, found: &[&Entry]) -> bool {
    if !told.is_done() {
        return found.is_empty();
    }
    let answer = told.answer.json();
    if answer["postings"].is_array() {
        let moved = moves(&answer);
        let mut moved: Vec<(i64, i64)> = moved
            .iter()
            .map(|(number, cents)| (id_of(number), *cents))
            .collect();
        let mut left: Vec<(i64, i64)> = found
            .iter()
            .map(|entry| (entry.account_id, entry.cents))
            .collect();
        moved.sort_unstable();
        left.sort_unstable();
        return moved == left;
    }
    let kinds: HashSet<&str> = found.iter().map(|entry| entry.kind.as_str()).collect();
    let is_of = |kind: &str| kinds.is_empty() || kinds == HashSet::from([kind]);
    let is_right = match (told.path.rsplit('/').next(), told.method.as_str()) {
        (Some("accounts"), _) => kinds.is_empty(),
        (Some("holds"), _) => kinds == HashSet::from(["hold_placed"]),
        (Some("void"), _) => kinds == HashSet::from(["hold_voided"]),
        (Some("freeze"), _) => is_of("frozen"),
        (Some("unfreeze"), _) => is_of("unfrozen"),
        // The same again is no entry.
        _ if told.path.starts_with("/v1/holds") => is_of("hold_changed"),
        _ => is_of("limit"),
    };
    let is_at = |entry: &&&Entry| answer["version"] == entry.version && entry.cents == 0;
    is_right && found.len() < 2 && found.iter().all(|entry| is_at(&entry))
}
