//! The `ledger` dialect, as its clients see it.

mod refusals;

use reqwest::Method;
use serde_json::Value;

use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

/// Status and body, to the byte.
fn said(reply: &Reply) -> (u16, &str) {
    (reply.status, &reply.text)
}

async fn create(bank: &Bank, name: &str) -> i64 {
    let reply = bank
        .get(&format!("/create?name={name}&email={name}@example.org"))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["user_id"].as_i64().expect("an id")
}

async fn deposit(bank: &Bank, user: i64, amount: &str, currency: &str) -> Reply {
    bank.get(&format!(
        "/deposit?user_id={user}&amount={amount}&currency_type={currency}"
    ))
    .await
}

async fn withdraw(bank: &Bank, user: i64, amount: &str, currency: &str) -> Reply {
    bank.get(&format!(
        "/withdraw?user_id={user}&amount={amount}&currency_type={currency}"
    ))
    .await
}

async fn transfer(bank: &Bank, source: i64, target: i64, amount: &str) -> Reply {
    bank.get(&format!(
        "/transfer?source_user_id={source}&target_user_id={target}&amount={amount}&currency_type=bitcoin"
    ))
    .await
}

/// The digits of a balance.
async fn balance(bank: &Bank, user: i64, currency: &str) -> String {
    let reply = bank
        .get(&format!("/balance?user_id={user}&currency_type={currency}"))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()[currency].to_string()
}

async fn keyed(bank: &Bank, key: &str, path: &str) -> Reply {
    bank.ask(Method::GET, path).once(key).send().await
}

/// The answer without the id of its transaction, which is new each time.
fn without_id(reply: &Reply) -> String {
    let json = reply.json();
    let id = json["transaction_id"].as_str().expect("an id");
    assert_eq!(id.len(), 36, "{reply:?}");
    reply.text.replace(id, "…")
}

#[tokio::test]
async fn each_operation_answers_as_documented() {
    let bank = Bank::open().await;
    let reply = bank.get("/create?name=a&email=A@x").await;
    assert_eq!(
        said(&reply),
        (200, r#"{"user_id":1,"name":"a","email":"A@x"}"#)
    );
    let reply = bank.get("/create?name=B%20C&email=b%40x").await;
    assert_eq!(
        said(&reply),
        (200, r#"{"user_id":2,"name":"B C","email":"b@x"}"#)
    );
    let reply = deposit(&bank, 1, "36.0", "bitcoin").await;
    let moved = r#"{"transaction_id":"…","user_id":1,"amount":36,"currency_type":"bitcoin"}"#;
    assert_eq!((reply.status, without_id(&reply).as_str()), (200, moved));
    let reply = withdraw(&bank, 1, "0.5", "bitcoin").await;
    let moved = r#"{"transaction_id":"…","user_id":1,"amount":0.5,"currency_type":"bitcoin"}"#;
    assert_eq!((reply.status, without_id(&reply).as_str()), (200, moved));
    let reply = transfer(&bank, 1, 2, "10").await;
    let moved = r#"{"transaction_id":"…","source_user_id":1,"target_user_id":2,"amount":10,"currency_type":"bitcoin"}"#;
    assert_eq!((reply.status, without_id(&reply).as_str()), (200, moved));
    let all = bank.get("/balance?user_id=1").await;
    let balances = r#"{"user_id":1,"bitcoin":25.5,"ethereum":0,"matic":0}"#;
    assert_eq!(said(&all), (200, balances));
    let one = bank.get("/balance?user_id=2&currency_type=bitcoin").await;
    assert_eq!(said(&one), (200, r#"{"user_id":2,"bitcoin":10}"#));
    bank.close().await;
}

#[tokio::test]
async fn what_a_get_does_a_post_does_by_query_form_and_json() {
    let bank = Bank::open().await;
    let post = async |path: &str, kind: &str, body: &str| {
        let request = bank
            .client
            .post(bank.url(path))
            .header("Content-Type", kind);
        let request = request.body(body.to_owned());
        Reply::of(request.send().await.expect("an answer")).await
    };
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let created = post("/create", json, r#"{"name":"a","email":"a@x"}"#).await;
    assert_eq!(
        said(&created),
        (200, r#"{"user_id":1,"name":"a","email":"a@x"}"#)
    );
    assert_eq!(
        post("/create", form, "name=b&email=b%40x").await.status,
        200
    );
    let by_json = [
        r#"{"user_id":1,"amount":1.5,"currency_type":"bitcoin"}"#,
        r#"{"user_id":"1","amount":"1.5","currency_type":"bitcoin"}"#,
        r#"{"user_id":1,"amount":15e-1,"currency_type":"bitcoin"}"#,
    ];
    for body in by_json {
        assert_eq!(post("/deposit", json, body).await.status, 200, "{body}");
        assert_eq!(post("/deposit", form, body).await.status, 200, "{body}");
    }
    let fields = "user_id=1&amount=1&currency_type=bitcoin";
    assert_eq!(post("/withdraw", form, fields).await.status, 200);
    assert_eq!(post("/withdraw", "", fields).await.status, 200);
    let path = format!("/withdraw?{fields}");
    assert_eq!(post(&path, "", "").await.status, 200);
    let half = post(
        "/withdraw?user_id=1",
        form,
        "amount=1e0&currency_type=bitcoin",
    );
    assert_eq!(half.await.status, 200);
    let pay = r#"{"source_user_id":1,"target_user_id":2,"amount":2,"currency_type":"bitcoin"}"#;
    assert_eq!(post("/transfer", json, pay).await.status, 200);
    let shown = r#"{"user_id":1,"bitcoin":3,"ethereum":0,"matic":0}"#;
    assert_eq!(
        said(&post("/balance", form, "user_id=1").await),
        (200, shown)
    );
    assert_eq!(
        said(&post("/balance?user_id=1", "", "").await),
        (200, shown)
    );
    let one = post(
        "/balance",
        json,
        r#"{"user_id":2,"currency_type":"bitcoin"}"#,
    );
    assert_eq!(said(&one.await), (200, r#"{"user_id":2,"bitcoin":2}"#));
    bank.close().await;
}

#[tokio::test]
async fn every_decimal_is_exact() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    for (amount, currency, after) in [
        ("500000000", "ethereum", "500000000"),
        (
            "0.000000000000000001",
            "ethereum",
            "500000000.000000000000000001",
        ),
        ("1e-18", "ethereum", "500000000.000000000000000002"),
        ("0.1", "bitcoin", "0.1"),
        ("0.2", "bitcoin", "0.3"),
        ("0.00000001", "bitcoin", "0.30000001"),
        ("1e-08", "bitcoin", "0.30000002"),
        (
            "999999999.123456789012345678",
            "matic",
            "999999999.123456789012345678",
        ),
    ] {
        assert_eq!(
            deposit(&bank, user, amount, currency).await.status,
            200,
            "{amount}"
        );
        assert_eq!(balance(&bank, user, currency).await, after);
    }
    let all = withdraw(&bank, user, "999999999.123456789012345678", "matic").await;
    assert_eq!(
        all.json()["amount"].to_string(),
        "999999999.123456789012345678"
    );
    assert_eq!(balance(&bank, user, "matic").await, "0");
    bank.close().await;
}

#[tokio::test]
async fn a_currency_is_a_row() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    let unknown = deposit(&bank, user, "1", "dogecoin").await;
    assert_eq!(
        said(&unknown),
        (400, r#"{"error":"Unknown currency_type."}"#)
    );
    bank.plant(
        "insert into currencies values ('DOGE', 'dogecoin', 8, true), ('CHF', 'franc', 2, false)",
    )
    .await;
    assert_eq!(
        deposit(&bank, user, "1.00000001", "dogecoin").await.status,
        200
    );
    let all = bank.get(&format!("/balance?user_id={user}")).await;
    let balances = r#"{"user_id":1,"bitcoin":0,"dogecoin":1.00000001,"ethereum":0,"matic":0}"#;
    assert_eq!(said(&all), (200, balances));
    // This dialect takes what is marked so, and by its name alone.
    for currency in ["franc", "us%20dollar", "DOGE", "Bitcoin", ""] {
        assert_eq!(
            deposit(&bank, user, "1", currency).await.status,
            400,
            "{currency}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_key_gives_the_first_answer_again_success_and_refusal_alike() {
    let bank = Bank::open().await;
    let (user, other) = (create(&bank, "a").await, create(&bank, "b").await);
    let put = format!("/deposit?user_id={user}&amount=10&currency_type=bitcoin");
    let first = keyed(&bank, "k", &put).await;
    let again = keyed(&bank, "k", &put).await;
    assert_eq!(said(&first), said(&again));
    assert!(!first.is_replayed() && again.is_replayed());
    // The same by another method is the same.
    let posted = bank.ask(Method::POST, &put).once("k").send().await;
    assert_eq!((said(&posted), posted.is_replayed()), (said(&first), true));
    let reused = keyed(&bank, "k", &put.replace("10", "11")).await;
    let error = r#"{"error":"Idempotency-Key was used for another request."}"#;
    assert_eq!(said(&reused), (422, error));

    let take = format!("/withdraw?user_id={user}&amount=50&currency_type=bitcoin");
    let short = (422, r#"{"error":"Insufficient funds for withdrawal."}"#);
    assert_eq!(said(&keyed(&bank, "w", &take).await), short);
    deposit(&bank, user, "100", "bitcoin").await;
    let again = keyed(&bank, "w", &take).await;
    assert_eq!((said(&again), again.is_replayed()), (short, true));
    assert_eq!(keyed(&bank, "w", &put).await.status, 422);

    let pay = format!(
        "/transfer?source_user_id={user}&target_user_id={other}&amount=1&currency_type=bitcoin"
    );
    let first = keyed(&bank, "t", &pay).await;
    let again = keyed(&bank, "t", &pay).await;
    assert_eq!((said(&again), again.is_replayed()), (said(&first), true));
    let elsewhere = create(&bank, "z").await;
    let elsewhere = pay.replace(
        &format!("target_user_id={other}"),
        &format!("target_user_id={elsewhere}"),
    );
    assert_eq!(keyed(&bank, "t", &elsewhere).await.status, 422);

    let open = "/create?name=c&email=c@x";
    let first = keyed(&bank, "c", open).await;
    let again = keyed(&bank, "c", open).await;
    assert_eq!((said(&again), again.is_replayed()), (said(&first), true));
    assert_eq!(
        keyed(&bank, "c", "/create?name=c&email=d@x").await.status,
        422
    );
    assert_eq!(balance(&bank, user, "bitcoin").await, "109");
    bank.close().await;
}

#[tokio::test]
async fn ten_withdrawals_at_once_of_a_fifth_each_take_five() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    deposit(&bank, user, "1000", "bitcoin").await;
    let replies = at_once((0..10).map(|_| withdraw(&bank, user, "200", "bitcoin"))).await;
    let count = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!((count(200), count(422)), (5, 5));
    assert_eq!(balance(&bank, user, "bitcoin").await, "0");
    bank.close().await;
}

#[tokio::test]
async fn opposite_transfers_at_once_keep_the_sum() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let (one, other) = (create(&bank, "a").await, create(&bank, "b").await);
    for user in [one, other] {
        deposit(&bank, user, "50", "bitcoin").await;
    }
    let replies = at_once((0..200).map(|turn| {
        let bank = if turn % 2 == 0 { &bank } else { &there };
        let (source, target) = if turn % 4 < 2 {
            (one, other)
        } else {
            (other, one)
        };
        transfer(bank, source, target, "0.5")
    }))
    .await;
    assert!(
        replies
            .iter()
            .all(|reply| [200, 422].contains(&reply.status))
    );
    let sum = "select trim_scale(sum(balance))::bigint from accounts where currency = 'BTC'";
    assert_eq!(bank.number(sum).await, 100);
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn a_browser_gets_a_page_and_everybody_else_a_greeting() {
    let bank = Bank::open().await;
    let greeting = bank.get("/").await;
    assert_eq!(said(&greeting), (200, r#"{"message":"Welcome!"}"#));
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = bank
        .send(Method::GET, "/", &[("Accept", accept)], None)
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(page.headers["content-security-policy"].starts_with("default-src 'none'"));
    assert!(page.text.contains(env!("CARGO_PKG_VERSION")) && page.text.contains("healthy"));
    assert!(page.text.contains(&bank.url("")), "its own address");
    assert!(!page.text.contains("{{"), "no placeholder is left");
    for elsewhere in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.text.contains(elsewhere), "{elsewhere}");
    }
    let forged = [("Accept", "text/html"), ("Host", "<script>")];
    let request = bank.client.get(bank.url("/"));
    let request = forged.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    let page = Reply::of(request.send().await.expect("an answer")).await;
    assert!(!page.text.contains("<script>/"));
    assert_ne!(page.status, 500);
    bank.close().await;
}

#[tokio::test]
async fn the_balances_are_what_the_entries_say() {
    let bank = Bank::open().await;
    let user = create(&bank, "a").await;
    for amount in ["1.5", "2.25", "0.00000001"] {
        deposit(&bank, user, amount, "bitcoin").await;
    }
    withdraw(&bank, user, "3", "bitcoin").await;
    let rebuilt: Vec<(String,)> = bank
        .rows("select trim_scale(sum(amount))::text from entries")
        .await;
    let shown: Value = bank.get(&format!("/balance?user_id={user}")).await.json();
    assert_eq!(shown["bitcoin"].to_string(), rebuilt[0].0);
    bank.close().await;
}
