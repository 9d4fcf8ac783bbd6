//! The path `/balance`, which two dialects share: it is the `ledger` dialect's where there is a user, else the `events` dialect's.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, Data};
use serde_json::json;
use utoipa::openapi::path::OperationBuilder;

use super::events;
use super::failure::{self, Failure};
use super::ledger::{self, Balances};
use crate::http::access::Identity;
use crate::http::description::{Shapes, Zero, operation, optional_query, positive, string};
use crate::http::operation::Operation;
use crate::http::request::fields::Fields;
use crate::http::request::number::Number;
use crate::service::Service;

pub(in crate::http) const OPERATIONS: &[Operation] = &[Operation::reads(
    Method::GET,
    "/balance",
    || web::to(balance),
    describe,
)];

fn describe(shapes: &mut Shapes) -> OperationBuilder {
    let shown = [("events", json!(20)), ("ledger", ledger::balances())];
    let unknown = json!({"error": "Source user id not found."});
    let unknown = [("events", json!(0)), ("ledger", unknown)];
    let wrong = "account_id is required";
    let what = "Shows an account of `events` by its `account_id`, or a user's balances of `ledger`";
    let account = optional_query("account_id", "The account's name", string());
    operation(what)
        .parameter(account.example(Some("100".into())))
        .parameter(optional_query("user_id", "The user's id", positive()))
        .parameter(optional_query(
            "currency_type",
            "One currency alone",
            string(),
        ))
        .response(
            "200",
            shapes.either::<Number, Balances>("As it stands", shown),
        )
        .response(
            "400",
            failure::described(shapes, "The query cannot be understood", wrong),
        )
        .response(
            "404",
            shapes.either::<Zero, Failure>("There is no such account or user", unknown),
        )
        .response("503", failure::unavailable(shapes))
}

async fn balance(service: Data<Service>, identity: Identity, request: HttpRequest) -> HttpResponse {
    let fields = match Fields::parse(request.query_string()) {
        Ok(fields) => fields,
        Err(error) => return failure::error(HttpResponse::BadRequest(), &error.to_string()),
    };
    if fields.contains("user_id") {
        ledger::balance(&service, &identity, fields).await
    } else {
        events::balance(&service, &identity, &fields).await
    }
}
