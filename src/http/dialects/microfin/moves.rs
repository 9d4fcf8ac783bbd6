//! Money that moves: deposits, withdrawals and transfers between numbered accounts.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::{Asked, Problem};
use super::{Received, receive_from_service, receive_signed_in, required, string};
use crate::http::description;
use crate::http::request::{idempotency, number};
use crate::ledger::{
    AccountId, AccountRef, Currency, Fault, Head, Magnitude, Party, Posting, Side, UserId, key,
};
use crate::service::Service;

#[derive(Deserialize, ToSchema)]
#[schema(as = microfin::OneAccount)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneAccount {
    #[schema(value_type = String)]
    account_number: Option<Box<RawValue>>,
    #[schema(value_type = description::Amount)]
    amount: Option<Box<RawValue>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = microfin::TwoAccounts)]
#[serde(rename_all = "camelCase")]
pub(super) struct TwoAccounts {
    #[schema(value_type = String)]
    sender_account_number: Option<Box<RawValue>>,
    #[schema(value_type = String)]
    receiver_account_number: Option<Box<RawValue>>,
    #[schema(value_type = description::Amount)]
    amount: Option<Box<RawValue>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = microfin::Moved)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moved {
    message: &'static str,
    transaction_id: String,
    /// Of the caller's account; nobody else's is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<String>,
}

/// Between which accounts money moves.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a request, and it is looked at where it is made"
)]
enum Ends {
    Deposit { to: Head },
    Withdrawal { from: Head },
    Transfer { from: Head, to: Head },
}

pub(super) async fn deposit(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked = receive_from_service(&service, &request, payload).await?;
    let OneAccount {
        account_number,
        amount,
    } = asked.body.parse()?;
    let number = required(account_number.as_deref())?;
    let amount = required(amount.as_deref())?;
    let missing = || Problem::AccountNotFound(Asked::Deposit, Side::Target);
    let to = find_account(&service, number).await?.ok_or_else(missing)?;
    carry_out(&service, asked, Ends::Deposit { to }, amount).await
}

pub(super) async fn withdraw(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked = receive_signed_in(&service, &request, payload).await?;
    let OneAccount {
        account_number,
        amount,
    } = asked.body.parse()?;
    let number = required(account_number.as_deref())?;
    let amount = required(amount.as_deref())?;
    let missing = || Problem::AccountNotFound(Asked::Withdrawal, Side::Source);
    let from = find_account(&service, number).await?;
    let from = owned(from, asked.caller).ok_or_else(missing)?;
    carry_out(&service, asked.into(), Ends::Withdrawal { from }, amount).await
}

pub(super) async fn transfer(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked = receive_signed_in(&service, &request, payload).await?;
    let accounts: TwoAccounts = asked.body.parse()?;
    let sender = required(accounts.sender_account_number.as_deref())?;
    let receiver = required(accounts.receiver_account_number.as_deref())?;
    let amount = required(accounts.amount.as_deref())?;
    let missing = |side| Problem::AccountNotFound(Asked::Transfer, side);
    let from = find_account(&service, sender).await?;
    let from = owned(from, asked.caller).ok_or_else(|| missing(Side::Source))?;
    let to = find_account(&service, receiver).await?;
    let to = to.ok_or_else(|| missing(Side::Target))?;
    carry_out(&service, asked.into(), Ends::Transfer { from, to }, amount).await
}

/// Moves the money, and says so once it has moved.
async fn carry_out(
    service: &Service,
    asked: Received<Option<UserId>>,
    ends: Ends,
    amount: &RawValue,
) -> Result<HttpResponse, Problem> {
    let caller = asked.caller;
    let currency = ends.currency();
    let amount = ends.parse_amount(amount)?;
    let [from, to] = ends.accounts();
    let ids = [from, to].map(|account| account.map(|head| head.id));
    let key = asked.key;
    let key = key.map(|text| key::microfin_move(text, caller, ids, amount, currency));
    let owned = |from: &Head| {
        caller.map_or(AccountRef::Id(from.id), |caller| {
            AccountRef::Owned(from.id, caller)
        })
    };
    let from = party(from.map(owned));
    let to = party(to.map(|to| AccountRef::Id(to.id)));
    let posting = Posting::new(from, to, amount, currency);
    let answered = service.post(posting, Vec::new(), key).await?;
    let mut response = HttpResponse::Accepted();
    let receipt = idempotency::accepted(&mut response, answered)
        .map_err(|refused| Problem::Refused(ends.asked(), refused))?;
    let standing = receipt.standings.first().ok_or(Fault::Bug)?;
    // The giving account comes first, and whoever gives is the caller.
    let is_callers = caller.is_some() && standing.owner == caller;
    let balance = standing.state.balance.to_text(standing.currency.scale);
    Ok(response.json(Moved {
        message: ends.message(),
        transaction_id: receipt.transaction.to_string(),
        balance: is_callers.then_some(balance),
    }))
}

impl Ends {
    fn asked(&self) -> Asked {
        match self {
            Self::Deposit { .. } => Asked::Deposit,
            Self::Withdrawal { .. } => Asked::Withdrawal,
            Self::Transfer { .. } => Asked::Transfer,
        }
    }

    /// What the amount is in: what the account that it leaves holds.
    fn currency(&self) -> Currency {
        match self {
            Self::Deposit { to: account }
            | Self::Withdrawal { from: account }
            | Self::Transfer { from: account, .. } => account.currency,
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Deposit { .. } => "Deposit request accepted",
            Self::Withdrawal { .. } => "Withdrawal request accepted",
            Self::Transfer { .. } => "Transfer request accepted",
        }
    }

    /// The giving one first.
    fn accounts(&self) -> [Option<&Head>; 2] {
        match self {
            Self::Deposit { to } => [None, Some(to)],
            Self::Withdrawal { from } => [Some(from), None],
            Self::Transfer { from, to } => [Some(from), Some(to)],
        }
    }

    fn parse_amount(&self, value: &RawValue) -> Result<Magnitude, Problem> {
        let amount = number::parse(value, self.currency())
            .map_err(|_| Problem::Invalid("Invalid Input Amount"))?;
        let otherwise = match self {
            Self::Deposit { .. } => "Deposit amount must be greater than zero",
            Self::Withdrawal { .. } => "Invalid Withdrawal Amount",
            Self::Transfer { .. } => "Transfer amount must be greater than zero",
        };
        Magnitude::positive(amount).ok_or(Problem::Invalid(otherwise))
    }
}

fn party(account: Option<AccountRef>) -> Party {
    account.map_or(Party::World, Party::Account)
}

/// The account of a number, as far as its currency and its owner go. What is no number is no account.
async fn find_account(service: &Service, number: &RawValue) -> Result<Option<Head>, Problem> {
    match parse_number(number)? {
        Some(account) => Ok(service.recall_account(account).await?),
        None => Ok(None),
    }
}

/// A number is a string; of a whole number the zeros at its start are gone.
fn parse_number(value: &RawValue) -> Result<Option<AccountId>, Problem> {
    let digits = number::digits(value.get()).filter(|digits| !digits.starts_with('-'));
    let number = match digits {
        Some(digits) => format!("{digits:0>12}"),
        None => string(value)?,
    };
    Ok(AccountId::parse_number(&number))
}

/// To anybody but its owner an account that pays does not exist.
fn owned(account: Option<Head>, caller: UserId) -> Option<Head> {
    account.filter(|head| head.owner == Some(caller))
}
