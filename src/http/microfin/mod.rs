//! The `microfin` dialect: users who sign in, and the accounts that they call by number.

mod accounts;
mod error;
mod moves;
mod session;
mod users;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{self, Payload};
use serde::Serialize;
use serde_json::value::RawValue;

use self::error::{INVALID_INPUT, Problem};
use super::body::Body;
use super::operation::Operation;
use super::{idempotency, origin};
use crate::ledger::UserId;
use crate::service::Service;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::POST,
        path: "/api/signup{slash:/?}",
        route: || web::to(users::sign_up),
    },
    Operation {
        method: Method::POST,
        path: "/api/signin{slash:/?}",
        route: || web::to(users::sign_in),
    },
    Operation {
        method: Method::POST,
        path: "/api/signout{slash:/?}",
        route: || web::to(users::sign_out),
    },
    Operation {
        method: Method::GET,
        path: "/api/accountGeneration{slash:/?}",
        route: || web::to(accounts::open),
    },
    Operation {
        method: Method::POST,
        path: "/api/accountGeneration{slash:/?}",
        route: || web::to(accounts::open),
    },
    Operation {
        method: Method::GET,
        path: "/api/accounts{slash:/?}",
        route: || web::to(accounts::list),
    },
    Operation {
        method: Method::POST,
        path: "/api/deposit{slash:/?}",
        route: || web::to(moves::deposit),
    },
    Operation {
        method: Method::POST,
        path: "/api/withdraw{slash:/?}",
        route: || web::to(moves::withdraw),
    },
    Operation {
        method: Method::POST,
        path: "/api/transfer{slash:/?}",
        route: || web::to(moves::transfer),
    },
];

/// What is said where there is nothing else to say.
#[derive(Serialize)]
struct Done {
    message: &'static str,
}

/// A request of somebody who is signed in.
struct SignedIn {
    caller: UserId,
    key: Option<String>,
    body: Body,
}

/// The body of a request that changes something. A page of another site may not send one: the browser would add the cookie.
async fn receive(request: &HttpRequest, payload: Payload) -> Result<Body, Problem> {
    origin::check(request)?;
    Ok(Body::receive(request, payload).await?)
}

/// The same from somebody who is signed in: nobody else is told what is wrong with it.
async fn receive_signed_in(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
) -> Result<SignedIn, Problem> {
    let body = receive(request, payload).await?;
    let caller = session::caller(service, request).await?;
    let key = idempotency::header(request)?;
    Ok(SignedIn { caller, key, body })
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
