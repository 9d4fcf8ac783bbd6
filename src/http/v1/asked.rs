//! What a request asks: everything that a handler reads of it, strictly.

use std::future::{Ready, ready};

use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{FromRequest, HttpRequest, dev};

use super::accept::{self, JSON};
use super::codes::Code;
use super::conditional::{self, Known};
use super::idempotency;
use super::list::List;
use super::object::Body;
use super::problem::Problem;
use super::query::{Names, Query};
use crate::http::access::Identity;
use crate::http::request::body::{self, BodyError};
use crate::http::request::idempotency::HEADER;
use crate::ledger::Version;
use crate::service::Service;
use crate::service::native::{Looked, Who};

const MERGE_PATCH: &str = "application/merge-patch+json";
/// The kinds of body that are read, as a field of the answer lists them.
const KINDS: (HeaderName, HeaderValue) = (ACCEPT, HeaderValue::from_static(JSON));
/// The same of a `PATCH` (RFC 5789, section 3.1).
const PATCH_KINDS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("accept-patch"),
    HeaderValue::from_static("application/merge-patch+json, application/json"),
);

/// A request for JSON. Who takes none is refused before the handler begins.
pub(in crate::http) struct Asked {
    request: HttpRequest,
    payload: dev::Payload,
}

impl Asked {
    pub(in crate::http) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Who asks.
    pub(in crate::http) fn identity(&self) -> Identity {
        Identity::of(&self.request)
    }

    /// The last segment of the path as it came: what actix gives has lost its percent-encoding.
    pub(in crate::http) fn last_segment(&self) -> &str {
        let path = self.request.path();
        path.rsplit_once('/').map_or(path, |(_, last)| last)
    }

    /// # Errors
    /// If the query has something else than these parameters.
    pub(in crate::http) fn query(&self, known: Names<'_>) -> Result<Query, Problem> {
        Query::parse(self.request.query_string(), known)
    }

    /// # Errors
    /// If the query has something else than these filters and what every list has.
    pub(in crate::http) fn list(&self, filters: Names<'_>) -> Result<(Query, List), Problem> {
        List::parse(self.request.path(), self.request.query_string(), filters)
    }

    /// # Errors
    /// If there is no body of a kind that is read.
    pub(in crate::http) async fn body(&mut self) -> Result<Body, Problem> {
        match self.bytes().await? {
            Some(body) => Body::parse(body.bytes()),
            None => Err(BodyError::Empty.into()),
        }
    }

    /// The same; no body stands for an object without members.
    ///
    /// # Errors
    /// As [`Asked::body`].
    pub(in crate::http) async fn optional_body(&mut self) -> Result<Body, Problem> {
        match self.bytes().await? {
            Some(body) => Body::parse(body.bytes()),
            None => Ok(Body::empty()),
        }
    }

    /// # Errors
    /// If there is none, or it is none.
    pub(in crate::http) fn required_key(&self) -> Result<String, Problem> {
        idempotency::required(self.headers())
    }

    /// # Errors
    /// If it is none.
    pub(in crate::http) fn key(&self) -> Result<Option<String>, Problem> {
        idempotency::read(self.headers())
    }

    /// What is refused of a request that changes something before its body is read: a query, and a key that is none.
    ///
    /// # Errors
    /// If it has such a thing.
    pub(in crate::http) fn begin_write(&self) -> Result<(), Problem> {
        self.query(&[])?;
        self.key().map(drop)
    }

    /// The same of one whose answer is shown once, or that needs no key: a key for it would promise what is not kept.
    ///
    /// # Errors
    /// If it has a query, or a key.
    pub(in crate::http) fn begin_write_once(&self) -> Result<(), Problem> {
        self.query(&[])?;
        if self.headers().contains_key(HEADER) {
            let detail = "This takes no Idempotency-Key, as its answer is given once";
            return Err(Problem::new(Code::IdempotencyKeyInvalid, detail));
        }
        Ok(())
    }

    /// The key of a request that changes something.
    ///
    /// # Errors
    /// If there is none and one is needed, or it is none.
    pub(in crate::http) fn write_key(&self, service: &Service) -> Result<Option<String>, Problem> {
        if service.requires_keys() {
            self.required_key().map(Some)
        } else {
            self.key()
        }
    }

    /// What a key of this request stands for.
    ///
    /// # Errors
    /// As [`idempotency::fingerprint`].
    pub(in crate::http) fn fingerprint(&self, body: &Body) -> Result<[u8; 32], Problem> {
        let request = &self.request;
        let (method, path) = (request.method().as_str(), request.path());
        idempotency::fingerprint(method, path, request.query_string(), &body.json)
    }

    /// The versions that a change may be of; none stands for any. What was answered under its key is answered again,
    /// whatever is said of versions now.
    ///
    /// # Errors
    /// If there is no `If-Match`, or it is malformed.
    pub(in crate::http) async fn required_match(
        &self,
        service: &Service,
        who: &Who,
        key: Option<&str>,
    ) -> Result<Option<Vec<Version>>, Problem> {
        if let Some(known) = self.find_match()? {
            return Ok(known.versions());
        }
        if let Some(key) = key
            && let Some(Looked::Done(_)) = service.look_up(who, key).await?
        {
            return Ok(None);
        }
        let detail = "This change needs If-Match with the ETag that it is of, or *";
        Err(Problem::new(Code::PreconditionRequired, detail))
    }

    /// # Errors
    /// If `If-Match` is malformed.
    pub(in crate::http) fn find_match(&self) -> Result<Option<Known>, Problem> {
        conditional::find_match(self.headers())
    }

    /// The body, if there is one, of a kind that is read.
    async fn bytes(&mut self) -> Result<Option<body::Body>, Problem> {
        let payload = Payload::from_request(&self.request, &mut self.payload).await;
        let payload = payload.map_err(|_| BodyError::Broken)?;
        let body = body::Body::receive(&self.request, payload).await?;
        if body.bytes().is_empty() {
            return Ok(None);
        }
        let is_patch = *self.request.method() == Method::PATCH;
        match body.media_type() {
            JSON => Ok(Some(body)),
            MERGE_PATCH if is_patch => Ok(Some(body)),
            _ => {
                let (name, kinds) = if is_patch { PATCH_KINDS } else { KINDS };
                let detail = "The body must be JSON, with the field Content-Type: application/json";
                Err(Problem::new(Code::UnsupportedMediaType, detail).with(name, kinds))
            }
        }
    }
}

impl FromRequest for Asked {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let accepted = accept::choose(request.headers(), &[JSON]);
        ready(accepted.map(|_| Self {
            request: request.clone(),
            payload: payload.take(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH};
    use actix_web::test::TestRequest;

    use super::*;
    use crate::http::v1::{object, values};
    use crate::ledger::{CurrencyCode, UserId, Version};

    async fn ask(request: TestRequest) -> Result<Asked, Problem> {
        let (request, mut payload) = request.to_http_parts();
        Asked::from_request(&request, &mut payload).await
    }

    fn of(method: Method, kind: &str, body: &str) -> TestRequest {
        let request = TestRequest::default().method(method);
        let request = request.insert_header((CONTENT_TYPE, kind));
        request.set_payload(body.to_owned())
    }

    async fn code(request: TestRequest) -> Option<Code> {
        let mut asked = ask(request).await.ok()?;
        asked.body().await.err().map(|problem| problem.code)
    }

    #[actix_web::test]
    async fn a_body_is_of_the_kind_that_its_method_reads() {
        let kinds = [
            ("application/json", true, true),
            ("Application/JSON; charset=utf-8", true, true),
            ("application/merge-patch+json", false, true),
            ("application/x-www-form-urlencoded", false, false),
            ("application/json-patch+json", false, false),
            ("text/json", false, false),
            ("", false, false),
        ];
        for (kind, by_post, by_patch) in kinds {
            for (method, is_read) in [(Method::POST, by_post), (Method::PATCH, by_patch)] {
                let refused = (!is_read).then_some(Code::UnsupportedMediaType);
                assert_eq!(code(of(method, kind, "{}")).await, refused, "{kind}");
            }
        }
        for (method, name) in [(Method::POST, "accept"), (Method::PATCH, "accept-patch")] {
            let mut asked = ask(of(method, "text/xml", "<a/>"))
                .await
                .expect("a request");
            let problem = asked.body().await.err().expect("refused");
            let response = problem.error_response();
            let said = response.headers().get(name).expect("a list");
            assert!(said.to_str().is_ok_and(|said| said.ends_with(JSON)));
        }
    }

    #[actix_web::test]
    async fn a_body_is_there_whole_and_not_too_large() {
        let json = |body: &str| of(Method::POST, JSON, body);
        let largest = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024 - 8));
        assert_eq!(code(json(&largest)).await, None);
        assert_eq!(
            code(json(&format!("{largest} "))).await,
            Some(Code::TooLarge)
        );
        for body in ["", " ", "{", "\u{feff}{}"] {
            assert_eq!(
                code(json(body)).await,
                Some(Code::MalformedJson),
                "{body:?}"
            );
        }
        let encoded = json("{}").insert_header((CONTENT_ENCODING, "br"));
        assert_eq!(code(encoded).await, Some(Code::UnsupportedMediaType));
        let optional = async |body: &str| {
            let mut asked = ask(json(body)).await.expect("a request");
            asked.optional_body().await.map_err(|problem| problem.code)
        };
        assert!(optional("").await.is_ok());
        assert_eq!(optional(" ").await.err(), Some(Code::MalformedJson));
    }

    #[actix_web::test]
    async fn a_handler_reads_all_that_it_needs() {
        let request = of(
            Method::POST,
            JSON,
            r#"{"currency":"USD","owner":"17","version":3}"#,
        )
        .uri("/v1/accounts?min_version=2")
        .insert_header((HEADER, "\"a-1\""))
        .insert_header((IF_MATCH, "\"7\""));
        let mut asked = ask(request).await.expect("a request");
        let body = asked.body().await.expect("a body");
        let read = body.read(|object| {
            let currency = object.required("currency", object::text(values::currency));
            let owner = object.optional("owner", object::text(values::user));
            let version = object.required("version", values::version);
            if object.has("owner") && object.has("limit") {
                object.flaw("limit", "must not be given with an owner");
            }
            Some((currency?, owner?, version?))
        });
        let usd = CurrencyCode::parse("USD").expect("a code");
        assert_eq!(read.expect("read"), (usd, Some(UserId(17)), Version(3)));
        let query = asked.query(&["min_version"]).expect("a query");
        let least = query.value("min_version", values::version_text);
        assert_eq!(least.expect("a version"), Some(Version(2)));
        assert!(asked.query(&[]).is_err() && asked.list(&[]).is_err());
        assert_eq!(asked.key().expect("a key").as_deref(), Some("a-1"));
        assert_eq!(asked.required_key().expect("a key"), "a-1");
        let known = asked.find_match().expect("tags");
        let versions = known.and_then(|known| known.versions());
        assert_eq!(versions, Some(vec![Version(7)]));
        let print = asked.fingerprint(&body).expect("a fingerprint");
        let expected =
            idempotency::fingerprint("POST", "/v1/accounts", "min_version=2", &body.json);
        assert_eq!(print, expected.expect("a fingerprint"));
    }

    #[actix_web::test]
    async fn who_takes_no_json_is_refused() {
        let refused = TestRequest::default().insert_header((ACCEPT, "text/html"));
        let problem = ask(refused).await.err().expect("refused");
        assert_eq!(problem.code, Code::NotAcceptable);
    }
}
