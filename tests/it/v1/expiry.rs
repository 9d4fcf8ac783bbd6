//! Holds run out: at their time whether or not the sweeper has come by, and within a second by it.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{assert_refused, assert_seen};
use crate::support::native::{fresh_key, id_of, usd};
use crate::support::{Bank, eventually};

/// Somebody else sweeps, and never does.
const NOBODY_SWEEPS: &str = "insert into leases (name, holder, expires_at)
    values ('sweep holds', gen_random_uuid(), now() + interval '1 hour')";

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A hold that runs out soon, and when it does.
async fn short(bank: &Bank, account: &str, amount: &str) -> (String, DateTime<Utc>) {
    let until = Utc::now() + TimeDelta::milliseconds(1_500);
    let new = json!({
        "account": account, "amount": amount, "currency": "USD", "expires_at": text(until),
    });
    (id_of(&bank.command("/v1/holds", &new).await), until)
}

async fn is_past(until: DateTime<Utc>) {
    eventually("the hold runs out", async || until < Utc::now()).await;
}

async fn status(bank: &Bank, hold: &str) -> Value {
    bank.shown(&format!("/v1/holds/{hold}")).await["status"].clone()
}

#[tokio::test]
async fn the_next_command_has_the_money_and_writes_the_expiry_first() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let account = bank.account_with("10").await;
    let (first, until) = short(&bank, &account, "10").await;
    is_past(until).await;
    // Until an entry is written, the account and the hold show what they showed, under the tags that they had.
    let path = format!("/v1/accounts/{account}");
    let held = bank.shown(&path).await;
    assert_eq!(
        (&held["held"], &held["version"]),
        (&json!("10.00"), &json!(3))
    );
    assert_eq!(status(&bank, &first).await, "active");
    let out = bank.transact(&[usd(&account, "world", "4")]).await;
    assert_eq!(out.status, 201, "{out:?}");
    assert_eq!(out.json()["accounts"][0]["version"], 5);
    assert_eq!(status(&bank, &first).await, "expired");
    assert_eq!(
        bank.shown(&format!("/v1/holds/{first}")).await["version"],
        4
    );
    bank.close().await;
}

#[tokio::test]
async fn what_has_run_out_cannot_be_captured_changed_or_voided() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let verbs = [
        ("captures", json!({"to": "world"})),
        ("void", json!({})),
        ("", json!({"amount": "1"})),
    ];
    for (verb, body) in verbs {
        let account = bank.account_with("10").await;
        let (hold, until) = short(&bank, &account, "4").await;
        is_past(until).await;
        let path = format!("/v1/holds/{hold}");
        let reply = if verb.is_empty() {
            let asked = bank.change(reqwest::Method::PATCH, &path);
            asked.body(&body.to_string()).send().await
        } else {
            bank.command(&format!("{path}/{verb}"), &body).await
        };
        assert_refused(&reply, 409, "hold_not_active", verb);
        // The expiry stands although the command does not.
        assert_seen(&reply, &account, ["4", "10.00", "10.00"]);
        assert_eq!(status(&bank, &hold).await, "expired");
    }
    bank.close().await;
}

#[tokio::test]
async fn a_refusal_after_a_hold_ran_out_is_of_the_account_without_it() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let account = bank.account_with("10").await;
    let (hold, until) = short(&bank, &account, "4").await;
    is_past(until).await;
    let key = fresh_key();
    let ask = || {
        let body = json!({"postings": [usd(&account, "world", "11")]});
        let asked = bank
            .ask(reqwest::Method::POST, "/v1/transactions")
            .once(&*key);
        asked.body(&body.to_string()).send()
    };
    let reply = ask().await;
    assert_refused(&reply, 422, "insufficient_funds", "11");
    assert_seen(&reply, &account, ["4", "10.00", "10.00"]);
    assert_eq!(ask().await.text, reply.text);
    assert_eq!(status(&bank, &hold).await, "expired");
    bank.close().await;
}

#[tokio::test]
async fn an_account_of_a_condition_and_one_that_is_closed_lose_what_ran_out() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let (payer, watched) = (bank.account_with("10").await, bank.account_with("5").await);
    let empty = bank
        .open_account(&json!({"currency": "USD", "overdraft_limit": "3"}))
        .await;
    short(&bank, &watched, "5").await;
    let (_, until) = short(&bank, &empty, "3").await;
    is_past(until).await;
    let body = json!({
        "postings": [usd(&payer, "world", "1")],
        "conditions": [{"account": watched, "available_at_least": "5"}],
    });
    let reply = bank.command("/v1/transactions", &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    bank.set_status_of(&empty, "close").await;
    bank.close().await;
}

#[tokio::test]
async fn a_tag_of_before_the_expiry_is_stale_after_it() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let account = bank.account_with("10").await;
    let (_, until) = short(&bank, &account, "4").await;
    is_past(until).await;
    let asked = bank.ask(reqwest::Method::PATCH, &format!("/v1/accounts/{account}"));
    let reply = asked
        .with("If-Match", "\"3\"")
        .body(r#"{"metadata":{"a":"b"}}"#);
    let reply = reply.send().await;
    assert_refused(
        &reply,
        412,
        "precondition_failed",
        "the expiry is version 4",
    );
    assert_eq!(reply.headers["etag"], "\"4\"");
    bank.close().await;
}

#[tokio::test]
async fn the_sweeper_shows_what_ran_out_also_of_frozen_accounts() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let account = here.account_with("100").await;
    let frozen = here.account_with("5").await;
    let mut holds = Vec::new();
    for _ in 0..20 {
        holds.push(short(&here, &account, "1").await.0);
    }
    let (cold, _) = short(&here, &frozen, "5").await;
    let lasting = here.hold(&account, "1").await;
    here.set_status_of(&frozen, "freeze").await;
    eventually("the sweeper comes by", async || {
        let active = "select count(*) from holds where status = 'active'";
        here.number(active).await == 1
    })
    .await;
    for hold in holds.iter().chain([&cold]) {
        assert_eq!(status(&here, hold).await, "expired");
    }
    assert_eq!(status(&here, &lasting).await, "active");
    let shown = here.shown(&format!("/v1/accounts/{frozen}")).await;
    assert_eq!(
        (&shown["held"], &shown["status"]),
        (&json!("0.00"), &json!("frozen"))
    );
    let once = "select count(*) from entries where kind = 'hold_expired'";
    assert_eq!(here.number(once).await, 21, "each once, of two services");
    assert_eq!(here.number("select count(*) from leases").await, 1);
    here.set_status_of(&frozen, "unfreeze").await;
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn who_has_the_turn_sweeps_and_nobody_else() {
    let bank = Bank::open().await;
    bank.plant(NOBODY_SWEEPS).await;
    let account = bank.account_with("10").await;
    let (hold, until) = short(&bank, &account, "4").await;
    is_past(until + TimeDelta::seconds(2)).await;
    assert_eq!(status(&bank, &hold).await, "active");
    // Whoever had the turn is gone.
    bank.plant("update leases set expires_at = now()").await;
    eventually("another node sweeps", async || {
        status(&bank, &hold).await == "expired"
    })
    .await;
    bank.close().await;
}

#[tokio::test]
async fn a_hold_that_was_extended_lasts() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let (hold, until) = short(&bank, &account, "4").await;
    let later = text(until + TimeDelta::hours(1));
    let asked = bank.change(reqwest::Method::PATCH, &format!("/v1/holds/{hold}"));
    let body = json!({"expires_at": later}).to_string();
    assert_eq!(asked.body(&body).send().await.status, 200);
    let (other, until) = short(&bank, &account, "1").await;
    is_past(until).await;
    eventually("the other is swept", async || {
        status(&bank, &other).await == "expired"
    })
    .await;
    assert_eq!(status(&bank, &hold).await, "active");
    let path = format!("/v1/holds/{hold}/captures");
    let captured = bank.command(&path, &json!({"to": "world"})).await;
    assert_eq!(captured.status, 201, "{captured:?}");
    bank.close().await;
}
