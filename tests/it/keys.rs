//! API keys: made, shown once, rotated and revoked, and what each service knows of them.

mod command_line;
mod limits;
mod routes;
mod secrets;
mod services;

use passbook::ledger::access::{ApiKey, Scope};
use passbook::service::access::Refused;
use reqwest::Method;
use serde_json::Value;

use crate::support::process::run;
use crate::support::{Bank, eventually};

/// What `passbook keys` came to: its exit code, what it said, and why not.
struct Asked {
    code: Option<i32>,
    said: String,
    why: String,
}

fn keys(url: &str, args: &[&str]) -> Asked {
    let ended = run(&[&["keys"], args, &["--database-url", url]].concat());
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Asked {
        code: ended.status.code(),
        said: text(ended.stdout),
        why: text(ended.stderr),
    }
}

/// The same in JSON, which it has to come to.
fn keys_json(url: &str, args: &[&str]) -> Value {
    let asked = keys(url, &[args, &["--json"]].concat());
    assert_eq!(asked.code, Some(0), "{args:?}: {}", asked.why);
    serde_json::from_str(&asked.said).expect("JSON")
}

fn secret(made: &Value) -> ApiKey {
    ApiKey::parse(made["key"].as_str().expect("a key")).expect("a key")
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

impl Bank {
    /// What a key allows here.
    fn check(&self, key: &ApiKey) -> Result<Scope, Refused> {
        let granted = self.app.service().access().check(key);
        granted.map(|granted| granted.scope)
    }

    async fn knows(&self, key: &ApiKey, expected: Result<Scope, Refused>) {
        let what = format!("{expected:?}");
        eventually(&what, async || self.check(key) == expected).await;
    }

    pub(crate) async fn make_key(&self, body: &Value) -> Value {
        let reply = self.post("/v1/keys", &body.to_string()).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    pub(crate) async fn revoke_key(&self, id: &str) {
        let path = format!("/v1/keys/{id}");
        let reply = self.ask(Method::DELETE, &path).send().await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{reply:?}");
    }

    /// Actions of audit events with what they were done to, in their order.
    async fn audited(&self) -> Vec<(String, String, String)> {
        self.rows(
            "select action, object, concat_ws(' ', actor_kind, actor, outcome, written_by) from audit_events order by id",
        )
        .await
    }
}
