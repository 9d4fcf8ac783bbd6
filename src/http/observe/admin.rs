//! For whoever runs the service: its metrics, and the accounts that keep it busy.

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use prometheus::TextEncoder;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::path::OperationBuilder;

use super::Observer;
use crate::http::access::Needs;
use crate::http::description::{Shapes, limit, operation, text};
use crate::http::dialects::failure;
use crate::http::operation::Operation;
use crate::http::request::fields::Fields;
use crate::service::{HotAccount, Service};

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::reads(
        Method::GET,
        "/metrics",
        || web::to(show_metrics),
        describe_metrics,
    )
    .needs(Needs::Metrics),
    Operation::reads(
        Method::GET,
        "/admin/hot-accounts",
        || web::to(list_hot_accounts),
        describe_hot_accounts,
    )
    .needs(Needs::Administrator),
];

/// The text format of Prometheus, version 0.0.4.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Serialize, ToSchema)]
#[schema(as = admin::HotAccounts)]
struct HotAccounts {
    accounts: Vec<Hot>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = admin::HotAccount)]
#[serde(rename_all = "camelCase")]
struct Hot {
    id: i64,
    number: String,
    changes_max: u64,
    changes_min: u64,
}

async fn show_metrics(service: Data<Service>, observer: Data<Observer>) -> HttpResponse {
    let families = [observer.metrics.gather(), service.metrics()].concat();
    match TextEncoder::new().encode_to_string(&families) {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, TEXT))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            failure::error(HttpResponse::InternalServerError(), "Internal server error")
        }
    }
}

async fn list_hot_accounts(service: Data<Service>, request: HttpRequest) -> HttpResponse {
    let limit = Fields::parse(request.query_string()).and_then(|fields| fields.limit());
    match limit {
        Ok(limit) => HttpResponse::Ok().json(HotAccounts {
            accounts: service
                .hot_accounts(usize::from(limit))
                .into_iter()
                .map(Hot::from)
                .collect(),
        }),
        Err(error) => failure::error(HttpResponse::BadRequest(), &error.to_string()),
    }
}

fn describe_metrics(_: &mut Shapes) -> OperationBuilder {
    operation("Shows the metrics of this process")
        .response("200", text("For Prometheus", TEXT, None))
}

fn describe_hot_accounts(shapes: &mut Shapes) -> OperationBuilder {
    let hot = json!({"id": 7, "number": "000000000777", "changesMax": 1200, "changesMin": 1100});
    let hot = json!({"accounts": [hot]});
    let wrong = "limit must be from 1 to 100";
    operation("Lists the accounts that were changed most often of late")
        .parameter(limit(20))
        .response(
            "200",
            shapes.answer::<HotAccounts>("The busiest first", hot),
        )
        .response(
            "400",
            failure::described(shapes, "The limit is none", wrong),
        )
}

impl From<HotAccount> for Hot {
    fn from(hot: HotAccount) -> Self {
        Self {
            id: hot.account.0,
            number: hot.account.to_number(),
            changes_max: hot.changes_max,
            changes_min: hot.changes_min,
        }
    }
}
