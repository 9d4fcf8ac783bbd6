//! The history of an account, in pages.

use passbook::ledger::{AccountId, AccountRef};

use super::{Account, assert_is, assert_timestamp, at, deposit, text, withdraw};
use crate::support::Bank;
use crate::support::bank::transfer;

#[tokio::test]
async fn a_transaction_stands_in_the_history_as_it_was_answered() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "0").await;
    let path = account.path("transactions");
    assert_is(
        &bank.get(&path).await,
        200,
        r#"{"transactions":[],"next":null}"#,
    );
    let first = account.transact(&deposit("12.5")).await;
    let second = account.transact(&at(&withdraw("2.25"), "2")).await;
    let both = format!(
        r#"{{"transactions":[{},{}],"next":null}}"#,
        second.text, first.text
    );
    assert_is(&bank.get(&path).await, 200, &both);
    bank.close().await;
}

#[tokio::test]
async fn a_transfer_names_the_other_account_by_its_id() {
    let bank = Bank::open().await;
    let (from, to) = (
        Account::open(&bank, "10").await,
        Account::open(&bank, "1").await,
    );
    let money = transfer(
        &bank,
        AccountRef::Id(AccountId(from.id)),
        AccountRef::Id(AccountId(to.id)),
        250,
    );
    let answered = bank.app.service().post(money, Vec::new(), None).await;
    let receipt = answered
        .expect("an answer")
        .outcome
        .expect("money is there");
    let id = receipt.transaction.0.simple();
    for (account, other, kind, balance) in [
        (&from, &to, "Withdraw", "7.50"),
        (&to, &from, "Deposit", "3.50"),
    ] {
        let path = format!("{}?limit=1", account.path("transactions"));
        let reply = bank.get(&path).await;
        let at = reply.json()["transactions"][0]["timestamp"].clone();
        let at = at.as_str().unwrap_or_default();
        assert_timestamp(at);
        let other = other.id;
        assert_is(
            &reply,
            200,
            &format!(
                r#"{{"transactions":[{{"id":"txn{id}","type":"{kind}","amount":2.50,"newBalance":{balance},"newVersion":"3","timestamp":"{at}","counterparty":{other}}}],"next":3}}"#
            ),
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn the_history_is_read_page_by_page_to_its_end() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "0").await;
    let mut made = Vec::new();
    for number in 1..=45 {
        let reply = account.transact(&deposit(&number.to_string())).await;
        made.insert(0, text(&reply, "id"));
    }
    let path = account.path("transactions");
    for (limit, pages) in [(None, 3), (Some(7), 7), (Some(45), 1), (Some(100), 1)] {
        let limited = limit.map_or_else(String::new, |limit| format!("&limit={limit}"));
        let (mut seen, mut before) = (Vec::new(), String::new());
        let mut count = 0;
        loop {
            let page = bank.get(&format!("{path}?{before}{limited}")).await.json();
            let transactions = page["transactions"].as_array().expect("a page").clone();
            assert!(transactions.len() <= limit.unwrap_or(20));
            seen.extend(
                transactions
                    .iter()
                    .map(|one| one["id"].as_str().unwrap_or_default().to_owned()),
            );
            count += 1;
            let Some(next) = page["next"].as_i64() else {
                break;
            };
            before = format!("before={next}");
        }
        assert_eq!(seen, made, "{limit:?}");
        assert_eq!(count, pages, "{limit:?}");
    }
    bank.close().await;
}

#[tokio::test]
async fn new_transactions_do_not_move_the_pages() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "0").await;
    for _ in 0..4 {
        account.transact(&deposit("1")).await;
    }
    let path = account.path("transactions");
    let first = bank.get(&format!("{path}?limit=2")).await.json();
    assert_eq!(first["next"], 4);
    account.transact(&deposit("9")).await;
    let second = bank.get(&format!("{path}?limit=2&before=4")).await.json();
    let versions: Vec<_> = second["transactions"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|one| one["newVersion"].clone())
        .collect();
    assert_eq!(versions, ["3", "2"]);
    assert!(second["next"].is_null());
    bank.close().await;
}

#[tokio::test]
async fn a_page_has_1_to_100_transactions_before_a_version() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "5").await;
    let path = account.path("transactions");
    let limit = r#"{"error":"limit must be from 1 to 100"}"#;
    let before = r#"{"error":"before must be a positive integer"}"#;
    let twice = r#"{"error":"limit is given more than once"}"#;
    let encoded = r#"{"error":"query or form is not percent-encoded UTF-8"}"#;
    for (query, body) in [
        ("limit=0", limit),
        ("limit=101", limit),
        ("limit=", limit),
        ("limit=-1", limit),
        ("limit=ten", limit),
        ("before=0", before),
        ("before=-1", before),
        ("before=", before),
        ("before=%2B3", before),
        ("before=9223372036854775808", before),
        ("limit=1&limit=2", twice),
        ("limit=%zz", encoded),
    ] {
        assert_is(&bank.get(&format!("{path}?{query}")).await, 400, body);
    }
    let none = r#"{"transactions":[],"next":null}"#;
    for before in ["1", "2"] {
        let reply = bank.get(&format!("{path}?before={before}")).await;
        assert_is(&reply, 200, none);
    }
    bank.close().await;
}
