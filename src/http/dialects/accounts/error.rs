//! What goes wrong, in the words of the `accounts` dialect.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::transaction_id;
use crate::http::fault::{self, FaultWords};
use crate::http::request::body::BodyError;
use crate::http::request::fields::FieldsError;
use crate::http::request::idempotency::{self, KeyError, Refused};
use crate::ledger::{AccountId, Fault, Rejection, TransactionId, Version};

/// Every answer of this dialect that is not a success.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Fields(#[from] FieldsError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("Account not found")]
    AccountNotFound,
    /// It was done before under the same key; with what it opened, where it opened an account.
    #[error("Duplicate transaction")]
    Duplicate {
        transaction: TransactionId,
        opened: Option<AccountId>,
    },
    #[error(transparent)]
    Refused(#[from] Refused),
    /// With the last known version of the account, where there is one.
    #[error("{0}")]
    Fault(Fault, Option<Version>),
}

#[derive(Default, Serialize, ToSchema)]
#[schema(as = accounts::Failure)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure<'a> {
    error: &'a str,
    #[serde(rename = "CurrentVersion", skip_serializing_if = "Option::is_none")]
    current_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

/// The outcome is unknown; the version is null where none is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Crash {
    error: &'static str,
    #[serde(rename = "CurrentVersion")]
    current_version: Option<i64>,
    request_id: Uuid,
}

impl Problem {
    pub(super) fn missing(field: &str) -> Self {
        Self::Invalid(format!("{field} is required"))
    }

    pub(super) fn not_positive(field: &str) -> Self {
        Self::Invalid(format!("{field} must be a positive integer"))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Fields(_) | Self::Key(_) => StatusCode::BAD_REQUEST,
            Self::Body(error) => error.status(),
            Self::AccountNotFound => StatusCode::NOT_FOUND,
            Self::Duplicate { .. } => StatusCode::CONFLICT,
            Self::Refused(refused) => words(&refused.rejection).0,
            Self::Fault(Fault::OutcomeUnknown, _) => StatusCode::REQUEST_TIMEOUT,
            Self::Fault(fault, _) => fault::status(*fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        match self {
            Self::Invalid(_) | Self::Fields(_) | Self::Key(_) | Self::AccountNotFound => {
                response.json(Failure::new(&self.to_string()))
            }
            Self::Body(error) => error.response().json(Failure::new(&error.to_string())),
            Self::Duplicate {
                transaction,
                opened,
            } => response.json(Failure {
                transaction_id: Some(transaction_id(*transaction)),
                account_id: opened.map(|account| account.0),
                ..Failure::new(&self.to_string())
            }),
            Self::Refused(refused) => {
                idempotency::mark(&mut response, refused.replayed);
                response.json(words(&refused.rejection).1)
            }
            Self::Fault(Fault::OutcomeUnknown, version) => {
                let words = FaultWords::new(Fault::OutcomeUnknown);
                words.mark(&mut response);
                response.json(Crash {
                    error: "Server Crashes",
                    current_version: version.map(|version| version.0),
                    request_id: words.request_id,
                })
            }
            Self::Fault(fault, _) => {
                let words = FaultWords::new(*fault);
                words.response().json(Failure {
                    request_id: Some(words.request_id),
                    ..Failure::new(words.message)
                })
            }
        }
    }
}

impl<'a> Failure<'a> {
    fn new(error: &'a str) -> Self {
        Self {
            error,
            ..Self::default()
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault, None)
    }
}

fn words(rejection: &Rejection) -> (StatusCode, Failure<'static>) {
    let refused = |error| (StatusCode::UNPROCESSABLE_ENTITY, Failure::new(error));
    match rejection {
        Rejection::UserNotFound { .. } => (StatusCode::NOT_FOUND, Failure::new("User not found")),
        Rejection::AccountNotFound { .. } => {
            (StatusCode::NOT_FOUND, Failure::new("Account not found"))
        }
        Rejection::InsufficientFunds { .. } => refused("Insufficient Balance"),
        Rejection::SameAccount { .. } => refused("An account cannot pay itself"),
        Rejection::CurrencyMismatch { .. } => refused("Account holds another currency"),
        Rejection::AmountTooLarge { .. } => refused("Balance would be too large"),
        Rejection::AccountFrozen { .. } => refused("Account is frozen"),
        Rejection::AccountClosed { .. } => refused("Account is closed"),
        Rejection::KeyReused { .. } => refused("Idempotency-Key was used for another request"),
        Rejection::VersionMismatch { current, .. } => {
            let failure = Failure {
                current_version: Some(current.0),
                ..Failure::new("Version mismatch")
            };
            (StatusCode::CONFLICT, failure)
        }
        Rejection::Native(_) => refused("Request was refused"),
        Rejection::EmailTaken => (StatusCode::CONFLICT, Failure::new("Email already in use")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::dialects::every::{FAULTS, REJECTIONS, TRANSACTION, rejections, said};

    #[actix_web::test]
    async fn every_refusal_and_every_fault_has_its_words() {
        let refusals: [(u16, &str); REJECTIONS] = [
            (404, r#"{"error":"User not found"}"#),
            (404, r#"{"error":"User not found"}"#),
            (404, r#"{"error":"Account not found"}"#),
            (404, r#"{"error":"Account not found"}"#),
            (
                422,
                r#"{"error":"Idempotency-Key was used for another request"}"#,
            ),
            (422, r#"{"error":"Insufficient Balance"}"#),
            (422, r#"{"error":"An account cannot pay itself"}"#),
            (422, r#"{"error":"Account holds another currency"}"#),
            (409, r#"{"error":"Version mismatch","CurrentVersion":3}"#),
            (422, r#"{"error":"Balance would be too large"}"#),
            (422, r#"{"error":"Account is frozen"}"#),
            (422, r#"{"error":"Account is closed"}"#),
            (409, r#"{"error":"Email already in use"}"#),
            (422, r#"{"error":"Request was refused"}"#),
        ];
        let rejections = rejections();
        assert_eq!(rejections.len(), refusals.len());
        for (rejection, (status, body)) in rejections.into_iter().zip(refusals) {
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
            let expected = match fault {
                Fault::OutcomeUnknown => (
                    408,
                    r#"{"error":"Server Crashes","CurrentVersion":null,"requestId":""}"#.to_owned(),
                ),
                Fault::Overloaded | Fault::Unavailable | Fault::Bug => {
                    (status, format!(r#"{{"error":"{message}","requestId":""}}"#))
                }
            };
            assert_eq!(said(&Problem::from(fault)).await, expected);
        }
    }

    #[actix_web::test]
    async fn a_crash_says_the_last_known_version() {
        let crash = Problem::Fault(Fault::OutcomeUnknown, Some(Version(5)));
        let body = r#"{"error":"Server Crashes","CurrentVersion":5,"requestId":""}"#;
        assert_eq!(said(&crash).await, (408, body.to_owned()));
    }

    #[actix_web::test]
    async fn a_duplicate_says_what_was_done_before() {
        let id = "txn019b7600000070008000000000000007";
        let duplicate = |opened| Problem::Duplicate {
            transaction: TRANSACTION,
            opened,
        };
        for (opened, more) in [(None, ""), (Some(AccountId(7)), r#","accountId":7"#)] {
            let body =
                format!(r#"{{"error":"Duplicate transaction","transactionId":"{id}"{more}}}"#);
            assert_eq!(said(&duplicate(opened)).await, (409, body));
        }
    }
}
