//! Requests to the native API.

use passbook::ledger::AccountId;
use reqwest::Method;
use serde_json::Value;

use super::{Bank, Reply};

impl Bank {
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

    /// Freezes, unfreezes or closes an account of any interface.
    pub(crate) async fn set_status(&self, account: i64, what: &str) {
        let number = AccountId(account).to_number();
        let path = format!("/v1/accounts/{number}/{what}");
        // Each time under a key of its own.
        let entries = self.number("select count(*) from entries").await;
        let key = format!("{what}-{account}-{entries}");
        let reply = self.once(&key, &path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}
