//! The `users` dialect: balances of users, changed by a signed amount.

mod error;

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::error::{Errors, Problem};
use super::number::{self, Number};
use super::{body, idempotency};
use crate::ledger::money::AmountError;
use crate::ledger::{
    AccountRef, Amount, Answered, Currency, Fault, Move, NamedAccount, OpenUser, Receipt, UserId,
};
use crate::service::{Service, UserBalance};

pub(super) use self::error::not_found;

/// The longest name, in characters.
const NAME_MAX: usize = 255;
/// The longest email, in characters (RFC 5321, section 4.5.3.1.3).
const EMAIL_MAX: usize = 254;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/health")
                .get(health)
                .default_service(web::to(not_found)),
        )
        .service(
            web::resource("/users")
                .post(open)
                .default_service(web::to(not_found)),
        )
        .service(
            web::resource("/users/{id}")
                .get(show)
                .default_service(web::to(not_found)),
        )
        .service(
            web::resource("/users/{id}/balance")
                .put(change_balance)
                .default_service(web::to(not_found)),
        );
}

#[derive(Serialize)]
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: i64,
    balance: Number,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewBalance {
    id: i64,
    balance: Number,
    updated_at: String,
}

#[derive(Deserialize)]
struct ChangeBalance {
    amount: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Open {
    name: Option<Box<RawValue>>,
    email: Option<Box<RawValue>>,
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

async fn show(service: Data<Service>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let mut errors = Errors::default();
    let Some(id) = errors.keep("userId", parse_id(&id)) else {
        return Err(Problem::Invalid(errors));
    };
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
    let body: ChangeBalance = body::read(payload).await?;
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
    let key = key.map(|key| {
        let (id, amount) = (id.to_string(), amount.minor().to_string());
        idempotency::key(
            key,
            &[
                "users",
                "change_balance",
                &id,
                currency.code.as_str(),
                &amount,
            ],
        )
    });
    let account = AccountRef::Named(NamedAccount::of_user(id, currency));
    let money = Move::change(account, amount, currency);
    let answered = service.move_money(money, key).await?;
    let (mut response, receipt) = accepted(HttpResponse::Ok(), answered)?;
    let data = NewBalance {
        id: id.0,
        balance: balance(&receipt, currency),
        updated_at: timestamp(receipt.created_at),
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
    let body: Open = body::read(payload).await?;
    let mut errors = Errors::default();
    let name = errors.keep("name", parse_text("Name", body.name.as_deref(), NAME_MAX));
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
    let key = key.map(|key| {
        // As JSON, where null and an empty string are two things.
        let texts = serde_json::json!([name, email]).to_string();
        let amount = opening_balance.minor().to_string();
        idempotency::key(
            key,
            &["users", "open", &texts, currency.code.as_str(), &amount],
        )
    });
    let answered = service
        .open_user(
            OpenUser {
                name,
                email,
                password_hash: None,
                currency,
                opening_balance,
            },
            key,
        )
        .await?;
    let (mut response, receipt) = accepted(HttpResponse::Created(), answered)?;
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

/// The response to an accepted command; it says where it had been given before.
fn accepted(
    mut response: HttpResponseBuilder,
    answered: Answered,
) -> Result<(HttpResponseBuilder, Receipt), Problem> {
    let replayed = answered.replayed;
    let receipt = answered.outcome.map_err(|rejection| Problem::Rejected {
        rejection,
        replayed,
    })?;
    if replayed {
        response.insert_header(idempotency::REPLAYED);
    }
    Ok((response, receipt))
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
            .map(|standing| standing.balance)
            .unwrap_or_default(),
        currency,
    )
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn parse_id(text: &str) -> Result<UserId, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(id) if digits && 0 < id => Ok(UserId(id)),
        Ok(_) | Err(_) => Err("User ID must be a positive integer".to_owned()),
    }
}

fn parse_amount(
    what: &str,
    value: Option<&RawValue>,
    currency: Currency,
) -> Result<Amount, String> {
    let amount = value
        .ok_or(AmountError::NotANumber)
        .and_then(|value| number::parse(value, currency));
    amount.map_err(|error| match error {
        AmountError::NotANumber => format!("{what} must be a number"),
        AmountError::TooPrecise => format!("{what} must have at most {} decimals", currency.scale),
        AmountError::TooLarge => format!("{what} is too large"),
    })
}

fn parse_opening_balance(value: Option<&RawValue>, currency: Currency) -> Result<Amount, String> {
    match value.map(|value| parse_amount("Balance", Some(value), currency)) {
        None => Ok(Amount::ZERO),
        Some(Ok(amount)) if amount.is_negative() => Err("Balance must not be negative".to_owned()),
        Some(parsed) => parsed,
    }
}

/// A string that PostgreSQL can hold: without NUL, and not too long.
fn parse_text(
    what: &str,
    value: Option<&RawValue>,
    length_max: usize,
) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    let text: String =
        serde_json::from_str(value.get()).map_err(|_| format!("{what} must be a string"))?;
    if text.trim().is_empty() || length_max < text.chars().count() {
        return Err(format!("{what} must have 1 to {length_max} characters"));
    }
    if text.contains('\0') {
        return Err(format!("{what} must not contain a NUL character"));
    }
    Ok(Some(text))
}

/// Not more than a shape: who owns the address is for a letter to find out.
fn parse_email(value: Option<&RawValue>) -> Result<Option<String>, String> {
    let Some(email) = parse_text("Email", value, EMAIL_MAX)? else {
        return Ok(None);
    };
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !email.contains(char::is_whitespace)
    });
    let lower = email.to_lowercase();
    if well_formed && lower.chars().count() <= EMAIL_MAX {
        Ok(Some(lower))
    } else {
        Err("Email must be an email address".to_owned())
    }
}
