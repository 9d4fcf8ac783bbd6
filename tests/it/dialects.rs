//! All dialects over one core: the same users, accounts and money, whoever asks.

use passbook::ledger::AccountId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

/// A user who signed up, with what they show to the dialect that asks for it.
struct Holder<'b> {
    bank: &'b Bank,
    token: String,
}

impl<'b> Holder<'b> {
    async fn sign_up(bank: &'b Bank, email: &str) -> Self {
        let body = json!({"name": "Ada", "email": email, "password": "Secret12"});
        let reply = bank.post("/api/signup", &body.to_string()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let cookie = &reply.headers["set-cookie"];
        let token = cookie.split(['=', ';']).nth(1).expect("a token");
        Self {
            bank,
            token: format!("Bearer {token}"),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let headers = [("Authorization", self.token.as_str())];
        let body = body.map(|body| body.to_string());
        self.bank
            .send(method, path, &headers, body.as_deref())
            .await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The user's accounts: currency, number and balance.
    async fn accounts(&self) -> Vec<(String, String, String)> {
        let reply = self.ask(Method::GET, "/api/accounts", None).await;
        let json = reply.json();
        let accounts = json["accounts"].as_array().expect("accounts");
        let text =
            |account: &Value, field: &str| account[field].as_str().expect("a text").to_owned();
        accounts
            .iter()
            .map(|account| {
                (
                    text(account, "currency"),
                    text(account, "accountNumber"),
                    text(account, "balance"),
                )
            })
            .collect()
    }

    async fn number(&self, currency: &str) -> String {
        let accounts = self.accounts().await;
        let found = accounts.into_iter().find(|(code, ..)| code == currency);
        found.expect("an account").1
    }

    /// The id of the user: the owner of their first account.
    async fn id(&self) -> i64 {
        let account = id_of(&self.number("USD").await);
        let sql = format!("select owner_id from accounts where id = {account}");
        self.bank.number(&sql).await
    }
}

fn id_of(number: &str) -> i64 {
    AccountId::parse_number(number).expect("a number").0
}

/// The balance of an account in the `accounts` dialect, digit by digit.
async fn balance(bank: &Bank, account: i64) -> String {
    let reply = bank.get(&format!("/accounts/{account}/balance")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["balance"].to_string()
}

#[tokio::test]
async fn one_account_shows_the_same_money_through_every_dialect_that_can_name_it() {
    let bank = Bank::open().await;
    let holder = Holder::sign_up(&bank, "ada@example.org").await;
    let number = holder.number("USD").await;
    let (account, user) = (id_of(&number), bank.known_user(holder.id().await));

    // Each dialect moves the money, and each of them sees it.
    let moves = [
        ("users", "100.00"),
        ("microfin", "150.00"),
        ("accounts", "149.75"),
    ];
    for (dialect, after) in moves {
        let reply = match dialect {
            "users" => user.change("100").await,
            "microfin" => {
                let body = json!({"accountNumber": number, "amount": 50});
                holder.post("/api/deposit", body).await
            }
            _ => {
                let body = json!({"typeOfTransaction": "Withdraw", "amount": "0.25"});
                let path = format!("/accounts/{account}/transactions");
                bank.post(&path, &body.to_string()).await
            }
        };
        assert!((200..300).contains(&reply.status), "{dialect}: {reply:?}");
        assert_eq!(user.balance().await, after, "users, after {dialect}");
        assert_eq!(
            balance(&bank, account).await,
            after,
            "accounts, after {dialect}"
        );
        let expected = ("USD".to_owned(), number.clone(), after.to_owned());
        assert_eq!(
            holder.accounts().await,
            [expected],
            "microfin, after {dialect}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_crypto_account_of_the_ledger_dialect_is_there_by_its_id_and_its_number() {
    let bank = Bank::open().await;
    let holder = Holder::sign_up(&bank, "ada@example.org").await;
    let user = holder.id().await;
    let amount = "1.000000000000000001";
    let reply = bank
        .get(&format!(
            "/deposit?user_id={user}&amount={amount}&currency_type=ethereum"
        ))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let number = holder.number("ETH").await;
    assert_eq!(balance(&bank, id_of(&number)).await, amount);
    let body = json!({"accountNumber": number, "amount": "0.000000000000000001"});
    let reply = holder.post("/api/withdraw", body).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.json()["balance"], "1.000000000000000000");
    let reply = bank
        .get(&format!("/balance?user_id={user}&currency_type=ethereum"))
        .await;
    assert_eq!(reply.text, format!(r#"{{"user_id":{user},"ethereum":1}}"#));

    // An account has one currency.
    let usd = holder.number("USD").await;
    let body = json!({"senderAccountNumber": number, "receiverAccountNumber": usd, "amount": 1});
    assert_eq!(holder.post("/api/transfer", body).await.status, 400);
    assert_eq!(balance(&bank, id_of(&usd)).await, "0.00");
    bank.close().await;
}

#[tokio::test]
async fn an_account_of_events_is_there_by_its_id_also_after_a_reset() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    let body = r#"{"type":"deposit","destination":"100","amount":10}"#;
    assert_eq!(bank.post("/event", body).await.status, 201);
    let account = bank.number("select id from accounts").await;
    assert_eq!(balance(&bank, account).await, "10.00");
    let path = format!("/accounts/{account}/transactions");
    let reply = bank.post(&path, r#"{"type":"Deposit","amount":5}"#).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(bank.get("/balance?account_id=100").await.text, "15");
    assert_eq!(bank.post("/reset", "").await.status, 200);
    // Its money is no longer shown there, and not lost.
    assert_eq!(bank.get("/balance?account_id=100").await.status, 404);
    assert_eq!(balance(&bank, account).await, "15.00");
    bank.close().await;
}

#[tokio::test]
async fn a_user_of_one_dialect_is_a_user_of_all() {
    let bank = Bank::open().await;
    let created = bank.get("/create?name=Grace&email=Grace@Example.org").await;
    let id = created.json()["user_id"].as_i64().expect("an id");
    let shown = bank.get(&format!("/api/users/{id}")).await;
    assert_eq!(
        (shown.status, &shown.json()["data"]["id"]),
        (200, &json!(id))
    );

    let user = bank.user("5").await;
    let reply = bank
        .get(&format!(
            "/deposit?user_id={}&amount=2&currency_type=bitcoin",
            user.id
        ))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let all = bank.get(&format!("/balance?user_id={}", user.id)).await;
    let expected = format!(
        r#"{{"user_id":{},"bitcoin":2,"ethereum":0,"matic":0}}"#,
        user.id
    );
    assert_eq!(all.text, expected);

    // An email belongs to one user, whoever asks and whatever its case.
    let taken = r#"{"name":"a","email":"gRACE@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", taken).await;
    assert_eq!(
        (reply.status, reply.text.as_str()),
        (400, r#"{"message":"Email in Use"}"#)
    );
    let reply = bank
        .post("/api/users", r#"{"email":"grace@example.ORG"}"#)
        .await;
    assert_eq!(reply.status, 409, "{reply:?}");
    let reply = bank.get("/create?name=b&email=GRACE@example.org").await;
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(bank.number("select count(*) from users").await, 2);
    bank.close().await;
}

#[tokio::test]
async fn one_account_under_three_names_at_once_is_exact() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let holder = Holder::sign_up(&bank, "ada@example.org").await;
    let number = holder.number("USD").await;
    let account = id_of(&number);
    let user = bank.known_user(holder.id().await);
    assert_eq!(user.change("100").await.status, 200);
    let replies = at_once((0..240).map(async |turn| {
        let here = if turn % 2 == 0 { &bank } else { &there };
        match turn % 3 {
            0 => here.known_user(user.id).change("-1").await,
            1 => {
                let body = r#"{"type":"Withdraw","amount":1}"#;
                here.post(&format!("/accounts/{account}/transactions"), body)
                    .await
            }
            _ => {
                let body = json!({"accountNumber": number, "amount": 1});
                holder.post("/api/withdraw", body).await
            }
        }
    }))
    .await;
    let accepted = replies.iter().filter(|reply| reply.status < 300).count();
    let refused = replies
        .iter()
        .filter(|reply| [400, 422].contains(&reply.status))
        .count();
    assert_eq!((accepted, refused), (100, 140));
    assert_eq!(balance(&bank, account).await, "0.00");
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn opposite_transfers_by_many_clients_of_two_services_neither_deadlock_nor_lose_money() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    for id in ["a", "b"] {
        let body = json!({"type": "deposit", "destination": id, "amount": 1000});
        bank.post("/event", &body.to_string()).await;
    }
    let replies = at_once((0..400).map(async |turn| {
        let here = if turn % 2 == 0 { &bank } else { &there };
        let (from, to) = if turn % 4 < 2 { ("a", "b") } else { ("b", "a") };
        let body = json!({"type": "transfer", "origin": from, "destination": to, "amount": 1});
        here.post("/event", &body.to_string()).await
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 201));
    for id in ["a", "b"] {
        assert_eq!(
            bank.get(&format!("/balance?account_id={id}")).await.text,
            "1000"
        );
    }
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn a_key_used_in_one_dialect_is_used_for_another_request_in_the_next() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    assert_eq!(user.change_once("k", "-1").await.status, 200);
    let path = format!("/accounts/{}/transactions", user.account().await);
    let body = r#"{"type":"Withdraw","amount":1}"#;
    let asked = bank.ask(Method::POST, &path).once("k");
    let reply = asked.body(body).send().await;
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(user.balance().await, "99.00");
    bank.close().await;
}
