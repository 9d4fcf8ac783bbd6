//! The `ledger` dialect: users with an account for each crypto currency, asked by query, form or JSON.

mod asked;
mod error;
mod openapi;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, VARY};
use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use self::asked::Asked;
use self::error::{Operation as Asking, Problem};
use crate::http::access::Identity;
use crate::http::operation::Operation;
use crate::http::request::fields::Fields;
use crate::http::request::idempotency;
use crate::http::request::number::Number;
use crate::ledger::{
    AccountRef, Fault, FirstAccount, Magnitude, NamedAccount, OpenUser, Party, Posting, Receipt,
    UserId, key,
};
use crate::service::{Registered, Service};

pub(in crate::http) use self::openapi::{balances, greeting};

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::writes(
        Method::GET,
        "/create",
        || web::to(create),
        openapi::get_create,
    ),
    Operation::writes(
        Method::POST,
        "/create",
        || web::to(create),
        openapi::post_create,
    ),
    Operation::writes(
        Method::GET,
        "/deposit",
        || web::to(deposit),
        openapi::get_deposit,
    ),
    Operation::writes(
        Method::POST,
        "/deposit",
        || web::to(deposit),
        openapi::post_deposit,
    ),
    Operation::writes(
        Method::GET,
        "/withdraw",
        || web::to(withdraw),
        openapi::get_withdraw,
    ),
    Operation::writes(
        Method::POST,
        "/withdraw",
        || web::to(withdraw),
        openapi::post_withdraw,
    ),
    Operation::writes(
        Method::GET,
        "/transfer",
        || web::to(transfer),
        openapi::get_transfer,
    ),
    Operation::writes(
        Method::POST,
        "/transfer",
        || web::to(transfer),
        openapi::post_transfer,
    ),
    Operation::reads(
        Method::POST,
        "/balance",
        || web::to(post_balance),
        openapi::post_balance,
    ),
];

#[derive(Serialize, ToSchema)]
#[schema(as = ledger::Created)]
struct Created {
    user_id: i64,
    name: String,
    email: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ledger::Moved)]
struct Moved {
    transaction_id: String,
    user_id: i64,
    amount: Number,
    currency_type: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ledger::Transferred)]
struct Transferred {
    transaction_id: String,
    source_user_id: i64,
    target_user_id: i64,
    amount: Number,
    currency_type: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ledger::Welcome)]
struct Welcome {
    message: &'static str,
}

/// A user's balances, each under the name of its currency.
pub(in crate::http) struct Balances {
    user: UserId,
    balances: Vec<(String, Number)>,
}

/// `GET /`, for everybody but a browser.
pub(in crate::http) fn welcome() -> HttpResponse {
    let message = "Welcome!";
    HttpResponse::Ok()
        .insert_header((VARY, "Accept"))
        .json(Welcome { message })
}

/// `GET /balance`, where it is this dialect's.
pub(in crate::http) async fn balance(
    service: &Service,
    identity: &Identity,
    query: Fields,
) -> HttpResponse {
    let shown = async {
        let asked = Asked::of(query);
        asked.refuse_account("user_id and account_id may not be given together")?;
        show(service, identity, &asked).await
    };
    answer(shown.await)
}

async fn post_balance(
    service: Data<Service>,
    identity: Identity,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let shown = async {
        let asked = Asked::read(&request, payload).await?;
        asked.refuse_account("account_id is for GET, POST takes user_id")?;
        show(&service, &identity, &asked).await
    };
    answer(shown.await)
}

async fn create(service: Data<Service>, request: HttpRequest, payload: Payload) -> HttpResponse {
    uncached(open(&service, &request, payload).await)
}

async fn deposit(service: Data<Service>, request: HttpRequest, payload: Payload) -> HttpResponse {
    uncached(change(&service, &request, payload, Asking::Deposit).await)
}

async fn withdraw(service: Data<Service>, request: HttpRequest, payload: Payload) -> HttpResponse {
    uncached(change(&service, &request, payload, Asking::Withdrawal).await)
}

async fn transfer(service: Data<Service>, request: HttpRequest, payload: Payload) -> HttpResponse {
    uncached(pay(&service, &request, payload).await)
}

async fn open(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (asked, key) = read_write(request, payload).await?;
    let (name, email) = (asked.name()?, asked.email()?);
    let key = key.map(|text| key::ledger_create(text, &name, &email));
    let typed = email.typed().to_owned();
    let user = OpenUser {
        name: Some(name.clone()),
        email: Some(email),
        password_hash: None,
        session: None,
        account: Some(FirstAccount {
            currency: service.default_currency(),
            opening_balance: Magnitude::ZERO,
        }),
    };
    let answered = service.open_user(user, key).await?;
    let replayed = answered.replayed;
    let mut response = HttpResponse::Ok();
    let receipt = idempotency::accepted(&mut response, answered).map_err(Problem::creating)?;
    let opened = receipt.standings.first();
    let user = opened.and_then(|standing| standing.owner);
    let user = user.ok_or(Fault::Bug)?;
    // The key is the same in another case, and the answer is that of the first time.
    let first = if replayed {
        service.find_email(user).await?
    } else {
        None
    };
    Ok(response.json(Created {
        user_id: user.0,
        name,
        email: first.unwrap_or(typed),
    }))
}

async fn change(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
    asking: Asking,
) -> Result<HttpResponse, Problem> {
    let (asked, key) = read_write(request, payload).await?;
    let user = asked.user("user_id")?;
    let registered = crypto(service, &asked.currency()?).await?;
    let currency = registered.currency;
    let amount = asked.amount(currency)?;
    let change = match asking {
        Asking::Withdrawal => amount.amount().negated(),
        Asking::Deposit | Asking::Transfer | Asking::Creation => amount.amount(),
    };
    let key = key.map(|text| key::ledger_change(text, user, change, currency));
    let posting = Posting::change(account(user, &registered), change, currency);
    let answered = service.post(posting, Vec::new(), key).await?;
    let mut response = HttpResponse::Ok();
    let receipt = idempotency::accepted(&mut response, answered);
    let receipt = receipt.map_err(|refused| Problem::Refused(asking, refused))?;
    Ok(response.json(Moved {
        transaction_id: transaction_id(&receipt),
        user_id: user.0,
        amount: Number::shortest(amount.amount(), currency),
        currency_type: registered.name,
    }))
}

async fn pay(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (asked, key) = read_write(request, payload).await?;
    let (source, target) = (asked.user("source_user_id")?, asked.user("target_user_id")?);
    let registered = crypto(service, &asked.currency()?).await?;
    let currency = registered.currency;
    let amount = asked.amount(currency)?;
    let users = [source, target];
    let key = key.map(|text| key::ledger_transfer(text, users, amount, currency));
    let [from, to] = users.map(|user| Party::Account(account(user, &registered)));
    let posting = Posting::new(from, to, amount, currency);
    let answered = service.post(posting, Vec::new(), key).await?;
    let mut response = HttpResponse::Ok();
    let receipt = idempotency::accepted(&mut response, answered);
    let receipt = receipt.map_err(|refused| Problem::Refused(Asking::Transfer, refused))?;
    Ok(response.json(Transferred {
        transaction_id: transaction_id(&receipt),
        source_user_id: source.0,
        target_user_id: target.0,
        amount: Number::shortest(amount.amount(), currency),
        currency_type: registered.name,
    }))
}

async fn show(
    service: &Service,
    identity: &Identity,
    asked: &Asked,
) -> Result<HttpResponse, Problem> {
    let user = asked.user("user_id")?;
    if !identity.sees(Some(user)) {
        return Err(Problem::UserNotFound);
    }
    let shown = if let Some(name) = asked.find_currency()? {
        vec![crypto(service, &name).await?]
    } else {
        let mut all = service.list_currencies().await?;
        all.retain(|registered| registered.crypto);
        all
    };
    let currencies: Vec<_> = shown.iter().map(|registered| registered.currency).collect();
    let balances = service.find_balances(user, &currencies).await?;
    let balances = balances.ok_or(Problem::UserNotFound)?;
    let balances = shown.into_iter().zip(balances);
    let balances = balances.map(|(registered, balance)| {
        let number = Number::shortest(balance, registered.currency);
        (registered.name, number)
    });
    Ok(HttpResponse::Ok().json(Balances {
        user,
        balances: balances.collect(),
    }))
}

/// What a request that writes asks for, and its key.
async fn read_write(
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Asked, Option<String>), Problem> {
    let asked = Asked::read(request, payload).await?;
    Ok((asked, idempotency::header(request)?))
}

/// A currency that this dialect shows.
async fn crypto(service: &Service, name: &str) -> Result<Registered, Problem> {
    let registered = service.find_currency(name).await?;
    registered
        .filter(|registered| registered.crypto)
        .ok_or(Problem::UnknownCurrency)
}

fn account(user: UserId, registered: &Registered) -> AccountRef {
    AccountRef::Named(NamedAccount::of_user(user, registered.currency))
}

fn transaction_id(receipt: &Receipt) -> String {
    receipt.transaction.to_string()
}

fn answer(answered: Result<HttpResponse, Problem>) -> HttpResponse {
    answered.unwrap_or_else(|problem| problem.error_response())
}

/// The answer to a write is nobody's to keep, however it was asked.
fn uncached(answered: Result<HttpResponse, Problem>) -> HttpResponse {
    let mut response = answer(answered);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Serialize for Balances {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user_id", &self.user.0)?;
        for (name, balance) in &self.balances {
            map.serialize_entry(name, balance)?;
        }
        map.end()
    }
}
