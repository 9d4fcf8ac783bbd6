//! `/v1/books` and the field `Passbook-Book`: accounts of another book are not there.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, assert_strict, texts};
use crate::support::native::{fresh_key, id_of, usd};
use crate::support::{Bank, Reply};

async fn open_book(bank: &Bank, name: &str) {
    let opened = bank.command("/v1/books", &json!({"name": name})).await;
    assert_eq!(opened.status, 201, "{opened:?}");
}

async fn command_in(bank: &Bank, book: &str, path: &str, body: &Value) -> Reply {
    let asked = bank.change(Method::POST, path).with("Passbook-Book", book);
    asked.body(&body.to_string()).send().await
}

async fn get_in(bank: &Bank, book: &str, path: &str) -> Reply {
    let asked = bank.ask(Method::GET, path).with("Passbook-Book", book);
    asked.send().await
}

#[tokio::test]
async fn books_are_opened_and_listed() {
    let bank = Bank::open().await;
    assert_strict(&bank, "/v1/books", &json!({"name": "shop"})).await;
    let opened = bank.command("/v1/books", &json!({"name": "shop-1"})).await;
    let at = opened.json()["opened_at"].clone();
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(
        opened.text,
        format!(r#"{{"name":"shop-1","opened_at":{at}}}"#)
    );
    assert_eq!(opened.headers["cache-control"], "no-store");
    let taken = bank.command("/v1/books", &json!({"name": "shop-1"})).await;
    assert_refused(&taken, 409, "book_taken", "shop-1");
    for name in ["main", "events"] {
        let taken = bank.command("/v1/books", &json!({"name": name})).await;
        assert_refused(&taken, 409, "book_taken", name);
    }
    for name in [
        json!(""),
        json!("Shop"),
        json!("1shop"),
        json!("a b"),
        json!("x".repeat(300)),
        json!(1),
    ] {
        let reply = bank.command("/v1/books", &json!({"name": name})).await;
        assert_refused(&reply, 400, "validation_failed", &name.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], "/name");
    }
    let list = bank.shown("/v1/books?order=asc").await;
    assert_eq!(texts(&list["data"], "name"), ["events", "main", "shop-1"]);
    bank.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_is_in_another_book_is_not_there() {
    let bank = Bank::open().await;
    open_book(&bank, "shop").await;
    let mine = bank.account_with("10").await;
    let opened = command_in(&bank, "shop", "/v1/accounts", &json!({"currency": "USD"})).await;
    let theirs = id_of(&opened);
    let deposit = json!({"postings": [usd("world", &theirs, "10")]});
    let made = command_in(&bank, "shop", "/v1/transactions", &deposit).await;
    let transaction = id_of(&made);
    let new = json!({"account": theirs, "amount": "1", "currency": "USD"});
    let hold = id_of(&command_in(&bank, "shop", "/v1/holds", &new).await);
    for path in [
        format!("/v1/accounts/{theirs}"),
        format!("/v1/transactions/{transaction}"),
        format!("/v1/holds/{hold}"),
    ] {
        assert_eq!(get_in(&bank, "shop", &path).await.status, 200, "{path}");
        assert_refused(&bank.get(&path).await, 404, "not_found", &path);
        assert_refused(
            &get_in(&bank, "events", &path).await,
            404,
            "not_found",
            &path,
        );
    }
    for path in [
        "/v1/accounts".to_owned(),
        "/v1/transactions".to_owned(),
        "/v1/holds".to_owned(),
        format!("/v1/holds?account={theirs}"),
        format!("/v1/transactions?account={theirs}"),
    ] {
        let shown = bank.get(&path).await.text;
        assert!(
            !shown.contains(&theirs) && !shown.contains(&hold),
            "{path}: {shown}"
        );
        let shown = get_in(&bank, "shop", &path).await.text;
        assert!(
            !shown.contains(&mine) && shown.contains(&theirs),
            "{path}: {shown}"
        );
    }
    let captured = json!({"hold": hold, "to": mine, "amount": "1", "currency": "USD"});
    let condition = json!({
        "postings": [usd(&mine, "world", "1")],
        "conditions": [{"account": theirs, "balance_at_least": "1"}],
    });
    for (path, body, status, code) in [
        (
            "/v1/transactions",
            json!({"postings": [usd(&mine, &theirs, "1")]}),
            422,
            "account_not_found",
        ),
        (
            "/v1/transactions",
            json!({"postings": [usd(&theirs, &mine, "1")]}),
            422,
            "account_not_found",
        ),
        (
            "/v1/transactions",
            json!({"postings": [captured]}),
            422,
            "hold_not_found",
        ),
        ("/v1/transactions", condition, 422, "account_not_found"),
        ("/v1/holds", new, 422, "account_not_found"),
        (
            &*format!("/v1/accounts/{theirs}/freeze"),
            json!({}),
            404,
            "not_found",
        ),
        (
            &*format!("/v1/accounts/{theirs}/close"),
            json!({}),
            404,
            "not_found",
        ),
        (
            &*format!("/v1/holds/{hold}/void"),
            json!({}),
            404,
            "not_found",
        ),
        (
            &*format!("/v1/holds/{hold}/captures"),
            json!({"to": mine}),
            404,
            "not_found",
        ),
        (
            &*format!("/v1/transactions/{transaction}/reversal"),
            json!({}),
            404,
            "not_found",
        ),
    ] {
        let reply = bank.command(path, &body).await;
        assert_refused(&reply, status, code, path);
        assert_eq!(reply.json().get("balance"), None, "nothing is told of it");
    }
    let void = command_in(&bank, "shop", &format!("/v1/holds/{hold}/void"), &json!({})).await;
    assert_eq!(void.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn a_key_is_of_its_principal_and_its_book() {
    let bank = Bank::open().await;
    open_book(&bank, "shop").await;
    let sign_up = |name: &str| {
        let body =
            format!(r#"{{"name":"{name}","email":"{name}@example.org","password":"Secret12"}}"#);
        let bank = &bank;
        async move {
            let reply = bank.post("/api/signup", &body).await;
            let cookie = &reply.headers["set-cookie"];
            let token = cookie.split(['=', ';']).nth(1).expect("a token");
            format!("Bearer {token}")
        }
    };
    let (ada, bob) = (sign_up("ada").await, sign_up("bob").await);
    let key = fresh_key();
    let mut ids = Vec::new();
    for (token, book) in [
        (None, "main"),
        (None, "shop"),
        (Some(&ada), "main"),
        (Some(&bob), "main"),
    ] {
        let ask = || {
            let asked = bank.ask(Method::POST, "/v1/accounts").once(&*key);
            let asked = asked.with("Passbook-Book", book);
            let asked = token
                .into_iter()
                .fold(asked, |asked, token| asked.with("Authorization", token));
            asked.body(r#"{"currency":"USD"}"#).send()
        };
        let first = ask().await;
        assert!(!first.is_replayed(), "{first:?}");
        let again = ask().await;
        assert_eq!((&again.text, again.is_replayed()), (&first.text, true));
        ids.push(id_of(&first));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each has a key of its own");
    let asked = bank.ask(Method::GET, "/v1/accounts");
    let asked = asked
        .with("Authorization", &ada)
        .with("Passbook-Book", "shop");
    assert_refused(
        &asked.send().await,
        403,
        "forbidden",
        "a person's book is main",
    );
    let known = bank.ask(Method::GET, &format!("/v1/idempotency-keys/{key}"));
    let known = known.with("Passbook-Book", "events").send().await;
    assert_refused(&known, 404, "not_found", "nobody used it there");
    let twice = [("Passbook-Book", "main"), ("Passbook-Book", "shop")];
    let twice = bank.send(Method::GET, "/v1/accounts", &twice, None).await;
    assert_refused(&twice, 403, "forbidden", "two books");
    bank.close().await;
}

#[tokio::test]
async fn the_dialect_keeps_its_accounts_in_the_book_of_its_name() {
    let bank = Bank::open().await;
    let deposit = r#"{"type":"deposit","destination":"100","amount":10}"#;
    assert_eq!(bank.post("/event", deposit).await.status, 201);
    let list = get_in(&bank, "events", "/v1/accounts").await.json();
    assert_eq!(texts(&list["data"], "balance"), ["10.00"], "{list}");
    let account = list["data"][0]["id"].as_str().expect("an id").to_owned();
    assert_refused(
        &bank.get(&format!("/v1/accounts/{account}")).await,
        404,
        "not_found",
        "main",
    );
    let out = json!({"postings": [usd(&account, "world", "4")]});
    let out = command_in(&bank, "events", "/v1/transactions", &out).await;
    assert_eq!(out.status, 201, "{out:?}");
    assert_eq!(bank.get("/balance?account_id=100").await.text, "6");
    bank.close().await;
}
