//! The native API: strict JSON under `/v1`, and the pages that explain its problems.

mod accounts;
mod api_keys;
mod books;
mod currencies;
mod holds;
mod keys;
mod problems;
mod transactions;
mod users;

mod answer;
mod asked;
mod command;
mod conditions;
mod refusal;
mod shown;
mod who;

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
mod openapi;
mod problem;

use actix_web::http::Method;
use actix_web::web;

pub(super) use self::openapi::refusal;
pub(super) use self::problem::refuse;
use crate::http::access::Needs;
use crate::http::operation::Operation;
use crate::ledger::access::Scope;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::reads(
        Method::GET,
        "/v1/currencies",
        || web::to(currencies::list),
        openapi::currencies::list,
    )
    .needs(Needs::Key(Scope::Read)),
    Operation::writes(
        Method::POST,
        "/v1/accounts",
        || web::to(accounts::open),
        openapi::accounts::open,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::reads(
        Method::GET,
        "/v1/accounts",
        || web::to(accounts::list),
        openapi::accounts::list,
    ),
    Operation::reads(
        Method::GET,
        "/v1/accounts/{id}",
        || web::to(accounts::show),
        openapi::accounts::show,
    ),
    Operation::writes(
        Method::PATCH,
        "/v1/accounts/{id}",
        || web::to(accounts::change),
        openapi::accounts::change,
    ),
    Operation::writes(
        Method::POST,
        "/v1/accounts/{id}/freeze",
        || web::to(accounts::freeze),
        openapi::accounts::freeze,
    )
    .needs(Needs::Key(Scope::Admin)),
    Operation::writes(
        Method::POST,
        "/v1/accounts/{id}/unfreeze",
        || web::to(accounts::unfreeze),
        openapi::accounts::unfreeze,
    )
    .needs(Needs::Key(Scope::Admin)),
    Operation::writes(
        Method::POST,
        "/v1/accounts/{id}/close",
        || web::to(accounts::close),
        openapi::accounts::close,
    )
    .needs(Needs::Key(Scope::Admin)),
    Operation::writes(
        Method::POST,
        "/v1/transactions",
        || web::to(transactions::post),
        openapi::transactions::post,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::reads(
        Method::GET,
        "/v1/transactions",
        || web::to(transactions::list),
        openapi::transactions::list,
    ),
    Operation::reads(
        Method::GET,
        "/v1/transactions/{id}",
        || web::to(transactions::show),
        openapi::transactions::show,
    ),
    Operation::writes(
        Method::POST,
        "/v1/transactions/{id}/reversal",
        || web::to(transactions::reverse),
        openapi::transactions::reverse,
    ),
    Operation::writes(
        Method::POST,
        "/v1/holds",
        || web::to(holds::place),
        openapi::holds::place,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::reads(
        Method::GET,
        "/v1/holds",
        || web::to(holds::list),
        openapi::holds::list,
    ),
    Operation::reads(
        Method::GET,
        "/v1/holds/{id}",
        || web::to(holds::show),
        openapi::holds::show,
    ),
    Operation::writes(
        Method::PATCH,
        "/v1/holds/{id}",
        || web::to(holds::change),
        openapi::holds::change,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::writes(
        Method::POST,
        "/v1/holds/{id}/captures",
        || web::to(holds::capture),
        openapi::holds::capture,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::writes(
        Method::POST,
        "/v1/holds/{id}/void",
        || web::to(holds::void),
        openapi::holds::void,
    )
    .needs(Needs::KeyOrSession(Scope::Write)),
    Operation::writes(
        Method::POST,
        "/v1/users",
        || web::to(users::open),
        openapi::users::open,
    ),
    Operation::reads(
        Method::GET,
        "/v1/users",
        || web::to(users::list),
        openapi::users::list,
    )
    .needs(Needs::Key(Scope::Read)),
    Operation::reads(
        Method::GET,
        "/v1/users/{id}",
        || web::to(users::show),
        openapi::users::show,
    )
    .needs(Needs::Key(Scope::Read)),
    Operation::writes(
        Method::POST,
        "/v1/books",
        || web::to(books::open),
        openapi::books::open,
    )
    .needs(Needs::Administrator),
    Operation::reads(
        Method::GET,
        "/v1/books",
        || web::to(books::list),
        openapi::books::list,
    )
    .needs(Needs::Administrator),
    Operation::writes(
        Method::POST,
        "/v1/keys",
        || web::to(api_keys::make),
        openapi::api_keys::make,
    )
    .needs(Needs::Administrator),
    Operation::reads(
        Method::GET,
        "/v1/keys",
        || web::to(api_keys::list),
        openapi::api_keys::list,
    )
    .needs(Needs::Administrator),
    Operation::writes(
        Method::POST,
        "/v1/keys/{id}/rotate",
        || web::to(api_keys::rotate),
        openapi::api_keys::rotate,
    )
    .needs(Needs::Administrator),
    Operation::writes(
        Method::DELETE,
        "/v1/keys/{id}",
        || web::to(api_keys::revoke),
        openapi::api_keys::revoke,
    )
    .needs(Needs::Administrator),
    Operation::reads(
        Method::GET,
        "/v1/idempotency-keys/{key}",
        || web::to(keys::show),
        openapi::keys::show,
    ),
    Operation::reads(
        Method::GET,
        "/problems",
        || web::to(problems::list),
        openapi::problems::list,
    )
    .needs(Needs::Nothing),
    Operation::reads(
        Method::GET,
        "/problems/{code}",
        || web::to(problems::show),
        openapi::problems::show,
    )
    .needs(Needs::Nothing),
];
