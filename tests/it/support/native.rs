//! The verbs of callers of the native interface: accounts are opened and frozen, money moves and is held.

use std::sync::atomic::{AtomicU64, Ordering};

use passbook::ledger::AccountId;
use reqwest::Method;
use serde_json::{Value, json};

use super::ask::Ask;
use super::{Bank, Reply};

/// A key that nobody has used.
pub(crate) fn fresh_key() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("fresh-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A posting in dollars.
pub(crate) fn usd(from: &str, to: &str, amount: &str) -> Value {
    json!({"from": from, "to": to, "amount": amount, "currency": "USD"})
}

/// The id of what an answer shows.
#[track_caller]
pub(crate) fn id_of(reply: &Reply) -> String {
    assert!([200, 201].contains(&reply.status), "{reply:?}");
    reply.json()["id"].as_str().expect("an id").to_owned()
}

impl Bank {
    /// A change by `/v1` that nobody has asked for before, whatever version its object has.
    pub(crate) fn change(&self, method: Method, path: &str) -> Ask {
        let asked = self.ask(method, path).once(&*fresh_key());
        asked.with("If-Match", "*")
    }

    /// The same of a `POST` with a body.
    pub(crate) async fn command(&self, path: &str, body: &Value) -> Reply {
        let asked = self.change(Method::POST, path);
        asked.body(&body.to_string()).send().await
    }

    /// A write under a key, of whatever version.
    pub(crate) async fn native(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Reply {
        let asked = self.ask(method, path).once(key).with("If-Match", "*");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        asked.body(&body).send().await
    }

    /// The same by `POST`.
    pub(crate) async fn once(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.native(key, Method::POST, path, body).await
    }

    /// The number of a new account.
    pub(crate) async fn open_account(&self, new: &Value) -> String {
        id_of(&self.command("/v1/accounts", new).await)
    }

    /// The number of an account that has so many dollars.
    pub(crate) async fn account_with(&self, balance: &str) -> String {
        let account = self.open_account(&json!({"currency": "USD"})).await;
        if balance != "0" {
            let deposit = self.transact(&[usd("world", &account, balance)]).await;
            assert_eq!(deposit.status, 201, "{deposit:?}");
        }
        account
    }

    pub(crate) async fn transact(&self, postings: &[Value]) -> Reply {
        let body = json!({"postings": postings});
        self.command("/v1/transactions", &body).await
    }

    /// The id of a new hold in dollars, for as long as holds last if nobody says.
    pub(crate) async fn hold(&self, account: &str, amount: &str) -> String {
        let new = json!({"account": account, "amount": amount, "currency": "USD"});
        id_of(&self.command("/v1/holds", &new).await)
    }

    /// An object of the native interface as it is.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Freezes, unfreezes or closes an account of any interface: `freeze`, `unfreeze`, `close`.
    pub(crate) async fn set_status(&self, account: i64, what: &str) {
        let number = AccountId(account).to_number();
        self.set_status_of(&number, what).await;
    }

    /// The same of an account by its number.
    pub(crate) async fn set_status_of(&self, number: &str, what: &str) {
        let path = format!("/v1/accounts/{number}/{what}");
        let reply = self.change(Method::POST, &path).send().await;
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
    }
}
