//! `/v1/idempotency-keys`: what became of a request under a key.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::problem::Problem;
use super::{idempotency, refusal, who};
use crate::ledger::plan::Recorded;
use crate::ledger::{Fault, Kind, Receipt};
use crate::service::Service;
use crate::service::native::Looked;

#[derive(Serialize)]
struct Shown {
    key: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<RawValue>>,
}

pub(super) async fn show(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    asked.query(&[])?;
    let who = who::asks(&service, &asked).await?;
    let key = idempotency::in_path(asked.last_segment())?;
    let found = service.look_up(&who, &key).await?;
    let shown = match found.ok_or_else(Problem::not_found)? {
        Looked::Running => Shown {
            key,
            state: "running",
            status: None,
            transaction: None,
            location: None,
            problem: None,
        },
        Looked::Done(recorded) => done(key, &recorded)?,
    };
    Ok(Answer::ok(&shown))
}

fn done(key: String, recorded: &Recorded) -> Result<Shown, Fault> {
    let (status, location, problem) = match &recorded.outcome {
        Ok(receipt) => {
            let location = location(receipt);
            let status = if location.is_some() || receipt.kind == Kind::BookOpened {
                201
            } else {
                200
            };
            (status, location, None)
        }
        Err(rejection) => {
            let sight = recorded.sight.as_deref();
            let problem = refusal::problem(rejection, sight, Uuid::nil());
            let text = String::from_utf8(problem.to_bytes()).map_err(|_| Fault::Bug)?;
            let text = RawValue::from_string(text).map_err(|_| Fault::Bug)?;
            (problem.code.status().as_u16(), None, Some(text))
        }
    };
    let is_accepted = recorded.outcome.is_ok();
    Ok(Shown {
        key,
        state: "done",
        status: Some(status),
        transaction: is_accepted.then_some(recorded.transaction.0),
        location,
        problem,
    })
}

/// Where what was made is.
fn location(receipt: &Receipt) -> Option<String> {
    let first = receipt.standings.first();
    let user = receipt.more.as_ref().and_then(|more| more.user);
    match receipt.kind {
        Kind::Deposit | Kind::Withdrawal | Kind::Transfer | Kind::Transaction => {
            Some(format!("/v1/transactions/{}", receipt.transaction))
        }
        Kind::Opening => first.map(|first| format!("/v1/accounts/{}", first.account.to_number())),
        Kind::HoldPlaced => Some(format!("/v1/holds/{}", receipt.transaction)),
        Kind::UserOpened => user.map(|user| format!("/v1/users/{user}")),
        _ => None,
    }
}
