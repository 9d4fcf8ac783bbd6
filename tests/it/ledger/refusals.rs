//! What the `ledger` dialect refuses, and how it says so.

use reqwest::Method;

use super::{balance, create, deposit, said, transfer, withdraw};
use crate::support::Bank;

#[tokio::test]
async fn who_is_not_there_is_named_before_the_money_is_looked_at() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    let source = (404, r#"{"error":"Source user id not found."}"#);
    let target = (404, r#"{"error":"Target user id not found."}"#);
    assert_eq!(said(&deposit(&bank, 9, "1", "bitcoin").await), source);
    assert_eq!(said(&withdraw(&bank, 9, "1", "bitcoin").await), source);
    assert_eq!(said(&transfer(&bank, 9, user, "1").await), source);
    assert_eq!(said(&transfer(&bank, 9, 8, "1").await), source);
    assert_eq!(said(&transfer(&bank, user, 9, "1").await), target);
    assert_eq!(said(&bank.get("/balance?user_id=9").await), source);
    let one = bank.get("/balance?user_id=9&currency_type=bitcoin").await;
    assert_eq!(said(&one), source);
    let short = (422, r#"{"error":"Insufficient funds for withdrawal."}"#);
    assert_eq!(said(&withdraw(&bank, user, "1", "bitcoin").await), short);
    let other = create(&bank, "b").await;
    let short = (422, r#"{"error":"Insufficient funds for transfer."}"#);
    assert_eq!(said(&transfer(&bank, user, other, "1").await), short);
    // Nothing was opened on the way.
    assert_eq!(bank.number("select count(*) from accounts").await, 2);
    deposit(&bank, user, "1", "bitcoin").await;
    let same = (422, r#"{"error":"Cannot transfer to the same user."}"#);
    assert_eq!(said(&transfer(&bank, user, user, "1").await), same);
    assert_eq!(said(&transfer(&bank, user, user, "2").await), short);
    bank.close().await;
}

/// Deposits asked by query, and what is wrong with them.
const QUERIES: [(&str, &str); 18] = [
    ("amount=1&currency_type=bitcoin", "user_id is required"),
    ("user_id=1&currency_type=bitcoin", "amount is required"),
    ("user_id=1&amount=1", "currency_type is required"),
    (
        "user_id=0&amount=1&currency_type=bitcoin",
        "user_id must be a positive integer",
    ),
    (
        "user_id=-1&amount=1&currency_type=bitcoin",
        "user_id must be a positive integer",
    ),
    (
        "user_id=1.0&amount=1&currency_type=bitcoin",
        "user_id must be a positive integer",
    ),
    (
        "user_id=&amount=1&currency_type=bitcoin",
        "user_id must be a positive integer",
    ),
    (
        "user_id=1&amount=0&currency_type=bitcoin",
        "amount must be greater than zero",
    ),
    (
        "user_id=1&amount=-1&currency_type=bitcoin",
        "amount must be greater than zero",
    ),
    (
        "user_id=1&amount=x&currency_type=bitcoin",
        "amount must be a number",
    ),
    (
        "user_id=1&amount=&currency_type=bitcoin",
        "amount must be a number",
    ),
    (
        "user_id=1&amount=NaN&currency_type=bitcoin",
        "amount must be a number",
    ),
    (
        "user_id=1&amount=0.000000001&currency_type=bitcoin",
        "amount must have at most 8 decimals",
    ),
    (
        "user_id=1&amount=1e-19&currency_type=ethereum",
        "amount must have at most 18 decimals",
    ),
    (
        "user_id=1&amount=1e20&currency_type=bitcoin",
        "amount is too large",
    ),
    (
        "user_id=1&amount=1&currency_type=euro",
        "Unknown currency_type.",
    ),
    (
        "user_id=1&user_id=1&amount=1&currency_type=bitcoin",
        "user_id is given more than once",
    ),
    (
        "user_id=%zz&amount=1",
        "query or form is not percent-encoded UTF-8",
    ),
];

/// Deposits asked by body, with its type, that are wrong.
const BODIES: [(&str, &str); 6] = [
    (
        "application/json",
        r#"{"user_id":[1],"amount":1,"currency_type":"bitcoin"}"#,
    ),
    (
        "application/json",
        r#"{"user_id":1,"amount":true,"currency_type":"bitcoin"}"#,
    ),
    (
        "application/json",
        r#"{"user_id":1,"amount":1,"currency_type":1}"#,
    ),
    (
        "application/json",
        r#"{"user_id":1,"user_id":1,"amount":1,"currency_type":"bitcoin"}"#,
    ),
    (
        "application/json",
        "user_id=1&amount=1&currency_type=bitcoin",
    ),
    (
        "application/x-www-form-urlencoded",
        "user_id=1&amount=%ff&currency_type=bitcoin",
    ),
];

#[tokio::test]
async fn what_cannot_be_understood_is_refused_and_named() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    for (query, error) in QUERIES {
        let reply = bank.get(&format!("/deposit?{query}")).await;
        let body = format!(r#"{{"error":"{error}"}}"#);
        assert_eq!(said(&reply), (400, body.as_str()), "{query}");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
    for query in [
        "name=a",
        "email=a@y",
        "name=&email=a@y",
        "name=a&email=a",
        "name=%00&email=a@y",
        "name=a&email=%ff@y",
    ] {
        assert_eq!(
            bank.get(&format!("/create?{query}")).await.status,
            400,
            "{query}"
        );
    }
    for (kind, body) in BODIES {
        let headers = [("Content-Type", kind)];
        let request = bank.client.post(bank.url("/deposit")).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let reply = request.send().await.expect("an answer");
        assert_eq!(reply.status().as_u16(), 400, "{body}");
    }
    let twice = bank.send(
        Method::POST,
        "/deposit?user_id=1",
        &[],
        Some(r#"{"user_id":1}"#),
    );
    assert_eq!(twice.await.status, 400);
    assert_eq!(balance(&bank, user, "bitcoin").await, "0");
    assert_eq!(bank.number("select count(*) from users").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn an_email_is_taken_whatever_its_case() {
    let bank = Bank::open().await;
    create(&bank, "a").await;
    let taken = bank.get("/create?name=b&email=A@EXAMPLE.org").await;
    assert_eq!(said(&taken), (409, r#"{"error":"Email already in use."}"#));
    bank.close().await;
}

#[tokio::test]
async fn another_site_can_make_nobody_pay() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    let elsewhere = [("Sec-Fetch-Site", "cross-site")];
    let query = format!("user_id={user}&amount=1&currency_type=bitcoin");
    let writes = [
        format!("/deposit?{query}"),
        format!("/withdraw?{query}"),
        format!("/transfer?source_user_id={user}&target_{query}"),
        "/create?name=b&email=b@x".to_owned(),
    ];
    for path in &writes {
        for method in [Method::GET, Method::POST] {
            let reply = bank.send(method, path, &elsewhere, None).await;
            let body = r#"{"error":"Another site may not ask for this"}"#;
            assert_eq!(said(&reply), (403, body), "{path}");
        }
    }
    let reading = format!("/balance?user_id={user}");
    assert_eq!(
        bank.send(Method::GET, &reading, &elsewhere, None)
            .await
            .status,
        200
    );
    // A page of another port or name of the same site is another's as well; an image of it says no origin.
    let neighbour = [("Sec-Fetch-Site", "same-site")];
    let reply = bank.send(Method::GET, &writes[0], &neighbour, None).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    for site in ["same-origin", "none"] {
        let reply = bank
            .send(Method::GET, &writes[0], &[("Sec-Fetch-Site", site)], None)
            .await;
        assert_eq!(reply.status, 200, "{site}");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
    assert_eq!(balance(&bank, user, "bitcoin").await, "2");
    bank.close().await;
}

#[tokio::test]
async fn a_wrong_method_says_the_right_ones() {
    let bank = Bank::open().await;
    for path in ["/create", "/deposit", "/withdraw", "/transfer", "/balance"] {
        let reply = bank.send(Method::DELETE, path, &[], None).await;
        assert_eq!(
            said(&reply),
            (405, r#"{"error":"Method not allowed"}"#),
            "{path}"
        );
        let allowed = if path == "/balance" {
            "GET, HEAD, POST, OPTIONS"
        } else {
            "GET, POST, OPTIONS"
        };
        assert_eq!(reply.headers["allow"], allowed, "{path}");
    }
    bank.close().await;
}
