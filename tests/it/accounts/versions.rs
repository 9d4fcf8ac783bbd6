//! The version that a caller expects, and what comes before it.

use super::{Account, INSUFFICIENT, assert_is, assert_made, at, deposit, text, withdraw};
use crate::support::Bank;
use crate::support::bank::at_once;

fn mismatch(current: i64) -> String {
    format!(r#"{{"error":"Version mismatch","CurrentVersion":{current}}}"#)
}

#[tokio::test]
async fn a_transaction_at_another_version_is_refused_with_the_current_one() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    for version in ["1", "3", "\"1\"", "9223372036854775807"] {
        for body in [deposit("1"), withdraw("1")] {
            let reply = account.transact(&at(&body, version)).await;
            assert_is(&reply, 409, &mismatch(2));
        }
    }
    account.assert_stands("100.00", 2).await;
    let first = account.transact(&at(&deposit("1"), "2")).await;
    assert_made(&first, "Deposit", "1.00", "101.00", 3);
    let version = text(&first, "newVersion");
    let stale = account.transact(&at(&deposit("1"), "2")).await;
    assert_is(&stale, 409, &mismatch(3));
    // What was given out as a string is taken back as one.
    let next = account
        .transact(&at(&withdraw("1"), &format!("\"{version}\"")))
        .await;
    assert_made(&next, "Withdraw", "1.00", "100.00", 4);
    bank.close().await;
}

#[tokio::test]
async fn duplicate_comes_before_funds_and_funds_before_version() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    let all = at(&withdraw("100"), "2");
    let first = account.transact_once("a", &all).await;
    let id = assert_made(&first, "Withdraw", "100.00", "0.00", 3);
    // Neither the funds nor the version would do any more.
    let duplicate = format!(r#"{{"error":"Duplicate transaction","transactionId":"{id}"}}"#);
    assert_is(&account.transact_once("a", &all).await, 409, &duplicate);
    assert_is(&account.transact_once("b", &all).await, 422, INSUFFICIENT);
    let more = account.transact(&deposit("200")).await;
    assert_made(&more, "Deposit", "200.00", "200.00", 4);
    assert_is(&account.transact_once("c", &all).await, 409, &mismatch(4));
    account.assert_stands("200.00", 4).await;
    bank.close().await;
}

#[tokio::test]
async fn of_64_at_once_on_one_version_exactly_one_is_made() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "1000").await;
    let body = at(&withdraw("1"), "2");
    let replies = at_once((0..64).map(|_| account.transact(&body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 63));
    assert_made(made[0], "Withdraw", "1.00", "999.00", 3);
    for reply in refused {
        assert_is(reply, 409, &mismatch(3));
    }
    account.assert_stands("999.00", 3).await;
    bank.close().await;
}

#[tokio::test]
async fn of_ten_withdrawals_at_once_only_five_find_money() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "1000").await;
    let body = withdraw("200");
    let replies = at_once((0..10).map(|_| account.transact(&body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!((made.len(), refused.len()), (5, 5));
    for reply in refused {
        assert_is(reply, 422, INSUFFICIENT);
    }
    let mut versions: Vec<String> = made.iter().map(|reply| text(reply, "newVersion")).collect();
    versions.sort();
    assert_eq!(versions, ["3", "4", "5", "6", "7"], "exactly one each");
    account.assert_stands("0.00", 7).await;
    bank.close().await;
}

#[tokio::test]
async fn clients_that_read_and_try_again_lose_no_update() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "0").await;
    at_once((0..8).map(|_| async {
        let mut version = "1".to_owned();
        for _ in 0..5 {
            loop {
                let reply = account.transact(&at(&deposit("1"), &version)).await;
                if reply.status == 201 {
                    version = text(&reply, "newVersion");
                    break;
                }
                assert_eq!(reply.status, 409, "{reply:?}");
                version = reply.json()["CurrentVersion"].to_string();
            }
        }
    }))
    .await;
    account.assert_stands("40.00", 41).await;
    bank.close().await;
}
