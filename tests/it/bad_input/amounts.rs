//! Amounts that are exact or refused, up to the largest that an account holds.

use self::Token::{Broken, Worth, Wrong};
use super::{BALANCE, USERS, assert_refused, assert_unharmed, state};
use crate::support::Bank;

/// What an amount token comes to.
enum Token {
    /// Accepted: the balance of a user who held 1000.00, and that of a user who is opened with it.
    Worth(&'static str, &'static str),
    /// Read as JSON, and no amount: the end of the message.
    Wrong(&'static str),
    /// Not JSON.
    Broken,
}

const NOT_A_NUMBER: Token = Wrong("must be a number");

const TOO_PRECISE: Token = Wrong("must have at most 2 decimals");

const TOO_LARGE: Token = Wrong("is too large");

/// The tokens of failure-modes.md, and a few of their kin.
const TOKENS: &[(&str, Token)] = &[
    ("0", Worth("1000.00", "0.00")),
    ("-0", Worth("1000.00", "0.00")),
    ("-0.0", Worth("1000.00", "0.00")),
    ("1.0", Worth("1001.00", "1.00")),
    ("1.10", Worth("1001.10", "1.10")),
    (r#""1.10""#, Worth("1001.10", "1.10")),
    (r#""\u0031""#, Worth("1001.00", "1.00")),
    ("1e2", Worth("1100.00", "100.00")),
    ("1E+2", Worth("1100.00", "100.00")),
    ("150e-2", Worth("1001.50", "1.50")),
    ("0e1000000000", Worth("1000.00", "0.00")),
    (
        "1.00000000000000000000000000000000000",
        Worth("1001.00", "1.00"),
    ),
    (
        "9007199254740993",
        Worth("9007199254741993.00", "9007199254740993.00"),
    ),
    (
        "9223372036854775808",
        Worth("9223372036854776808.00", "9223372036854775808.00"),
    ),
    ("1.005", TOO_PRECISE),
    ("0.30000000000000004", TOO_PRECISE),
    ("1e-30", TOO_PRECISE),
    ("1e-1000000000", TOO_PRECISE),
    ("0.00000000000000000000000000000000001", TOO_PRECISE),
    ("1e400", TOO_LARGE),
    ("-1e400", TOO_LARGE),
    ("1e1000000000", TOO_LARGE),
    ("1e99999999999999999999", TOO_LARGE),
    ("79228162514264337593543950336", TOO_LARGE),
    ("1234567890123456789012345678901234567890", TOO_LARGE),
    (
        "170141183460469231731687303715884105729e-2",
        Wrong("is too large"),
    ),
    (r#""1e2""#, Worth("1100.00", "100.00")),
    (r#""1E+2""#, Worth("1100.00", "100.00")),
    (r#""1e""#, NOT_A_NUMBER),
    (r#""NaN""#, NOT_A_NUMBER),
    (r#""Infinity""#, NOT_A_NUMBER),
    ("true", NOT_A_NUMBER),
    ("[]", NOT_A_NUMBER),
    ("[1]", NOT_A_NUMBER),
    ("{}", NOT_A_NUMBER),
    (r#"{"$serde_json::private::Number":"1"}"#, NOT_A_NUMBER),
    (r#"{"$serde_json::private::RawValue":"1"}"#, NOT_A_NUMBER),
    (r#""""#, NOT_A_NUMBER),
    (r#"" 1""#, NOT_A_NUMBER),
    (r#""1 ""#, NOT_A_NUMBER),
    (r#""1\n""#, NOT_A_NUMBER),
    (r#""+1""#, NOT_A_NUMBER),
    (r#""--1""#, NOT_A_NUMBER),
    (r#""1_000""#, NOT_A_NUMBER),
    (r#""1,000""#, NOT_A_NUMBER),
    (r#""0x10""#, NOT_A_NUMBER),
    (r#""１２""#, NOT_A_NUMBER),
    (r#""٣""#, NOT_A_NUMBER),
    (r#""00""#, NOT_A_NUMBER),
    (r#"".5""#, NOT_A_NUMBER),
    (r#""5.""#, NOT_A_NUMBER),
    (r#""-""#, NOT_A_NUMBER),
    (r#""1.1.1""#, NOT_A_NUMBER),
    (r#""1\u0000""#, NOT_A_NUMBER),
    (r#""\ud800""#, NOT_A_NUMBER),
    ("NaN", Broken),
    ("Infinity", Broken),
    ("-Infinity", Broken),
    ("+1", Broken),
    ("1_000", Broken),
    ("0x10", Broken),
    ("１２", Broken),
    ("00", Broken),
    ("01", Broken),
    (".5", Broken),
    ("5.", Broken),
    ("1e", Broken),
    ("-", Broken),
    ("", Broken),
    ("'1'", Broken),
    (r#""1"#, Broken),
];

#[tokio::test]
async fn an_amount_is_exact_or_refused() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    for (token, outcome) in TOKENS.iter().chain(&[("null", NOT_A_NUMBER)]) {
        let body = format!(r#"{{"amount":{token}}}"#);
        if let Worth(balance, _) = outcome {
            let user = bank.user("1000").await;
            let reply = user.change(token).await;
            assert_eq!(
                reply.json()["data"]["balance"].to_string(),
                *balance,
                "{body}"
            );
            assert_eq!(reply.status, 200, "{body}");
            assert_eq!(user.balance().await, *balance, "{body}");
            continue;
        }
        let before = state(&bank).await;
        let reply = bank.put(BALANCE, &body).await;
        assert_refused(&reply, &body);
        assert_eq!(reply.status, 400, "{body}");
        match outcome {
            Wrong(message) => assert_eq!(
                reply.text,
                invalid("amount", &format!("Amount {message}")),
                "{body}"
            ),
            Broken | Worth(..) => assert!(reply.json()["errors"].is_null(), "{body}"),
        }
        assert_eq!(state(&bank).await, before, "{body}");
    }
    assert_eq!(bank.known_user(1).balance().await, "1000.00");
    assert!(before.contains("1000.00"));
    bank.close().await;
}

#[tokio::test]
async fn an_opening_balance_is_exact_or_refused() {
    let bank = Bank::open().await;
    let more = [
        ("null", Worth("", "0.00")),
        ("-1", Wrong("must not be negative")),
        ("-0.01", Wrong("must not be negative")),
        (r#""-1""#, Wrong("must not be negative")),
    ];
    for (token, outcome) in TOKENS.iter().chain(&more) {
        let body = format!(r#"{{"balance":{token}}}"#);
        let before = state(&bank).await;
        let reply = bank.post(USERS, &body).await;
        match outcome {
            Worth(_, balance) => {
                assert_eq!(reply.status, 201, "{body}");
                assert_eq!(
                    reply.json()["data"]["balance"].to_string(),
                    *balance,
                    "{body}"
                );
                continue;
            }
            Wrong(message) => assert_eq!(
                reply.text,
                invalid("balance", &format!("Balance {message}")),
                "{body}"
            ),
            Broken => assert!(reply.json()["errors"].is_null(), "{body}"),
        }
        assert_refused(&reply, &body);
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(state(&bank).await, before, "{body}");
    }
    let before = state(&bank).await;
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn no_account_holds_more_than_the_largest_amount() {
    let bank = Bank::open().await;
    let user = bank.user("9999999999999999999999999.98").await;
    assert_eq!(user.change("0.02").await.status, 200);
    assert_eq!(user.balance().await, "10000000000000000000000000.00");
    let before = state(&bank).await;
    for amount in ["0.01", "1", "10000000000000000000000000"] {
        let reply = user.change(amount).await;
        assert_eq!(reply.status, 400, "{amount}");
        assert_eq!(
            reply.text,
            r#"{"success":false,"error":{"message":"Balance would be too large","code":400}}"#
        );
    }
    for amount in [
        "10000000000000000000000000.01",
        "-10000000000000000000000000.01",
    ] {
        assert_eq!(
            user.change(amount).await.text,
            invalid("amount", "Amount is too large")
        );
    }
    let reply = bank
        .post(USERS, r#"{"balance":10000000000000000000000000.01}"#)
        .await;
    assert_eq!(reply.text, invalid("balance", "Balance is too large"));
    assert_eq!(state(&bank).await, before);
    assert_eq!(user.change("-10000000000000000000000000").await.status, 200);
    assert_eq!(user.balance().await, "0.00");
    bank.close().await;
}

fn invalid(field: &str, message: &str) -> String {
    format!(r#"{{"success":false,"errors":[{{"field":"{field}","message":"{message}"}}]}}"#)
}
