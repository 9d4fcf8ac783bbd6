//! The native API: strict JSON under `/v1`, and the pages that explain its problems.

mod answer;
mod asked;
mod currencies;
mod problems;

mod idempotency;
mod list;
mod object;
mod query;

mod decimal;
mod metadata;
mod values;

mod accept;
mod codes;
mod conditional;
mod json;
mod problem;

use actix_web::http::Method;
use actix_web::web;

pub(super) use self::problem::refuse;
use super::operation::Operation;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::reads(Method::GET, "/v1/currencies", || web::to(currencies::list)),
    Operation::reads(Method::GET, "/problems", || web::to(problems::list)),
    Operation::reads(Method::GET, "/problems/{code}", || web::to(problems::show)),
];
