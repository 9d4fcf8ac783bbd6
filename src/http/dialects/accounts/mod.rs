//! The `accounts` dialect: accounts by their ids, whose callers may say which version they expect.

mod error;
mod history;
mod openapi;
mod transaction;

use actix_web::http::Method;
use actix_web::web::{self, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::error::Problem;
use crate::http::access::Identity;
use crate::http::description;
use crate::http::operation::Operation;
use crate::http::request::number::{self, Number};
use crate::http::request::{body, idempotency};
use crate::ledger::{
    AccountId, AccountRef, Answered, Currency, Fault, Kind, Magnitude, OpenAccount, Receipt,
    Standing, TransactionId, key,
};
use crate::service::Service;

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::writes(Method::POST, "/accounts", || web::to(open), openapi::open),
    Operation::reads(
        Method::GET,
        "/accounts/{id}/balance",
        || web::to(balance),
        openapi::balance,
    ),
    Operation::writes(
        Method::POST,
        "/accounts/{id}/transactions",
        || web::to(transaction::make),
        openapi::make,
    ),
    Operation::reads(
        Method::GET,
        "/accounts/{id}/transactions",
        || web::to(history::list),
        openapi::list,
    ),
];

#[derive(Deserialize, ToSchema)]
#[schema(as = accounts::Open)]
struct Open {
    #[schema(value_type = Option<description::Amount>)]
    balance: Option<Box<RawValue>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = accounts::Opened)]
#[serde(rename_all = "camelCase")]
struct Opened {
    account_id: i64,
    balance: Number,
    version: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = accounts::Balance)]
struct Balance {
    balance: Number,
    version: i64,
}

/// Which way money goes, seen from the account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = accounts::Direction)]
enum Direction {
    Deposit,
    Withdraw,
}

async fn open(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let currency = service.default_currency();
    let open: Open = body::read_optional(&request, payload).await?;
    let key = idempotency::header(&request)?;
    let opening_balance = parse_opening_balance(open.balance.as_deref(), currency)?;
    let account = OpenAccount::plain(None, currency, opening_balance);
    let key = key.map(|text| key::accounts_open(text, opening_balance, currency));
    let receipt = accepted(service.open_account(account, key).await?)?;
    let standing = only_standing(&receipt)?;
    Ok(HttpResponse::Created().json(Opened {
        account_id: standing.account.0,
        balance: Number::new(standing.state.balance, standing.currency),
        version: standing.version.0,
    }))
}

async fn balance(
    service: Data<Service>,
    identity: Identity,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let account = AccountRef::Id(parse_id(&id)?);
    let head = service.find_account(account).await?;
    let head = head.filter(|head| identity.sees(head.owner));
    let head = head.ok_or(Problem::AccountNotFound)?;
    Ok(HttpResponse::Ok().json(Balance {
        balance: Number::new(head.state.balance, head.currency),
        version: head.version.0,
    }))
}

/// The receipt of what was done for the first time.
///
/// # Errors
/// Where it was done before under the same key: this dialect reports the duplicate, it does not replay. Where it was refused,
/// also before: a refused withdrawal that is called a duplicate would make its caller believe that money had moved, so the
/// refusal is given again, marked as replayed.
fn accepted(answered: Answered) -> Result<Receipt, Problem> {
    let replayed = answered.replayed;
    let refused = |rejection| idempotency::Refused {
        rejection,
        replayed,
    };
    let receipt = answered.outcome.map_err(refused)?;
    if !replayed {
        return Ok(receipt);
    }
    let opened = match receipt.kind {
        Kind::Opening => Some(only_standing(&receipt)?.account),
        _ => None,
    };
    Err(Problem::Duplicate {
        transaction: receipt.transaction,
        opened,
    })
}

/// Every command of this dialect speaks of one account.
fn only_standing(receipt: &Receipt) -> Result<&Standing, Fault> {
    receipt.standings.first().ok_or(Fault::Bug)
}

/// What a transaction is called here.
fn transaction_id(id: TransactionId) -> String {
    format!("txn{}", id.0.simple())
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn parse_id(text: &str) -> Result<AccountId, Problem> {
    let id = number::parse_positive(text).ok_or_else(|| Problem::not_positive("account id"))?;
    Ok(AccountId(id))
}

fn parse_opening_balance(
    value: Option<&RawValue>,
    currency: Currency,
) -> Result<Magnitude, Problem> {
    let amount = value.map(|value| number::parse(value, currency));
    let amount = amount
        .transpose()
        .map_err(|error| Problem::Invalid(number::complaint("balance", error, currency)))?;
    Magnitude::new(amount.unwrap_or_default())
        .ok_or_else(|| Problem::Invalid("balance must not be negative".to_owned()))
}
