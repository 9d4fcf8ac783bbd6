//! How a fault is said, whatever the dialect's shape.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, HttpResponseBuilder};
use uuid::Uuid;

use crate::ledger::Fault;
use crate::telemetry::throttle::Throttle;

/// How long a caller should wait before it asks again.
pub(in crate::http) const RETRY_AFTER_SECONDS: &str = "1";

static FAILED: Throttle = Throttle::new();

/// The words for a fault: it is logged here, under an id that the caller sees.
pub(in crate::http) struct FaultWords {
    pub status: StatusCode,
    pub message: &'static str,
    pub request_id: Uuid,
}

/// The id of a fault, on its response.
pub(in crate::http) struct RequestId(pub Uuid);

impl FaultWords {
    pub(in crate::http) fn new(fault: Fault) -> Self {
        let request_id = Uuid::now_v7();
        match fault {
            // Not a line for each: under overload there are many.
            Fault::Overloaded => tracing::debug!(%request_id, "overloaded"),
            // While the database is away there are as many of these as there are requests.
            Fault::Unavailable | Fault::OutcomeUnknown => FAILED.say(|held_back| {
                tracing::warn!(%request_id, %fault, held_back, "a request failed");
            }),
            Fault::Bug => tracing::error!(%request_id, "a request failed through a fault of ours"),
        }
        let message = match fault {
            Fault::Overloaded => "Service is busy, nothing was applied, retry later",
            Fault::Unavailable => "Service is unavailable, nothing was applied, retry later",
            Fault::OutcomeUnknown => "Outcome unknown, retry with the same Idempotency-Key",
            Fault::Bug => "Internal server error",
        };
        Self {
            status: status(fault),
            message,
            request_id,
        }
    }

    /// The response to be given a body, which the log of requests finds the fault's id in; it says when to ask again, where that may help.
    pub(in crate::http) fn response(&self) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
        }
        self.mark(&mut response);
        response
    }

    /// Leaves the id where the log of requests finds it.
    pub(in crate::http) fn mark(&self, response: &mut HttpResponseBuilder) {
        response.extensions_mut().insert(RequestId(self.request_id));
    }
}

pub(in crate::http) fn status(fault: Fault) -> StatusCode {
    match fault {
        Fault::Overloaded | Fault::Unavailable | Fault::OutcomeUnknown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Fault::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
