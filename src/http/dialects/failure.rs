//! The shape `{"error":…}` of what went wrong, in which the paths outside `/api` speak.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use uuid::Uuid;

use crate::http::fault::FaultWords;
use crate::ledger::Fault;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

pub(in crate::http) fn error(mut response: HttpResponseBuilder, error: &str) -> HttpResponse {
    response.json(Failure {
        error,
        request_id: None,
    })
}

/// What is refused before a dialect is asked.
pub(in crate::http) fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    error(HttpResponseBuilder::new(status), message)
}

pub(in crate::http) fn fault(fault: Fault) -> HttpResponse {
    let words = FaultWords::new(fault);
    words.response().json(Failure {
        error: words.message,
        request_id: Some(words.request_id),
    })
}
