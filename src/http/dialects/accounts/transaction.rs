//! `POST /accounts/{id}/transactions`: money into an account or out of it, at a version where one is expected.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::Problem;
use super::{Direction, accepted, only_standing, parse_id};
use super::{timestamp, transaction_id};
use crate::http::description;
use crate::http::request::number::{self, Number};
use crate::http::request::{body, idempotency};
use crate::ledger::{
    AccountRef, Condition, Currency, Fault, Magnitude, Posting, Receipt, Rule, Version, key,
};
use crate::service::Service;

/// What is asked; each field has a friendlier name too, and is given under one of the two.
#[derive(Deserialize, ToSchema)]
#[schema(as = accounts::Transaction)]
pub(super) struct Transaction {
    #[serde(rename = "moneyWithdraw/Deposit")]
    #[schema(value_type = Option<description::Amount>)]
    money: Option<Box<RawValue>>,
    #[schema(value_type = Option<description::Amount>)]
    amount: Option<Box<RawValue>>,
    #[serde(rename = "typeOfTransaction")]
    #[schema(value_type = Option<String>)]
    direction: Option<Box<RawValue>>,
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    kind: Option<Box<RawValue>>,
    #[schema(value_type = Option<description::Digits>)]
    expectedversion: Option<Box<RawValue>>,
    #[serde(rename = "expectedVersion")]
    #[schema(value_type = Option<description::Digits>)]
    expected_version: Option<Box<RawValue>>,
}

/// A field under the name that it is given under, or the first that it has.
struct Field<'a> {
    name: &'static str,
    value: Option<&'a RawValue>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = accounts::Made)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    id: String,
    #[serde(rename = "type")]
    direction: Direction,
    amount: Number,
    new_balance: Number,
    /// A string, whatever the version is elsewhere.
    new_version: String,
    timestamp: String,
}

pub(super) async fn make(
    service: Data<Service>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let transaction: Transaction = body::read(&request, payload).await?;
    let account = parse_id(&id)?;
    let direction = parse_direction(&transaction.direction()?)?;
    let expected_version = parse_version(&transaction.version()?)?;
    let amount = transaction.amount()?;
    let key = idempotency::header(&request)?;
    let head = service.recall_account(account).await?;
    let head = head.ok_or(Problem::AccountNotFound)?;
    let currency = head.currency;
    let amount = parse_amount(&amount, currency)?;
    let change = match direction {
        Direction::Deposit => amount.amount(),
        Direction::Withdraw => amount.amount().negated(),
    };
    let key =
        key.map(|text| key::accounts_transact(text, account, change, currency, expected_version));
    let account = AccountRef::Id(account);
    let condition = |version| Condition {
        account: account.clone(),
        rule: Rule::VersionOfFunded(version),
        place: 0,
    };
    let conditions = expected_version.map(condition).into_iter().collect();
    let posting = Posting::change(account, change, currency);
    let answered = service.post(posting, conditions, key).await;
    let answered = answered.map_err(|fault| Problem::Fault(fault, Some(head.version)))?;
    let receipt = accepted(answered)?;
    let made = Made::new(direction, amount, &receipt)?;
    Ok(HttpResponse::Created().json(made))
}

impl Transaction {
    fn amount(&self) -> Result<Field<'_>, Problem> {
        let first = Field::new("moneyWithdraw/Deposit", self.money.as_deref());
        first.or("amount", self.amount.as_deref())
    }

    fn direction(&self) -> Result<Field<'_>, Problem> {
        let first = Field::new("typeOfTransaction", self.direction.as_deref());
        first.or("type", self.kind.as_deref())
    }

    fn version(&self) -> Result<Field<'_>, Problem> {
        let first = Field::new("expectedversion", self.expectedversion.as_deref());
        first.or("expectedVersion", self.expected_version.as_deref())
    }
}

impl<'a> Field<'a> {
    fn new(name: &'static str, value: Option<&'a RawValue>) -> Self {
        Self { name, value }
    }

    /// The same field, if it is given under its other name.
    fn or(self, name: &'static str, value: Option<&'a RawValue>) -> Result<Self, Problem> {
        match (self.value, value) {
            (Some(_), Some(_)) => {
                let error = format!("{} and {name} are the same field", self.name);
                Err(Problem::Invalid(error))
            }
            (None, Some(_)) => Ok(Self { name, value }),
            (Some(_) | None, None) => Ok(self),
        }
    }
}

impl Made {
    fn new(direction: Direction, amount: Magnitude, receipt: &Receipt) -> Result<Self, Fault> {
        let standing = only_standing(receipt)?;
        Ok(Self {
            id: transaction_id(receipt.transaction),
            direction,
            amount: Number::new(amount.amount(), standing.currency),
            new_balance: Number::new(standing.state.balance, standing.currency),
            new_version: standing.version.0.to_string(),
            timestamp: timestamp(receipt.created_at),
        })
    }
}

fn parse_direction(field: &Field) -> Result<Direction, Problem> {
    const NAMES: [(&str, Direction); 4] = [
        ("deposit", Direction::Deposit),
        ("credit", Direction::Deposit),
        ("withdraw", Direction::Withdraw),
        ("debit", Direction::Withdraw),
    ];
    let value = field.value.ok_or_else(|| Problem::missing(field.name))?;
    let text: Option<String> = serde_json::from_str(value.get()).ok();
    let text = text.unwrap_or_default();
    let mut names = NAMES.into_iter();
    names
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, direction)| direction)
        .ok_or_else(|| Problem::Invalid(format!("{} must be Deposit or Withdraw", field.name)))
}

/// A whole number, or its digits in a string: that is how `newVersion` is given out.
fn parse_version(field: &Field) -> Result<Option<Version>, Problem> {
    let Some(value) = field.value else {
        return Ok(None);
    };
    let version = number::parse_id(value);
    version
        .map(|version| Some(Version(version)))
        .ok_or_else(|| Problem::not_positive(field.name))
}

fn parse_amount(field: &Field, currency: Currency) -> Result<Magnitude, Problem> {
    let value = field.value.ok_or_else(|| Problem::missing(field.name))?;
    let amount = number::parse(value, currency);
    let amount =
        amount.map_err(|error| Problem::Invalid(number::complaint("amount", error, currency)))?;
    Magnitude::positive(amount)
        .ok_or_else(|| Problem::Invalid("amount must be greater than zero".to_owned()))
}
