//! A request and its answer, as a fixture keeps them.

use std::collections::BTreeMap;

use reqwest::{Client, Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::Reply;

/// What of an answer's head says something to a client, and does not differ each time.
const HEADERS: [&str; 6] = [
    "cache-control",
    "content-type",
    "etag",
    "idempotent-replayed",
    "location",
    "retry-after",
];

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Who asks a service.
pub(super) struct Teller {
    url: String,
    client: Client,
}

impl Asked {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: BTreeMap::new(),
            body: None,
        }
    }

    pub(super) fn send(method: &str, path: &str, body: &Value) -> Self {
        Self {
            method: method.to_owned(),
            body: Some(body.to_string()).filter(|_| !body.is_null()),
            ..Self::get(path)
        }
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        Self::send("POST", path, body)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn key(self, key: &str) -> Self {
        self.with("Idempotency-Key", key)
    }
}

impl Answer {
    pub(super) fn of(reply: &Reply) -> Self {
        let headers = reply.headers.clone().into_iter();
        Self {
            status: reply.status,
            headers: headers
                .filter(|(name, _)| HEADERS.contains(&&**name))
                .collect(),
            body: reply.text.clone(),
        }
    }
}

impl Teller {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            client: Client::new(),
        }
    }

    pub(super) async fn ask(&self, asked: &Asked) -> Answer {
        Answer::of(&self.send(asked).await)
    }

    pub(super) async fn send(&self, asked: &Asked) -> Reply {
        let method: Method = asked.method.parse().expect("a method");
        let mut request = self
            .client
            .request(method, format!("{}{}", self.url, asked.path));
        for (name, value) in &asked.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &asked.body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.clone());
        }
        Reply::of(request.send().await.expect("an answer")).await
    }
}
