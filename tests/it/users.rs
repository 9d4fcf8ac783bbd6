//! The `users` dialect: every row of its table, every error, the shapes literally.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Method;

use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

const INSUFFICIENT: &str =
    r#"{"success":false,"error":{"message":"Insufficient funds","code":400}}"#;
const NO_USER: &str = r#"{"success":false,"error":{"message":"User not found","code":404}}"#;
const NO_RESOURCE: &str =
    r#"{"success":false,"error":{"message":"Resource not found","code":404}}"#;
const TOO_LARGE: &str =
    r#"{"success":false,"error":{"message":"Request body is larger than 64 KiB","code":413}}"#;
const BAD_ID: &str = r#"{"success":false,"errors":[{"field":"userId","message":"User ID must be a positive integer"}]}"#;
const BAD_AMOUNT: &str =
    r#"{"success":false,"errors":[{"field":"amount","message":"Amount must be a number"}]}"#;

/// A field of an answer's data that is a time: milliseconds, in UTC, about now.
fn time(reply: &Reply, field: &str) -> String {
    let text = reply.json()["data"][field]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_timestamp(&text);
    text
}

fn assert_timestamp(text: &str) {
    let at = DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let at = at.with_timezone(&Utc);
    assert_eq!(at.to_rfc3339_opts(SecondsFormat::Millis, true), text);
    let age = (Utc::now() - at).abs().to_std().expect("a duration");
    assert!(age < Duration::from_mins(5), "{text} is not now");
}

#[track_caller]
fn assert_is(reply: &Reply, status: u16, text: &str) {
    assert_eq!((reply.status, reply.text.as_str()), (status, text));
    assert_eq!(reply.headers["content-type"], "application/json");
}

fn changed(id: i64, balance: &str, at: &str) -> String {
    format!(
        r#"{{"success":true,"data":{{"id":{id},"balance":{balance},"updatedAt":"{at}"}},"message":"Balance updated successfully"}}"#
    )
}

fn shown(id: i64, balance: &str, created_at: &str, updated_at: &str) -> String {
    format!(
        r#"{{"success":true,"data":{{"id":{id},"balance":{balance},"createdAt":"{created_at}","updatedAt":"{updated_at}"}}}}"#
    )
}

#[tokio::test]
async fn health_is_ok_at_a_time_in_milliseconds() {
    let bank = Bank::open().await;
    let reply = bank.get("/api/health").await;
    let timestamp = reply.json()["timestamp"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_timestamp(&timestamp);
    assert_is(
        &reply,
        200,
        &format!(r#"{{"status":"ok","timestamp":"{timestamp}"}}"#),
    );
    bank.close().await;
}

#[tokio::test]
async fn a_user_is_shown_as_they_were_opened() {
    let bank = Bank::open().await;
    let opened = bank
        .post(
            "/api/users",
            r#"{"name":"Ada Lovelace","email":"Ada@Example.org","balance":10000}"#,
        )
        .await;
    let at = time(&opened, "createdAt");
    assert_is(&opened, 201, &shown(1, "10000.00", &at, &at));
    assert_is(&bank.get("/api/users/1").await, 200, &opened.text);
    let stored: Vec<(String, String)> = bank.rows("select name, email from users").await;
    assert_eq!(
        stored,
        [("Ada Lovelace".to_owned(), "ada@example.org".to_owned())]
    );
    bank.close().await;
}

#[tokio::test]
async fn each_field_of_a_new_user_may_be_left_out() {
    let bank = Bank::open().await;
    let bodies = [
        ("{}", "0.00"),
        (r#"{"name":"Ada"}"#, "0.00"),
        (r#"{"email":"ada@example.org"}"#, "0.00"),
        (r#"{"balance":"12.50"}"#, "12.50"),
        (r#"{"name":"Ada","email":"ada2@example.org"}"#, "0.00"),
        (r#"{"name":"Ada","balance":0}"#, "0.00"),
        (r#"{"email":"ada3@example.org","balance":0.01}"#, "0.01"),
        (
            r#"{"name":null,"email":null,"balance":null,"role":"admin"}"#,
            "0.00",
        ),
    ];
    for ((body, balance), id) in bodies.into_iter().zip(1..) {
        let reply = bank.post("/api/users", body).await;
        let at = time(&reply, "createdAt");
        assert_is(&reply, 201, &shown(id, balance, &at, &at));
        assert_eq!(bank.known_user(id).balance().await, balance);
    }
    bank.close().await;
}

#[tokio::test]
async fn an_opening_balance_is_a_deposit_in_the_ledger() {
    let bank = Bank::open().await;
    let (rich, poor) = (bank.user("12.5").await, bank.user("0").await);
    let entries: Vec<(i64, i64, String, String)> = bank
        .rows("select account_id, version, amount::text, balance::text from entries")
        .await;
    assert_eq!(
        entries,
        [(
            rich.account().await,
            2,
            "12.50".to_owned(),
            "12.50".to_owned()
        )]
    );
    let version = format!(
        "select version from accounts where id = {}",
        poor.account().await
    );
    assert_eq!(bank.number(&version).await, 1);
    bank.close().await;
}

#[tokio::test]
async fn an_email_belongs_to_one_user_whatever_its_case() {
    let bank = Bank::open().await;
    let open = async |email: &str| {
        bank.post(
            "/api/users",
            &format!(r#"{{"email":"{email}","balance":5}}"#),
        )
        .await
    };
    assert_eq!(open("Ada@Example.org").await.status, 201);
    for email in ["Ada@Example.org", "ada@example.org", "ADA@EXAMPLE.ORG"] {
        assert_is(
            &open(email).await,
            409,
            r#"{"success":false,"error":{"message":"Email already in use","code":409}}"#,
        );
    }
    assert_eq!(bank.number("select count(*) from users").await, 1);
    assert_eq!(bank.number("select count(*) from entries").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn deposits_and_withdrawals_answer_with_the_new_balance_and_its_time() {
    let bank = Bank::open().await;
    let user = bank.user("10000").await;
    let created_at = time(&bank.get("/api/users/1").await, "createdAt");
    let mut last = created_at.clone();
    let changes = [
        ("100.50", "10100.50"),
        ("-0.01", "10100.49"),
        ("\"12.50\"", "10112.99"),
        ("\"-12.5\"", "10100.49"),
        ("1e2", "10200.49"),
        ("-10200.49", "0.00"),
    ];
    for (amount, balance) in changes {
        // The time is shown in milliseconds: the next one tells the change apart.
        while Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true) <= last {
            tokio::task::yield_now().await;
        }
        let reply = user.change(amount).await;
        let at = time(&reply, "updatedAt");
        assert_is(&reply, 200, &changed(1, balance, &at));
        assert!(last < at, "{last} {at}: the time moves with the balance");
        let shown = shown(1, balance, &created_at, &at);
        assert_is(&bank.get("/api/users/1").await, 200, &shown);
        last = at;
    }
    assert_eq!(bank.number("select count(*) from entries").await, 7);
    bank.close().await;
}

#[tokio::test]
async fn zero_is_accepted_and_changes_nothing() {
    let bank = Bank::open().await;
    let user = bank.user("7").await;
    let before = bank.get("/api/users/1").await;
    for zero in ["0", "-0", "0.00", "\"0\"", "0e5"] {
        let reply = user.change(zero).await;
        assert_is(&reply, 200, &changed(1, "7.00", &time(&reply, "updatedAt")));
    }
    assert_is(&bank.get("/api/users/1").await, 200, &before.text);
    assert_eq!(bank.number("select count(*) from entries").await, 1);
    assert_eq!(bank.number("select max(version) from accounts").await, 2);
    bank.close().await;
}

#[tokio::test]
async fn a_withdrawal_beyond_the_balance_is_refused_and_changes_nothing() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    let before = bank.get("/api/users/1").await;
    for amount in ["-10.01", "-1e20", "\"-11\""] {
        assert_is(&user.change(amount).await, 400, INSUFFICIENT);
    }
    assert_is(&bank.get("/api/users/1").await, 200, &before.text);
    assert_eq!(bank.number("select count(*) from transactions").await, 1);
    assert_eq!(user.change("-10").await.status, 200);
    assert_is(&user.change("-0.01").await, 400, INSUFFICIENT);
    bank.close().await;
}

#[tokio::test]
async fn an_unknown_user_is_not_found() {
    let bank = Bank::open().await;
    for id in [1, 2, i64::MAX] {
        assert_is(&bank.get(&format!("/api/users/{id}")).await, 404, NO_USER);
        for amount in ["1", "-1", "0"] {
            assert_is(&bank.known_user(id).change(amount).await, 404, NO_USER);
        }
    }
    assert_eq!(bank.number("select count(*) from accounts").await, 0);
    assert_eq!(bank.number("select count(*) from transactions").await, 0);
    bank.close().await;
}

#[tokio::test]
async fn an_id_is_a_positive_integer() {
    let bank = Bank::open().await;
    bank.user("1").await;
    let ids = [
        "-1",
        "0",
        "1.0",
        "1e0",
        "+1",
        "%201",
        "0x1",
        "9223372036854775808",
        "99999999999999999999999999999999999999999",
        "abc",
        "null",
        "%00",
        "1%00",
        "%2e%2e",
        "1%2fbalance",
        "%ff",
        "%EF%BC%91",
        "'%20or%201=1--",
        "1;drop%20table%20users",
    ];
    for id in ids {
        let get =
            format!("GET /api/users/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let put = format!(
            "PUT /api/users/{id}/balance HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{{\"amount\":1}}"
        );
        for request in [get, put] {
            let reply = bank.send_bytes(request.as_bytes()).await;
            assert_eq!(
                (reply.status, reply.text.as_str()),
                (400, BAD_ID),
                "{request}"
            );
            assert_eq!(reply.headers["content-type"], "application/json");
        }
    }
    assert_eq!(bank.known_user(1).balance().await, "1.00");
    bank.close().await;
}

#[tokio::test]
async fn every_fault_of_a_request_is_named() {
    let bank = Bank::open().await;
    let user = bank.user("1").await;
    assert_is(&user.change("\"abc\"").await, 400, BAD_AMOUNT);
    assert_is(
        &bank.put("/api/users/1/balance", "{}").await,
        400,
        BAD_AMOUNT,
    );
    let asked = bank.ask(Method::PUT, "/api/users/abc/balance").once("a b");
    let reply = asked.body(r#"{"amount":true}"#).send().await;
    assert_is(
        &reply,
        400,
        r#"{"success":false,"errors":[{"field":"userId","message":"User ID must be a positive integer"},{"field":"amount","message":"Amount must be a number"},{"field":"Idempotency-Key","message":"Idempotency-Key must be 1 to 255 visible ASCII characters, given once"}]}"#,
    );
    let body = r#"{"name":1,"email":"nobody","balance":-0.01}"#;
    assert_is(
        &bank.post("/api/users", body).await,
        400,
        r#"{"success":false,"errors":[{"field":"name","message":"Name must be a string"},{"field":"email","message":"Email must be an email address"},{"field":"balance","message":"Balance must not be negative"}]}"#,
    );
    assert_eq!(bank.number("select count(*) from users").await, 1);
    assert_eq!(user.balance().await, "1.00");
    bank.close().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_under_api_are_not_found_in_the_dialects_shape() {
    let bank = Bank::open().await;
    bank.user("1").await;
    let paths = [
        ("/api", ""),
        ("/api/", ""),
        ("/api/nothing", ""),
        ("/api/health", "GET"),
        ("/api/health/", "GET"),
        ("/api/users", "POST"),
        ("/api/users/", "POST"),
        ("/api/users/1", "GET"),
        ("/api/users/1/", "GET"),
        ("/api/users/1/balance", "PUT"),
        ("/api/users/1/balance/", "PUT"),
        ("/api/users/1//", ""),
        ("/api/users//balance", ""),
        ("/api/users/1/balance/more", ""),
        ("/api//users", ""),
    ];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "INVENT",
        "get",
    ];
    for (path, known) in paths {
        let is_known = |method: &str| match method {
            "HEAD" => known == "GET",
            "OPTIONS" => !known.is_empty(),
            _ => method == known,
        };
        for method in methods.into_iter().filter(|method| !is_known(method)) {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            );
            let reply = bank.send_bytes(request.as_bytes()).await;
            let text = if method == "HEAD" { "" } else { NO_RESOURCE };
            assert_eq!(
                (reply.status, reply.text.as_str()),
                (404, text),
                "{method} {path}"
            );
            assert_eq!(reply.headers["content-type"], "application/json");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn paths_outside_api_are_not_found_in_the_shape_of_the_whole() {
    let bank = Bank::open().await;
    for path in ["/nothing", "/apis", "/API/health", "/users/1", "/health"] {
        let reply = bank.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.headers["content-type"], "application/json", "{path}");
        let json = reply.json();
        assert!(json["error"].is_string(), "{path}: {json}");
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(1));
    }
    bank.close().await;
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_413() {
    let bank = Bank::open().await;
    let user = bank.user("1").await;
    let padded = |start: &str, length: usize| {
        let padding = " ".repeat(length - start.len() - 1);
        format!("{start}{padding}}}")
    };
    let path = "/api/users/1/balance";
    let most = bank.put(path, &padded(r#"{"amount":1"#, 65_536)).await;
    assert_eq!(most.status, 200, "{most:?}");
    let more = bank.put(path, &padded(r#"{"amount":1"#, 65_537)).await;
    assert_is(&more, 413, TOO_LARGE);
    let opening = bank.post("/api/users", &padded("{", 65_537)).await;
    assert_is(&opening, 413, TOO_LARGE);
    assert_eq!(user.balance().await, "2.00");
    assert_eq!(bank.number("select count(*) from users").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn fifty_deposits_and_fifty_withdrawals_at_once_all_succeed() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let changes = (0..100).map(|number| user.change(if number % 2 == 0 { "10" } else { "-10" }));
    let replies = at_once(changes).await;
    assert!(
        replies.iter().all(|reply| reply.status == 200),
        "{replies:?}"
    );
    assert_eq!(user.balance().await, "1000.00");
    assert_eq!(bank.number("select count(*) from entries").await, 101);
    bank.close().await;
}

#[tokio::test]
async fn a_user_without_an_account_in_the_default_currency_gets_one_with_the_first_deposit() {
    let dollars = Bank::open().await;
    let created_at = time(
        &dollars.post("/api/users", r#"{"balance":100}"#).await,
        "createdAt",
    );
    let url = dollars.stop().await;
    let euros = Bank::open_on(&url, &["--default-currency", "EUR"]).await;
    let user = euros.known_user(1);
    let none = shown(1, "0.00", &created_at, &created_at);
    assert_is(&euros.get("/api/users/1").await, 200, &none);
    assert_is(&user.change("-1").await, 400, INSUFFICIENT);
    let zero = user.change("0").await;
    assert_is(&zero, 200, &changed(1, "0.00", &time(&zero, "updatedAt")));
    assert_eq!(euros.number("select count(*) from accounts").await, 1);

    let first = user.change("12.5").await;
    let at = time(&first, "updatedAt");
    assert_is(&first, 200, &changed(1, "12.50", &at));
    let one = shown(1, "12.50", &created_at, &at);
    assert_is(&euros.get("/api/users/1").await, 200, &one);
    assert_eq!(user.change("-2.50").await.status, 200);
    assert_is(&user.change("-10.01").await, 400, INSUFFICIENT);
    let balances: Vec<(String, String)> = euros
        .rows("select currency, balance::text from accounts order by currency")
        .await;
    let expected = [("EUR", "10.00"), ("USD", "100.00")];
    assert_eq!(
        balances,
        expected.map(|(currency, balance)| (currency.to_owned(), balance.to_owned()))
    );
    euros.close().await;
}

#[tokio::test]
async fn the_time_of_an_answer_is_one_that_a_read_shows() {
    let bank = Bank::open().await;
    let (user, empty) = (bank.user("100").await, bank.user("0").await);
    let read = async |user: i64| {
        let reply = bank.get(&format!("/api/users/{user}")).await;
        reply.json()["data"]["updatedAt"].to_string()
    };
    for user in [&user, &empty] {
        let time = |reply: &Reply| reply.json()["data"]["updatedAt"].to_string();
        let before = read(user.id).await;
        assert_eq!(time(&user.change("0").await), before);
        let first = user.change_once("zero", "0").await;
        assert_eq!(
            (time(&first), read(user.id).await),
            (before.clone(), before.clone())
        );
        let later = user.change("1").await;
        assert_eq!(time(&later), read(user.id).await);
        // A replay is the first answer, also from what is stored.
        let again = user.change_once("zero", "0").await;
        assert!(again.is_replayed());
        assert_eq!(again.text, first.text);
    }
    bank.close().await;
}
