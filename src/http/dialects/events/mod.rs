//! The `events` dialect: accounts that callers name, moved by events, in a book that can be reset.

mod chain;
mod error;
mod openapi;

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::error::Problem;
use crate::http::access::{Identity, Needs};
use crate::http::operation::Operation;
use crate::http::request::fields::Fields;
use crate::http::request::number::{self, Number};
use crate::http::request::{body, idempotency};
use crate::http::settings::Resets;
use crate::ledger::access::Scope;
use crate::ledger::{
    AccountName, AccountRef, BookName, Currency, Fault, Magnitude, NamedAccount, Party, Posting,
    Receipt, Standing, key,
};
use crate::service::Service;

/// The longest id of an account, in characters.
const ID_MAX: usize = 128;

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::writes(Method::POST, "/reset", || web::to(reset), openapi::reset)
        .needs(Needs::Key(Scope::Admin)),
    Operation::writes(Method::POST, "/event", || web::to(event), openapi::event),
    Operation::reads(
        Method::GET,
        "/chain",
        || web::to(chain::show),
        openapi::chain,
    ),
];

/// What is asked; which fields count depends on the type.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<Box<RawValue>>,
    origin: Option<Box<RawValue>>,
    destination: Option<Box<RawValue>>,
    amount: Option<Box<RawValue>>,
}

/// What is answered: each side of what moved that has an account.
#[derive(Serialize, ToSchema)]
#[schema(as = events::Moved)]
struct Moved<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<Side<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = events::Side)]
struct Side<'a> {
    id: &'a str,
    balance: Number,
}

/// Between which accounts money moves, as they are called here. Without one of them, it is the world.
struct Ends {
    origin: Option<String>,
    destination: Option<String>,
}

async fn reset(
    service: Data<Service>,
    resets: Data<Resets>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if *resets.get_ref() == Resets::Refused {
        return Err(Problem::ResetRefused);
    }
    let key = idempotency::header(&request)?;
    let key = key.map(key::events_reset);
    let answered = service.reset_book(BookName::EVENTS, key).await?;
    let mut response = HttpResponse::Ok();
    idempotency::accepted(&mut response, answered)?;
    Ok(response
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body("OK"))
}

/// `GET /balance`, where it is this dialect's.
pub(in crate::http) async fn balance(
    service: &Service,
    identity: &Identity,
    fields: &Fields,
) -> HttpResponse {
    let shown = async {
        let id = account_id(fields)?;
        // It belongs to nobody.
        if !identity.sees(None) {
            return Err(Problem::AccountNotFound);
        }
        let account = service.find_account(account(&id)?).await?;
        let head = account.ok_or(Problem::AccountNotFound)?;
        Ok(HttpResponse::Ok().json(Number::shortest(head.state.balance, head.currency)))
    };
    shown
        .await
        .unwrap_or_else(|problem: Problem| problem.error_response())
}

async fn event(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let currency = service.default_currency();
    let event: Event = body::read(&request, payload).await?;
    let key = idempotency::header(&request)?;
    let ends = event.ends()?;
    let amount = parse_amount(event.amount.as_deref(), currency)?;
    let (origin, destination) = (ends.origin.as_deref(), ends.destination.as_deref());
    let key = key.map(|text| key::events_event(text, origin, destination, amount, currency));
    let from = origin.map_or(Ok(Party::World), party)?;
    let to = destination.map_or(Ok(Party::World), party)?;
    let posting = Posting::new(from, to, amount, currency);
    let answered = service.post(posting, Vec::new(), key).await?;
    let mut response = HttpResponse::Created();
    let receipt = idempotency::accepted(&mut response, answered)?;
    Ok(response.json(ends.moved(&receipt)))
}

impl Event {
    fn ends(&self) -> Result<Ends, Problem> {
        let kind = self.kind.as_deref().ok_or(Problem::Missing("type"))?;
        let kind: String = serde_json::from_str(kind.get())
            .map_err(|_| Problem::Invalid("type must be a string".to_owned()))?;
        let (gives, takes) = match kind.as_str() {
            "deposit" => (false, true),
            "withdraw" => (true, false),
            "transfer" => (true, true),
            _ => {
                return Err(Problem::Invalid(
                    "type must be deposit, withdraw or transfer".to_owned(),
                ));
            }
        };
        let origin = gives.then(|| parse_id("origin", self.origin.as_deref()));
        let origin = origin.transpose()?;
        let destination = takes.then(|| parse_id("destination", self.destination.as_deref()));
        let destination = destination.transpose()?;
        Ok(Ends {
            origin,
            destination,
        })
    }
}

impl Ends {
    /// The giving account comes first in a receipt.
    fn moved<'a>(&'a self, receipt: &Receipt) -> Moved<'a> {
        let mut standings = receipt.standings.iter();
        let mut side = |id: &'a String| standings.next().map(|standing| Side::new(id, standing));
        Moved {
            origin: self.origin.as_ref().and_then(&mut side),
            destination: self.destination.as_ref().and_then(side),
        }
    }
}

impl<'a> Side<'a> {
    fn new(id: &'a str, standing: &Standing) -> Self {
        Self {
            id,
            balance: Number::shortest(standing.state.balance, standing.currency),
        }
    }
}

/// The id in a query.
fn account_id(fields: &Fields) -> Result<String, Problem> {
    let id = fields.get("account_id")?;
    check_id(
        "account_id",
        id.ok_or(Problem::Missing("account_id"))?.to_owned(),
    )
}

/// An id is a string; a whole number stands for its digits.
fn parse_id(field: &'static str, value: Option<&RawValue>) -> Result<String, Problem> {
    let text = value.ok_or(Problem::Missing(field))?.get();
    let id = match number::digits(text) {
        Some(digits) => digits,
        None => serde_json::from_str(text).map_err(|_| Problem::BadId(field))?,
    };
    check_id(field, id)
}

fn check_id(field: &'static str, id: String) -> Result<String, Problem> {
    let length = id.chars().count();
    if (1..=ID_MAX).contains(&length) && !id.contains('\0') {
        Ok(id)
    } else {
        Err(Problem::BadId(field))
    }
}

fn account(id: &str) -> Result<AccountRef, Problem> {
    Ok(AccountRef::Named(NamedAccount {
        book: BookName::EVENTS,
        name: AccountName::parse(id).ok_or(Fault::Bug)?,
        owner: None,
    }))
}

fn party(id: &str) -> Result<Party, Problem> {
    account(id).map(Party::Account)
}

fn parse_amount(value: Option<&RawValue>, currency: Currency) -> Result<Magnitude, Problem> {
    let value = value.ok_or(Problem::Missing("amount"))?;
    let amount = number::parse(value, currency)
        .map_err(|error| Problem::Invalid(number::complaint("amount", error, currency)))?;
    Magnitude::positive(amount)
        .ok_or_else(|| Problem::Invalid("amount must be greater than zero".to_owned()))
}
