//! Idempotency keys of the `microfin` dialect.

use reqwest::Method;

use super::{Member, assert_says, one, two};
use crate::support::{Bank, Reply};

const REUSED: &str = "Idempotency-Key was used for another request";

/// The first answer again, and marked as such.
#[track_caller]
fn assert_replays(again: &Reply, first: &Reply) {
    assert!(!first.is_replayed() && again.is_replayed(), "{again:?}");
    assert_eq!((again.status, &again.text), (first.status, &first.text));
}

#[tokio::test]
async fn a_replayed_move_returns_the_first_answer_and_moves_nothing() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let (number, other) = (ada.account().await, ada.account().await);
    let asked = [
        ("deposit", "/api/deposit", one(&number, "100"), 202),
        ("withdraw", "/api/withdraw", one(&number, "1"), 202),
        ("transfer", "/api/transfer", two(&number, &other, "9"), 202),
        ("refusal", "/api/withdraw", one(&number, "91"), 400),
        ("poor", "/api/transfer", two(&number, &other, "91"), 400),
    ];
    let mut first = Vec::new();
    for (key, path, body, status) in &asked {
        let reply = ada.post_once(key, path, body).await;
        assert_eq!(reply.status, *status, "{reply:?}");
        first.push(reply);
    }
    assert_eq!(ada.deposit(&number, "500").await.status, 202);
    for ((key, path, body, _), first) in asked.iter().zip(&first) {
        assert_replays(&ada.post_once(key, path, body).await, first);
    }
    let written_otherwise = one(&number, "\"100.00\"");
    let again = ada
        .post_once("deposit", "/api/deposit", &written_otherwise)
        .await;
    assert_replays(&again, &first[0]);
    assert_eq!(ada.balance(&number).await, "590.00");
    assert_eq!(ada.balance(&other).await, "9.00");
    bank.close().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let (number, other) = (ada.account_with("100").await, ada.account().await);
    let (paid, body) = ("/api/withdraw", one(&number, "1"));
    assert_eq!(ada.post_once("key", paid, &body).await.status, 202);
    for (path, body) in [
        ("/api/withdraw", one(&number, "2")),
        ("/api/deposit", one(&number, "1")),
        ("/api/transfer", two(&number, &other, "1")),
    ] {
        let reply = ada.post_once("key", path, &body).await;
        assert_says(&reply, 422, REUSED);
        assert!(!reply.is_replayed());
    }
    assert_eq!(ada.balance(&number).await, "99.00");
    bank.close().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_caller() {
    let bank = Bank::open().await;
    let (ada, eve) = (
        Member::new(&bank, "ada").await,
        Member::new(&bank, "eve").await,
    );
    let (number, hers) = (ada.account_with("100").await, eve.account().await);
    let asked = [
        ("a", "/api/deposit", one(&number, "5"), 422, REUSED),
        (
            "b",
            "/api/withdraw",
            one(&number, "1"),
            400,
            "Account not found",
        ),
        (
            "c",
            "/api/transfer",
            two(&number, &hers, "1"),
            400,
            "Sender account not found",
        ),
        ("d", "/api/accountGeneration", String::new(), 422, REUSED),
    ];
    for (key, path, body, status, message) in asked {
        let first = ada.post_once(key, path, &body).await;
        assert!(first.status < 300, "{first:?}");
        assert_says(&eve.post_once(key, path, &body).await, status, message);
        assert_replays(&ada.post_once(key, path, &body).await, &first);
    }
    assert_eq!(ada.balance(&number).await, "103.00");
    bank.close().await;
}

#[tokio::test]
async fn an_account_is_opened_once_under_a_key() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let path = "/api/accountGeneration";
    let first = ada.send(Method::GET, path, Some("key"), "").await;
    assert_eq!(first.status, 200, "{first:?}");
    let number = super::text(&first, "accountNumber");
    assert_eq!(ada.deposit(&number, "5").await.status, 202);
    for method in [Method::GET, Method::POST] {
        let again = ada.send(method, path, Some("key"), "").await;
        assert_replays(&again, &first);
    }
    assert_eq!(bank.number("select count(*) from accounts").await, 2);
    bank.close().await;
}
