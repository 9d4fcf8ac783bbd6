//! What goes wrong, in the words of the `events` dialect.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use thiserror::Error;

use crate::http::dialects::failure;
use crate::http::fault;
use crate::http::request::body::BodyError;
use crate::http::request::fields::FieldsError;
use crate::http::request::idempotency::{self, KeyError, Refused};
use crate::ledger::{Fault, Rejection};

/// Every answer of this dialect that is not a success.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{0} is required")]
    Missing(&'static str),
    #[error("{0} must be a string of 1 to 128 characters")]
    BadId(&'static str),
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Fields(#[from] FieldsError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("0")]
    AccountNotFound,
    #[error("Not found")]
    ResetRefused,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How a refusal is said.
enum Words {
    /// The whole body is a zero: there is no such account.
    Zero,
    Error(&'static str),
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Missing(_)
            | Self::BadId(_)
            | Self::Invalid(_)
            | Self::Fields(_)
            | Self::Key(_) => StatusCode::BAD_REQUEST,
            Self::Body(error) => error.status(),
            Self::AccountNotFound | Self::ResetRefused => StatusCode::NOT_FOUND,
            Self::Refused(refused) => words(&refused.rejection).0,
            Self::Fault(fault) => fault::status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        match self {
            Self::Missing(_)
            | Self::BadId(_)
            | Self::Invalid(_)
            | Self::Fields(_)
            | Self::Key(_)
            | Self::ResetRefused => failure::error(response, &self.to_string()),
            Self::Body(error) => failure::error(error.response(), &error.to_string()),
            Self::AccountNotFound => zero(response),
            Self::Refused(refused) => {
                idempotency::mark(&mut response, refused.replayed);
                match words(&refused.rejection).1 {
                    Words::Zero => zero(response),
                    Words::Error(error) => failure::error(response, error),
                }
            }
            Self::Fault(fault) => failure::fault(*fault),
        }
    }
}

fn zero(mut response: HttpResponseBuilder) -> HttpResponse {
    response
        .insert_header((CONTENT_TYPE, "application/json"))
        .body("0")
}

fn words(rejection: &Rejection) -> (StatusCode, Words) {
    let refused = |error| (StatusCode::UNPROCESSABLE_ENTITY, Words::Error(error));
    match rejection {
        Rejection::UserNotFound { .. } | Rejection::AccountNotFound { .. } => {
            (StatusCode::NOT_FOUND, Words::Zero)
        }
        Rejection::InsufficientFunds { .. } => refused("insufficient funds"),
        Rejection::SameAccount { .. } => refused("cannot transfer to the same account"),
        Rejection::CurrencyMismatch { .. } => refused("account holds another currency"),
        Rejection::AmountTooLarge { .. } => refused("balance would be too large"),
        Rejection::AccountFrozen { .. } => refused("account is frozen"),
        Rejection::AccountClosed { .. } => refused("account is closed"),
        Rejection::KeyReused { .. } => refused("Idempotency-Key was used for another request"),
        Rejection::VersionMismatch { .. } => {
            (StatusCode::CONFLICT, Words::Error("version mismatch"))
        }
        Rejection::Native(_) => refused("request was refused"),
        Rejection::EmailTaken => (StatusCode::CONFLICT, Words::Error("email already in use")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::dialects::every::{FAULTS, REJECTIONS, rejections, said};

    #[actix_web::test]
    async fn every_refusal_and_every_fault_has_its_words() {
        let refusals: [(u16, &str); REJECTIONS] = [
            (404, "0"),
            (404, "0"),
            (404, "0"),
            (404, "0"),
            (
                422,
                r#"{"error":"Idempotency-Key was used for another request"}"#,
            ),
            (422, r#"{"error":"insufficient funds"}"#),
            (422, r#"{"error":"cannot transfer to the same account"}"#),
            (422, r#"{"error":"account holds another currency"}"#),
            (409, r#"{"error":"version mismatch"}"#),
            (422, r#"{"error":"balance would be too large"}"#),
            (422, r#"{"error":"account is frozen"}"#),
            (422, r#"{"error":"account is closed"}"#),
            (409, r#"{"error":"email already in use"}"#),
            (422, r#"{"error":"request was refused"}"#),
        ];
        for (rejection, (status, body)) in rejections().into_iter().zip(refusals) {
            let refused = Refused {
                rejection,
                replayed: false,
            };
            assert_eq!(
                said(&Problem::from(refused)).await,
                (status, body.to_owned())
            );
        }
        for (fault, status, message) in FAULTS {
            let body = format!(r#"{{"error":"{message}","requestId":""}}"#);
            assert_eq!(said(&Problem::from(fault)).await, (status, body));
        }
    }
}
