//! Answers that are successes: their bytes, and what stands in their heads.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::accept::JSON;
use super::conditional::{self, EntityTag};
use super::problem::Problem;
use crate::http::request::idempotency;

/// An answer as it is kept under a key, and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    pub location: Option<String>,
    pub tag: Option<EntityTag>,
    /// How long a client may keep it.
    caching: Caching,
    is_replay: bool,
}

/// `Cache-Control` (RFC 9111, section 5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caching {
    /// Asked for anew each time.
    Never,
    /// Kept by who asked for it, who asks whether it is still true.
    IfConfirmed,
}

impl Answer {
    /// What nobody keeps.
    pub(in crate::http) fn new(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status,
            body: serde_json::to_vec(body).expect("texts and numbers are JSON"),
            location: None,
            tag: None,
            caching: Caching::Never,
            is_replay: false,
        }
    }

    /// 204: it is done, and there is nothing to show.
    pub(in crate::http) fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: Vec::new(),
            location: None,
            tag: None,
            caching: Caching::Never,
            is_replay: false,
        }
    }

    pub(in crate::http) fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// An account, a hold or a transaction: what has a tag.
    pub(in crate::http) fn tagged(self, tag: EntityTag) -> Self {
        Self {
            tag: Some(tag),
            caching: Caching::IfConfirmed,
            ..self
        }
    }

    /// The same, with a digest of the body for its tag.
    pub(in crate::http) fn tagged_by_body(self) -> Self {
        let tag = EntityTag::of_body(&self.body);
        self.tagged(tag)
    }

    pub(in crate::http) fn at(self, location: String) -> Self {
        Self {
            location: Some(location),
            ..self
        }
    }

    /// The answer that was given before under the same key.
    pub(in crate::http) fn again(self) -> Self {
        Self {
            is_replay: true,
            ..self
        }
    }

    /// 304 without a body, if whoever asks has it already.
    ///
    /// # Errors
    /// If `If-None-Match` is malformed.
    pub(in crate::http) fn unless_known(self, headers: &HeaderMap) -> Result<Self, Problem> {
        let is_known = match &self.tag {
            Some(tag) => conditional::is_known(headers, tag)?,
            None => false,
        };
        Ok(if is_known {
            Self {
                status: StatusCode::NOT_MODIFIED,
                body: Vec::new(),
                ..self
            }
        } else {
            self
        })
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        let caching = match self.caching {
            Caching::Never => "no-store",
            Caching::IfConfirmed => "private, no-cache",
        };
        response.insert_header((CACHE_CONTROL, caching));
        if let Some(tag) = &self.tag {
            response.insert_header(tag.header());
        }
        if let Some(location) = &self.location {
            response.insert_header((LOCATION, location.as_str()));
        }
        idempotency::mark(&mut response, self.is_replay);
        if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&self.status) {
            return response.finish();
        }
        response.content_type(JSON).body(self.body)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;
    use crate::ledger::Version;

    /// The status, the fields of the head, and the body.
    async fn said(answer: Answer) -> (u16, String, String) {
        let response = answer.respond_to(&TestRequest::default().to_http_request());
        let status = response.status().as_u16();
        let head = response.headers().iter();
        let mut head: Vec<String> = head
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        head.sort();
        let body = to_bytes(response.into_body()).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        (status, head.join(", "), body)
    }

    #[actix_web::test]
    async fn an_answer_says_how_long_it_may_be_kept() {
        let body = json!({"a": 1});
        assert_eq!(
            said(Answer::ok(&body)).await,
            (
                200,
                "cache-control: no-store, content-type: application/json".to_owned(),
                r#"{"a":1}"#.to_owned()
            )
        );
        let opened = Answer::new(StatusCode::CREATED, &body)
            .tagged(EntityTag::of_version(Version(7)))
            .at("/v1/accounts/000000000777".to_owned());
        let head = "cache-control: private, no-cache, content-type: application/json, etag: \"7\"";
        let location = "location: /v1/accounts/000000000777";
        let body = r#"{"a":1}"#.to_owned();
        assert_eq!(
            said(opened.clone()).await,
            (201, format!("{head}, {location}"), body.clone())
        );
        let replayed = format!("{head}, idempotent-replayed: true, {location}");
        assert_eq!(said(opened.again()).await, (201, replayed, body));
    }

    #[actix_web::test]
    async fn what_is_known_is_not_sent_again() {
        let known = |tag: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(tag).expect("a tag"));
            headers
        };
        let tagged = Answer::ok(&json!({})).tagged_by_body();
        let tag = tagged.tag.clone().expect("a tag").to_string();
        let not_modified = tagged.clone().unless_known(&known(&tag)).expect("a tag");
        let response = not_modified.respond_to(&TestRequest::default().to_http_request());
        assert_eq!(response.status(), 304);
        assert_eq!(response.headers().get(ETAG).expect("a field"), &*tag);
        assert_eq!(
            response.headers().get(CACHE_CONTROL).expect("a field"),
            "private, no-cache"
        );
        let whole = tagged
            .clone()
            .unless_known(&known("\"other\""))
            .expect("a tag");
        assert_eq!(whole, tagged);
        assert!(tagged.unless_known(&known("other")).is_err());
        let plain = Answer::ok(&json!({}));
        assert_eq!(
            plain.clone().unless_known(&known("*")).expect("a star"),
            plain
        );
    }
}
