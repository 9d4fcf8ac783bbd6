//! `GET /v1/currencies`: the registry, by code.

use actix_web::web::Data;
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use super::list::Order;
use super::problem::Problem;
use crate::ledger::CurrencyCode;
use crate::service::{Registered, Service};

#[derive(Serialize)]
struct Currency {
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
    let page = list.page(rows, |row| row.currency.code.to_string(), Currency::from);
    Ok(Answer::ok(&page))
}

impl From<Registered> for Currency {
    fn from(registered: Registered) -> Self {
        Self {
            code: registered.currency.code.to_string(),
            name: registered.name,
            scale: registered.currency.scale,
            crypto: registered.crypto,
        }
    }
}
