//! What goes wrong, as problem details (RFC 9457): one shape for every answer that is not a success.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, HeaderName, HeaderValue, RETRY_AFTER,
};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use uuid::Uuid;

use super::codes::Code;
use crate::http::fault::{FaultWords, RETRY_AFTER_SECONDS, RequestId};
use crate::http::request::body::BodyError;
use crate::ledger::{Fault, TransactionId};

pub(in crate::http) const PROBLEM: &str = "application/problem+json";

/// A refusal or a failure with all that it says. Its bytes depend on nothing else, so a stored one is replayed as it
/// was.
#[derive(Debug)]
pub(in crate::http) struct Problem {
    pub code: Code,
    pub detail: String,
    /// Under which the log knows it.
    pub request_id: Uuid,
    more: Box<More>,
}

/// What few problems say.
#[derive(Debug, Default)]
struct More {
    errors: Vec<Flaw>,
    transaction: Option<TransactionId>,
    pointer: Option<String>,
    sight: Option<Sight>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one place of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::http) struct Flaw {
    /// RFC 6901; empty for the whole body.
    pub pointer: String,
    pub detail: String,
}

/// The account that a refusal was decided on, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::http) struct Sight {
    /// Its number.
    pub account: String,
    pub version: i64,
    pub balance: String,
    pub available: String,
    /// The moment of the decision.
    pub at: String,
}

/// The members in their order.
#[derive(Serialize)]
struct Body<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'p str,
    code: &'static str,
    request_id: Uuid,
    #[serde(skip_serializing_if = "<[Flaw]>::is_empty")]
    errors: &'p [Flaw],
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'p str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sight: Option<&'p Sight>,
}

impl Problem {
    pub(in crate::http) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            request_id: Uuid::now_v7(),
            more: Box::default(),
        }
    }

    /// Everything that is wrong with a body.
    pub(in crate::http) fn of_flaws(errors: Vec<Flaw>) -> Self {
        let detail = match errors.as_slice() {
            [flaw] if flaw.pointer.is_empty() => format!("The body {}", flaw.detail),
            [flaw] => format!("{} {}", flaw.pointer, flaw.detail),
            flaws => format!("{} fields are not valid", flaws.len()),
        };
        let mut problem = Self::new(Code::ValidationFailed, detail);
        problem.more.errors = errors;
        problem
    }

    pub(in crate::http) fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here that you may see")
    }

    /// The refusal that an account's state was the reason for.
    pub(in crate::http) fn seen(mut self, sight: Sight) -> Self {
        self.more.sight = Some(sight);
        self
    }

    /// What it was in a request of several parts (RFC 6901).
    pub(in crate::http) fn at(mut self, pointer: String) -> Self {
        self.more.pointer = Some(pointer);
        self
    }

    /// The transaction that it speaks of.
    pub(in crate::http) fn of(mut self, transaction: TransactionId) -> Self {
        self.more.transaction = Some(transaction);
        self
    }

    pub(in crate::http) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }

    /// Says when to ask again.
    pub(in crate::http) fn retry_soon(self) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))
    }

    /// The body, byte for byte the same whenever it is asked for.
    pub(in crate::http) fn to_bytes(&self) -> Vec<u8> {
        let body = Body {
            r#type: self.code.path(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.name(),
            request_id: self.request_id,
            errors: &self.more.errors,
            transaction: self.more.transaction.map(|transaction| transaction.0),
            pointer: self.more.pointer.as_deref(),
            sight: self.more.sight.as_ref(),
        };
        serde_json::to_vec(&body).expect("texts and numbers are JSON")
    }
}

/// What is refused before any operation is asked.
pub(in crate::http) fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    let code = Code::ALL.into_iter().find(|code| code.status() == status);
    Problem::new(code.unwrap_or(Code::InternalError), message).error_response()
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        response.content_type(PROBLEM);
        response.insert_header((CACHE_CONTROL, "no-store"));
        for header in &self.more.headers {
            response.append_header(header.clone());
        }
        response.extensions_mut().insert(RequestId(self.request_id));
        response.body(self.to_bytes())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl Flaw {
    pub(in crate::http) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

impl From<Flaw> for Problem {
    fn from(flaw: Flaw) -> Self {
        Self::of_flaws(vec![flaw])
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let words = FaultWords::new(fault);
        let code = match fault {
            Fault::Overloaded => Code::Overloaded,
            Fault::Unavailable => Code::Unavailable,
            Fault::OutcomeUnknown => Code::OutcomeUnknown,
            Fault::Bug => Code::InternalError,
        };
        let problem = Self {
            request_id: words.request_id,
            ..Self::new(code, words.message)
        };
        match fault {
            Fault::Overloaded | Fault::Unavailable | Fault::OutcomeUnknown => problem.retry_soon(),
            Fault::Bug => problem,
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge => Code::TooLarge,
            BodyError::TooSlow => Code::RequestTimeout,
            BodyError::UnknownEncoding => Code::UnsupportedMediaType,
            BodyError::Broken
            | BodyError::NotGzip
            | BodyError::Empty
            | BodyError::OtherKind { .. }
            | BodyError::NoObject
            | BodyError::Malformed(_) => Code::MalformedJson,
        };
        let problem = Self::new(code, error.to_string());
        match error.accepted_encoding() {
            Some(encoding) => problem.with(ACCEPT_ENCODING, HeaderValue::from_static(encoding)),
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    const ID: Uuid = Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0007);

    fn text(problem: &Problem) -> String {
        String::from_utf8(problem.to_bytes()).expect("text")
    }

    #[actix_web::test]
    async fn the_members_have_one_order_and_are_there_if_they_say_something() {
        let problem = Problem {
            request_id: ID,
            ..Problem::new(
                Code::InsufficientFunds,
                "Account 000000000777 has 1.00 available",
            )
        };
        assert_eq!(
            text(&problem),
            r#"{"type":"/problems/insufficient_funds","title":"Not enough money","status":422,"detail":"Account 000000000777 has 1.00 available","code":"insufficient_funds","request_id":"019b7600-0000-7000-8000-000000000007"}"#
        );
        let sight = Sight {
            account: "000000000777".to_owned(),
            version: 7,
            balance: "1.00".to_owned(),
            available: "1.00".to_owned(),
            at: "2026-11-28T00:00:00.000000Z".to_owned(),
        };
        let mut whole = problem
            .seen(sight)
            .at("/postings/0".to_owned())
            .of(TransactionId(ID));
        whole.more.errors = vec![Flaw {
            pointer: "/a~1b".to_owned(),
            detail: "is unknown".to_owned(),
        }];
        assert!(text(&whole).ends_with(
            r#","errors":[{"pointer":"/a~1b","detail":"is unknown"}],"transaction":"019b7600-0000-7000-8000-000000000007","pointer":"/postings/0","account":"000000000777","version":7,"balance":"1.00","available":"1.00","at":"2026-11-28T00:00:00.000000Z"}"#
        ), "{}", text(&whole));
        let response = whole.error_response();
        assert_eq!(
            response.headers().get("content-type").expect("a field"),
            PROBLEM
        );
        assert_eq!(
            response.headers().get("cache-control").expect("a field"),
            "no-store"
        );
        let logged = response.extensions().get().map(|RequestId(id)| *id);
        assert_eq!(logged, Some(ID));
        let body = to_bytes(response.into_body()).await.expect("a body");
        assert_eq!(body, whole.to_bytes());
    }

    #[test]
    fn every_fault_has_its_code_and_says_when_to_ask_again() {
        let codes = [
            (Code::Overloaded, true),
            (Code::Unavailable, true),
            (Code::OutcomeUnknown, true),
            (Code::InternalError, false),
        ];
        for (fault, (code, retries)) in Fault::ALL.into_iter().zip(codes) {
            let problem = Problem::from(fault);
            assert_eq!(problem.code, code);
            let response = problem.error_response();
            assert_eq!(response.status(), crate::http::fault::status(fault));
            assert_eq!(response.headers().contains_key(RETRY_AFTER), retries);
        }
    }

    #[test]
    fn what_is_refused_before_has_the_code_of_its_status() {
        for (status, code) in [
            (403, "/problems/forbidden"),
            (404, "/problems/not_found"),
            (405, "/problems/method_not_allowed"),
            (421, "/problems/misdirected_request"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let found = Code::ALL.into_iter().find(|code| code.status() == status);
            let found = found.map(Code::path);
            assert_eq!(found.as_deref(), Some(code));
            assert_eq!(refuse(status, "No").status(), status);
        }
    }

    #[test]
    fn one_flaw_is_named_and_several_are_counted() {
        let flaw = |pointer: &str| Flaw {
            pointer: pointer.to_owned(),
            detail: "is required".to_owned(),
        };
        for (flaws, detail) in [
            (vec![flaw("/amount")], "/amount is required"),
            (vec![flaw("")], "The body is required"),
            (vec![flaw("/a"), flaw("/b")], "2 fields are not valid"),
        ] {
            assert_eq!(Problem::of_flaws(flaws).detail, detail);
        }
    }
}
