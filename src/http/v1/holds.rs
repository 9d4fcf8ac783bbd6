//! `/v1/holds`: money is set aside, captured, and let go.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::command::{Done, Request, Saying};
use super::conditional::EntityTag;
use super::object::{Object as Members, text};
use super::problem::Problem;
use super::transactions::{self, party, path_id};
use super::{currencies, decimal, shown, values, who};
use crate::ledger::{
    AccountId, Action, Capture, CurrencyCode, Fault, Figure, Hold, HoldChange, HoldId, HoldStatus,
    NewHold, Object, Party, Posting, Quantity, Version,
};
use crate::service::Service;
use crate::service::native::{HoldFilter, HoldView, Reach, Said, Who};

struct New {
    account: AccountId,
    amount: Figure,
    currency: CurrencyCode,
    expires_at: Option<DateTime<Utc>>,
    saying: Saying,
}

struct NewCapture {
    to: values::Side,
    amount: Option<Figure>,
    is_final: bool,
    may_exceed: bool,
    saying: Saying,
}

pub(super) async fn place(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let body = asked.body().await?;
    let new = body.read(New::read)?;
    let key = asked.write_key(&service)?;
    let currency = currencies::find(&service, new.currency, "/currency").await??;
    let amount = decimal::at(&new.amount, currency, "/amount")?;
    let request = Request::new(&who, &asked, &body, key, &new.saying)?.saying(&new.saying);
    let action = Action::PlaceHold(NewHold {
        account: who::account(&who, new.account),
        amount,
        currency,
        expires_at: new.expires_at,
    });
    let done = request.carry_out(&service, action).await?;
    let id = HoldId(done.receipt.transaction.0);
    let said = new.saying.into_said();
    let answer = answer(&service, &who, &done, id, Some(said)).await?;
    Ok(answer.at(format!("/v1/holds/{}", id.0)))
}

pub(super) async fn show(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.query(&[])?;
    let who = who::asks(&service, &asked).await?;
    let id = HoldId(path_id(&id));
    let view = service.view_hold(&who, id, None).await?;
    let view = view.ok_or_else(Problem::not_found)?;
    let tag = EntityTag::of_version(view.hold.version);
    let answer = Answer::ok(&shown::Hold::of(&view.hold, view.said)).tagged(tag);
    answer.unless_known(asked.headers())
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (query, list) = asked.list(&["account", "status", "expires_before"])?;
    let who = who::asks(&service, &asked).await?;
    let filter = HoldFilter {
        reach: Reach::default(),
        account: query.value("account", values::account)?,
        status: query.value("status", status)?,
        expires_before: query.value("expires_before", values::time)?,
    };
    let paging = list.paging(|text| Uuid::try_parse(text).ok().map(HoldId))?;
    let rows = service.view_holds(&who, filter, paging).await?;
    let place = |view: &HoldView| view.hold.id.0.to_string();
    let shown = |view: HoldView| shown::Hold::of(&view.hold, view.said);
    Ok(Answer::ok(&list.page(rows, place, shown)))
}

pub(super) async fn change(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let id = HoldId(path_id(&id));
    let body = asked.body().await?;
    let (amount, expires_at) = body.read(|body| {
        let amount = body.optional("amount", text(decimal::positive));
        let expires_at = body.optional("expires_at", text(values::time));
        Some((amount?, expires_at?))
    })?;
    let key = asked.key()?;
    let versions = asked.required_match(&service, &who, key.as_deref()).await?;
    let request = Request::new(&who, &asked, &body, key, &())?;
    let request = request.to(Object::Hold(id), versions);
    let change = HoldChange { amount, expires_at };
    let action = Action::ChangeHold(id, change);
    let done = request.carry_out(&service, action).await?;
    answer(&service, &who, &done, id, None).await
}

pub(super) async fn capture(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let id = HoldId(path_id(&id));
    let body = asked.body().await?;
    let new = body.read(NewCapture::read)?;
    let to = party(new.to);
    who::check_side(&who, &to)?;
    let versions = find_versions(&asked)?;
    let key = asked.write_key(&service)?;
    let request = Request::new(&who, &asked, &body, key, &new.saying)?.saying(&new.saying);
    let request = request.to(Object::Hold(id), versions);
    let posting = Posting {
        from: Party::Hold(Capture {
            hold: id,
            is_final: new.is_final,
            may_exceed: new.may_exceed,
        }),
        to,
        amount: new.amount.map_or(Quantity::All, Quantity::Written),
        currency: None,
    };
    let done = request.carry_out(&service, Action::post(posting)).await?;
    let said = transactions::said(&service, &who, &done, new.saying).await?;
    let (hold, placed) = hold_after(&service, &who, &done, id, None).await?;
    let transaction = shown::Transaction::of(&done.receipt, said, None, &who.reach);
    let transaction = transaction.with_hold(shown::Hold::of(&hold, placed));
    let answer = Answer::new(StatusCode::CREATED, &transaction).tagged_by_body();
    let location = format!("/v1/transactions/{}", done.receipt.transaction);
    Ok(done.mark(answer.at(location)))
}

pub(super) async fn void(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let id = HoldId(path_id(&id));
    let body = asked.optional_body().await?;
    body.read(|_| Some(()))?;
    let versions = find_versions(&asked)?;
    let key = asked.write_key(&service)?;
    let request = Request::new(&who, &asked, &body, key, &())?;
    let request = request.to(Object::Hold(id), versions);
    let done = request.carry_out(&service, Action::VoidHold(id)).await?;
    answer(&service, &who, &done, id, None).await
}

/// What is said of the hold is known only to whoever places it.
async fn answer(
    service: &Service,
    who: &Who,
    done: &Done,
    id: HoldId,
    placed: Option<Said>,
) -> Result<Answer, Problem> {
    let status = if placed.is_some() {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let (hold, said) = hold_after(service, who, done, id, placed).await?;
    let tag = EntityTag::of_version(hold.version);
    let answer = Answer::new(status, &shown::Hold::of(&hold, said));
    Ok(done.mark(answer.tagged(tag)))
}

/// Which versions the hold may have, if somebody says so.
fn find_versions(asked: &Asked) -> Result<Option<Vec<Version>>, Problem> {
    Ok(asked.find_match()?.and_then(|known| known.versions()))
}

/// The hold as the command left it, now or when it was first asked. It is read if it is not known already.
async fn hold_after(
    service: &Service,
    who: &Who,
    done: &Done,
    id: HoldId,
    said: Option<Said>,
) -> Result<(Hold, Said), Problem> {
    let more = done.receipt.more.as_deref().filter(|_| !done.is_replay);
    let hold = more.and_then(|more| more.hold.clone());
    if let Some(known) = hold.zip(said) {
        return Ok(known);
    }
    // Its account is the one that gives, which comes first.
    let standing = done.receipt.standings.first().ok_or(Fault::Bug)?;
    let view = service.view_hold(who, id, Some(standing.version)).await?;
    let view = view.ok_or(Fault::Bug)?;
    Ok((view.hold, view.said))
}

impl New {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let account = body.required("account", text(values::account));
        let amount = body.required("amount", text(decimal::positive));
        let currency = body.required("currency", text(values::currency));
        let expires_at = body.optional("expires_at", text(values::time));
        let saying = Saying::read(body);
        Some(Self {
            account: account?,
            amount: amount?,
            currency: currency?,
            expires_at: expires_at?,
            saying: saying?,
        })
    }
}

impl NewCapture {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let to = body.required("to", text(values::side));
        let amount = body.optional("amount", text(decimal::positive));
        let is_final = body.optional("final", values::boolean);
        let may_exceed = body.optional("overcapture", values::boolean);
        let saying = Saying::read(body);
        Some(Self {
            to: to?,
            amount: amount?,
            is_final: is_final?.unwrap_or(true),
            may_exceed: may_exceed?.unwrap_or(false),
            saying: saying?,
        })
    }
}

fn status(text: &str) -> Result<HoldStatus, String> {
    HoldStatus::parse(text).ok_or_else(|| "must be active, captured, voided or expired".to_owned())
}
