//! What goes wrong, in the words of the `users` dialect.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use uuid::Uuid;

use crate::http::description::Shapes;
use crate::http::fault::{self, FaultWords};
use crate::http::request::body::BodyError;
use crate::http::request::idempotency::{self, Refused};
use crate::ledger::{Fault, Rejection};

/// Every answer of this dialect that is not a success.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{0:?}")]
    Invalid(Errors),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("User not found")]
    UserNotFound,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is wrong with the fields of a request, each on its own.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = users::Errors)]
pub(super) struct Errors {
    success: bool,
    errors: Vec<FieldError>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = users::FieldError)]
struct FieldError {
    field: &'static str,
    message: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = users::Failure)]
pub(super) struct Failure<'a> {
    success: bool,
    error: Words<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = users::Words)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    message: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

/// What is refused before this dialect is asked; also any unknown path or method under `/api`.
pub(in crate::http) fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponseBuilder::new(status).json(body(status, message, None))
}

/// The shape of what is refused.
pub(in crate::http) fn refusal(shapes: &mut Shapes) -> Ref {
    shapes.of::<Failure>()
}

impl Errors {
    /// The value; where it is wrong, what is wrong with it is kept.
    pub(super) fn keep<T, E: fmt::Display>(
        &mut self,
        field: &'static str,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed
            .map_err(|error| {
                self.errors.push(FieldError {
                    field,
                    message: error.to_string(),
                });
            })
            .ok()
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Body(error) => error.status(),
            Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::Refused(refused) => words(&refused.rejection).0,
            Self::Fault(fault) => fault::status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Invalid(errors) => HttpResponse::BadRequest().json(errors),
            Self::Body(error) => {
                error
                    .response()
                    .json(body(error.status(), &error.to_string(), None))
            }
            Self::UserNotFound => refuse(self.status_code(), &self.to_string()),
            Self::Refused(refused) => {
                let (status, message) = words(&refused.rejection);
                let mut response = HttpResponseBuilder::new(status);
                idempotency::mark(&mut response, refused.replayed);
                response.json(body(status, message, None))
            }
            Self::Fault(fault) => {
                let words = FaultWords::new(*fault);
                let said = body(words.status, words.message, Some(words.request_id));
                words.response().json(said)
            }
        }
    }
}

fn words(rejection: &Rejection) -> (StatusCode, &'static str) {
    match rejection {
        Rejection::UserNotFound { .. } | Rejection::AccountNotFound { .. } => {
            (StatusCode::NOT_FOUND, "User not found")
        }
        Rejection::InsufficientFunds { .. } => (StatusCode::BAD_REQUEST, "Insufficient funds"),
        Rejection::SameAccount { .. } => (
            StatusCode::BAD_REQUEST,
            "Source and target are the same account",
        ),
        Rejection::CurrencyMismatch { .. } => {
            (StatusCode::BAD_REQUEST, "Account holds another currency")
        }
        Rejection::AmountTooLarge { .. } => (StatusCode::BAD_REQUEST, "Balance would be too large"),
        Rejection::AccountFrozen { .. } => (StatusCode::BAD_REQUEST, "Account is frozen"),
        Rejection::AccountClosed { .. } => (StatusCode::BAD_REQUEST, "Account is closed"),
        Rejection::VersionMismatch { .. } => (StatusCode::CONFLICT, "Version mismatch"),
        Rejection::Native(_) => (StatusCode::BAD_REQUEST, "Request was refused"),
        Rejection::EmailTaken => (StatusCode::CONFLICT, "Email already in use"),
        Rejection::KeyReused { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency-Key was used for another request",
        ),
    }
}

fn body(status: StatusCode, message: &str, request_id: Option<Uuid>) -> Failure<'_> {
    Failure {
        success: false,
        error: Words {
            message,
            code: status.as_u16(),
            request_id,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::dialects::every::{FAULTS, REJECTIONS, rejections, said};

    #[actix_web::test]
    async fn every_refusal_and_every_fault_has_its_words() {
        let refusals: [(u16, &str); REJECTIONS] = [
            (404, "User not found"),
            (404, "User not found"),
            (404, "User not found"),
            (404, "User not found"),
            (422, "Idempotency-Key was used for another request"),
            (400, "Insufficient funds"),
            (400, "Source and target are the same account"),
            (400, "Account holds another currency"),
            (409, "Version mismatch"),
            (400, "Balance would be too large"),
            (400, "Account is frozen"),
            (400, "Account is closed"),
            (409, "Email already in use"),
            (400, "Request was refused"),
        ];
        for (rejection, (status, message)) in rejections().into_iter().zip(refusals) {
            let refused = Refused {
                rejection,
                replayed: false,
            };
            let body =
                format!(r#"{{"success":false,"error":{{"message":"{message}","code":{status}}}}}"#);
            assert_eq!(said(&Problem::from(refused)).await, (status, body));
        }
        for (fault, status, message) in FAULTS {
            let body = format!(
                r#"{{"success":false,"error":{{"message":"{message}","code":{status},"requestId":""}}}}"#
            );
            assert_eq!(said(&Problem::from(fault)).await, (status, body));
        }
    }
}
