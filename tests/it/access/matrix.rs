//! The matrix: every operation, by everybody, and what they are answered. An operation without a row fails it.

use passbook::http::operations;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::table::{self, Row, WHO};
use crate::openapi::document::{Document, Example};
use crate::openapi::examples::{furnished, sign_in};
use crate::openapi::native;
use crate::support::{Bank, Reply, eventually};

/// A bank that asks who everybody is, and one over the same database that asks nobody: it prepares what is asked for.
struct Banks {
    open: Bank,
    required: Bank,
    /// What the columns that have a key show.
    keys: Vec<(&'static str, String)>,
    /// Whom things belong to.
    ada: String,
}

#[tokio::test]
async fn everybody_gets_what_the_matrix_says() {
    let banks = Banks::new().await;
    let document = Document::of(&banks.open).await;
    let mut rows = Vec::new();
    for (method, path) in operations() {
        let name = format!("{method} {path}");
        let mut statuses = Vec::new();
        for who in WHO {
            let reply = banks.ask(&document, &name, who).await;
            check(&document, &name, who, &reply);
            statuses.push(reply.status);
        }
        rows.push(Row { name, statuses });
    }
    if std::env::var("MATRIX").is_ok_and(|what| what == "write") {
        table::write(&rows);
    }
    let kept = table::kept();
    for row in &rows {
        let same = kept.iter().find(|kept| kept.name == row.name);
        assert_eq!(
            Some(row),
            same,
            "read what differs; `make matrix` writes it down"
        );
    }
    assert_eq!(kept.len(), rows.len(), "rows of operations that are gone");
    banks.required.stop().await;
    banks.open.close().await;
}

impl Banks {
    async fn new() -> Self {
        let open = furnished().await;
        let bob = r#"{"name":"Bob","email":"bob@example.org","password":"Secret12"}"#;
        assert_eq!(open.post("/api/signup", bob).await.status, 200);
        let ada = open.shown("/v1/users?email=ada@example.org").await;
        let ada = ada["data"][0]["id"].as_str().expect("an id").to_owned();
        let book = json!({"name": "elsewhere"});
        assert_eq!(open.command("/v1/books", &book).await.status, 201);
        let mut keys = Vec::new();
        for (who, scope, more) in [
            ("expired", "admin", json!({"expires_in": "1s"})),
            ("revoked", "admin", json!({})),
            ("read", "read", json!({})),
            ("write", "write", json!({})),
            ("admin", "admin", json!({})),
            ("elsewhere", "admin", json!({"books": ["elsewhere"]})),
        ] {
            let mut asked = json!({"name": who, "scopes": [scope]});
            for (name, value) in more.as_object().expect("members") {
                asked[name] = value.clone();
            }
            let made = open.make_key(&asked).await;
            if who == "revoked" {
                open.revoke_key(made["id"].as_str().expect("an id")).await;
            }
            keys.push((who, made["key"].as_str().expect("a key").to_owned()));
        }
        let required =
            Bank::open_on(&open.database_url, &["--auth=required", "--allow-reset"]).await;
        let banks = Self {
            open,
            required,
            keys,
            ada,
        };
        eventually("the key is over", async || {
            let asked = banks.required.ask(Method::GET, "/v1/currencies");
            let expired = banks.token("expired").await.expect("a key");
            asked
                .with("Authorization", &format!("Bearer {expired}"))
                .send()
                .await
                .status
                == 401
        })
        .await;
        banks
    }

    /// What somebody shows.
    async fn token(&self, who: &str) -> Option<String> {
        match who {
            "nothing" => None,
            "garbage" => Some("garbage".to_owned()),
            "owner" => Some(sign_in(&self.open).await),
            "other" => {
                let bob = r#"{"email":"bob@example.org","password":"Secret12"}"#;
                let reply = self.open.post("/api/signin", bob).await;
                let cookie = reply.headers["set-cookie"].split(';').next();
                cookie
                    .and_then(|cookie| cookie.split_once('='))
                    .map(|(_, token)| token.to_owned())
            }
            who => {
                let mut keys = self.keys.iter();
                keys.find(|(name, _)| *name == who)
                    .map(|(_, key)| key.clone())
            }
        }
    }

    /// The operation's own example, by somebody, about what is there for it and belongs to Ada.
    async fn ask(&self, document: &Document, name: &str, who: &str) -> Reply {
        let example = document.examples(name).remove(0);
        let example = if native::is_native(name) {
            let things = native::prepare_for(&self.open, name, Some(&self.ada)).await;
            things.put_into(example)
        } else {
            self.of_ada(example)
        };
        let mut example = anew(name, example);
        if name == "DELETE /v1/keys/{id}" || name == "POST /v1/keys/{id}/rotate" {
            let key = self.open.make_key(&json!({"name": "passing"})).await;
            let (front, _) = example.target.split_once("/keys/").expect("a path");
            let rest = if name.ends_with("rotate") {
                "/rotate"
            } else {
                ""
            };
            example.target = format!("{front}/keys/{}{rest}", key["id"].as_str().expect("an id"));
        }
        let asked = example.ask(&self.required, self.token(who).await.as_deref());
        let key = format!("matrix-{}", Uuid::now_v7());
        let key = document.takes_key(name).then_some(&*key);
        asked.once(key).send().await
    }

    /// What the dialects' examples speak of, as it is Ada's.
    fn of_ada(&self, mut example: Example) -> Example {
        let ada = &self.ada;
        for (of_one, of_ada) in [
            ("/api/users/1".to_owned(), format!("/api/users/{ada}")),
            ("/accounts/1/".to_owned(), "/accounts/7/".to_owned()),
            ("user_id=1".to_owned(), format!("user_id={ada}")),
        ] {
            example.target = example.target.replace(&of_one, &of_ada);
        }
        if let Some((_, body)) = &mut example.body {
            *body = body.replace("\"user_id\":1", &format!("\"user_id\":{ada}"));
        }
        example
    }
}

/// With names that nobody has had.
fn anew(name: &str, mut example: Example) -> Example {
    let fresh = Uuid::now_v7().simple().to_string();
    if let Some((_, body)) = &mut example.body
        && !name.ends_with("/signin")
    {
        *body = body.replace("@example.org", &format!("-{fresh}@example.org"));
        *body = body.replace("\"sandbox\"", &format!("\"b{fresh}\""));
        let id = format!("\"external_id\":\"{fresh}");
        *body = body.replace("\"external_id\":\"", &id);
    }
    example.target = example
        .target
        .replace("@example.org", &format!("-{fresh}@example.org"));
    example
}

/// Whatever is answered is described, and who is not known is told how to be.
fn check(document: &Document, name: &str, who: &str, reply: &Reply) {
    assert!(reply.status < 500, "{name} by {who}: {reply:?}");
    if reply.status == 401 {
        let challenge = &reply.headers["www-authenticate"];
        let is_wrong = !matches!(who, "nothing" | "owner" | "other");
        assert!(
            challenge.starts_with("Bearer"),
            "{name} by {who}: {reply:?}"
        );
        assert_eq!(
            challenge.contains("invalid_token"),
            is_wrong,
            "{name} by {who}: {reply:?}"
        );
    }
    if reply.status != 401 && reply.status != 403 {
        document.check(name, reply);
    }
}
