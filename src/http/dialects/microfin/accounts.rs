//! Accounts: opened one by one, and listed to their owner.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Asked, INVALID_INPUT, Problem};
use super::{receive_signed_in, session};
use crate::http::request::fields::Fields;
use crate::http::request::idempotency;
use crate::ledger::{AccountId, Fault, Head, Magnitude, OpenAccount, key};
use crate::service::Service;

/// Accounts on a page, at most.
pub(super) const PAGE_MAX: u8 = 100;

#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Opened)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    message: &'static str,
    account_number: String,
    balance: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Accounts)]
pub(super) struct Page {
    accounts: Vec<Account>,
    /// The last account here, where there are more.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Account)]
struct Account {
    #[serde(rename = "accountNumber")]
    number: String,
    currency: String,
    balance: String,
    version: i64,
}

/// By `GET` as well, as its clients ask: no cache may answer in its place.
pub(super) async fn open(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked = receive_signed_in(&service, &request, payload).await?;
    let currency = service.default_currency();
    let key = asked.key;
    let key = key.map(|text| key::microfin_open(text, asked.caller, currency));
    let account = OpenAccount::plain(Some(asked.caller), currency, Magnitude::ZERO);
    let answered = service.open_account(account, key).await?;
    let mut response = HttpResponse::Ok();
    let receipt = idempotency::accepted(&mut response, answered)
        .map_err(|refused| Problem::Refused(Asked::Opening, refused))?;
    let standing = receipt.standings.first().ok_or(Fault::Bug)?;
    let no_store = (CACHE_CONTROL, "no-store");
    Ok(response.insert_header(no_store).json(Opened {
        message: "New Account Created Successfully",
        account_number: standing.account.to_number(),
        balance: "0",
    }))
}

pub(super) async fn list(
    service: Data<Service>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let caller = session::caller(&service, &request).await?;
    let (after, limit) = parse_page(request.query_string())?;
    // One more than is shown says whether there is a next page.
    let heads = service
        .list_accounts(caller, after, limit.saturating_add(1))
        .await?;
    let shown = heads.get(..usize::from(limit));
    let last = shown
        .filter(|shown| shown.len() < heads.len())
        .and_then(<[Head]>::last);
    let accounts = shown.unwrap_or(&heads).iter();
    Ok(HttpResponse::Ok().json(Page {
        accounts: accounts.map(Account::from).collect(),
        next: last.map(|head| head.id.to_number()),
    }))
}

impl From<&Head> for Account {
    fn from(head: &Head) -> Self {
        Self {
            number: head.id.to_number(),
            currency: head.currency.code.to_string(),
            balance: head.state.balance.to_text(head.currency.scale),
            version: head.version.0,
        }
    }
}

/// The account that a page comes after, and how many accounts it shows.
fn parse_page(query: &str) -> Result<(AccountId, u8), Problem> {
    let invalid = || Problem::Invalid(INVALID_INPUT);
    let fields = Fields::parse(query).map_err(|_| invalid())?;
    let after = match fields.get("after").map_err(|_| invalid())? {
        Some(number) => AccountId::parse_number(number).ok_or_else(invalid)?,
        None => AccountId(0),
    };
    let limit = match fields.get("limit").map_err(|_| invalid())? {
        Some(limit) => limit.parse().map_err(|_| invalid())?,
        None => PAGE_MAX,
    };
    if (1..=PAGE_MAX).contains(&limit) {
        Ok((after, limit))
    } else {
        Err(invalid())
    }
}
