//! What goes wrong, in the words of the `ledger` dialect.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use thiserror::Error;

use crate::http::dialects::failure;
use crate::http::fault;
use crate::http::request::body::BodyError;
use crate::http::request::fields::FieldsError;
use crate::http::request::idempotency::{self, KeyError, Refused};
use crate::ledger::{Fault, Rejection, Side};

/// What was asked for: a refusal names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Creation,
    Deposit,
    Withdrawal,
    Transfer,
}

/// Every answer of this dialect that is not a success.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Invalid(String),
    #[error("Unknown currency_type.")]
    UnknownCurrency,
    #[error("{SOURCE_NOT_FOUND}")]
    UserNotFound,
    #[error(transparent)]
    Fields(#[from] FieldsError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("{1}")]
    Refused(Operation, Refused),
    #[error(transparent)]
    Fault(#[from] Fault),
}

const SOURCE_NOT_FOUND: &str = "Source user id not found.";
const TARGET_NOT_FOUND: &str = "Target user id not found.";

impl Problem {
    pub(super) fn creating(refused: Refused) -> Self {
        Self::Refused(Operation::Creation, refused)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::UnknownCurrency | Self::Fields(_) | Self::Key(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::Body(error) => error.status(),
            Self::Refused(operation, refused) => words(*operation, &refused.rejection).0,
            Self::Fault(fault) => fault::status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        match self {
            Self::Invalid(_)
            | Self::UnknownCurrency
            | Self::UserNotFound
            | Self::Fields(_)
            | Self::Key(_) => failure::error(response, &self.to_string()),
            Self::Body(error) => failure::error(error.response(), &error.to_string()),
            Self::Refused(operation, refused) => {
                idempotency::mark(&mut response, refused.replayed);
                failure::error(response, words(*operation, &refused.rejection).1)
            }
            Self::Fault(fault) => failure::fault(*fault),
        }
    }
}

fn words(operation: Operation, rejection: &Rejection) -> (StatusCode, &'static str) {
    let refused = |error| (StatusCode::UNPROCESSABLE_ENTITY, error);
    match rejection {
        Rejection::UserNotFound { side } | Rejection::AccountNotFound { side } => {
            // A deposit has a user as its target, and calls it the source all the same.
            let is_target = operation == Operation::Transfer && *side == Side::Target;
            let error = if is_target {
                TARGET_NOT_FOUND
            } else {
                SOURCE_NOT_FOUND
            };
            (StatusCode::NOT_FOUND, error)
        }
        Rejection::InsufficientFunds { .. } => refused(match operation {
            Operation::Transfer => "Insufficient funds for transfer.",
            Operation::Creation | Operation::Deposit | Operation::Withdrawal => {
                "Insufficient funds for withdrawal."
            }
        }),
        Rejection::SameAccount { .. } => refused("Cannot transfer to the same user."),
        Rejection::CurrencyMismatch { .. } => refused("Account holds another currency."),
        Rejection::AmountTooLarge { .. } => refused("Balance would be too large."),
        Rejection::AccountFrozen { .. } => refused("Account is frozen."),
        Rejection::AccountClosed { .. } => refused("Account is closed."),
        Rejection::KeyReused { .. } => refused("Idempotency-Key was used for another request."),
        Rejection::VersionMismatch { .. } => (StatusCode::CONFLICT, "Version mismatch."),
        Rejection::Native(_) => refused("Request was refused."),
        Rejection::EmailTaken => (StatusCode::CONFLICT, "Email already in use."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::dialects::every::{FAULTS, REJECTIONS, rejections, said};

    #[actix_web::test]
    async fn every_refusal_and_every_fault_has_its_words() {
        let refusals: [(u16, &str); REJECTIONS] = [
            (404, "Source user id not found."),
            (404, "Target user id not found."),
            (404, "Source user id not found."),
            (404, "Target user id not found."),
            (422, "Idempotency-Key was used for another request."),
            (422, "Insufficient funds for transfer."),
            (422, "Cannot transfer to the same user."),
            (422, "Account holds another currency."),
            (409, "Version mismatch."),
            (422, "Balance would be too large."),
            (422, "Account is frozen."),
            (422, "Account is closed."),
            (409, "Email already in use."),
            (422, "Request was refused."),
        ];
        for (rejection, (status, error)) in rejections().into_iter().zip(refusals) {
            let refused = Refused {
                rejection,
                replayed: false,
            };
            let said = said(&Problem::Refused(Operation::Transfer, refused)).await;
            assert_eq!(said, (status, format!(r#"{{"error":"{error}"}}"#)));
        }
        for (fault, status, message) in FAULTS {
            let body = format!(r#"{{"error":"{message}","requestId":""}}"#);
            assert_eq!(said(&Problem::from(fault)).await, (status, body));
        }
    }

    #[test]
    fn a_refusal_names_what_was_asked_for() {
        let target = Rejection::UserNotFound { side: Side::Target };
        let said = words(Operation::Deposit, &target);
        assert_eq!(said, (StatusCode::NOT_FOUND, SOURCE_NOT_FOUND));
        let short = rejections()
            .into_iter()
            .find(|rejection| matches!(rejection, Rejection::InsufficientFunds { .. }));
        let said = words(Operation::Withdrawal, &short.expect("one of them"));
        assert_eq!(said.1, "Insufficient funds for withdrawal.");
    }
}
