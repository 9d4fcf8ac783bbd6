//! The `events` dialect, as its clients see it.

mod chain;
mod reset;

use reqwest::Method;

use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

/// A bank whose clients may reset the book of events.
async fn bank() -> Bank {
    Bank::open_with(&["--allow-reset"]).await
}

/// Status and body, to the byte.
fn said(reply: &Reply) -> (u16, &str) {
    (reply.status, &reply.text)
}

async fn event(bank: &Bank, event: &str) -> Reply {
    bank.post("/event", event).await
}

async fn deposit(bank: &Bank, id: &str, amount: &str) -> Reply {
    let body = format!(r#"{{"type":"deposit","destination":"{id}","amount":{amount}}}"#);
    event(bank, &body).await
}

async fn withdraw(bank: &Bank, id: &str, amount: &str) -> Reply {
    let body = format!(r#"{{"type":"withdraw","origin":"{id}","amount":{amount}}}"#);
    event(bank, &body).await
}

async fn balance(bank: &Bank, id: &str) -> Reply {
    bank.get(&format!("/balance?account_id={id}")).await
}

async fn keyed(bank: &Bank, key: &str, body: &str) -> Reply {
    let asked = bank.ask(Method::POST, "/event").once(key);
    asked.body(body).send().await
}

#[tokio::test]
async fn the_ebanx_sequence_is_answered_to_the_byte() {
    let bank = bank().await;
    let reset = bank.send(Method::POST, "/reset", &[], None).await;
    assert_eq!(said(&reset), (200, "OK"));
    assert!(reset.headers["content-type"].starts_with("text/plain"));
    let unknown = balance(&bank, "1234").await;
    assert_eq!(said(&unknown), (404, "0"));
    assert_eq!(unknown.headers["content-type"], "application/json");
    let steps = [
        (
            r#"{"type":"deposit", "destination":"100", "amount":10}"#,
            201,
            r#"{"destination":{"id":"100","balance":10}}"#,
        ),
        (
            r#"{"type":"deposit", "destination":"100", "amount":10}"#,
            201,
            r#"{"destination":{"id":"100","balance":20}}"#,
        ),
        (
            r#"{"type":"withdraw", "origin":"200", "amount":10}"#,
            404,
            "0",
        ),
        (
            r#"{"type":"withdraw", "origin":"100", "amount":5}"#,
            201,
            r#"{"origin":{"id":"100","balance":15}}"#,
        ),
        (
            r#"{"type":"transfer", "origin":"100", "amount":15, "destination":"300"}"#,
            201,
            r#"{"origin":{"id":"100","balance":0},"destination":{"id":"300","balance":15}}"#,
        ),
        (
            r#"{"type":"transfer", "origin":"200", "amount":15, "destination":"300"}"#,
            404,
            "0",
        ),
    ];
    for (body, status, answer) in steps {
        assert_eq!(said(&event(&bank, body).await), (status, answer), "{body}");
    }
    assert_eq!(said(&balance(&bank, "100").await), (200, "0"));
    assert_eq!(said(&balance(&bank, "300").await), (200, "15"));
    bank.close().await;
}

/// On account a with 10.
const REFUSALS: [(&str, u16, &str); 19] = [
    (
        r#"{"type":"withdraw","origin":"a","amount":10.01}"#,
        422,
        "insufficient funds",
    ),
    (
        r#"{"type":"transfer","origin":"a","destination":"b","amount":11}"#,
        422,
        "insufficient funds",
    ),
    (
        r#"{"type":"transfer","origin":"a","destination":"a","amount":10}"#,
        422,
        "cannot transfer to the same account",
    ),
    // First the origin, then the funds, then that both are the same.
    (
        r#"{"type":"transfer","origin":"a","destination":"a","amount":11}"#,
        422,
        "insufficient funds",
    ),
    (
        r#"{"type":"deposit","destination":"b","amount":0}"#,
        400,
        "amount must be greater than zero",
    ),
    (
        r#"{"type":"deposit","destination":"b","amount":-1}"#,
        400,
        "amount must be greater than zero",
    ),
    (
        r#"{"type":"deposit","destination":"b","amount":0.001}"#,
        400,
        "amount must have at most 2 decimals",
    ),
    (
        r#"{"type":"deposit","destination":"b","amount":1e26}"#,
        400,
        "amount is too large",
    ),
    (
        r#"{"type":"deposit","destination":"b","amount":"x"}"#,
        400,
        "amount must be a number",
    ),
    (
        r#"{"type":"deposit","destination":"b"}"#,
        400,
        "amount is required",
    ),
    (
        r#"{"type":"deposit","amount":1}"#,
        400,
        "destination is required",
    ),
    (
        r#"{"type":"withdraw","destination":"b","amount":1}"#,
        400,
        "origin is required",
    ),
    (
        r#"{"type":"transfer","origin":"a","amount":1}"#,
        400,
        "destination is required",
    ),
    (r#"{"destination":"b","amount":1}"#, 400, "type is required"),
    (
        r#"{"type":1,"destination":"b","amount":1}"#,
        400,
        "type must be a string",
    ),
    (
        r#"{"type":"Deposit","destination":"b","amount":1}"#,
        400,
        "type must be deposit, withdraw or transfer",
    ),
    (
        r#"{"type":"deposit","destination":"","amount":1}"#,
        400,
        "destination must be a string of 1 to 128 characters",
    ),
    (
        r#"{"type":"deposit","destination":1.5,"amount":1}"#,
        400,
        "destination must be a string of 1 to 128 characters",
    ),
    (
        r#"{"type":"deposit","destination":"a\u0000b","amount":1}"#,
        400,
        "destination must be a string of 1 to 128 characters",
    ),
];

#[tokio::test]
async fn an_event_that_is_refused_says_why_and_changes_and_opens_nothing() {
    let bank = bank().await;
    deposit(&bank, "a", "10").await;
    for (body, status, error) in REFUSALS {
        let said_so = format!(r#"{{"error":"{error}"}}"#);
        let reply = event(&bank, body).await;
        assert_eq!(said(&reply), (status, said_so.as_str()), "{body}");
    }
    assert_eq!(event(&bank, "[").await.status, 400);
    assert_eq!(said(&balance(&bank, "a").await), (200, "10"));
    assert_eq!(said(&balance(&bank, "b").await), (404, "0"));
    assert_eq!(
        said(&bank.get("/balance").await),
        (400, r#"{"error":"account_id is required"}"#)
    );
    assert_eq!(bank.number("select count(*) from accounts").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn a_refusal_for_an_unknown_origin_comes_before_every_other() {
    let bank = bank().await;
    let same = r#"{"type":"transfer","origin":"x","destination":"x","amount":1}"#;
    assert_eq!(said(&event(&bank, same).await), (404, "0"));
    assert_eq!(bank.number("select count(*) from accounts").await, 0);
    bank.close().await;
}

#[tokio::test]
async fn an_id_is_any_text_and_a_number_stands_for_its_digits() {
    let bank = bank().await;
    let number = r#"{"type":"deposit","destination":100,"amount":1}"#;
    let answer = r#"{"destination":{"id":"100","balance":1}}"#;
    assert_eq!(said(&event(&bank, number).await), (201, answer));
    assert_eq!(said(&balance(&bank, "100").await), (200, "1"));
    let longest = "ä".repeat(128);
    for id in [
        "0",
        "-1",
        "a b",
        "ä/ö?&=+%",
        "user:1:USD",
        "\\\"\\u0041\\n",
        &longest,
    ] {
        assert_eq!(deposit(&bank, id, "2").await.status, 201, "{id}");
    }
    assert_eq!(said(&balance(&bank, "a+b").await), (200, "2"));
    assert_eq!(said(&balance(&bank, "a%20b").await), (200, "2"));
    assert_eq!(
        said(&balance(&bank, "%C3%A4%2F%C3%B6%3F%26%3D%2B%25").await),
        (200, "2")
    );
    assert_eq!(said(&balance(&bank, "%22A%0A").await), (200, "2"));
    assert_eq!(deposit(&bank, &"ä".repeat(129), "2").await.status, 400);
    for query in [
        "account_id=%ff",
        "account_id=%4",
        "account_id=1&account_id=1",
        "account_id=",
    ] {
        assert_eq!(
            bank.get(&format!("/balance?{query}")).await.status,
            400,
            "{query}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_balance_has_no_zero_at_its_end() {
    let bank = bank().await;
    for (amount, balance) in [
        ("20", "20"),
        ("0.25", "20.25"),
        ("0.25", "20.5"),
        ("\"0.50\"", "21"),
        ("1e2", "121"),
    ] {
        let answer = format!(r#"{{"destination":{{"id":"a","balance":{balance}}}}}"#);
        assert_eq!(
            said(&deposit(&bank, "a", amount).await),
            (201, answer.as_str())
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn the_body_is_json_whatever_its_content_type_says() {
    let bank = bank().await;
    let body = r#"{"type":"deposit","destination":"a","amount":1}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "image/png; x=y",
        "",
    ] {
        let request = bank
            .client
            .post(bank.url("/event"))
            .header("Content-Type", kind);
        let reply = Reply::of(request.body(body).send().await.expect("an answer")).await;
        assert_eq!(reply.status, 201, "{kind}");
    }
    let request = bank.client.post(bank.url("/event")).body(body);
    assert_eq!(
        Reply::of(request.send().await.expect("an answer"))
            .await
            .status,
        201
    );
    assert_eq!(said(&balance(&bank, "a").await), (200, "5"));
    bank.close().await;
}

#[tokio::test]
async fn a_key_gives_the_first_answer_again_success_and_refusal_alike() {
    let bank = bank().await;
    let open = r#"{"type":"deposit","destination":"a","amount":10}"#;
    let first = keyed(&bank, "k", open).await;
    let again = keyed(&bank, "k", open).await;
    assert_eq!(said(&first), said(&again));
    assert!(!first.is_replayed() && again.is_replayed());
    let other = keyed(&bank, "k", &open.replace("10", "11")).await;
    let reused = r#"{"error":"Idempotency-Key was used for another request"}"#;
    assert_eq!(said(&other), (422, reused));

    let take = r#"{"type":"withdraw","origin":"a","amount":50}"#;
    let short = (422, r#"{"error":"insufficient funds"}"#);
    assert_eq!(said(&keyed(&bank, "w", take).await), short);
    deposit(&bank, "a", "100").await;
    let again = keyed(&bank, "w", take).await;
    assert_eq!((said(&again), again.is_replayed()), (short, true));

    let pay = r#"{"type":"transfer","origin":"a","destination":"b","amount":60}"#;
    let first = keyed(&bank, "t", pay).await;
    assert_eq!(first.status, 201);
    let again = keyed(&bank, "t", pay).await;
    assert_eq!((said(&again), again.is_replayed()), (said(&first), true));
    assert_eq!(keyed(&bank, "a b", open).await.status, 400);
    assert_eq!(said(&balance(&bank, "a").await), (200, "50"));
    bank.close().await;
}

#[tokio::test]
async fn ten_withdrawals_at_once_of_a_fifth_each_take_five() {
    let bank = bank().await;
    deposit(&bank, "a", "1000").await;
    let replies = at_once((0..10).map(|_| withdraw(&bank, "a", "200"))).await;
    let count = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!((count(201), count(422)), (5, 5));
    assert_eq!(said(&balance(&bank, "a").await), (200, "0"));
    bank.close().await;
}

#[tokio::test]
async fn the_first_deposits_at_once_open_one_account() {
    let bank = bank().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let replies = at_once((0..40).map(|number| {
        let bank = if number % 2 == 0 { &bank } else { &there };
        deposit(bank, "new", "1")
    }))
    .await;
    assert!(
        replies.iter().all(|reply| reply.status == 201),
        "{replies:?}"
    );
    assert_eq!(said(&balance(&bank, "new").await), (200, "40"));
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_a_wrong_method_says_the_right_one() {
    let bank = bank().await;
    let wrong = bank.get("/event").await;
    assert_eq!(said(&wrong), (405, r#"{"error":"Method not allowed"}"#));
    assert_eq!(wrong.headers["allow"], "POST, OPTIONS");
    let nowhere = bank.get("/events").await;
    assert_eq!(said(&nowhere), (404, r#"{"error":"Not found"}"#));
    let both = bank.get("/balance?user_id=1&account_id=1").await;
    assert_eq!(both.status, 400);
    assert!(both.json()["error"].is_string());
    bank.close().await;
}
