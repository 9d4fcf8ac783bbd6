//! The path `/balance`, which two dialects share: it is the `ledger` dialect's where there is a user, else the `events` dialect's.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, Data};

use super::{events, failure, ledger};
use crate::http::operation::Operation;
use crate::http::request::fields::Fields;
use crate::service::Service;

pub(in crate::http) const OPERATIONS: &[Operation] =
    &[Operation::reads(Method::GET, "/balance", || {
        web::to(balance)
    })];

async fn balance(service: Data<Service>, request: HttpRequest) -> HttpResponse {
    let fields = match Fields::parse(request.query_string()) {
        Ok(fields) => fields,
        Err(error) => return failure::error(HttpResponse::BadRequest(), &error.to_string()),
    };
    if fields.contains("user_id") {
        ledger::balance(&service, fields).await
    } else {
        events::balance(&service, &fields).await
    }
}
