//! `GET /accounts/{id}/transactions`: what went into an account and out of it, newest first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::{Direction, parse_id, timestamp, transaction_id};
use crate::http::access::Identity;
use crate::http::request::fields::Fields;
use crate::http::request::number::{self, Number};
use crate::ledger::{AccountRef, Currency, Version};
use crate::service::{JournalEntry, Page, Service};

#[derive(Serialize, ToSchema)]
#[schema(as = accounts::Transactions)]
pub(super) struct Transactions {
    transactions: Vec<Entry>,
    /// What `before` is for the next page.
    next: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = accounts::Entry)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    #[serde(rename = "type")]
    direction: Direction,
    amount: Number,
    new_balance: Number,
    new_version: String,
    timestamp: String,
    /// The other account of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty: Option<i64>,
}

pub(super) async fn list(
    service: Data<Service>,
    identity: Identity,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let account = parse_id(&id)?;
    let fields = Fields::parse(request.query_string())?;
    let limit = fields.limit()?;
    let before = match fields.get("before")?.map(number::parse_positive) {
        None => Version(i64::MAX),
        Some(Some(before)) => Version(before),
        Some(None) => return Err(Problem::not_positive("before")),
    };
    if identity.person().is_some() {
        let head = service.find_account(AccountRef::Id(account)).await?;
        let own = head.filter(|head| identity.sees(head.owner));
        own.ok_or(Problem::AccountNotFound)?;
    }
    let page = service.list_entries(account, before, limit).await?;
    let page = page.ok_or(Problem::AccountNotFound)?;
    Ok(HttpResponse::Ok().json(Transactions::new(&page)))
}

impl Transactions {
    fn new(page: &Page) -> Self {
        let entries = page.entries.iter();
        let entries = entries.map(|entry| Entry::new(entry, page.head.currency));
        Self {
            transactions: entries.collect(),
            next: page.next.map(|version| version.0),
        }
    }
}

impl Entry {
    fn new(entry: &JournalEntry, currency: Currency) -> Self {
        let sealed = &entry.sealed.entry;
        let change = sealed.change;
        let direction = if change.amount().is_negative() {
            Direction::Withdraw
        } else {
            Direction::Deposit
        };
        Self {
            id: transaction_id(sealed.transaction),
            direction,
            amount: Number::new(change.amount().magnitude().amount(), currency),
            new_balance: Number::new(sealed.after.balance, currency),
            new_version: sealed.version.0.to_string(),
            timestamp: timestamp(sealed.created_at),
            counterparty: change.counterparty().map(|account| account.0),
        }
    }
}
