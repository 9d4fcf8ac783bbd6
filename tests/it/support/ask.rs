//! A request that a test puts together: what is asked, and under which key.

use reqwest::{Client, Method, RequestBuilder};

use super::Reply;

/// A request that has not been sent yet.
pub(crate) struct Ask(RequestBuilder);

impl Ask {
    pub(crate) fn new(client: &Client, method: Method, url: String) -> Self {
        let request = client.request(method, url);
        Self(request.header("Content-Type", "application/json"))
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
