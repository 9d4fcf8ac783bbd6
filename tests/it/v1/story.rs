//! What a caller can do with accounts, money and holds, and what each is answered.

use reqwest::Method;
use serde_json::{Value, json};

use super::assert_problem;
use crate::support::{Bank, Reply, eventually};

/// An account in USD with so much on it; its number.
pub(super) async fn account(bank: &Bank, key: &str, amount: &str) -> String {
    let opened = bank
        .once(key, "/v1/accounts", &json!({"currency": "USD"}))
        .await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let number = text(&opened, "id");
    if amount != "0" {
        let deposit = postings(&[posting("world", &number, amount)]);
        let key = format!("{key}-money");
        let paid = bank.once(&key, "/v1/transactions", &deposit).await;
        assert_eq!(paid.status, 201, "{paid:?}");
    }
    number
}

pub(super) fn posting(from: &str, to: &str, amount: &str) -> Value {
    json!({"from": from, "to": to, "amount": amount, "currency": "USD"})
}

pub(super) fn postings(all: &[Value]) -> Value {
    json!({ "postings": all })
}

pub(super) fn text(reply: &Reply, member: &str) -> String {
    let json = reply.json();
    json[member].as_str().expect("a text").to_owned()
}

/// How an account stands: balance, held, available, version, status.
pub(super) async fn stands(bank: &Bank, number: &str) -> (String, String, String, i64, String) {
    let reply = bank.get(&format!("/v1/accounts/{number}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let version = reply.json()["version"].as_i64().expect("a version");
    assert_eq!(reply.headers["etag"], format!("\"{version}\""));
    let text = |member| text(&reply, member);
    (
        text("balance"),
        text("held"),
        text("available"),
        version,
        text("status"),
    )
}

#[track_caller]
pub(super) fn assert_refused(reply: &Reply, status: u16, code: &str) {
    let said = assert_problem(reply, code);
    assert_eq!((reply.status, said.as_str()), (status, code), "{reply:?}");
}

#[track_caller]
pub(super) fn assert_replayed(again: &Reply, first: &Reply) {
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    for field in ["etag", "location"] {
        assert_eq!(again.headers.get(field), first.headers.get(field));
    }
    assert!(again.is_replayed(), "{again:?}");
}

fn state(
    balance: &str,
    held: &str,
    available: &str,
    version: i64,
    status: &str,
) -> (String, String, String, i64, String) {
    let [balance, held, available, status] = [balance, held, available, status].map(str::to_owned);
    (balance, held, available, version, status)
}

#[tokio::test]
async fn several_postings_are_one_transaction_and_all_or_nothing() {
    let bank = Bank::open().await;
    let (a, b) = (
        account(&bank, "a", "100").await,
        account(&bank, "b", "0").await,
    );
    let post = |key: &'static str, body: Value| {
        let bank = &bank;
        async move { bank.once(key, "/v1/transactions", &body).await }
    };
    // The second uses what the first brought, the third takes what is left.
    let all = [
        posting(&a, &b, "30"),
        posting(&b, &a, "0.50"),
        posting(&b, "world", "all"),
    ];
    let reply = post("k", postings(&all)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let json = reply.json();
    assert_eq!(json["kind"], "transaction");
    assert_eq!(json["postings"][2]["amount"], "29.50");
    assert_eq!(json["accounts"][0]["id"], a.as_str());
    assert_eq!(json["accounts"][1]["balance"], "0.00");
    assert_eq!(json["accounts"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        stands(&bank, &a).await,
        state("70.50", "0.00", "70.50", 4, "open")
    );
    assert_replayed(&post("k", postings(&all)).await, &reply);
    let shown = bank.get(&reply.headers["location"]).await;
    assert_eq!(
        (shown.text, shown.headers["etag"].clone()),
        (reply.text.clone(), reply.headers["etag"].clone())
    );
    // Nothing of it is done if the last cannot be.
    let broken = postings(&[posting(&a, &b, "1"), posting(&b, "world", "2")]);
    let refused = post("broken", broken.clone()).await;
    assert_refused(&refused, 422, "insufficient_funds");
    let json = refused.json();
    assert_eq!(json["pointer"], "/postings/1");
    assert_eq!(
        (json["account"].as_str(), json["version"].as_i64()),
        (Some(b.as_str()), Some(4))
    );
    assert_eq!(
        (json["balance"].as_str(), json["available"].as_str()),
        (Some("0.00"), Some("0.00"))
    );
    assert_replayed(&post("broken", broken).await, &refused);
    assert_eq!(stands(&bank, &a).await.3, 4);
    for (key, from, to, currency, code) in [
        ("1", "world", "world", "USD", "same_account"),
        ("2", a.as_str(), a.as_str(), "USD", "same_account"),
        ("3", a.as_str(), b.as_str(), "EUR", "currency_mismatch"),
        ("4", a.as_str(), "000000000098", "USD", "account_not_found"),
    ] {
        let body =
            json!({"postings": [{"from": from, "to": to, "amount": "1", "currency": currency}]});
        let refused = bank.once(key, "/v1/transactions", &body).await;
        assert_refused(&refused, 422, code);
        let again = bank.once(key, "/v1/transactions", &body).await;
        assert_replayed(&again, &refused);
    }
    bank.close().await;
}

#[tokio::test]
async fn conditions_hold_before_the_first_posting_and_after_the_last() {
    let bank = Bank::open().await;
    let (a, b) = (
        account(&bank, "a", "100").await,
        account(&bank, "b", "0").await,
    );
    for (key, amount, condition, refused) in [
        ("1", "10", json!({"account": a, "version": 2}), None),
        (
            "2",
            "10",
            json!({"account": a, "version": 2}),
            Some("version_mismatch"),
        ),
        (
            "3",
            "10",
            json!({"account": b, "version": 2, "balance_at_most": "20"}),
            None,
        ),
        (
            "4",
            "10",
            json!({"account": a, "available_at_least": "70.01"}),
            Some("condition_failed"),
        ),
        (
            "5",
            "10",
            json!({"account": a, "balance_at_least": "-1", "available_at_most": "70"}),
            None,
        ),
        (
            "6",
            "10",
            json!({"account": b, "balance_at_most": "39.99"}),
            Some("condition_failed"),
        ),
    ] {
        let body = json!({"postings": [posting(&a, &b, amount)], "conditions": [condition]});
        let reply = bank.once(key, "/v1/transactions", &body).await;
        match refused {
            None => assert_eq!(reply.status, 201, "{key}: {reply:?}"),
            Some(code) => {
                assert_refused(&reply, 409, code);
                assert_eq!(reply.json()["pointer"], "/conditions/0");
            }
        }
    }
    assert_eq!(
        stands(&bank, &a).await,
        state("70.00", "0.00", "70.00", 5, "open")
    );
    // A dry run is answered as if, and keeps nothing.
    let dry = json!({"postings": [posting(&a, &b, "70")], "dry_run": true});
    let reply = bank.post("/v1/transactions", &dry.to_string()).await;
    assert_eq!(
        (reply.status, &reply.json()["accounts"][0]["balance"]),
        (200, &json!("0.00"))
    );
    assert_eq!(stands(&bank, &a).await.3, 5);
    let id = text(&reply, "id");
    assert_eq!(
        bank.get(&format!("/v1/transactions/{id}")).await.status,
        404
    );
    bank.close().await;
}

#[expect(clippy::too_many_lines, reason = "a story is told from end to end")]
#[tokio::test]
async fn a_hold_is_placed_changed_captured_and_voided() {
    let bank = Bank::open().await;
    let (a, b) = (
        account(&bank, "a", "100").await,
        account(&bank, "b", "0").await,
    );
    let hold = json!({"account": a, "amount": "60", "currency": "USD", "reference": "a stay"});
    let placed = bank.once("h", "/v1/holds", &hold).await;
    assert_eq!(
        (placed.status, placed.headers["etag"].as_str()),
        (201, "\"3\"")
    );
    assert_eq!(
        stands(&bank, &a).await,
        state("100.00", "60.00", "40.00", 3, "open")
    );
    let path = placed.headers["location"].clone();
    let captures = format!("{path}/captures");
    let capture = |amount: &str, more: &str| {
        let body = format!(r#"{{"to":"{b}","amount":"{amount}"{more}}}"#);
        serde_json::from_str::<Value>(&body).expect("JSON")
    };
    let part = bank
        .once("c1", &captures, &capture("10", r#","final":false"#))
        .await;
    assert_eq!(part.status, 201, "{part:?}");
    let shown = &part.json()["hold"];
    assert_eq!(
        (&shown["remaining"], &shown["status"]),
        (&json!("50.00"), &json!("active"))
    );
    assert_eq!(
        stands(&bank, &a).await,
        state("90.00", "50.00", "40.00", 4, "open")
    );
    let again = bank
        .once("c1", &captures, &capture("10", r#","final":false"#))
        .await;
    assert_replayed(&again, &part);
    let over = bank.once("c2", &captures, &capture("51", "")).await;
    assert_refused(&over, 422, "hold_amount_exceeded");
    let change = bank
        .ask(Method::PATCH, &path)
        .with("If-Match", "\"3\"")
        .body(r#"{"amount":"20"}"#);
    assert_refused(&change.send().await, 412, "precondition_failed");
    let change = bank
        .ask(Method::PATCH, &path)
        .with("If-Match", "\"4\"")
        .body(r#"{"amount":"20"}"#);
    let changed = change.send().await;
    assert_eq!(
        (changed.status, text(&changed, "remaining")),
        (200, "10.00".to_owned())
    );
    assert_eq!(
        stands(&bank, &a).await,
        state("90.00", "10.00", "80.00", 5, "open")
    );
    // A capture and its fee are one transaction, and more than remains comes out of what is available.
    let id = text(&placed, "id");
    let both = json!({"postings": [
        {"hold": id, "to": b, "amount": "12", "currency": "USD", "overcapture": true},
        posting(&b, "world", "0.30"),
    ]});
    let both = bank.once("c3", "/v1/transactions", &both).await;
    assert_eq!(both.status, 201, "{both:?}");
    assert_eq!(
        stands(&bank, &a).await,
        state("78.00", "0.00", "78.00", 6, "open")
    );
    let shown = bank.get(&path).await;
    assert_eq!(
        (text(&shown, "status"), text(&shown, "captured")),
        ("captured".to_owned(), "22.00".to_owned())
    );
    let void = bank.once("v", &format!("{path}/void"), &Value::Null).await;
    assert_refused(&void, 409, "hold_not_active");
    // What is held is not there for anybody else, whatever interface they use.
    let hold = json!({"account": a, "amount": "78", "currency": "USD"});
    let placed = bank.once("h2", "/v1/holds", &hold).await;
    let spend = bank
        .once(
            "t",
            "/v1/transactions",
            &postings(&[posting(&a, &b, "0.01")]),
        )
        .await;
    assert_refused(&spend, 422, "insufficient_funds");
    let close = bank
        .once("x", &format!("/v1/accounts/{a}/close"), &Value::Null)
        .await;
    assert_refused(&close, 409, "has_active_holds");
    let path = placed.headers["location"].clone();
    let voided = bank.once("v2", &format!("{path}/void"), &Value::Null).await;
    assert_eq!(
        (voided.status, text(&voided, "status")),
        (200, "voided".to_owned())
    );
    bank.close().await;
}

#[tokio::test]
async fn a_hold_expires_by_the_next_command_and_is_shown_so_by_the_sweeper() {
    let bank = Bank::open().await;
    let (a, b) = (
        account(&bank, "a", "100").await,
        account(&bank, "b", "0").await,
    );
    let soon = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_500);
    let soon = soon.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let hold = json!({"account": a, "amount": "60", "currency": "USD", "expires_at": soon});
    let placed = bank.once("h", "/v1/holds", &hold).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    let path = placed.headers["location"].clone();
    bank.set_status(number_of(&a), "freeze").await;
    eventually("the hold is shown to have expired", async || {
        text(&bank.get(&path).await, "status") == "expired"
    })
    .await;
    assert_eq!(
        stands(&bank, &a).await,
        state("100.00", "0.00", "100.00", 5, "frozen")
    );
    bank.set_status(number_of(&a), "unfreeze").await;
    let capture = bank
        .once("c", &format!("{path}/captures"), &json!({"to": b}))
        .await;
    assert_refused(&capture, 409, "hold_not_active");
    let past = json!({"account": a, "amount": "1", "currency": "USD", "expires_at": "2020-01-01T00:00:00Z"});
    assert_refused(
        &bank.once("p", "/v1/holds", &past).await,
        422,
        "time_out_of_range",
    );
    bank.close().await;
}

fn number_of(number: &str) -> i64 {
    let id = passbook::ledger::AccountId::parse_number(number);
    id.expect("a number").0
}

#[expect(clippy::too_many_lines, reason = "a story is told from end to end")]
#[tokio::test]
async fn an_account_is_changed_frozen_and_closed_as_of_a_version() {
    let bank = Bank::open().await;
    let a = account(&bank, "a", "10").await;
    let path = format!("/v1/accounts/{a}");
    let freeze = |key: &'static str, tag: Option<&'static str>| {
        let asked = bank.ask(Method::POST, &format!("{path}/freeze")).once(key);
        let asked = tag.map_or(asked, |_| {
            bank.ask(Method::POST, &format!("{path}/freeze"))
                .once(key)
                .with("If-Match", tag.unwrap_or_default())
        });
        asked.send()
    };
    assert_refused(&freeze("f0", None).await, 428, "precondition_required");
    let stale = freeze("f1", Some("\"1\"")).await;
    assert_refused(&stale, 412, "precondition_failed");
    assert_eq!(stale.headers["etag"], "\"2\"");
    // A refusal by a version is not kept: the same key may be used once it was read again.
    let frozen = freeze("f1", Some("\"2\"")).await;
    assert_eq!(
        (frozen.status, text(&frozen, "status")),
        (200, "frozen".to_owned())
    );
    // And what succeeded is answered as it was, whatever the version is by now, and whatever is said of it.
    assert_replayed(&freeze("f1", Some("\"2\"")).await, &frozen);
    assert_replayed(&freeze("f1", None).await, &frozen);
    let again = freeze("f2", Some("*")).await;
    assert_eq!(
        (again.status, again.headers["etag"].as_str()),
        (200, "\"3\""),
        "no entry"
    );
    let out = postings(&[posting(&a, "world", "1")]);
    assert_refused(
        &bank.once("t", "/v1/transactions", &out).await,
        422,
        "account_frozen",
    );
    let change = json!({"overdraft_limit": "5", "metadata": {"a": "1", "b": "2"}});
    let changed = bank.native("p", Method::PATCH, &path, &change).await;
    assert_eq!(
        (changed.status, changed.headers["etag"].as_str()),
        (200, "\"4\"")
    );
    assert_eq!(text(&changed, "available"), "15.00");
    let change = json!({"metadata": {"a": null, "b": "2"}});
    let changed = bank.native("p2", Method::PATCH, &path, &change).await;
    assert_eq!(changed.json()["metadata"], json!({"b": "2"}));
    let same = bank.native("p3", Method::PATCH, &path, &change).await;
    assert_eq!(
        (same.status, same.headers["etag"].as_str()),
        (200, "\"5\""),
        "no entry"
    );
    let known = bank
        .ask(Method::GET, &path)
        .with("If-None-Match", "\"5\"")
        .send()
        .await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let close = bank.once("c", &format!("{path}/close"), &Value::Null).await;
    assert_refused(&close, 409, "balance_not_zero");
    bank.set_status(number_of(&a), "unfreeze").await;
    let all = bank
        .once(
            "all",
            "/v1/transactions",
            &postings(&[posting(&a, "world", "10")]),
        )
        .await;
    assert_eq!(all.status, 201, "{all:?}");
    bank.set_status(number_of(&a), "close").await;
    for (key, what) in [("u", "unfreeze"), ("f", "freeze")] {
        let reply = bank
            .once(key, &format!("{path}/{what}"), &Value::Null)
            .await;
        assert_refused(&reply, 422, "account_closed");
    }
    let paid = bank
        .once(
            "in",
            "/v1/transactions",
            &postings(&[posting("world", &a, "1")]),
        )
        .await;
    assert_refused(&paid, 422, "account_closed");
    bank.close().await;
}
