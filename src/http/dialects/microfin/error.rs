//! What goes wrong, in the words of the `microfin` dialect.

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
use crate::http::request::idempotency::{self, KeyError, Refused};
use crate::ledger::{Fault, Rejection, Side};

pub(super) const INVALID_INPUT: &str = "Invalid Input";

/// Every answer of this dialect that is not a success.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{NOT_SIGNED_IN}")]
    NotSignedIn,
    #[error("Invalid Password")]
    WrongPassword,
    #[error("All fields are required")]
    FieldMissing,
    #[error("{0}")]
    Invalid(&'static str),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("{}", no_account(*.0, *.1))]
    AccountNotFound(Asked, Side),
    #[error("{1}")]
    Refused(Asked, Refused),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What was asked for: the same refusal has other words each time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// Of a user, or of an account.
    Opening,
    Deposit,
    Withdrawal,
    Transfer,
}

#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Failure)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::FieldMissing | Self::Invalid(_) | Self::Key(_) | Self::AccountNotFound(..) => {
                StatusCode::BAD_REQUEST
            }
            Self::Body(error) => error.status(),
            Self::Refused(asked, refused) => words(*asked, &refused.rejection).0,
            Self::Fault(fault) => fault::status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let response = HttpResponseBuilder::new(self.status_code());
        match self {
            Self::NotSignedIn
            | Self::WrongPassword
            | Self::FieldMissing
            | Self::Invalid(_)
            | Self::Key(_)
            | Self::AccountNotFound(..) => failed(response, &self.to_string()),
            Self::Body(BodyError::NoObject | BodyError::Malformed(_)) => {
                failed(response, INVALID_INPUT)
            }
            Self::Body(error) => failed(error.response(), &error.to_string()),
            Self::Refused(asked, refused) => {
                let mut response = response;
                idempotency::mark(&mut response, refused.replayed);
                failed(response, words(*asked, &refused.rejection).1)
            }
            Self::Fault(fault) => {
                let words = FaultWords::new(*fault);
                words.response().json(Failure {
                    message: words.message,
                    request_id: Some(words.request_id),
                })
            }
        }
    }
}

/// What is refused before this dialect is asked.
pub(in crate::http) fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    failed(HttpResponseBuilder::new(status), message)
}

/// The shape of what is refused.
pub(in crate::http) fn refusal(shapes: &mut Shapes) -> Ref {
    shapes.of::<Failure>()
}

const NOT_SIGNED_IN: &str = "User not logged in";

fn failed(mut response: HttpResponseBuilder, message: &str) -> HttpResponse {
    response.json(Failure {
        message,
        request_id: None,
    })
}

fn words(asked: Asked, rejection: &Rejection) -> (StatusCode, &'static str) {
    let refused = |message| (StatusCode::BAD_REQUEST, message);
    match rejection {
        Rejection::UserNotFound { .. } => (StatusCode::UNAUTHORIZED, NOT_SIGNED_IN),
        Rejection::AccountNotFound { side } => refused(no_account(asked, *side)),
        Rejection::InsufficientFunds { .. } => refused(no_money(asked)),
        Rejection::SameAccount { .. } => refused("Sender and receiver are the same account"),
        Rejection::CurrencyMismatch { .. } => refused("Accounts hold different currencies"),
        Rejection::AmountTooLarge { .. } => refused("Balance would be too large"),
        Rejection::AccountFrozen { .. } => refused("Account is frozen"),
        Rejection::AccountClosed { .. } => refused("Account is closed"),
        Rejection::Native(_) => refused("Request was refused"),
        Rejection::EmailTaken => refused("Email in Use"),
        Rejection::VersionMismatch { .. } => (StatusCode::CONFLICT, "Version mismatch"),
        Rejection::KeyReused { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency-Key was used for another request",
        ),
    }
}

fn no_account(asked: Asked, side: Side) -> &'static str {
    match (asked, side) {
        (Asked::Transfer, Side::Source) => "Sender account not found",
        (Asked::Transfer, Side::Target) => "Receiver account not found",
        (Asked::Opening | Asked::Deposit | Asked::Withdrawal, Side::Source | Side::Target) => {
            "Account not found"
        }
    }
}

fn no_money(asked: Asked) -> &'static str {
    match asked {
        Asked::Transfer => "Sender does not have enough balance",
        Asked::Opening | Asked::Deposit | Asked::Withdrawal => "Insufficient balance",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::dialects::every::{FAULTS, REJECTIONS, rejections, said};

    #[actix_web::test]
    async fn every_refusal_and_every_fault_has_its_words() {
        let [account, sender, receiver] = [
            "Account not found",
            "Sender account not found",
            "Receiver account not found",
        ];
        let (short, poor) = (
            "Insufficient balance",
            "Sender does not have enough balance",
        );
        let kinds = [
            (Asked::Opening, account, account, short),
            (Asked::Deposit, account, account, short),
            (Asked::Withdrawal, account, account, short),
            (Asked::Transfer, sender, receiver, poor),
        ];
        for (asked, source, target, insufficient) in kinds {
            let refusals: [(u16, &str); REJECTIONS] = [
                (401, "User not logged in"),
                (401, "User not logged in"),
                (400, source),
                (400, target),
                (422, "Idempotency-Key was used for another request"),
                (400, insufficient),
                (400, "Sender and receiver are the same account"),
                (400, "Accounts hold different currencies"),
                (409, "Version mismatch"),
                (400, "Balance would be too large"),
                (400, "Account is frozen"),
                (400, "Account is closed"),
                (400, "Email in Use"),
                (400, "Request was refused"),
            ];
            assert_eq!(refusals.len(), rejections().len());
            for (rejection, (status, message)) in rejections().into_iter().zip(refusals) {
                let refused = Refused {
                    rejection,
                    replayed: false,
                };
                let body = format!(r#"{{"message":"{message}"}}"#);
                assert_eq!(
                    said(&Problem::Refused(asked, refused)).await,
                    (status, body)
                );
            }
        }
        for (fault, status, message) in FAULTS {
            let body = format!(r#"{{"message":"{message}","requestId":""}}"#);
            assert_eq!(said(&Problem::from(fault)).await, (status, body));
        }
    }
}
