//! A thousand random requests of one client, each held against the most obvious ledger, and so is what they leave.

mod naive;

use fastrand::Rng;
use serde_json::{Value, json};

use self::naive::Naive;
use crate::support::native::{fresh_key, usd};
use crate::support::wishes::{Table, Wish};
use crate::support::{Bank, Reply};

/// How many requests a run has.
const REQUESTS: u64 = 1_000;
/// Accounts in dollars; one more is in euros.
const ACCOUNTS: usize = 7;

/// A request as it was sent, and what came back.
struct Asked {
    key: String,
    tag: Option<i64>,
    wish: Wish,
    reply: Reply,
}

#[tokio::test]
async fn random_requests_agree_with_the_naive_ledger() {
    let seed = std::env::var("RANDOM_SEED").ok();
    let seed = seed.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    eprintln!("again: RANDOM_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let bank = Bank::open().await;
    let (mut naive, mut table) = open(&bank).await;
    let mut all: Vec<Asked> = Vec::new();
    for number in 0..REQUESTS {
        if rng.u8(0..10) == 0
            && let Some(first) = rng.choice(&all)
        {
            assert_replayed(&bank, first).await;
            continue;
        }
        let wish = vary(table.throw(&mut rng), &naive, &mut rng);
        let tag = throw_tag(&wish, &naive, &mut rng);
        let key = fresh_key();
        let reply = send(&bank, &key, tag, &wish).await;
        let shown = reply.json();
        let id = shown["id"].as_str().unwrap_or_default();
        let expected = naive.ask(&wish, tag, id);
        let what = format!("{number}: {wish:?} of {tag:?}: {reply:?}, expected {expected:?}");
        match &expected {
            Ok(expected) => {
                assert!([200, 201].contains(&reply.status), "{what}");
                assert!(is_shown(expected, &shown), "{what}");
            }
            Err(code) => assert_eq!(shown["code"], *code, "{what}"),
        }
        if expected.is_ok() && !wish.is_dry() {
            table.learn(&wish, id);
        }
        // What comes of a stale tag or a dry run is not remembered.
        if !wish.is_dry() && reply.status != 412 {
            all.push(Asked {
                key,
                tag,
                wish,
                reply,
            });
        }
    }
    assert_end(&bank, &naive).await;
    bank.close().await;
}

/// Accounts with some money.
async fn open(bank: &Bank) -> (Naive, Table) {
    let (mut naive, mut table) = (Naive::default(), Table::default());
    for currency in [&["USD"; ACCOUNTS][..], &["EUR"]].concat() {
        let number = bank.open_account(&json!({"currency": currency})).await;
        naive.open(number.clone(), currency);
        table.accounts.push(number);
    }
    for number in &table.accounts[..ACCOUNTS] {
        let body = json!({"postings": [usd("world", number, "100.00")]});
        let wish = Wish {
            method: reqwest::Method::POST,
            path: "/v1/transactions".to_owned(),
            body,
        };
        let id = bank.command(&wish.path, &wish.body).await.json()["id"].clone();
        let id = id.as_str().expect("an id");
        naive.ask(&wish, None, id).expect("a deposit");
        table.transactions.push(id.to_owned());
    }
    (naive, table)
}

/// Half of the conditions on a version name that which the account has.
fn vary(mut wish: Wish, naive: &Naive, rng: &mut Rng) -> Wish {
    let conditions = wish
        .body
        .get_mut("conditions")
        .and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        if condition.get("version").is_some() && rng.bool() {
            let account = condition["account"].as_str().expect("an account");
            condition["version"] = naive.accounts[account].version.into();
        }
    }
    wish
}

/// The version that the request is for, sometimes the one before; mostly any.
fn throw_tag(wish: &Wish, naive: &Naive, rng: &mut Rng) -> Option<i64> {
    let current = match wish.parts() {
        ["accounts", id, _] => naive.accounts[id].version,
        ["holds", id, _] if !id.is_empty() => naive.holds[id].version,
        _ => return None,
    };
    match rng.u8(0..6) {
        0 => Some(current - 1),
        1 | 2 => Some(current),
        _ => None,
    }
}

async fn send(bank: &Bank, key: &str, tag: Option<i64>, wish: &Wish) -> Reply {
    let asked = bank.ask(wish.method.clone(), &wish.path).once(key);
    let tag = tag.map_or_else(|| "*".to_owned(), |tag| format!("\"{tag}\""));
    let asked = asked.with("If-Match", &tag).body(&wish.body.to_string());
    asked.send().await
}

async fn assert_replayed(bank: &Bank, first: &Asked) {
    let again = send(bank, &first.key, first.tag, &first.wish).await;
    let told = |reply: &Reply| {
        let field = |name: &str| reply.headers.get(name).cloned();
        let fields = [field("location"), field("etag")];
        (reply.status, reply.text.clone(), fields)
    };
    assert_eq!(told(&again), told(&first.reply), "{:?}", first.wish);
    assert!(again.is_replayed(), "{again:?}");
}

/// Whether an answer has all that is expected of it.
fn is_shown(expected: &Value, shown: &Value) -> bool {
    match (expected, shown) {
        (Value::Object(expected), Value::Object(shown)) => expected.iter().all(|(name, value)| {
            let found = shown.get(name);
            found.is_some_and(|found| is_shown(value, found))
        }),
        (Value::Array(expected), Value::Array(shown)) => {
            let mut pairs = expected.iter().zip(shown);
            expected.len() == shown.len() && pairs.all(|(one, other)| is_shown(one, other))
        }
        _ => expected == shown,
    }
}

async fn assert_end(bank: &Bank, naive: &Naive) {
    for number in naive.accounts.keys() {
        let shown = bank.shown(&format!("/v1/accounts/{number}")).await;
        let expected = naive.show_account(number);
        assert!(is_shown(&expected, &shown), "{shown}, not {expected}");
    }
    for id in naive.holds.keys() {
        let shown = bank.shown(&format!("/v1/holds/{id}")).await;
        let expected = naive.show_hold(id);
        assert!(is_shown(&expected, &shown), "{shown}, not {expected}");
    }
    for (id, moved) in &naive.transactions {
        let shown = bank.shown(&format!("/v1/transactions/{id}")).await;
        let is_reversed = !shown["reversed_by"].is_null();
        assert_eq!(is_reversed, moved.is_reversed, "{shown}");
    }
}
