//! A request that a test puts together: what is asked, and under which key.

use reqwest::{Client, Method, RequestBuilder};

use super::Reply;

/// A request that has not been sent yet.
pub(crate) struct Ask(RequestBuilder);

impl Ask {
    pub(crate) fn new(client: &Client, method: Method, url: String) -> Self {
        Self::of_kind(client, method, url, "application/json")
    }

    /// With a body of another type.
    pub(crate) fn of_kind(client: &Client, method: Method, url: String, kind: &str) -> Self {
        Self(client.request(method, url).header("Content-Type", kind))
    }

    /// Under a key, if there is one.
    pub(crate) fn once<'k>(self, key: impl Into<Option<&'k str>>) -> Self {
        match key.into() {
            Some(key) => self.with("Idempotency-Key", key),
            None => self,
        }
    }

    pub(crate) fn with(self, header: &str, value: &str) -> Self {
        Self(self.0.header(header, value))
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self(self.0.body(body.to_owned()))
    }

    pub(crate) async fn send(self) -> Reply {
        Reply::of(self.0.send().await.expect("the service answers")).await
    }
}
