//! What is refused, and changes nothing.

use reqwest::Method;

use super::{
    Account, INSUFFICIENT, NOT_FOUND, assert_is, assert_made, at, deposit, text, withdraw,
};
use crate::support::Bank;

#[tokio::test]
async fn a_withdrawal_beyond_the_balance_is_refused() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "10").await;
    for amount in ["10.01", "1e20", "\"11\""] {
        assert_is(
            &account.transact(&withdraw(amount)).await,
            422,
            INSUFFICIENT,
        );
    }
    account.assert_stands("10.00", 2).await;
    assert_eq!(bank.number("select count(*) from transactions").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn an_unknown_account_is_not_found() {
    let bank = Bank::open().await;
    for id in [1, 2, i64::MAX] {
        let account = Account { bank: &bank, id };
        for path in ["balance", "transactions"] {
            assert_is(&bank.get(&account.path(path)).await, 404, NOT_FOUND);
        }
        for body in [deposit("1"), withdraw("1"), at(&deposit("1"), "1")] {
            assert_is(&account.transact(&body).await, 404, NOT_FOUND);
            assert_is(&account.transact_once("key", &body).await, 404, NOT_FOUND);
        }
    }
    assert_eq!(bank.number("select count(*) from accounts").await, 0);
    assert_eq!(bank.number("select count(*) from transactions").await, 0);
    bank.close().await;
}

#[tokio::test]
async fn an_id_is_a_positive_integer() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "1").await;
    let ids = [
        "0",
        "-1",
        "+1",
        "1.0",
        "1e0",
        "abc",
        "%201",
        "%ff",
        "1%00",
        "0x1",
        "9223372036854775808",
        "%EF%BC%91",
    ];
    let bad = r#"{"error":"account id must be a positive integer"}"#;
    for id in ids {
        for path in ["balance", "transactions"] {
            let reply = bank.get(&format!("/accounts/{id}/{path}")).await;
            assert_is(&reply, 400, bad);
        }
        let path = format!("/accounts/{id}/transactions");
        assert_is(&bank.post(&path, &deposit("1")).await, 400, bad);
    }
    account.assert_stands("1.00", 2).await;
    bank.close().await;
}

#[tokio::test]
async fn every_field_of_a_transaction_is_checked() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    let direction = "typeOfTransaction must be Deposit or Withdraw";
    let kind = "type must be Deposit or Withdraw";
    let version = "expectedversion must be a positive integer";
    let zero = "amount must be greater than zero";
    let number = "amount must be a number";
    let bodies = [
        ("{}".to_owned(), "typeOfTransaction is required"),
        (
            r#"{"type":"Deposit"}"#.to_owned(),
            "moneyWithdraw/Deposit is required",
        ),
        (
            r#"{"amount":1,"typeOfTransaction":"Transfer"}"#.to_owned(),
            direction,
        ),
        (r#"{"amount":1,"type":" Deposit"}"#.to_owned(), kind),
        (r#"{"amount":1,"type":1}"#.to_owned(), kind),
        (r#"{"amount":1,"type":["Deposit"]}"#.to_owned(), kind),
        (deposit("0"), zero),
        (deposit("-0.00"), zero),
        (withdraw("-5"), zero),
        (deposit("\"-5\""), zero),
        (deposit("true"), number),
        (deposit("\"1_000\""), number),
        (deposit("\" 1\""), number),
        (deposit("\"\""), number),
        (deposit("\"NaN\""), number),
        (deposit("[1]"), number),
        (deposit("0.001"), "amount must have at most 2 decimals"),
        (deposit("1e-30"), "amount must have at most 2 decimals"),
        (deposit("1e400"), "amount is too large"),
        (at(&deposit("1"), "0"), version),
        (at(&deposit("1"), "-2"), version),
        (at(&deposit("1"), "2.5"), version),
        (at(&deposit("1"), "2e-1"), version),
        (at(&deposit("1"), "true"), version),
        (at(&deposit("1"), "\"\""), version),
        (at(&deposit("1"), "\"+2\""), version),
        (at(&deposit("1"), "\"two\""), version),
        (at(&deposit("1"), "9223372036854775808"), version),
    ];
    for (body, error) in bodies {
        let reply = account.transact(&body).await;
        assert_eq!(text(&reply, "error"), error, "{body}");
        assert_is(&reply, 400, &format!(r#"{{"error":"{error}"}}"#));
    }
    let key = account.transact_once("a b", &deposit("1")).await;
    assert_is(
        &key,
        400,
        r#"{"error":"Idempotency-Key must be 1 to 255 visible ASCII characters, given once"}"#,
    );
    account.assert_stands("100.00", 2).await;
    bank.close().await;
}

#[tokio::test]
async fn a_field_is_given_under_one_of_its_names() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "100").await;
    for (body, words) in [
        (
            r#"{"moneyWithdraw/Deposit":1,"amount":1,"type":"Deposit"}"#,
            "moneyWithdraw/Deposit and amount are the same field",
        ),
        (
            r#"{"amount":1,"type":"Deposit","typeOfTransaction":"Deposit"}"#,
            "typeOfTransaction and type are the same field",
        ),
        (
            r#"{"amount":1,"type":"Deposit","expectedversion":2,"expectedVersion":2}"#,
            "expectedversion and expectedVersion are the same field",
        ),
        (
            r#"{"amount":1,"amount":1,"type":"Deposit"}"#,
            "Request body is not valid JSON: duplicate field `amount`",
        ),
    ] {
        let reply = account.transact(body).await;
        assert_eq!(reply.status, 400, "{body}");
        let error = text(&reply, "error");
        assert!(error.starts_with(words), "{error}");
        assert_eq!(reply.json().as_object().map(serde_json::Map::len), Some(1));
    }
    account.assert_stands("100.00", 2).await;
    bank.close().await;
}

#[tokio::test]
async fn a_body_is_an_object_of_at_most_64_kib() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "1").await;
    let large = format!(r#"{{"balance":1,"more":"{}"}}"#, "x".repeat(65_536));
    let too_large = r#"{"error":"Request body is larger than 64 KiB"}"#;
    assert_is(&bank.post("/accounts", &large).await, 413, too_large);
    assert_is(&account.transact(&large).await, 413, too_large);
    for (body, words) in [
        ("[1]", "Request body is not a JSON object"),
        ("null", "Request body is not a JSON object"),
        ("{", "Request body is not valid JSON"),
        ("1", "Request body is not a JSON object"),
        ("\"a\"", "Request body is not a JSON object"),
        ("{} {}", "Request body is not valid JSON"),
    ] {
        for reply in [
            bank.post("/accounts", body).await,
            account.transact(body).await,
        ] {
            let error = text(&reply, "error");
            assert!(
                reply.status == 400 && error.starts_with(words),
                "{body}: {reply:?}"
            );
        }
    }
    assert_eq!(account.transact("").await.status, 400);
    assert_eq!(bank.number("select count(*) from accounts").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn an_opening_balance_is_an_amount_that_is_not_negative() {
    let bank = Bank::open().await;
    for (balance, error) in [
        ("-0.01", "balance must not be negative"),
        ("\"abc\"", "balance must be a number"),
        ("{}", "balance must be a number"),
        ("0.001", "balance must have at most 2 decimals"),
        ("1e30", "balance is too large"),
    ] {
        let reply = bank
            .post("/accounts", &format!(r#"{{"balance":{balance}}}"#))
            .await;
        assert_is(&reply, 400, &format!(r#"{{"error":"{error}"}}"#));
    }
    let reply = bank.ask(Method::POST, "/accounts").once("").send().await;
    assert_eq!(reply.status, 400);
    assert_eq!(bank.number("select count(*) from accounts").await, 0);
    bank.close().await;
}

#[tokio::test]
async fn a_frozen_account_lets_nothing_out_and_a_closed_one_takes_nothing_either() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "10").await;
    bank.set_status(account.id, "freeze").await;
    let frozen = r#"{"error":"Account is frozen"}"#;
    assert_is(&account.transact(&withdraw("1")).await, 422, frozen);
    assert_made(
        &account.transact(&deposit("1")).await,
        "Deposit",
        "1.00",
        "11.00",
        4,
    );
    bank.set_status(account.id, "unfreeze").await;
    let all = account.transact(&withdraw("11")).await;
    assert_made(&all, "Withdraw", "11.00", "0.00", 6);
    bank.set_status(account.id, "close").await;
    let closed = r#"{"error":"Account is closed"}"#;
    for body in [withdraw("1"), deposit("1")] {
        assert_is(&account.transact(&body).await, 422, closed);
    }
    account.assert_stands("0.00", 7).await;
    bank.close().await;
}

#[tokio::test]
async fn a_balance_has_a_largest_value() {
    let bank = Bank::open().await;
    let most = "10000000000000000000000000.00";
    let account = Account::open(&bank, most).await;
    assert_is(
        &account.transact(&deposit("0.01")).await,
        422,
        r#"{"error":"Balance would be too large"}"#,
    );
    account.assert_stands(most, 2).await;
    bank.close().await;
}

#[tokio::test]
async fn another_method_is_not_allowed_and_another_path_not_found() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "1").await;
    let (balance, transactions) = (account.path("balance"), account.path("transactions"));
    let all = [
        ("/accounts", Method::GET, "POST, OPTIONS"),
        ("/accounts", Method::DELETE, "POST, OPTIONS"),
        (&balance, Method::POST, "GET, HEAD, OPTIONS"),
        (&balance, Method::PUT, "GET, HEAD, OPTIONS"),
        (&transactions, Method::PATCH, "POST, GET, HEAD, OPTIONS"),
    ];
    for (path, method, allowed) in all {
        let reply = bank.send(method, path, &[], None).await;
        assert_is(&reply, 405, r#"{"error":"Method not allowed"}"#);
        assert_eq!(reply.headers["allow"], allowed, "{path}");
    }
    for path in ["/accounts/1", "/accounts/1/history", "/accounts//balance"] {
        assert_is(&bank.get(path).await, 404, r#"{"error":"Not found"}"#);
    }
    bank.close().await;
}
