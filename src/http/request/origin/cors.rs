//! Cross-origin resource sharing (WHATWG Fetch, section 3.3): which pages of others may ask and read the answers.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::http::request::authority::Origin;

/// What a request may say beside what any page may.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-Match, If-None-Match, Passbook-Book, \
     traceparent, tracestate",
);
/// What a page may read of an answer's head beside what any page may.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Encoding, Accept-Patch, Allow, ETag, Idempotent-Replayed, Location, Retry-After, \
     WWW-Authenticate, traceparent, traceresponse",
);
/// How long a browser may remember what it was told, in seconds.
const AGE_MAX: HeaderValue = HeaderValue::from_static("600");

/// The origins that may. Nobody may where there are none, and nothing is said of it.
pub(in crate::http) struct Cors(Vec<Origin>);

/// A page that may read the answer to its request.
pub(in crate::http) struct Reader {
    origin: HeaderValue,
    /// It only asks whether it may ask.
    is_preflight: bool,
}

impl Cors {
    pub(super) fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// The origin of a request where it is one of those.
    pub(super) fn allowed<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let mut given = headers.get_all(ORIGIN);
        let origin = given.next().filter(|_| !self.0.is_empty())?;
        let parsed = Origin::parse(origin.to_str().ok()?)?;
        (given.next().is_none() && self.0.contains(&parsed)).then_some(origin)
    }

    pub(in crate::http) fn reader(&self, request: &HttpRequest) -> Option<Reader> {
        let headers = request.headers();
        let origin = self.allowed(headers)?.clone();
        let asks = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Some(Reader {
            origin,
            is_preflight: asks && request.method() == Method::OPTIONS,
        })
    }

    /// Says in an answer who may read it: one origin by its name, as whoever is let in may bring a cookie.
    pub(in crate::http) fn mark(&self, reader: Option<Reader>, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        // A cache must not give the answer for one page to another.
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(reader) = reader else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, reader.origin);
        let yes = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        if !reader.is_preflight {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
            return;
        }
        if let Some(methods) = headers.get(ALLOW).cloned() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, AGE_MAX);
    }
}
