//! Many at once, and services beside one another: each thing happens once, and nothing is stuck.

use reqwest::Method;
use serde_json::{Value, json};

use super::story::{account, assert_refused, assert_replayed, posting, postings, stands, text};
use crate::support::bank::at_once;
use crate::support::{Bank, Reply, eventually};

fn count(replies: &[Reply], status: u16) -> usize {
    let replies = replies.iter();
    replies.filter(|reply| reply.status == status).count()
}

#[tokio::test]
async fn of_a_hundred_reversals_exactly_one_is_carried_out() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let a = account(&bank, "a", "50").await;
    let paid = bank
        .once(
            "p",
            "/v1/transactions",
            &postings(&[posting("world", &a, "20")]),
        )
        .await;
    let id = text(&paid, "id");
    let path = format!("/v1/transactions/{id}/reversal");
    let all = at_once((0..100).map(|number| {
        let bank = if number % 2 == 0 { &bank } else { &there };
        let (key, path) = (format!("r{number}"), path.clone());
        async move { bank.once(&key, &path, &Value::Null).await }
    }))
    .await;
    assert_eq!((count(&all, 201), count(&all, 409)), (1, 99));
    let done = all.iter().find(|reply| reply.status == 201).expect("one");
    let reversal = text(done, "id");
    for refused in all.iter().filter(|reply| reply.status == 409) {
        assert_refused(refused, 409, "already_reversed");
        assert_eq!(refused.json()["transaction"], reversal.as_str());
    }
    assert_eq!(done.json()["reverses"], id.as_str());
    let original = bank.get(&format!("/v1/transactions/{id}")).await;
    assert_eq!(original.json()["reversed_by"], reversal.as_str());
    assert_eq!(stands(&bank, &a).await.0, "50.00");
    // A reversal can be reversed, and what moved no money cannot.
    let second = format!("/v1/transactions/{reversal}/reversal");
    assert_eq!(bank.once("back", &second, &Value::Null).await.status, 201);
    let opening = bank
        .rows::<(uuid::Uuid,)>("select id from transactions where kind = 'opening' limit 1")
        .await;
    let none = format!("/v1/transactions/{}/reversal", opening[0].0);
    assert_refused(
        &bank.once("none", &none, &Value::Null).await,
        422,
        "not_reversible",
    );
    let missing = format!("/v1/transactions/{}/reversal", uuid::Uuid::nil());
    assert_refused(
        &bank.once("missing", &missing, &Value::Null).await,
        404,
        "not_found",
    );
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn a_hold_that_is_not_there_is_not_found_and_harms_no_other() {
    let bank = Bank::open().await;
    let a = account(&bank, "a", "10").await;
    let nobody = uuid::Uuid::now_v7();
    let path = format!("/v1/holds/{nobody}");
    let body = json!({"amount": "1"});
    let change = bank.native("p", Method::PATCH, &path, &body).await;
    assert_refused(&change, 404, "not_found");
    let void = format!("{path}/void");
    assert_refused(&bank.once("v", &void, &Value::Null).await, 404, "not_found");
    let captures = format!("{path}/captures");
    let capture = bank.once("c", &captures, &json!({"to": "world"})).await;
    assert_refused(&capture, 404, "not_found");
    let posted = json!({"postings": [{"hold": nobody, "to": a, "amount": "1", "currency": "USD"}]});
    let posted = bank.once("t", "/v1/transactions", &posted).await;
    assert_refused(&posted, 422, "hold_not_found");
    bank.close().await;
}

#[tokio::test]
async fn copies_under_a_key_are_one_request_on_two_services() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let a = account(&bank, "a", "100").await;
    for round in 0..20 {
        let body = json!({"postings": [posting(&a, "world", "1")], "reference": "r", "metadata": {"a": "b"}});
        let all = at_once((0..64).map(|number| {
            let bank = if number % 2 == 0 { &bank } else { &there };
            let (key, body) = (format!("k{round}"), body.clone());
            async move { bank.once(&key, "/v1/transactions", &body).await }
        }))
        .await;
        assert_eq!(count(&all, 201), 64, "{all:?}");
        let first = all
            .iter()
            .find(|reply| !reply.is_replayed())
            .expect("a first");
        for again in all.iter().filter(|reply| reply.is_replayed()) {
            assert_replayed(again, first);
        }
        assert_eq!(all.iter().filter(|reply| !reply.is_replayed()).count(), 1);
    }
    assert_eq!(stands(&bank, &a).await.0, "80.00");
    let other = json!({"postings": [posting(&a, "world", "1")], "reference": "other"});
    let reused = bank.once("k0", "/v1/transactions", &other).await;
    assert_refused(&reused, 422, "idempotency_key_reused");
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn the_second_under_a_key_waits_for_the_first_and_then_says_so() {
    let bank = Bank::open().await;
    let a = account(&bank, "a", "10").await;
    let body = postings(&[posting(&a, "world", "1")]);
    let mut accounts = bank.lock_accounts().await;
    let first = bank.once("k", "/v1/transactions", &body);
    let second = async {
        accounts.is_waited_for().await;
        let running = bank.get("/v1/idempotency-keys/k").await;
        assert_eq!(running.json(), json!({"key": "k", "state": "running"}));
        let second = bank.once("k", "/v1/transactions", &body).await;
        assert_refused(&second, 409, "idempotency_key_in_use");
        assert!(second.headers.contains_key("retry-after"));
        accounts.release().await;
    };
    let (first, ()) = tokio::join!(first, second);
    if first.status != 201 {
        // It was locked for too long, and nothing was applied.
        assert_refused(&first, 503, "unavailable");
    }
    let settled = bank.once("k", "/v1/transactions", &body).await;
    assert_eq!(settled.status, 201, "{settled:?}");
    let known = bank.get("/v1/idempotency-keys/k").await.json();
    assert_eq!(
        (&known["state"], &known["status"]),
        (&json!("done"), &json!(201))
    );
    assert_eq!(known["location"], settled.headers["location"].as_str());
    let unknown = bank.get("/v1/idempotency-keys/none").await;
    assert_refused(&unknown, 404, "not_found");
    bank.close().await;
}

/// Each of two moves money on the condition that the other account still has its own: never both.
#[tokio::test]
async fn two_that_depend_on_one_another_are_never_both_carried_out() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    for round in 0..100 {
        let (a, b) = (
            account(&bank, &format!("a{round}"), "1").await,
            account(&bank, &format!("b{round}"), "1").await,
        );
        let ask = |bank: &'static str, from: &str, other: &str| {
            let body = json!({
                "postings": [posting(from, "world", "1")],
                "conditions": [{"account": other, "balance_at_least": "1"}],
            });
            (format!("{bank}{round}"), body)
        };
        let (one, other) = (ask("one", &a, &b), ask("other", &b, &a));
        let (one, other) = tokio::join!(
            bank.once(&one.0, "/v1/transactions", &one.1),
            there.once(&other.0, "/v1/transactions", &other.1)
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{one:?} {other:?}");
    }
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn a_hundred_postings_over_a_hundred_accounts_beside_others_that_overlap() {
    let bank = Bank::open().await;
    let mut numbers = Vec::new();
    for number in 0..100 {
        numbers.push(account(&bank, &format!("a{number}"), "1000").await);
    }
    let body = |seed: usize, step: usize| {
        let all = (0..100).map(|at| {
            let (from, to) = ((seed + at * step) % 100, (seed + at * step + step) % 100);
            posting(&numbers[from], &numbers[to], "1")
        });
        postings(&all.collect::<Vec<_>>())
    };
    let all = at_once((0..60).map(|number| {
        let body = body(number * 7, [1, 3, 99, 97][number % 4]);
        let key = format!("t{number}");
        let bank = &bank;
        async move { bank.once(&key, "/v1/transactions", &body).await }
    }))
    .await;
    assert_eq!(
        count(&all, 201),
        60,
        "{:?}",
        all.iter().find(|reply| reply.status != 201)
    );
    // Each is a circle, so nobody has more or less than before.
    assert_eq!(
        bank.number("select count(*) from accounts where balance = 1000")
            .await,
        100
    );
    let too_many = postings(&vec![posting(&numbers[0], &numbers[1], "1"); 101]);
    let refused = bank.once("101", "/v1/transactions", &too_many).await;
    assert_refused(&refused, 400, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/postings");
    bank.close().await;
}

#[tokio::test]
async fn a_book_is_a_namespace_and_a_key_is_of_one_book() {
    let bank = Bank::open().await;
    let made = bank.once("b", "/v1/books", &json!({"name": "shop"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_refused(
        &bank.once("b2", "/v1/books", &json!({"name": "shop"})).await,
        409,
        "book_taken",
    );
    let open = |book: &'static str| {
        let asked = bank.ask(Method::POST, "/v1/accounts").once("k");
        let asked = asked.with("Passbook-Book", book);
        asked.body(r#"{"currency":"USD","external_id":"x"}"#).send()
    };
    let (here, there) = (open("main").await, open("shop").await);
    assert_eq!(
        (here.status, there.status),
        (201, 201),
        "{here:?} {there:?}"
    );
    assert_ne!(text(&here, "id"), text(&there, "id"));
    let path = there.headers["location"].clone();
    assert_refused(&bank.get(&path).await, 404, "not_found");
    assert_refused(&open("none").await, 403, "forbidden");
    let move_over = postings(&[posting("world", &text(&there, "id"), "1")]);
    let refused = bank.once("t", "/v1/transactions", &move_over).await;
    assert_refused(&refused, 422, "account_not_found");
    eventually("the list has one account of the book", async || {
        let asked = bank
            .ask(Method::GET, "/v1/accounts")
            .with("Passbook-Book", "shop");
        let list = asked.send().await.json();
        list["data"].as_array().map(Vec::len) == Some(1)
    })
    .await;
    bank.close().await;
}
