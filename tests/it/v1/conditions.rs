//! Conditions of a transaction: versions before its first posting, bounds after its last.

use serde_json::{Value, json};

use super::{assert_refused, assert_seen};
use crate::support::native::usd;
use crate::support::{Bank, Reply};

async fn post(bank: &Bank, postings: &[Value], conditions: &Value) -> Reply {
    let body = json!({"postings": postings, "conditions": conditions});
    bank.command("/v1/transactions", &body).await
}

#[tokio::test]
async fn versions_are_of_before_and_bounds_of_after() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("0").await);
    let watched = bank.account_with("5").await;
    let hold = bank.hold(&watched, "2").await;
    let pay = [usd(&ada, &bob, "1")];
    for (condition, refused) in [
        (json!({"account": ada, "version": 2}), None),
        (
            json!({"account": ada, "version": 2}),
            Some("version_mismatch"),
        ),
        (json!({"account": bob, "version": 2}), None),
        (json!({"account": watched, "version": 3}), None),
        (
            json!({"account": watched, "version": 2}),
            Some("version_mismatch"),
        ),
        (json!({"account": ada, "balance_at_least": "6.00"}), None),
        (
            json!({"account": ada, "balance_at_least": "6"}),
            Some("condition_failed"),
        ),
        (json!({"account": ada, "available_at_least": "5"}), None),
        (
            json!({"account": bob, "balance_at_most": "5.99"}),
            Some("condition_failed"),
        ),
        (json!({"account": bob, "available_at_most": "6"}), None),
        (
            json!({"account": watched, "balance_at_least": "5", "available_at_most": "3"}),
            None,
        ),
        (
            json!({"account": watched, "available_at_least": "3.01"}),
            Some("condition_failed"),
        ),
        (
            json!({"account": watched, "balance_at_most": "-0.01"}),
            Some("condition_failed"),
        ),
        (json!({"account": watched, "balance_at_least": "-5"}), None),
    ] {
        let conditions = json!([{"account": bob, "balance_at_least": "0"}, condition]);
        let reply = post(&bank, &pay, &conditions).await;
        match refused {
            None => assert_eq!(reply.status, 201, "{condition}: {reply:?}"),
            Some(code) => {
                assert_refused(&reply, 409, code, &condition.to_string());
                assert_eq!(reply.json()["pointer"], "/conditions/1", "{reply:?}");
                assert_eq!(reply.json()["account"], condition["account"]);
            }
        }
    }
    // What a refusal shows is the account as it was before the postings.
    let failed = json!([{"account": ada, "balance_at_least": "3"}]);
    let failed = post(&bank, &[usd(&ada, &bob, "1")], &failed).await;
    assert_seen(&failed, &ada, ["10", "2.00", "2.00"]);
    let void = bank
        .command(&format!("/v1/holds/{hold}/void"), &json!({}))
        .await;
    assert_eq!(void.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn each_fault_of_a_condition_has_its_place() {
    let bank = Bank::open().await;
    let ada = bank.account_with("10").await;
    let pay = [usd(&ada, "world", "1")];
    let many: Vec<Value> = (0..101)
        .map(|_| json!({"account": ada, "version": 2}))
        .collect();
    for (conditions, pointer) in [
        (json!(many), "/conditions"),
        (json!({}), "/conditions"),
        (json!([{"version": 2}]), "/conditions/0/account"),
        (
            json!([{"account": "world", "version": 2}]),
            "/conditions/0/account",
        ),
        (json!([{"account": ada}]), "/conditions/0/account"),
        (
            json!([{"account": ada, "version": "2"}]),
            "/conditions/0/version",
        ),
        (
            json!([{"account": ada, "version": 0}]),
            "/conditions/0/version",
        ),
        (
            json!([{"account": ada, "version": 2.0}]),
            "/conditions/0/version",
        ),
        (
            json!([{"account": ada, "balance_at_least": 1}]),
            "/conditions/0/balance_at_least",
        ),
        (
            json!([{"account": ada, "balance_at_most": "+1"}]),
            "/conditions/0/balance_at_most",
        ),
        (
            json!([{"account": ada, "balance": "1"}]),
            "/conditions/0/balance",
        ),
    ] {
        let reply = post(&bank, &pay, &conditions).await;
        assert_refused(&reply, 400, "validation_failed", &conditions.to_string());
        let pointers = super::texts(&reply.json()["errors"], "pointer");
        assert!(pointers.iter().any(|at| at == pointer), "{reply:?}");
    }
    let precise =
        json!([{"account": ada, "version": 2}, {"account": ada, "available_at_least": "1.001"}]);
    let reply = post(&bank, &pay, &precise).await;
    assert_refused(
        &reply,
        400,
        "validation_failed",
        "more decimals than dollars have",
    );
    let nobody = json!([{"account": ada, "version": 2}, {"account": "000000000000", "version": 1}]);
    let reply = post(&bank, &pay, &nobody).await;
    assert_refused(&reply, 422, "account_not_found", "nobody");
    assert_eq!(reply.json()["pointer"], "/conditions/1");
    let most: Vec<Value> = (0..100)
        .map(|_| json!({"account": ada, "version": 2}))
        .collect();
    assert_eq!(post(&bank, &pay, &json!(most)).await.status, 201);
    bank.close().await;
}

#[tokio::test]
async fn a_bound_may_be_of_what_cannot_move() {
    let bank = Bank::open().await;
    let (ada, frozen, closed) = (
        bank.account_with("10").await,
        bank.account_with("3").await,
        bank.account_with("0").await,
    );
    bank.set_status_of(&frozen, "freeze").await;
    bank.set_status_of(&closed, "close").await;
    let conditions = json!([
        {"account": frozen, "balance_at_least": "3", "version": 3},
        {"account": closed, "balance_at_most": "0"},
    ]);
    let reply = post(&bank, &[usd(&ada, "world", "1")], &conditions).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    bank.set_status_of(&frozen, "unfreeze").await;
    bank.close().await;
}
