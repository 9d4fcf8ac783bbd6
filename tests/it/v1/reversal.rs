//! A transaction is reversed: once, whole, its postings turned round, the last first.

use serde_json::{Value, json};

use super::{assert_refused, assert_seen, assert_strict};
use crate::support::bank::at_once;
use crate::support::native::{id_of, usd};
use crate::support::{Bank, Reply};

async fn reverse(bank: &Bank, id: &str) -> Reply {
    let path = format!("/v1/transactions/{id}/reversal");
    bank.command(&path, &json!({})).await
}

#[tokio::test]
async fn a_reversal_turns_its_postings_round_the_last_first() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("0").await, bank.account_with("0").await);
    let made = bank
        .transact(&[usd("world", &ada, "9"), usd(&ada, &bob, "9")])
        .await;
    let id = id_of(&made);
    assert_strict(
        &bank,
        &format!("/v1/transactions/{id}/reversal"),
        &json!({}),
    )
    .await;
    let said = json!({"reference": "mistake", "metadata": {"by": "ada"}});
    let path = format!("/v1/transactions/{id}/reversal");
    let reversal = bank.command(&path, &said).await;
    let by = id_of(&reversal);
    assert_eq!(reversal.status, 201);
    assert_eq!(
        reversal.headers["location"],
        format!("/v1/transactions/{by}")
    );
    let shown = reversal.json();
    assert_eq!(
        shown["postings"],
        json!([usd(&bob, &ada, "9.00"), usd(&ada, "world", "9.00")])
    );
    assert_eq!(
        (&shown["reverses"], &shown["reference"]),
        (&json!(id), &json!("mistake"))
    );
    assert_eq!(shown["metadata"], json!({"by": "ada"}));
    let first = bank.shown(&format!("/v1/transactions/{id}")).await;
    assert_eq!(first["reversed_by"], by);
    let again = reverse(&bank, &id).await;
    assert_refused(&again, 409, "already_reversed", "a second one");
    assert_eq!(again.json()["transaction"], by, "{again:?}");
    // A reversal can be reversed, and that too.
    let twice = reverse(&bank, &by).await;
    assert_eq!(
        twice.json()["postings"],
        json!([usd("world", &ada, "9.00"), usd(&ada, &bob, "9.00")])
    );
    assert_eq!(reverse(&bank, &id_of(&twice)).await.status, 201);
    assert_refused(&reverse(&bank, &id).await, 409, "already_reversed", "still");
    bank.close().await;
}

#[tokio::test]
async fn of_a_hundred_reversals_at_once_there_is_exactly_one() {
    let here = Bank::open_with(&["--lanes", "2"]).await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let (ada, bob) = (here.account_with("50").await, here.account_with("50").await);
    for _ in 0..3 {
        let id = id_of(&here.transact(&[usd(&ada, &bob, "1")]).await);
        let replies = at_once((0..100).map(|number| {
            let bank = if number % 2 == 0 { &here } else { &there };
            reverse(bank, &id)
        }));
        let replies = replies.await;
        let made: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(made.len(), 1, "{replies:?}");
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_refused(reply, 409, "already_reversed", "all others");
            assert_eq!(reply.json()["transaction"], made[0].json()["id"]);
        }
    }
    let shown = here.shown(&format!("/v1/accounts/{ada}")).await;
    assert_eq!(
        (&shown["balance"], &shown["version"]),
        (&json!("50.00"), &json!(8))
    );
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_reversal_is_refused_for_what_a_transaction_is_refused_for() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("0").await);
    let id = id_of(&bank.transact(&[usd(&ada, &bob, "4")]).await);
    assert_eq!(bank.transact(&[usd(&bob, "world", "1")]).await.status, 201);
    let path = format!("/v1/transactions/{id}/reversal");
    let poor = bank.once("poor", &path, &json!({})).await;
    let known = bank.shown("/v1/idempotency-keys/poor").await;
    assert_eq!(known["problem"], poor.json(), "as it was answered");
    assert_refused(&poor, 422, "insufficient_funds", "it is spent");
    assert_seen(&poor, &bob, ["3", "3.00", "3.00"]);
    assert_eq!(bank.transact(&[usd("world", &bob, "1")]).await.status, 201);
    bank.set_status_of(&bob, "freeze").await;
    assert_refused(&reverse(&bank, &id).await, 422, "account_frozen", "frozen");
    bank.set_status_of(&bob, "unfreeze").await;
    let reversal = reverse(&bank, &id).await;
    assert_eq!(reversal.status, 201, "{reversal:?}");
    // That it was reversed comes before funds.
    assert_eq!(
        bank.transact(&[usd(&bob, "world", "all")]).await.status,
        422
    );
    assert_refused(
        &reverse(&bank, &id).await,
        409,
        "already_reversed",
        "and poor",
    );
    for (path, body) in [
        (
            format!("/v1/transactions/{id}/reversal"),
            json!({"amount": "1"}),
        ),
        (
            format!("/v1/transactions/{id}/reversal"),
            json!({"reference": 1}),
        ),
    ] {
        let reply = bank.command(&path, &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
    }
    bank.close().await;
}

#[tokio::test]
async fn what_moved_no_money_cannot_be_reversed() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let hold = bank.hold(&account, "4").await;
    bank.set_status_of(&account, "freeze").await;
    bank.set_status_of(&account, "unfreeze").await;
    let void = bank
        .command(&format!("/v1/holds/{hold}/void"), &json!({}))
        .await;
    assert_eq!(void.status, 200);
    let path = format!("/v1/transactions?account={account}&limit=100");
    let list = bank.shown(&path).await["data"].clone();
    let mut count = 0;
    for made in list.as_array().expect("a list") {
        let id = made["id"].as_str().expect("an id");
        if made["postings"] == json!([]) {
            let reply = reverse(&bank, id).await;
            assert_refused(&reply, 422, "not_reversible", &made.to_string());
            count += 1;
        }
    }
    assert_eq!(count, 5, "opened, held, frozen, unfrozen, voided: {list}");
    bank.close().await;
}

#[tokio::test]
async fn the_reversal_of_a_capture_brings_back_the_money_and_no_hold() {
    let bank = Bank::open().await;
    let (account, shop) = (bank.account_with("10").await, bank.account_with("0").await);
    let hold = bank.hold(&account, "6").await;
    let body = json!({"to": shop, "amount": "5"});
    let captured = bank
        .command(&format!("/v1/holds/{hold}/captures"), &body)
        .await;
    let reversal = reverse(&bank, &id_of(&captured)).await;
    assert_eq!(reversal.status, 201, "{reversal:?}");
    assert_eq!(
        reversal.json()["postings"],
        json!([usd(&shop, &account, "5.00")])
    );
    let shown: Value = bank.shown(&format!("/v1/accounts/{account}")).await;
    assert_eq!(
        (&shown["balance"], &shown["held"]),
        (&json!("10.00"), &json!("0.00"))
    );
    assert_eq!(
        bank.shown(&format!("/v1/holds/{hold}")).await["status"],
        "captured"
    );
    bank.close().await;
}

#[tokio::test]
async fn what_a_dialect_did_is_a_transaction_that_can_be_reversed() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    assert_eq!(user.change("-4").await.status, 200);
    let account = passbook::ledger::AccountId(user.account().await).to_number();
    let list = bank
        .shown(&format!("/v1/transactions?account={account}"))
        .await;
    assert_eq!(list["data"][0]["kind"], "withdrawal", "{list}");
    let id = list["data"][0]["id"].as_str().expect("an id");
    let reversal = reverse(&bank, id).await;
    assert_eq!(reversal.status, 201, "{reversal:?}");
    assert_eq!(user.balance().await, "10.00");
    // An opening that brought money moved some.
    let opened = list["data"][1]["id"].as_str().expect("an id");
    let reply = reverse(&bank, opened).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(user.balance().await, "0.00");
    bank.close().await;
}
