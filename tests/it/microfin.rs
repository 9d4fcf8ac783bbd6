//! The `microfin` dialect: every row of its table, every message, the shapes literally.

mod keys;
mod moves;
mod paths;
mod sessions;
mod users;

use reqwest::Method;

use crate::support::{Bank, Reply};

const PASSWORD: &str = "Secret12";

/// Somebody who is signed in.
struct Member<'b> {
    bank: &'b Bank,
    token: String,
}

impl<'b> Member<'b> {
    /// Signs up under an email of their own.
    async fn new(bank: &'b Bank, name: &str) -> Self {
        let reply = sign_up(bank, name).await;
        assert_is(&reply, 200, r#"{"message":"User Created Successfully"}"#);
        let token = token(&reply);
        Self { bank, token }
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &str) -> Reply {
        let cookie = format!("sessionId={}", self.token);
        let asked = self.bank.ask(method, path).with("Cookie", &cookie);
        asked.once(key).body(body).send().await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, "").await
    }

    async fn post(&self, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, None, body).await
    }

    async fn post_once(&self, key: &str, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, Some(key), body).await
    }

    /// Opens an account: its number.
    async fn account(&self) -> String {
        let reply = self.post("/api/accountGeneration", "").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        text(&reply, "accountNumber")
    }

    /// Opens an account that holds so much.
    async fn account_with(&self, amount: &str) -> String {
        let number = self.account().await;
        let reply = self.deposit(&number, amount).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        number
    }

    async fn deposit(&self, number: &str, amount: &str) -> Reply {
        self.post("/api/deposit", &one(number, amount)).await
    }

    async fn withdraw(&self, number: &str, amount: &str) -> Reply {
        self.post("/api/withdraw", &one(number, amount)).await
    }

    async fn transfer(&self, sender: &str, receiver: &str, amount: &str) -> Reply {
        let body = two(sender, receiver, amount);
        self.post("/api/transfer", &body).await
    }

    /// The balance of an account, as it is listed.
    async fn balance(&self, number: &str) -> String {
        let reply = self.get("/api/accounts").await.json();
        let accounts = reply["accounts"].as_array().expect("accounts");
        let account = accounts
            .iter()
            .find(|account| account["accountNumber"] == number);
        let balance = account.and_then(|account| account["balance"].as_str());
        balance.expect("an account with a balance").to_owned()
    }
}

/// The body of a deposit or a withdrawal.
fn one(number: &str, amount: &str) -> String {
    format!(r#"{{"accountNumber":"{number}","amount":{amount}}}"#)
}

/// The body of a transfer.
fn two(sender: &str, receiver: &str, amount: &str) -> String {
    format!(
        r#"{{"senderAccountNumber":"{sender}","receiverAccountNumber":"{receiver}","amount":{amount}}}"#
    )
}

async fn sign_up(bank: &Bank, name: &str) -> Reply {
    bank.post("/api/signup", &newcomer(name, PASSWORD)).await
}

fn newcomer(name: &str, password: &str) -> String {
    format!(r#"{{"name":"{name}","email":"{name}@example.org","password":"{password}"}}"#)
}

async fn sign_in(bank: &Bank, email: &str, password: &str) -> Reply {
    let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
    bank.post("/api/signin", &body).await
}

/// The token in the cookie that an answer sets, whose attributes are these to the letter.
fn token(reply: &Reply) -> String {
    let cookie = &reply.headers["set-cookie"];
    let rest = cookie.strip_prefix("sessionId=").expect("the cookie");
    let (token, attributes) = rest.split_once(';').expect("attributes");
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax");
    assert!(64 == token.len() && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(reply.headers["cache-control"], "no-store");
    token.to_owned()
}

fn text(reply: &Reply, field: &str) -> String {
    let text = reply.json()[field].as_str().map(str::to_owned);
    text.unwrap_or_else(|| panic!("no {field}: {reply:?}"))
}

#[track_caller]
fn assert_is(reply: &Reply, status: u16, text: &str) {
    assert_eq!((reply.status, reply.text.as_str()), (status, text));
    assert_eq!(reply.headers["content-type"], "application/json");
}

/// An answer that is nothing but a message.
#[track_caller]
fn assert_says(reply: &Reply, status: u16, message: &str) {
    assert_is(reply, status, &format!(r#"{{"message":"{message}"}}"#));
}

/// A move of money that was made, and what it left on the caller's account.
#[track_caller]
fn assert_moved(reply: &Reply, message: &str, balance: &str) {
    let transaction = text(reply, "transactionId");
    let shown = format!(
        r#"{{"message":"{message}","transactionId":"{transaction}","balance":"{balance}"}}"#
    );
    assert_is(reply, 202, &shown);
    assert!(uuid::Uuid::parse_str(&transaction).is_ok());
}
