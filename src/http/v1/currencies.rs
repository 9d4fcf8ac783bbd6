//! `GET /v1/currencies`: the registry, by code.

use actix_web::web::Data;
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use super::list::Order;
use super::problem::{Flaw, Problem};
use crate::ledger::{Currency, CurrencyCode, Fault};
use crate::service::{Registered, Service};

#[derive(Serialize)]
struct Shown {
    code: String,
    name: String,
    scale: u8,
    crypto: bool,
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (_, list) = asked.list(&[])?;
    let after = list.after(CurrencyCode::parse)?;
    let mut rows = service.list_currencies().await?;
    if list.order == Order::Descending {
        rows.reverse();
    }
    if let Some(after) = after {
        rows.retain(|row| match list.order {
            Order::Descending => row.currency.code < after,
            Order::Ascending => after < row.currency.code,
        });
    }
    let page = list.page(rows, |row| row.currency.code.to_string(), Shown::from);
    Ok(Answer::ok(&page))
}

/// The currency that a field names.
///
/// # Errors
/// If the database does not answer; within that, if the registry has none of the code.
pub(super) async fn find(
    service: &Service,
    code: CurrencyCode,
    pointer: impl Into<String>,
) -> Result<Result<Currency, Flaw>, Fault> {
    let found = service.find_currency_by_code(code).await?;
    Ok(found.ok_or_else(|| Flaw::new(pointer, "is no currency of this ledger")))
}

impl From<Registered> for Shown {
    fn from(registered: Registered) -> Self {
        Self {
            code: registered.currency.code.to_string(),
            name: registered.name,
            scale: registered.currency.scale,
            crypto: registered.crypto,
        }
    }
}
