//! What is asked of the `ledger` dialect, whether it stands in a query, a form or a JSON body.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Payload;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Problem;
use crate::http::request::body::{Body, BodyError};
use crate::http::request::fields::Fields;
use crate::http::request::number;
use crate::http::request::text;
use crate::ledger::{Amount, Currency, Email, Magnitude, UserId};

/// The fields of a request: of its query, and of its body.
#[derive(Debug, Default)]
pub(in crate::http) struct Asked {
    query: Fields,
    form: Fields,
    json: Json,
}

#[derive(Debug, Default, Deserialize)]
struct Json {
    name: Option<Box<RawValue>>,
    email: Option<Box<RawValue>>,
    user_id: Option<Box<RawValue>>,
    source_user_id: Option<Box<RawValue>>,
    target_user_id: Option<Box<RawValue>>,
    account_id: Option<Box<RawValue>>,
    amount: Option<Box<RawValue>>,
    currency_type: Option<Box<RawValue>>,
}

/// A value as it was written.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// In a query or a form.
    Text(&'a str),
    Json(&'a RawValue),
}

impl Asked {
    /// What a request asks for; a `GET` has no body.
    pub(super) async fn read(request: &HttpRequest, payload: Payload) -> Result<Self, Problem> {
        let query = Fields::parse(request.query_string())?;
        if [Method::GET, Method::HEAD].contains(request.method()) {
            return Ok(Self::of(query));
        }
        let body = Body::receive(request, payload).await?;
        if body.is_blank() {
            return if query.is_empty() {
                Err(BodyError::Empty.into())
            } else {
                Ok(Self::of(query))
            };
        }
        let (form, json) = if body.is_json() {
            (Fields::default(), body.parse()?)
        } else {
            (Fields::parse(body.form()?)?, Json::default())
        };
        Ok(Self { query, form, json })
    }

    pub(in crate::http) fn of(query: Fields) -> Self {
        Self {
            query,
            ..Self::default()
        }
    }

    /// An account has an id in another dialect, which `/balance` is shared with.
    pub(super) fn refuse_account(&self, error: &str) -> Result<(), Problem> {
        match self.find("account_id")? {
            None => Ok(()),
            Some(_) => Err(invalid(error.to_owned())),
        }
    }

    pub(super) fn user(&self, field: &'static str) -> Result<UserId, Problem> {
        let id = match self.fetch(field)? {
            Value::Text(text) => number::parse_positive(text),
            Value::Json(value) => number::parse_id(value),
        };
        let id = id.map(UserId);
        id.ok_or_else(|| invalid(format!("{field} must be a positive integer")))
    }

    pub(super) fn name(&self) -> Result<String, Problem> {
        let name = self.text("name")?;
        text::check(&name, text::NAME_MAX).map_err(|error| invalid(format!("name {error}")))?;
        Ok(name)
    }

    pub(super) fn email(&self) -> Result<Email, Problem> {
        let email = self.text("email")?;
        text::parse_email(&email).map_err(|error| invalid(format!("email {error}")))
    }

    /// The name of a currency, if one is given.
    pub(super) fn find_currency(&self) -> Result<Option<String>, Problem> {
        let given = self.find("currency_type")?;
        given.map(|value| value.text("currency_type")).transpose()
    }

    pub(super) fn currency(&self) -> Result<String, Problem> {
        self.text("currency_type")
    }

    /// Greater than zero. In a query or a form it is written as a JSON number is: clients print small ones as `1e-08`.
    pub(super) fn amount(&self, currency: Currency) -> Result<Magnitude, Problem> {
        let amount = match self.fetch("amount")? {
            Value::Text(text) => Amount::parse_number(text, currency.scale),
            Value::Json(value) => number::parse(value, currency),
        };
        let amount =
            amount.map_err(|error| invalid(number::complaint("amount", error, currency)))?;
        Magnitude::positive(amount)
            .ok_or_else(|| invalid("amount must be greater than zero".to_owned()))
    }

    fn text(&self, field: &'static str) -> Result<String, Problem> {
        self.fetch(field)?.text(field)
    }

    fn fetch(&self, field: &'static str) -> Result<Value<'_>, Problem> {
        let value = self.find(field)?;
        value.ok_or_else(|| invalid(format!("{field} is required")))
    }

    fn find(&self, field: &'static str) -> Result<Option<Value<'_>>, Problem> {
        let given = [
            self.query.get(field)?.map(Value::Text),
            self.form.get(field)?.map(Value::Text),
            self.json.get(field).map(Value::Json),
        ];
        let mut given = given.into_iter().flatten();
        let value = given.next();
        if given.next().is_some() {
            return Err(invalid(format!("{field} is given more than once")));
        }
        Ok(value)
    }
}

impl Json {
    fn get(&self, field: &str) -> Option<&RawValue> {
        let value = match field {
            "name" => &self.name,
            "email" => &self.email,
            "user_id" => &self.user_id,
            "source_user_id" => &self.source_user_id,
            "target_user_id" => &self.target_user_id,
            "account_id" => &self.account_id,
            "amount" => &self.amount,
            "currency_type" => &self.currency_type,
            _ => return None,
        };
        value.as_deref()
    }
}

impl Value<'_> {
    fn text(self, field: &str) -> Result<String, Problem> {
        match self {
            Self::Text(text) => Ok(text.to_owned()),
            Self::Json(value) => serde_json::from_str(value.get())
                .map_err(|_| invalid(format!("{field} must be a string"))),
        }
    }
}

fn invalid(error: String) -> Problem {
    Problem::Invalid(error)
}
