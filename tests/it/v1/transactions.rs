//! `/v1/transactions`: postings, all or nothing and in their order.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, assert_seen, assert_strict};
use crate::support::Bank;
use crate::support::native::{id_of, usd};

#[tokio::test]
async fn a_transaction_is_shown_as_it_was_answered() {
    let bank = Bank::open().await;
    let account = bank.account_with("0").await;
    let body = json!({
        "postings": [usd("world", &account, "12.5")],
        "reference": "invoice 7", "metadata": {"order": "7"},
    });
    let made = bank.command("/v1/transactions", &body).await;
    let id = id_of(&made);
    assert_eq!(made.status, 201);
    assert_eq!(made.headers["location"], format!("/v1/transactions/{id}"));
    assert_eq!(made.headers["cache-control"], "private, no-cache");
    let at = made.json()["created_at"].clone();
    let expected = format!(
        r#"{{"id":"{id}","kind":"deposit","postings":[{{"from":"world","to":"{account}","amount":"12.50","currency":"USD"}}],"reference":"invoice 7","metadata":{{"order":"7"}},"effective_at":{at},"reverses":null,"reversed_by":null,"created_at":{at},"accounts":[{{"id":"{account}","version":2,"balance":"12.50","held":"0.00","available":"12.50"}}]}}"#
    );
    assert_eq!(made.text, expected);
    let path = made.headers["location"].as_str();
    let shown = bank.get(path).await;
    assert_eq!((shown.status, &shown.text), (200, &made.text));
    assert_eq!(shown.headers["etag"], made.headers["etag"]);
    let asked = bank.ask(Method::GET, path);
    let known = asked.with("If-None-Match", &made.headers["etag"]);
    assert_eq!(known.send().await.status, 304);
    // It has another tag once it is reversed.
    let reversal = bank.command(&format!("{path}/reversal"), &json!({})).await;
    assert_eq!(reversal.status, 201, "{reversal:?}");
    let reversed = bank.get(path).await;
    assert_ne!(reversed.headers["etag"], made.headers["etag"]);
    assert_eq!(reversed.json()["reversed_by"], reversal.json()["id"]);
    bank.close().await;
}

#[tokio::test]
async fn a_transaction_is_called_what_its_postings_are() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("0").await, bank.account_with("0").await);
    for (postings, kind) in [
        (vec![usd("world", &ada, "5")], "deposit"),
        (vec![usd(&ada, &bob, "2")], "transfer"),
        (vec![usd(&bob, "world", "1")], "withdrawal"),
        (
            vec![usd(&ada, &bob, "1"), usd(&bob, &ada, "1")],
            "transaction",
        ),
    ] {
        let reply = bank.transact(&postings).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.json()["kind"], kind);
    }
    // What opens, freezes and closes is a transaction too, without money.
    let path = format!("/v1/transactions?account={ada}&order=asc");
    bank.set_status_of(&ada, "freeze").await;
    bank.set_status_of(&ada, "unfreeze").await;
    let list = bank.shown(&path).await;
    let kinds = super::texts(&list["data"], "kind");
    let expected = [
        "opening",
        "deposit",
        "transfer",
        "transaction",
        "frozen",
        "unfrozen",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(list["data"][0]["postings"], json!([]));
    assert_eq!(list["data"][4]["accounts"][0]["id"], ada);
    bank.close().await;
}

#[tokio::test]
async fn postings_use_what_those_before_them_brought_or_none_is_done() {
    let bank = Bank::open().await;
    let mut accounts = Vec::new();
    for _ in 0..3 {
        accounts.push(bank.account_with("0").await);
    }
    let [a, b, c] = [&accounts[0], &accounts[1], &accounts[2]];
    let reply = bank
        .transact(&[
            usd("world", a, "9"),
            usd(a, b, "9"),
            usd(b, c, "4"),
            usd(b, "world", "5"),
        ])
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let after = reply.json()["accounts"].clone();
    let stood = |at: usize| {
        (
            after[at]["id"].clone(),
            after[at]["version"].clone(),
            after[at]["balance"].clone(),
        )
    };
    assert_eq!(stood(0), (json!(a), json!(3), json!("0.00")));
    assert_eq!(stood(1), (json!(b), json!(4), json!("0.00")));
    assert_eq!(stood(2), (json!(c), json!(2), json!("4.00")));
    let reply = bank
        .transact(&[usd("world", a, "1"), usd(c, b, "4"), usd(b, c, "4.01")])
        .await;
    assert_refused(&reply, 422, "insufficient_funds", "the third");
    assert_eq!(reply.json()["pointer"], "/postings/2");
    assert_seen(&reply, b, ["4", "0.00", "0.00"]);
    for (account, version) in [(a, 3), (b, 4), (c, 2)] {
        let shown = bank.shown(&format!("/v1/accounts/{account}")).await;
        assert_eq!(shown["version"], version, "nothing was done");
    }
    bank.close().await;
}

#[tokio::test]
async fn all_is_what_is_available_at_its_turn() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("0").await);
    bank.hold(&ada, "4").await;
    let reply = bank
        .transact(&[
            usd("world", &ada, "0.5"),
            usd(&ada, &bob, "all"),
            usd(&bob, "world", "all"),
        ])
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let postings = reply.json()["postings"].clone();
    assert_eq!(super::texts(&postings, "amount"), ["0.50", "6.50", "6.50"]);
    let none = bank.transact(&[usd(&ada, &bob, "all")]).await;
    assert_refused(&none, 422, "insufficient_funds", "nothing is available");
    assert_seen(&none, &ada, ["5", "4.00", "0.00"]);
    let limit = json!({"currency": "USD", "overdraft_limit": "3"});
    let limit = bank.open_account(&limit).await;
    let reply = bank.transact(&[usd(&limit, &bob, "all")]).await;
    assert_eq!(reply.json()["postings"][0]["amount"], "3.00", "{reply:?}");
    let world = bank.transact(&[usd("world", &bob, "all")]).await;
    assert_refused(&world, 400, "validation_failed", "the world has no end");
    bank.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_fault_of_a_transaction_has_its_code() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("0").await);
    let yen = bank.open_account(&json!({"currency": "JPY"})).await;
    let one = |posting: Value| json!({"postings": [posting]});
    assert_strict(&bank, "/v1/transactions", &one(usd(&ada, &bob, "1"))).await;
    let at =
        |amount: Value| one(json!({"from": ada, "to": bob, "amount": amount, "currency": "USD"}));
    for (body, pointer) in [
        (json!({}), "/postings"),
        (json!({"postings": []}), "/postings"),
        (json!({"postings": {}}), "/postings"),
        (json!({"postings": [1]}), "/postings/0"),
        (
            one(json!({"to": bob, "amount": "1", "currency": "USD"})),
            "/postings/0/from",
        ),
        (
            one(json!({"from": ada, "amount": "1", "currency": "USD"})),
            "/postings/0/to",
        ),
        (
            one(json!({"from": ada, "to": bob, "currency": "USD"})),
            "/postings/0/amount",
        ),
        (
            one(json!({"from": ada, "to": bob, "amount": "1"})),
            "/postings/0/currency",
        ),
        (one(usd("World", &bob, "1")), "/postings/0/from"),
        (one(usd("7", &bob, "1")), "/postings/0/from"),
        (
            one(json!({"from": ada, "to": bob, "amount": "1", "currency": "XXX"})),
            "/postings/0/currency",
        ),
        (
            one(json!({"from": ada, "to": bob, "amount": "1", "currency": "USD", "final": true})),
            "/postings/0/final",
        ),
        (
            one(json!({"from": ada, "hold": ada, "to": bob, "amount": "1", "currency": "USD"})),
            "/postings/0/hold",
        ),
        (
            json!({"postings": [usd(&ada, &bob, "1")], "dry_run": "yes"}),
            "/dry_run",
        ),
        (
            json!({"postings": [usd(&ada, &bob, "1")], "reference": "x".repeat(256)}),
            "/reference",
        ),
        (
            json!({"postings": [usd(&ada, &bob, "1")], "reference": "a\u{0}"}),
            "/reference",
        ),
    ] {
        let reply = bank.command("/v1/transactions", &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply:?}");
    }
    for amount in [
        "0", "0.00", "-1", "+1", "1.", ".5", "01", "1e2", " 1", "1_0", "１", "1.001", "NaN", "",
    ] {
        let reply = bank.command("/v1/transactions", &at(json!(amount))).await;
        assert_refused(&reply, 400, "validation_failed", amount);
        assert_eq!(reply.json()["errors"][0]["pointer"], "/postings/0/amount");
    }
    for amount in [json!(1), json!(null), json!(true), json!(["1"]), json!({})] {
        let reply = bank.command("/v1/transactions", &at(amount.clone())).await;
        assert_refused(&reply, 400, "validation_failed", &amount.to_string());
    }
    let nobody = "000000000000";
    let yens = json!({"from": ada, "to": yen, "amount": "1", "currency": "JPY"});
    let dollars = usd(&ada, &yen, "1");
    let held = json!({"hold": "01890000-0000-7000-8000-000000000000", "to": bob, "amount": "1", "currency": "USD"});
    for (posting, code, account) in [
        (usd(&ada, &bob, "10.01"), "insufficient_funds", Some(&ada)),
        (usd(&ada, nobody, "1"), "account_not_found", None),
        (usd(nobody, &ada, "1"), "account_not_found", None),
        (yens, "currency_mismatch", Some(&ada)),
        (dollars, "currency_mismatch", Some(&yen)),
        (usd(&ada, &ada, "1"), "same_account", Some(&ada)),
        (usd("world", "world", "1"), "same_account", None),
        (
            usd("world", &ada, "9999999999999999999999999.99"),
            "amount_too_large",
            Some(&ada),
        ),
        (held, "hold_not_found", None),
    ] {
        let body = json!({"postings": [usd("world", &bob, "1"), posting]});
        let reply = bank.command("/v1/transactions", &body).await;
        assert_refused(&reply, 422, code, &body.to_string());
        let problem = reply.json();
        assert_eq!(problem["pointer"], "/postings/1", "{reply:?}");
        assert_eq!(
            problem["account"].as_str(),
            account.map(String::as_str),
            "{reply:?}"
        );
    }
    assert_eq!(
        bank.shown(&format!("/v1/accounts/{ada}")).await["version"],
        2
    );
    bank.close().await;
}

#[tokio::test]
async fn what_was_refused_is_no_transaction() {
    let bank = Bank::open().await;
    let ada = bank.account_with("10").await;
    let out = json!({"postings": [usd(&ada, "world", "11")]}).to_string();
    let asked = bank.ask(Method::POST, "/v1/transactions").once("refused");
    assert_refused(
        &asked.body(&out).send().await,
        422,
        "insufficient_funds",
        "11",
    );
    let sql = "select id::text from transactions where refusal is not null";
    let refused: Vec<(String,)> = bank.rows(sql).await;
    for id in [
        &*refused[0].0,
        "01890000-0000-7000-8000-000000000000",
        "x",
        "1",
        "%00",
    ] {
        let path = format!("/v1/transactions/{id}");
        assert_refused(&bank.get(&path).await, 404, "not_found", &path);
        let reply = bank.command(&format!("{path}/reversal"), &json!({})).await;
        assert_refused(&reply, 404, "not_found", &path);
    }
    bank.close().await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_keeps_nothing() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("0").await);
    let counts = "select (select count(*) from transactions) + (select count(*) from entries)";
    let before = bank.number(counts).await;
    let dry = |amount: &str| json!({"postings": [usd(&ada, &bob, amount)], "dry_run": true, "reference": "dry"});
    let ask = async |body: Value| {
        let asked = bank.ask(Method::POST, "/v1/transactions");
        asked.body(&body.to_string()).send().await
    };
    let reply = ask(dry("4")).await;
    assert_eq!(reply.status, 200, "it needs no key: {reply:?}");
    assert_eq!(reply.headers.get("location"), None);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let shown = reply.json();
    assert_eq!(shown["accounts"][0]["balance"], "6.00");
    assert_eq!(shown["accounts"][1]["version"], 2);
    assert_eq!(shown["reference"], "dry");
    let refused = ask(dry("11")).await;
    assert_refused(&refused, 422, "insufficient_funds", "11");
    assert_seen(&refused, &ada, ["2", "10.00", "10.00"]);
    // A key is checked for its form, and not looked up.
    let key = bank.ask(Method::POST, "/v1/transactions").once("a b");
    let key = key.body(&dry("1").to_string()).send().await;
    assert_refused(&key, 400, "idempotency_key_invalid", "a blank");
    for (amount, status) in [("1", 200), ("2", 200), ("11", 422), ("1", 200)] {
        let asked = bank.ask(Method::POST, "/v1/transactions").once("dry");
        let reply = asked.body(&dry(amount).to_string()).send().await;
        assert_eq!((reply.status, reply.is_replayed()), (status, false));
    }
    assert_eq!(bank.get("/v1/idempotency-keys/dry").await.status, 404);
    assert_eq!(bank.number(counts).await, before);
    let path = format!("/v1/transactions/{}", shown["id"].as_str().expect("an id"));
    assert_eq!(bank.get(&path).await.status, 404);
    bank.close().await;
}
