//! How it is said: one folder a dialect over what they share.

pub mod server;

mod users;

mod body;
mod drain;
mod idempotency;
mod number;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use uuid::Uuid;

use crate::ledger::Fault;

/// How long a caller should wait before it asks again.
const RETRY_AFTER_SECONDS: &str = "1";

/// Every route of every dialect.
fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("/api")
            .configure(users::routes)
            .default_service(web::to(users::not_found)),
    );
}

/// What is at no dialect's path.
async fn not_found() -> HttpResponse {
    #[derive(Serialize)]
    struct Body {
        error: &'static str,
    }
    HttpResponse::NotFound().json(Body { error: "Not found" })
}

/// How a fault is said, whatever the dialect's shape: it is logged once, here, under an id that the caller sees.
struct FaultWords {
    status: StatusCode,
    message: &'static str,
    request_id: Uuid,
}

impl FaultWords {
    fn new(fault: Fault) -> Self {
        let request_id = Uuid::now_v7();
        match fault {
            // Not a line for each: under overload there are many.
            Fault::Overloaded => tracing::debug!(%request_id, "overloaded"),
            Fault::Unavailable | Fault::OutcomeUnknown => {
                tracing::warn!(%request_id, %fault, "a request failed");
            }
            Fault::Bug => tracing::error!(%request_id, "a request failed through a fault of ours"),
        }
        let message = match fault {
            Fault::Overloaded => "Service is busy, nothing was applied, retry later",
            Fault::Unavailable => "Service is unavailable, nothing was applied, retry later",
            Fault::OutcomeUnknown => "Outcome unknown, retry with the same Idempotency-Key",
            Fault::Bug => "Internal server error",
        };
        Self {
            status: fault_status(fault),
            message,
            request_id,
        }
    }
}

fn fault_status(fault: Fault) -> StatusCode {
    match fault {
        Fault::Overloaded | Fault::Unavailable | Fault::OutcomeUnknown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Fault::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
