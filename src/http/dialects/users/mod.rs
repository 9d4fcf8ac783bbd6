//! The `users` dialect: balances of users, changed by a signed amount.

mod error;
mod openapi;

use actix_web::http::Method;
use actix_web::web::{self, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::error::{Errors, Problem};
use crate::http::access::{Identity, Needs};
use crate::http::description;
use crate::http::operation::Operation;
use crate::http::request::number::{self, Number};
use crate::http::request::{body, idempotency, text};
use crate::ledger::money::AmountError;
use crate::ledger::{
    AccountRef, Amount, Currency, Email, Fault, FirstAccount, Magnitude, NamedAccount, OpenUser,
    Posting, Receipt, UserId, key,
};
use crate::service::{Service, UserBalance};

pub(in crate::http) use self::error::{refusal, refuse};

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::reads(
        Method::GET,
        "/api/health",
        || web::to(health),
        openapi::health,
    )
    .needs(Needs::Nothing),
    Operation::writes(Method::POST, "/api/users", || web::to(open), openapi::open),
    Operation::reads(
        Method::GET,
        "/api/users/{id}",
        || web::to(show),
        openapi::show,
    ),
    Operation::writes(
        Method::PUT,
        "/api/users/{id}/balance",
        || web::to(change_balance),
        openapi::change_balance,
    ),
];

#[derive(Serialize, ToSchema)]
#[schema(as = users::Health)]
struct Health {
    status: &'static str,
    timestamp: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the dialect's names")]
struct Success<T> {
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = users::User)]
#[serde(rename_all = "camelCase")]
struct User {
    id: i64,
    balance: Number,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = users::NewBalance)]
#[serde(rename_all = "camelCase")]
struct NewBalance {
    id: i64,
    balance: Number,
    updated_at: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = users::ChangeBalance)]
struct ChangeBalance {
    #[schema(value_type = description::Amount)]
    amount: Option<Box<RawValue>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = users::Open)]
struct Open {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    name: Option<Box<RawValue>>,
    #[schema(value_type = Option<String>, format = Email)]
    email: Option<Box<RawValue>>,
    #[schema(value_type = Option<description::Amount>)]
    balance: Option<Box<RawValue>>,
}

async fn health(service: Data<Service>) -> HttpResponse {
    let timestamp = timestamp(Utc::now());
    if service.is_healthy() {
        HttpResponse::Ok().json(Health {
            status: "ok",
            timestamp,
        })
    } else {
        HttpResponse::ServiceUnavailable().json(Health {
            status: "unavailable",
            timestamp,
        })
    }
}

async fn show(
    service: Data<Service>,
    identity: Identity,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut errors = Errors::default();
    let Some(id) = errors.keep("userId", parse_id(&id)) else {
        return Err(Problem::Invalid(errors));
    };
    if !identity.sees(Some(id)) {
        return Err(Problem::UserNotFound);
    }
    let user = service
        .find_user(id, service.default_currency())
        .await?
        .ok_or(Problem::UserNotFound)?;
    Ok(HttpResponse::Ok().json(Success {
        success: true,
        data: User::from(user),
        message: None,
    }))
}

async fn change_balance(
    service: Data<Service>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let currency = service.default_currency();
    let body: ChangeBalance = body::read(&request, payload).await?;
    let mut errors = Errors::default();
    let id = errors.keep("userId", parse_id(&id));
    let amount = errors.keep(
        "amount",
        parse_amount("Amount", body.amount.as_deref(), currency),
    );
    let key = errors.keep("Idempotency-Key", idempotency::header(&request));
    let (Some(id), Some(amount), Some(key)) = (id, amount, key) else {
        return Err(Problem::Invalid(errors));
    };
    let key = key.map(|text| key::users_change(text, id, amount, currency));
    let account = AccountRef::Named(NamedAccount::of_user(id, currency));
    let posting = Posting::change(account, amount, currency);
    let answered = service.post(posting, Vec::new(), key).await?;
    let mut response = HttpResponse::Ok();
    let receipt = idempotency::accepted(&mut response, answered)?;
    let updated_at = if let Some(standing) = receipt.standings.first() {
        standing.last_entry_at
    } else {
        // Nothing came to a user without an account.
        let user = service.find_user(id, currency).await?;
        user.ok_or(Problem::UserNotFound)?.updated_at
    };
    let data = NewBalance {
        id: id.0,
        balance: balance(&receipt, currency),
        updated_at: timestamp(updated_at),
    };
    Ok(response.json(Success {
        success: true,
        data,
        message: Some("Balance updated successfully"),
    }))
}

async fn open(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let currency = service.default_currency();
    let body: Open = body::read_optional(&request, payload).await?;
    let mut errors = Errors::default();
    let name = errors.keep("name", parse_name(body.name.as_deref()));
    let email = errors.keep("email", parse_email(body.email.as_deref()));
    let balance = errors.keep(
        "balance",
        parse_opening_balance(body.balance.as_deref(), currency),
    );
    let key = errors.keep("Idempotency-Key", idempotency::header(&request));
    let (Some(name), Some(email), Some(opening_balance), Some(key)) = (name, email, balance, key)
    else {
        return Err(Problem::Invalid(errors));
    };
    let key = key.map(|text| {
        key::users_open(
            text,
            name.as_deref(),
            email.as_ref(),
            opening_balance,
            currency,
        )
    });
    let answered = service
        .open_user(
            OpenUser {
                name,
                email,
                password_hash: None,
                session: None,
                account: Some(FirstAccount {
                    currency,
                    opening_balance,
                }),
            },
            key,
        )
        .await?;
    let mut response = HttpResponse::Created();
    let receipt = idempotency::accepted(&mut response, answered)?;
    let at = timestamp(receipt.created_at);
    let owner = receipt
        .standings
        .first()
        .and_then(|standing| standing.owner)
        .ok_or(Fault::Bug)?;
    let data = User {
        id: owner.0,
        balance: self::balance(&receipt, currency),
        created_at: at.clone(),
        updated_at: at,
    };
    Ok(response.json(Success {
        success: true,
        data,
        message: None,
    }))
}

impl From<UserBalance> for User {
    fn from(user: UserBalance) -> Self {
        Self {
            id: user.user.0,
            balance: Number::new(user.balance, user.currency),
            created_at: timestamp(user.created_at),
            updated_at: timestamp(user.updated_at),
        }
    }
}

/// Zero where there is no account to speak of yet.
fn balance(receipt: &Receipt, currency: Currency) -> Number {
    Number::new(
        receipt
            .standings
            .first()
            .map(|standing| standing.state.balance)
            .unwrap_or_default(),
        currency,
    )
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn parse_id(text: &str) -> Result<UserId, String> {
    let id = number::parse_positive(text).map(UserId);
    id.ok_or_else(|| "User ID must be a positive integer".to_owned())
}

fn parse_amount(
    what: &str,
    value: Option<&RawValue>,
    currency: Currency,
) -> Result<Amount, String> {
    let amount = value
        .ok_or(AmountError::NotANumber)
        .and_then(|value| number::parse(value, currency));
    amount.map_err(|error| number::complaint(what, error, currency))
}

fn parse_opening_balance(
    value: Option<&RawValue>,
    currency: Currency,
) -> Result<Magnitude, String> {
    let balance = value.map(|value| parse_amount("Balance", Some(value), currency));
    let balance = Magnitude::new(balance.transpose()?.unwrap_or_default());
    balance.ok_or_else(|| "Balance must not be negative".to_owned())
}

fn parse_name(value: Option<&RawValue>) -> Result<Option<String>, String> {
    let Some(name) = parse_string("Name", value)? else {
        return Ok(None);
    };
    text::check(&name, text::NAME_MAX).map_err(|error| format!("Name {error}"))?;
    Ok(Some(name))
}

fn parse_email(value: Option<&RawValue>) -> Result<Option<Email>, String> {
    let email = parse_string("Email", value)?;
    let parsed = email.map(|email| text::parse_email(&email)).transpose();
    parsed.map_err(|error| format!("Email {error}"))
}

fn parse_string(what: &str, value: Option<&RawValue>) -> Result<Option<String>, String> {
    let parsed = value
        .map(|value| serde_json::from_str(value.get()))
        .transpose();
    parsed.map_err(|_| format!("{what} must be a string"))
}
