//! The shape `{"error":…}` of what went wrong, in which the paths outside `/api` speak.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, Response};
use uuid::Uuid;

use crate::http::description::{REQUEST_ID, Shapes, UNAVAILABLE};
use crate::http::fault::FaultWords;
use crate::ledger::Fault;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Failure<'a> {
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

/// The shape of what is refused.
pub(in crate::http) fn refusal(shapes: &mut Shapes) -> Ref {
    shapes.of::<Failure>()
}

/// A refusal as a document shows it.
pub(in crate::http) fn described(shapes: &mut Shapes, what: &str, error: &str) -> Response {
    shapes.answer::<Failure>(what, json!({"error": error}))
}

/// As [`described`], of a fault.
pub(in crate::http) fn unavailable(shapes: &mut Shapes) -> Response {
    shapes.unavailable::<Failure>(json!({"error": UNAVAILABLE, "requestId": REQUEST_ID}))
}

pub(in crate::http) fn fault(fault: Fault) -> HttpResponse {
    let words = FaultWords::new(fault);
    words.response().json(Failure {
        error: words.message,
        request_id: Some(words.request_id),
    })
}
