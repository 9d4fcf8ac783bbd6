//! `/v1/transactions`: money moves, all or nothing; and what was accepted is shown.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::command::{Done, Request, Saying};
use super::object::{Object as Members, text};
use super::problem::{Flaw, Problem};
use super::{conditions, currencies, decimal, metadata, shown, values, who};
use crate::ledger::{
    AccountRef, Action, Capture, Condition, Currency, CurrencyCode, Fault, Figure, HoldId, Object,
    Party, Posting, Quantity, TransactionId,
};
use crate::service::Service;
use crate::service::native::{Reach, Said, TransactionFilter, TransactionView, Who};

/// How many postings a transaction has at most.
const POSTINGS_MAX: usize = 100;

struct New {
    postings: Vec<Written>,
    conditions: Vec<Condition>,
    saying: Saying,
    is_dry: bool,
}

/// A posting as it is written: its currency is looked up in the registry.
struct Written {
    from: Party,
    to: Party,
    amount: Option<Figure>,
    currency: CurrencyCode,
}

pub(super) async fn post(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let body = asked.body().await?;
    let mut new = body.read(New::read)?;
    let key = if new.is_dry {
        asked.key()?
    } else {
        asked.write_key(&service)?
    };
    let mut postings = in_currencies(&service, new.postings).await?;
    who::keep_to_own(&who, &mut postings, &mut new.conditions)?;
    let request = Request::new(&who, &asked, &body, key, &new.saying)?;
    let request = request.on(new.conditions, new.is_dry).saying(&new.saying);
    let done = request.carry_out(&service, Action::Post(postings)).await?;
    if new.is_dry {
        let said = new.saying.into_said();
        return Ok(Answer::ok(&shown::Transaction::of(
            &done.receipt,
            said,
            None,
            &who.reach,
        )));
    }
    answer(&service, &who, &done, new.saying).await
}

pub(super) async fn reverse(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let id = TransactionId(path_id(&id));
    let body = asked.optional_body().await?;
    let saying = body.read(Saying::read)?;
    let key = asked.write_key(&service)?;
    let request = Request::new(&who, &asked, &body, key, &saying)?;
    let request = request.to(Object::Transaction(id), None).saying(&saying);
    let done = request.carry_out(&service, Action::Reverse(id)).await?;
    answer(&service, &who, &done, saying).await
}

pub(super) async fn show(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.query(&[])?;
    let who = who::asks(&service, &asked).await?;
    let id = TransactionId(path_id(&id));
    let view = service.view_transaction(&who, id).await?;
    let view = view.ok_or_else(Problem::not_found)?;
    let answer = Answer::ok(&shown_whole(view, &who)).tagged_by_body();
    answer.unless_known(asked.headers())
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (query, list) = asked.list(&[
        "account",
        "reference",
        "from",
        "to",
        "effective_from",
        "effective_to",
        "metadata.",
    ])?;
    let who = who::asks(&service, &asked).await?;
    let account = query.value("account", values::account)?;
    let filter = TransactionFilter {
        reach: Reach::default(),
        account,
        reference: query.value("reference", values::reference)?,
        metadata: query.metadata(),
        from: query.value("from", values::time)?,
        to: query.value("to", values::time)?,
        effective_from: query.value("effective_from", values::time)?,
        effective_to: query.value("effective_to", values::time)?,
    };
    let paging = list.paging(|text| Uuid::try_parse(text).ok().map(TransactionId))?;
    let is_seen = match account {
        None => true,
        Some(account) => service.view_account(&who, account, None).await?.is_some(),
    };
    let rows = if is_seen {
        service.view_transactions(&who, filter, paging).await?
    } else {
        Vec::new()
    };
    let place = |view: &TransactionView| view.receipt.transaction.to_string();
    Ok(Answer::ok(
        &list.page(rows, place, |view| shown_whole(view, &who)),
    ))
}

fn shown_whole(view: TransactionView, who: &Who) -> shown::Transaction {
    shown::Transaction::of(&view.receipt, view.said, view.reversed_by, &who.reach)
}

/// The transaction as it was when it was first answered.
pub(super) async fn answer(
    service: &Service,
    who: &Who,
    done: &Done,
    saying: Saying,
) -> Result<Answer, Problem> {
    let said = said(service, who, done, saying).await?;
    let transaction = shown::Transaction::of(&done.receipt, said, None, &who.reach);
    let answer = Answer::new(StatusCode::CREATED, &transaction).tagged_by_body();
    let location = format!("/v1/transactions/{}", done.receipt.transaction);
    Ok(done.mark(answer.at(location)))
}

/// What was said of the transaction; of one that was answered before, as far as it is still there.
pub(super) async fn said(
    service: &Service,
    who: &Who,
    done: &Done,
    saying: Saying,
) -> Result<Said, Problem> {
    if !done.is_replay {
        return Ok(saying.into_said());
    }
    let view = service.view_transaction(who, done.receipt.transaction);
    let view = view.await?.ok_or(Fault::Bug)?;
    Ok(view.said)
}

/// Postings with what the registry says of their currencies.
async fn in_currencies(service: &Service, written: Vec<Written>) -> Result<Vec<Posting>, Problem> {
    let mut postings = Vec::with_capacity(written.len());
    let mut flaws = Vec::new();
    for (place, posting) in written.into_iter().enumerate() {
        let at = |field| format!("/postings/{place}/{field}");
        let found = currencies::find(service, posting.currency, at("currency")).await?;
        match found.and_then(|currency| posting.into_posting(currency, at("amount"))) {
            Ok(posting) => postings.push(posting),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if flaws.is_empty() {
        Ok(postings)
    } else {
        Err(Problem::of_flaws(flaws))
    }
}

impl New {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let postings = body.objects("postings", 1..=POSTINGS_MAX, Written::read);
        let conditions = conditions::read(body);
        let saying = Saying::read(body);
        let is_dry = body.optional("dry_run", values::boolean);
        Some(Self {
            postings: postings?,
            conditions: conditions?,
            saying: saying?,
            is_dry: is_dry?.unwrap_or(false),
        })
    }
}

impl Written {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let from = read_source(body);
        let to = body.required("to", text(values::side));
        let amount = body.required("amount", text(amount));
        let currency = body.required("currency", text(values::currency));
        let (from, amount) = (from?, amount?);
        if from == Party::World && amount.is_none() {
            body.flaw("amount", "must be an amount, as the world has no end");
            return None;
        }
        Some(Self {
            from,
            to: party(to?),
            amount,
            currency: currency?,
        })
    }
}

impl Written {
    fn into_posting(self, currency: Currency, pointer: String) -> Result<Posting, Flaw> {
        let amount = self.amount.as_ref();
        let amount = amount.map(|amount| decimal::at(amount, currency, pointer));
        Ok(Posting {
            from: self.from,
            to: self.to,
            amount: amount.transpose()?.map_or(Quantity::All, Quantity::Exactly),
            currency: Some(currency),
        })
    }
}

/// `from`, or a hold in its place with how it is captured.
fn read_source(body: &mut Members<'_>) -> Option<Party> {
    let hold = body.optional("hold", text(values::uuid));
    let is_final = body.optional("final", values::boolean);
    let may_exceed = body.optional("overcapture", values::boolean);
    let has_hold = body.has("hold");
    if has_hold && body.has("from") {
        body.flaw("from", "must not be given beside \"hold\"");
        return None;
    }
    if !has_hold {
        for name in ["final", "overcapture"] {
            if body.has(name) {
                body.flaw(name, "is only known beside \"hold\"");
            }
        }
        let from = body.required("from", text(values::side));
        return from.map(party);
    }
    Some(Party::Hold(Capture {
        hold: HoldId(hold??),
        is_final: is_final?.unwrap_or(false),
        may_exceed: may_exceed?.unwrap_or(false),
    }))
}

/// `"all"` is none.
fn amount(text: &str) -> Result<Option<Figure>, String> {
    if text == "all" {
        return Ok(None);
    }
    decimal::positive(text).map(Some)
}

pub(super) fn party(side: values::Side) -> Party {
    match side {
        values::Side::World => Party::World,
        values::Side::Account(account) => Party::Account(AccountRef::Id(account)),
    }
}

/// The id that a path names. One that cannot be is not there.
pub(super) fn path_id(text: &str) -> Uuid {
    values::uuid(text).unwrap_or_default()
}

impl Saying {
    pub(super) fn read(body: &mut Members<'_>) -> Option<Self> {
        let reference = body.optional("reference", text(values::reference));
        let metadata = metadata::read(body);
        Some(Self {
            reference: reference?,
            metadata: metadata?,
        })
    }

    pub(super) fn into_said(self) -> Said {
        Said {
            reference: self.reference,
            metadata: Some(self.metadata.unwrap_or_default()),
            erased_at: None,
        }
    }
}
