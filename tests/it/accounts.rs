//! The `accounts` dialect: every row of its table, the shapes literally.

mod faults;
mod history;
mod keys;
mod refusals;
mod versions;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use passbook::ledger::{Magnitude, OpenAccount};
use reqwest::Method;

use crate::support::{Bank, Reply};

const NOT_FOUND: &str = r#"{"error":"Account not found"}"#;
const INSUFFICIENT: &str = r#"{"error":"Insufficient Balance"}"#;
const REUSED: &str = r#"{"error":"Idempotency-Key was used for another request"}"#;

/// An account of the dialect.
struct Account<'b> {
    bank: &'b Bank,
    id: i64,
}

impl<'b> Account<'b> {
    async fn open(bank: &'b Bank, balance: &str) -> Self {
        let body = format!(r#"{{"balance":{balance}}}"#);
        let reply = bank.post("/accounts", &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let id = reply.json()["accountId"].as_i64().expect("an id");
        Self { bank, id }
    }

    /// An account in a currency that the dialect does not open accounts in.
    async fn open_in(bank: &'b Bank, currency: &str) -> Self {
        let service = bank.app.service();
        let registered = service.find_currency(currency).await;
        let registered = registered.expect("an answer").expect("a currency");
        let account = OpenAccount::plain(None, registered.currency, Magnitude::ZERO);
        let answered = service.open_account(account, None).await;
        let receipt = answered.expect("an answer").outcome.expect("an account");
        let id = receipt.standings.first().expect("an account").account.0;
        Self { bank, id }
    }

    async fn transact(&self, body: &str) -> Reply {
        self.bank.post(&self.path("transactions"), body).await
    }

    async fn transact_once(&self, key: &str, body: &str) -> Reply {
        let path = self.path("transactions");
        let asked = self.bank.ask(Method::POST, &path).once(key);
        asked.body(body).send().await
    }

    async fn assert_stands(&self, balance: &str, version: i64) {
        let reply = self.bank.get(&self.path("balance")).await;
        let body = format!(r#"{{"balance":{balance},"version":{version}}}"#);
        assert_is(&reply, 200, &body);
    }

    fn path(&self, last: &str) -> String {
        format!("/accounts/{}/{last}", self.id)
    }
}

fn deposit(amount: &str) -> String {
    format!(r#"{{"moneyWithdraw/Deposit":{amount},"typeOfTransaction":"Deposit"}}"#)
}

fn withdraw(amount: &str) -> String {
    format!(r#"{{"moneyWithdraw/Deposit":{amount},"typeOfTransaction":"Withdraw"}}"#)
}

/// The same with the version that is expected.
fn at(body: &str, version: &str) -> String {
    let body = body.trim_end_matches('}');
    format!(r#"{body},"expectedversion":{version}}}"#)
}

#[track_caller]
fn assert_is(reply: &Reply, status: u16, text: &str) {
    assert_eq!((reply.status, reply.text.as_str()), (status, text));
    assert_eq!(reply.headers["content-type"], "application/json");
}

/// Money was moved: with what the transaction is called.
#[track_caller]
fn assert_made(reply: &Reply, kind: &str, amount: &str, balance: &str, version: i64) -> String {
    assert_eq!(reply.status, 201, "{reply:?}");
    let (id, at) = (text(reply, "id"), text(reply, "timestamp"));
    let body = format!(
        r#"{{"id":"{id}","type":"{kind}","amount":{amount},"newBalance":{balance},"newVersion":"{version}","timestamp":"{at}"}}"#
    );
    assert_is(reply, 201, &body);
    assert_transaction_id(&id);
    assert_timestamp(&at);
    assert!(!reply.is_replayed());
    id
}

/// `txn` and the 32 digits of a UUID.
#[track_caller]
fn assert_transaction_id(id: &str) {
    let digits = id.strip_prefix("txn").expect(id);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(digits.len() == 32 && digits.bytes().all(is_digit), "{id}");
}

/// A time in UTC in seconds, about now.
#[track_caller]
fn assert_timestamp(text: &str) {
    let at = DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let at = at.with_timezone(&Utc);
    assert_eq!(at.to_rfc3339_opts(SecondsFormat::Secs, true), text);
    let age = (Utc::now() - at).abs().to_std().expect("a duration");
    assert!(age < Duration::from_mins(5), "{text} is not now");
}

fn text(reply: &Reply, field: &str) -> String {
    let json = reply.json();
    json[field].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_account_is_opened_without_a_body_or_with_a_balance() {
    let bank = Bank::open().await;
    let bodies = [
        (None, "0.00", 1),
        (Some(""), "0.00", 1),
        (Some("{}"), "0.00", 1),
        (Some(r#"{"balance":null,"owner":"Ada"}"#), "0.00", 1),
        (Some(r#"{"balance":0}"#), "0.00", 1),
        (Some(r#"{"balance":1000.00}"#), "1000.00", 2),
        (Some(r#"{"balance":"12.5"}"#), "12.50", 2),
        (Some(r#"{"balance":0.01}"#), "0.01", 2),
    ];
    for (body, balance, version) in bodies {
        let reply = bank.send(Method::POST, "/accounts", &[], body).await;
        let id = reply.json()["accountId"].as_i64().expect("an id");
        let opened = format!(r#"{{"accountId":{id},"balance":{balance},"version":{version}}}"#);
        assert_is(&reply, 201, &opened);
        let account = Account { bank: &bank, id };
        account.assert_stands(balance, version).await;
    }
    let entries = "select count(*) from entries where version = 2";
    assert_eq!(bank.number(entries).await, 3, "a balance is a transaction");
    assert_eq!(bank.number("select count(*) from accounts").await, 8);
    bank.close().await;
}

#[tokio::test]
async fn a_transaction_answers_with_the_new_balance_at_the_next_version() {
    let bank = Bank::open().await;
    let account = Account::open(&bank, "300").await;
    let all = [
        (
            r#"{"moneyWithdraw/Deposit":49,"typeOfTransaction":"Deposit","expectedversion":2}"#,
            ("Deposit", "49.00", "349.00"),
        ),
        (
            r#"{"moneyWithdraw/Deposit":0.01,"typeOfTransaction":"Withdraw","expectedversion":3}"#,
            ("Withdraw", "0.01", "348.99"),
        ),
        (
            r#"{"amount":"12.50","type":"deposit","expectedVersion":"4"}"#,
            ("Deposit", "12.50", "361.49"),
        ),
        (
            r#"{"amount":1e2,"type":"WITHDRAW"}"#,
            ("Withdraw", "100.00", "261.49"),
        ),
        (
            r#"{"amount":1,"typeOfTransaction":"credit","expectedversion":null}"#,
            ("Deposit", "1.00", "262.49"),
        ),
        (
            r#"{"moneyWithdraw/Deposit":262.49,"type":"Debit","currency":"EUR"}"#,
            ("Withdraw", "262.49", "0.00"),
        ),
    ];
    for ((body, (kind, amount, balance)), version) in all.into_iter().zip(3..) {
        let reply = account.transact(body).await;
        assert_made(&reply, kind, amount, balance, version);
        account.assert_stands(balance, version).await;
    }
    assert_eq!(bank.number("select count(*) from entries").await, 7);
    bank.close().await;
}

#[tokio::test]
async fn the_account_of_a_user_is_there_by_its_id() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let account = Account {
        bank: &bank,
        id: user.account().await,
    };
    account.assert_stands("100.00", 2).await;
    let reply = account.transact(&at(&withdraw("30"), "2")).await;
    assert_made(&reply, "Withdraw", "30.00", "70.00", 3);
    assert_eq!(user.balance().await, "70.00");
    assert_eq!(user.change("5").await.status, 200);
    account.assert_stands("75.00", 4).await;
    bank.close().await;
}

#[tokio::test]
async fn an_account_of_any_currency_moves_with_all_its_decimals() {
    let bank = Bank::open().await;
    let account = Account::open_in(&bank, "ethereum").await;
    account.assert_stands("0.000000000000000000", 1).await;
    let reply = account.transact(&deposit("1.000000000000000001")).await;
    let all = "1.000000000000000001";
    assert_made(&reply, "Deposit", all, all, 2);
    let reply = account.transact(&withdraw("\"0.5\"")).await;
    let (half, rest) = ("0.500000000000000000", "0.500000000000000001");
    assert_made(&reply, "Withdraw", half, rest, 3);
    account.assert_stands(rest, 3).await;
    assert_is(
        &account.transact(&deposit("1e-19")).await,
        400,
        r#"{"error":"amount must have at most 18 decimals"}"#,
    );

    let account = Account::open_in(&bank, "bitcoin").await;
    let reply = account.transact(&deposit("0.00000001")).await;
    assert_made(&reply, "Deposit", "0.00000001", "0.00000001", 2);
    let shown = bank.get(&account.path("transactions")).await.json();
    assert_eq!(shown["transactions"][0]["amount"].to_string(), "0.00000001");
    bank.close().await;
}

#[tokio::test]
async fn accounts_are_opened_in_the_default_currency() {
    let bank = Bank::open_with(&["--default-currency", "EUR"]).await;
    let account = Account::open(&bank, "5").await;
    let euros = "select count(*) from accounts where currency = 'EUR' and owner_id is null";
    assert_eq!(bank.number(euros).await, 1);
    account.assert_stands("5.00", 2).await;
    bank.close().await;
}
