//! How much a request, an account and a moment can take, and that what is large is exact as well.

use serde_json::{Value, json};

use super::{assert_refused, assert_seen};
use crate::support::Bank;
use crate::support::bank::at_once;
use crate::support::native::{id_of, usd};

#[tokio::test]
async fn a_transaction_has_a_hundred_postings_at_most() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("100").await, bank.account_with("0").await);
    let postings =
        |count: usize| -> Vec<Value> { (0..count).map(|_| usd(&ada, &bob, "1")).collect() };
    let more = bank.transact(&postings(101)).await;
    assert_refused(&more, 400, "validation_failed", "101");
    assert_eq!(more.json()["errors"][0]["pointer"], "/postings", "{more:?}");
    let most = bank.transact(&postings(100)).await;
    assert_eq!(most.status, 201, "{most:?}");
    let after = most.json()["accounts"].clone();
    assert_eq!(after.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&after[0]["balance"], &after[0]["version"]),
        (&json!("0.00"), &json!(102))
    );
    let path = most.headers["location"].as_str();
    assert_eq!(bank.get(path).await.text, most.text);
    let reversal = bank.command(&format!("{path}/reversal"), &json!({})).await;
    assert_eq!(
        reversal.json()["postings"].as_array().map(Vec::len),
        Some(100)
    );
    bank.close().await;
}

#[tokio::test]
async fn an_account_has_a_thousand_active_holds_at_most() {
    let bank = Bank::open().await;
    let account = bank.account_with("2000").await;
    let first = bank.hold(&account, "1").await;
    for _ in 0..9 {
        let holds = at_once((0..111).map(|_| bank.hold(&account, "1")));
        assert_eq!(holds.await.len(), 111);
    }
    let new = json!({"account": account, "amount": "1", "currency": "USD"});
    let more = bank.command("/v1/holds", &new).await;
    assert_refused(&more, 409, "too_many_holds", "1,001");
    assert_seen(&more, &account, ["1002", "2000.00", "1000.00"]);
    let void = bank
        .command(&format!("/v1/holds/{first}/void"), &json!({}))
        .await;
    assert_eq!(void.status, 200);
    bank.hold(&account, "1").await;
    assert_refused(
        &bank.command("/v1/holds", &new).await,
        409,
        "too_many_holds",
        "again",
    );
    bank.close().await;
}

#[tokio::test]
async fn balances_end_where_amounts_do() {
    let bank = Bank::open().await;
    let most = "10000000000000000000000000";
    let account = bank.account_with(most).await;
    let cent = bank.transact(&[usd("world", &account, "0.01")]).await;
    assert_refused(&cent, 422, "amount_too_large", "a cent more");
    assert_seen(
        &cent,
        &account,
        ["2", &format!("{most}.00"), &format!("{most}.00")],
    );
    let all = bank.transact(&[usd(&account, "world", "all")]).await;
    assert_eq!(all.json()["postings"][0]["amount"], format!("{most}.00"));
    let beyond = bank
        .transact(&[usd("world", &account, &format!("{most}.01"))])
        .await;
    assert_refused(&beyond, 400, "validation_failed", "no amount of dollars");
    let limit = json!({"currency": "USD", "overdraft_limit": most});
    let deep = bank.open_account(&limit).await;
    let shown = bank.shown(&format!("/v1/accounts/{deep}")).await;
    assert_eq!(shown["available"], format!("{most}.00"));
    bank.close().await;
}

/// Transactions of a hundred postings from many clients, each over most of the accounts, in orders of their own.
#[tokio::test]
async fn a_hundred_postings_over_a_hundred_accounts_from_many_clients_are_exact() {
    const ACCOUNTS: usize = 100;
    let here = Bank::open_with(&["--lanes", "3"]).await;
    let there = Bank::open_on(&here.database_url, &["--lanes", "2"]).await;
    let accounts = at_once((0..ACCOUNTS).map(|_| here.account_with("1000"))).await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    let before = here.number(deadlocks).await;
    let clients = (1..=12).map(|client| {
        let (here, there, accounts) = (&here, &there, &accounts);
        async move {
            for round in 0..4 {
                // Strides that have no divisor in common with the number of accounts go through all of them.
                let stride = [1, 3, 7, 9, 11, 13, 17, 19, 21, 23, 27, 99][(client + round) % 12];
                let postings: Vec<Value> = (0..ACCOUNTS)
                    .map(|at| {
                        let from = &accounts[(at * stride + client) % ACCOUNTS];
                        let to = &accounts[((at + 1) * stride + client) % ACCOUNTS];
                        usd(from, to, "0.01")
                    })
                    .collect();
                let bank = if client % 2 == 0 { here } else { there };
                let many = bank.transact(&postings).await;
                assert_eq!(many.status, 201, "{many:?}");
                let (from, to) = (&accounts[client], &accounts[client * 2]);
                let one = bank.transact(&[usd(from, to, "1")]).await;
                assert_eq!(one.status, 201, "{one:?}");
            }
        }
    });
    at_once(clients).await;
    assert_eq!(here.number(deadlocks).await, before);
    let entries = "select count(*) from entries where counterparty_id is not null";
    assert_eq!(here.number(entries).await, 12 * 4 * 2 * 101);
    // Each went round: what is more or less than before is from the single postings.
    let mut expected = vec![1_000; ACCOUNTS];
    for client in 1..=12 {
        expected[client] -= 4;
        expected[client * 2] += 4;
    }
    for (account, balance) in accounts.iter().zip(expected) {
        let shown = here.shown(&format!("/v1/accounts/{account}")).await;
        assert_eq!(shown["balance"], format!("{balance}.00"), "{account}");
    }
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn what_is_said_of_a_transaction_has_an_end() {
    let bank = Bank::open().await;
    let account = bank.account_with("0").await;
    let members = |count: usize, length: usize| -> Value {
        let members = (0..count).map(|n| (format!("{n:0>40}"), json!("ä".repeat(length))));
        members.collect()
    };
    let ask = async |reference: &str, metadata: Value| {
        let body = json!({
            "postings": [usd("world", &account, "1")], "reference": reference, "metadata": metadata,
        });
        bank.command("/v1/transactions", &body).await
    };
    for (reference, metadata, pointer) in [
        ("ä".repeat(256), json!({}), "/reference"),
        (String::new(), members(51, 1), "/metadata"),
        (String::new(), members(20, 450), "/metadata"),
        (
            String::new(),
            members(1, 501),
            "/metadata/0000000000000000000000000000000000000000",
        ),
    ] {
        let reply = ask(&reference, metadata).await;
        assert_refused(&reply, 400, "validation_failed", pointer);
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply:?}");
    }
    let most = ask(&"ä".repeat(255), members(50, 100)).await;
    let path = format!("/v1/transactions/{}", id_of(&most));
    assert_eq!(bank.get(&path).await.text, most.text);
    bank.close().await;
}
