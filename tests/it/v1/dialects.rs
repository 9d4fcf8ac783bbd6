//! Accounts that callers froze, closed or hold money of, as the dialects meet them: refused in their own words.

use passbook::ledger::AccountId;
use serde_json::json;

use crate::support::native::usd;
use crate::support::{Bank, Reply};

#[track_caller]
fn assert_is(reply: &Reply, status: u16, text: &str) {
    assert_eq!((reply.status, &*reply.text), (status, text));
}

/// The newest account, in whatever book.
async fn newest(bank: &Bank) -> i64 {
    bank.number("select max(id) from accounts").await
}

/// Freezes, closes and the like, of an account of the book of events.
async fn set_in_events(bank: &Bank, account: &str, verb: &str) {
    let path = format!("/v1/accounts/{account}/{verb}");
    let asked = bank.change(reqwest::Method::POST, &path);
    let reply = asked.with("Passbook-Book", "events").send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn the_users_dialect_says_why_in_its_words() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    let id = user.account().await;
    let number = AccountId(id).to_number();
    let hold = bank.hold(&number, "4").await;
    let reply = user.change("-7").await;
    assert_eq!(
        (reply.status, &*reply.message()),
        (400, "Insufficient funds")
    );
    assert_eq!(user.balance().await, "10.00", "a balance has what is held");
    assert_eq!(user.change("-6").await.status, 200);
    bank.set_status(id, "freeze").await;
    let reply = user.change("-1").await;
    assert_eq!(
        (reply.status, &*reply.message()),
        (400, "Account is frozen")
    );
    assert_eq!(user.change("1").await.status, 200);
    bank.set_status(id, "unfreeze").await;
    let void = bank
        .command(&format!("/v1/holds/{hold}/void"), &json!({}))
        .await;
    assert_eq!(void.status, 200);
    assert_eq!(user.change("-5").await.status, 200);
    bank.set_status(id, "close").await;
    for amount in ["1", "-1"] {
        let reply = user.change(amount).await;
        assert_eq!(
            (reply.status, &*reply.message()),
            (400, "Account is closed")
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn the_accounts_dialect_says_why_in_its_words() {
    let bank = Bank::open().await;
    let opened = bank.post("/accounts", r#"{"balance":10}"#).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let id = newest(&bank).await;
    let path = format!("/accounts/{id}/transactions");
    let withdraw = r#"{"type":"Withdraw","amount":7}"#;
    bank.hold(&AccountId(id).to_number(), "4").await;
    let held = bank.post(&path, withdraw).await;
    assert_is(&held, 422, r#"{"error":"Insufficient Balance"}"#);
    bank.set_status(id, "freeze").await;
    assert_is(
        &bank.post(&path, withdraw).await,
        422,
        r#"{"error":"Account is frozen"}"#,
    );
    bank.set_status(id, "unfreeze").await;
    bank.close().await;
}

#[tokio::test]
async fn the_events_dialect_says_why_in_its_words() {
    let bank = Bank::open().await;
    let deposit = r#"{"type":"deposit","destination":"100","amount":10}"#;
    assert_eq!(bank.post("/event", deposit).await.status, 201);
    let number = AccountId(newest(&bank).await).to_number();
    let withdraw = r#"{"type":"withdraw","origin":"100","amount":7}"#;
    let other = bank
        .post(
            "/event",
            r#"{"type":"withdraw","origin":"100","amount":70}"#,
        )
        .await;
    let new = json!({"account": number, "amount": "4", "currency": "USD"});
    let asked = bank.change(reqwest::Method::POST, "/v1/holds");
    let held = asked.with("Passbook-Book", "events").body(&new.to_string());
    assert_eq!(held.send().await.status, 201);
    let poor = bank.post("/event", withdraw).await;
    assert_eq!(
        (poor.status, &poor.text),
        (other.status, &other.text),
        "as if it had 6"
    );
    set_in_events(&bank, &number, "freeze").await;
    let frozen = bank.post("/event", withdraw).await;
    assert!(frozen.text.contains("frozen"), "{frozen:?}");
    assert!((400..500).contains(&frozen.status), "{frozen:?}");
    assert_eq!(bank.post("/event", deposit).await.status, 201);
    set_in_events(&bank, &number, "unfreeze").await;
    bank.close().await;
}

#[tokio::test]
async fn the_ledger_dialect_says_why_in_its_words() {
    let bank = Bank::open().await;
    let opened = bank.get("/create?name=ada&email=ada@example.org").await;
    let user = opened.json()["user_id"].as_i64().expect("an id");
    let ask = async |verb: &str, amount: &str| {
        let query = format!("user_id={user}&amount={amount}&currency_type=bitcoin");
        bank.get(&format!("/{verb}?{query}")).await
    };
    assert_eq!(ask("deposit", "10").await.status, 200);
    let poor = ask("withdraw", "70").await;
    let id = newest(&bank).await;
    let number = AccountId(id).to_number();
    let new = json!({"account": number, "amount": "4", "currency": "BTC"});
    assert_eq!(bank.command("/v1/holds", &new).await.status, 201);
    let held = ask("withdraw", "7").await;
    assert_eq!((held.status, &held.text), (poor.status, &poor.text));
    bank.set_status(id, "freeze").await;
    let frozen = ask("withdraw", "1").await;
    assert!(frozen.text.contains("frozen"), "{frozen:?}");
    assert_eq!(ask("deposit", "1").await.status, 200);
    bank.set_status(id, "unfreeze").await;
    bank.close().await;
}

#[tokio::test]
async fn the_microfin_dialect_says_why_in_its_words() {
    let bank = Bank::open().await;
    let ada = r#"{"name":"ada","email":"ada@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", ada).await;
    let cookie = reply.headers["set-cookie"]
        .split(';')
        .next()
        .expect("a cookie");
    let ask = async |path: &str, body: &str| {
        let asked = bank.ask(reqwest::Method::POST, path).with("Cookie", cookie);
        asked.body(body).send().await
    };
    let opened = ask("/api/accountGeneration", "").await.json();
    let number = opened["accountNumber"].as_str().expect("a number");
    let id = AccountId::parse_number(number).expect("a number").0;
    assert_eq!(
        bank.transact(&[usd("world", number, "10")]).await.status,
        201
    );
    let withdraw = |amount: &str| format!(r#"{{"accountNumber":"{number}","amount":{amount}}}"#);
    let poor = ask("/api/withdraw", &withdraw("70")).await;
    bank.hold(number, "4").await;
    let held = ask("/api/withdraw", &withdraw("7")).await;
    assert_eq!((held.status, &held.text), (poor.status, &poor.text));
    bank.set_status(id, "freeze").await;
    let frozen = ask("/api/withdraw", &withdraw("1")).await;
    assert!(frozen.text.contains("Account is frozen"), "{frozen:?}");
    bank.set_status(id, "unfreeze").await;
    bank.close().await;
}
