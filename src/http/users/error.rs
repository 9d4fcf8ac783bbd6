//! What goes wrong, in the words of the `users` dialect.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use uuid::Uuid;

use crate::http::body::BodyError;
use crate::http::{FaultWords, RETRY_AFTER_SECONDS, fault_status, idempotency};
use crate::ledger::{Fault, Rejection};

/// Every answer of this dialect that is not a success.
#[derive(Debug)]
pub(super) enum Problem {
    Invalid(Errors),
    Body(BodyError),
    UserNotFound,
    Rejected {
        rejection: Rejection,
        replayed: bool,
    },
    Fault(Fault),
}

/// What is wrong with the fields of a request, each on its own.
#[derive(Debug, Default, Serialize)]
pub(super) struct Errors {
    success: bool,
    errors: Vec<FieldError>,
}

#[derive(Debug, Serialize)]
struct FieldError {
    field: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Failure<'a> {
    success: bool,
    error: Words<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    message: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

/// Any unknown path or method under `/api`.
pub(in crate::http) async fn not_found() -> HttpResponse {
    failure(StatusCode::NOT_FOUND, "Resource not found")
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
            Self::Body(error) => body_status(error),
            Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::Rejected { rejection, .. } => words(rejection).0,
            Self::Fault(fault) => fault_status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Invalid(errors) => HttpResponse::BadRequest().json(errors),
            Self::Body(error) => failure(body_status(error), &error.to_string()),
            Self::UserNotFound => failure(StatusCode::NOT_FOUND, "User not found"),
            Self::Rejected {
                rejection,
                replayed,
            } => {
                let (status, message) = words(rejection);
                let mut response = HttpResponseBuilder::new(status);
                if *replayed {
                    response.insert_header(idempotency::REPLAYED);
                }
                response.json(body(status, message, None))
            }
            Self::Fault(fault) => {
                let words = FaultWords::new(*fault);
                let mut response = HttpResponseBuilder::new(words.status);
                if words.status == StatusCode::SERVICE_UNAVAILABLE {
                    response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
                }
                response.json(body(words.status, words.message, Some(words.request_id)))
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn body_status(error: &BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyError::Broken | BodyError::Malformed(_) => StatusCode::BAD_REQUEST,
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
        Rejection::EmailTaken => (StatusCode::CONFLICT, "Email already in use"),
        Rejection::KeyReused { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency-Key was used for another request",
        ),
    }
}

fn failure(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponseBuilder::new(status).json(body(status, message, None))
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
