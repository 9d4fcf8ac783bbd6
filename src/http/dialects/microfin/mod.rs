//! The `microfin` dialect: users who sign in, and the accounts that they call by number.

mod accounts;
mod error;
mod moves;
mod openapi;
mod session;
mod users;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{self, Payload};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::error::{INVALID_INPUT, Problem};
use crate::http::access::{Identity, Needs};
use crate::http::operation::Operation;
use crate::http::request::body::Body;
use crate::http::request::idempotency;
use crate::ledger::UserId;
use crate::service::Service;

pub(in crate::http) use self::error::{refusal, refuse};

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::writes(
        Method::POST,
        "/api/signup",
        || web::to(users::sign_up),
        openapi::sign_up,
    )
    .needs(Needs::SignUp),
    Operation::writes(
        Method::POST,
        "/api/signin",
        || web::to(users::sign_in),
        openapi::sign_in,
    )
    .needs(Needs::Nothing),
    Operation::writes(
        Method::POST,
        "/api/signout",
        || web::to(users::sign_out),
        openapi::sign_out,
    )
    .needs(Needs::Session),
    Operation::writes(
        Method::GET,
        "/api/accountGeneration",
        || web::to(accounts::open),
        openapi::open,
    )
    .needs(Needs::Session),
    Operation::writes(
        Method::POST,
        "/api/accountGeneration",
        || web::to(accounts::open),
        openapi::open,
    )
    .needs(Needs::Session),
    Operation::reads(
        Method::GET,
        "/api/accounts",
        || web::to(accounts::list),
        openapi::list,
    )
    .needs(Needs::Session),
    Operation::writes(
        Method::POST,
        "/api/deposit",
        || web::to(moves::deposit),
        openapi::deposit,
    )
    .needs(Needs::Deposit),
    Operation::writes(
        Method::POST,
        "/api/withdraw",
        || web::to(moves::withdraw),
        openapi::withdraw,
    )
    .needs(Needs::Session),
    Operation::writes(
        Method::POST,
        "/api/transfer",
        || web::to(moves::transfer),
        openapi::transfer,
    )
    .needs(Needs::Session),
];

/// What is said where there is nothing else to say.
#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Done)]
struct Done {
    message: &'static str,
}

/// A request, and whose it is.
struct Received<Caller> {
    caller: Caller,
    key: Option<String>,
    body: Body,
}

/// The request of somebody who is signed in: nobody else is told what is wrong with it.
async fn receive_signed_in(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Received<UserId>, Problem> {
    let body = Body::receive(request, payload).await?;
    let caller = session::caller(service, request).await?;
    let key = idempotency::header(request)?;
    Ok(Received { caller, key, body })
}

/// The same; or that of a service, which is no user.
async fn receive_from_service(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Received<Option<UserId>>, Problem> {
    if !matches!(Identity::of(request), Identity::Service(_)) {
        let signed_in = receive_signed_in(service, request, payload).await?;
        return Ok(signed_in.into());
    }
    let body = Body::receive(request, payload).await?;
    let key = idempotency::header(request)?;
    Ok(Received {
        caller: None,
        key,
        body,
    })
}

impl From<Received<UserId>> for Received<Option<UserId>> {
    fn from(Received { caller, key, body }: Received<UserId>) -> Self {
        Self {
            caller: Some(caller),
            key,
            body,
        }
    }
}

/// A field that must be given: not null, and not an empty string.
fn required(field: Option<&RawValue>) -> Result<&RawValue, Problem> {
    field
        .filter(|value| value.get() != r#""""#)
        .ok_or(Problem::FieldMissing)
}

fn string(value: &RawValue) -> Result<String, Problem> {
    serde_json::from_str(value.get()).map_err(|_| Problem::Invalid(INVALID_INPUT))
}
