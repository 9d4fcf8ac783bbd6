//! Idempotency keys: what was done is a duplicate, what was refused stays refused.

use std::collections::HashSet;

use reqwest::Method;

use super::{
    Account, INSUFFICIENT, REUSED, assert_is, assert_made, assert_transaction_id, at, deposit,
    text, withdraw,
};
use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

async fn open_once(bank: &Bank, key: &str, body: Option<&str>) -> Reply {
    let asked = bank.ask(Method::POST, "/accounts").once(key);
    match body {
        Some(body) => asked.body(body).send().await,
        None => asked.send().await,
    }
}

#[tokio::test]
async fn a_duplicate_is_reported_with_the_first_transaction() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    for (key, body, kind, balance, version) in [
        ("a", deposit("5"), "Deposit", "105.00", 3),
        ("b", at(&withdraw("5"), "3"), "Withdraw", "100.00", 4),
    ] {
        let first = account.transact_once(key, &body).await;
        let id = assert_made(&first, kind, "5.00", balance, version);
        let duplicate = format!(r#"{{"error":"Duplicate transaction","transactionId":"{id}"}}"#);
        for _ in 0..2 {
            let again = account.transact_once(key, &body).await;
            assert_is(&again, 409, &duplicate);
        }
    }
    // The same request in other words is the same request.
    let friendly = r#"{"amount":"5.00","type":"CREDIT"}"#;
    let again = account.transact_once("a", friendly).await;
    assert_eq!(text(&again, "error"), "Duplicate transaction");
    account.assert_stands("100.00", 4).await;
    bank.close().await;
}

#[tokio::test]
async fn a_duplicate_is_known_to_another_service_too() {
    let here = Bank::open().await;
    let account = Account::open(&here, "100").await;
    let first = account.transact_once("a", &withdraw("60")).await;
    let id = assert_made(&first, "Withdraw", "60.00", "40.00", 3);
    let there = Bank::open_on(&here.database_url, &[]).await;
    let elsewhere = Account {
        bank: &there,
        id: account.id,
    };
    assert_is(
        &elsewhere.transact_once("a", &withdraw("60")).await,
        409,
        &format!(r#"{{"error":"Duplicate transaction","transactionId":"{id}"}}"#),
    );
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    let other = Account::open(&bank, "100").await;
    let body = at(&withdraw("5"), "2");
    assert_eq!(account.transact_once("a", &body).await.status, 201);
    for another in [
        at(&withdraw("6"), "2"),
        at(&deposit("5"), "2"),
        at(&withdraw("5"), "3"),
        withdraw("5"),
    ] {
        let reply = account.transact_once("a", &another).await;
        assert_is(&reply, 422, REUSED);
        assert!(!reply.is_replayed());
    }
    account.assert_stands("95.00", 3).await;
    // Keys of another account are other keys.
    assert_eq!(other.transact_once("a", &body).await.status, 201);
    other.assert_stands("95.00", 3).await;
    bank.close().await;
}

#[tokio::test]
async fn a_key_of_another_dialect_is_not_answered_in_this_one() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let account = Account {
        bank: &bank,
        id: user.account().await,
    };
    assert_eq!(user.change_once("a", "-5").await.status, 200);
    let reply = account.transact_once("a", &withdraw("5")).await;
    assert_is(&reply, 422, REUSED);
    account.assert_stands("95.00", 3).await;
    bank.close().await;
}

#[tokio::test]
async fn a_refusal_is_remembered_and_given_again() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "10").await;
    let mismatch = r#"{"error":"Version mismatch","CurrentVersion":2}"#;
    let asked = [
        ("funds", withdraw("50"), 422, INSUFFICIENT),
        ("version", at(&deposit("50"), "7"), 409, mismatch),
    ];
    for (key, body, status, refusal) in &asked {
        let reply = account.transact_once(key, body).await;
        assert_is(&reply, *status, refusal);
        assert!(!reply.is_replayed());
    }
    let money = account.transact(&deposit("100")).await;
    assert_made(&money, "Deposit", "100.00", "110.00", 3);
    for (key, body, status, refusal) in &asked {
        let reply = account.transact_once(key, body).await;
        assert_is(&reply, *status, refusal);
        assert!(reply.is_replayed(), "{key}");
    }
    account.assert_stands("110.00", 3).await;
    bank.close().await;
}

#[tokio::test]
async fn an_opening_under_a_key_opens_one_account() {
    let bank = Bank::open().await;
    for (key, body) in [
        ("none", None),
        ("zero", Some("{}")),
        ("money", Some(r#"{"balance":5}"#)),
    ] {
        let first = open_once(&bank, key, body).await;
        assert_eq!(first.status, 201, "{first:?}");
        let account = first.json()["accountId"].as_i64().expect("an id");
        let again = open_once(&bank, key, body).await;
        let id = text(&again, "transactionId");
        assert_transaction_id(&id);
        assert_is(
            &again,
            409,
            &format!(
                r#"{{"error":"Duplicate transaction","transactionId":"{id}","accountId":{account}}}"#
            ),
        );
        let reply = open_once(&bank, key, Some(r#"{"balance":6}"#)).await;
        assert_is(&reply, 422, REUSED);
    }
    assert_eq!(bank.number("select count(*) from accounts").await, 3);
    assert_eq!(bank.number("select count(*) from entries").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn of_many_at_once_under_one_key_one_is_made_and_the_others_are_duplicates() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    let body = withdraw("1");
    let replies = at_once((0..32).map(|_| account.transact_once("a", &body))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let duplicates = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!((made, duplicates), (1, 31));
    let ids: HashSet<String> = replies
        .iter()
        .map(|reply| match reply.status {
            201 => text(reply, "id"),
            _ => text(reply, "transactionId"),
        })
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    account.assert_stands("99.00", 3).await;
    bank.close().await;
}
