//! `/v1/accounts`: opened, looked at, changed, frozen and closed.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::answer::Answer;
use super::asked::Asked;
use super::codes::Code;
use super::command::{Done, Request};
use super::conditional::EntityTag;
use super::object::{Object as Members, text};
use super::problem::{Problem, Sight};
use super::{currencies, decimal, metadata, shown, values, who};
use crate::ledger::{
    AccountDetails, AccountId, AccountRef, Action, Amendment, CurrencyCode, DetailsChange,
    ExternalId, Fault, Figure, Magnitude, Metadata, MetadataPatch, Object, OpenAccount, Seen,
    Status, UserId,
};
use crate::service::Service;
use crate::service::native::{AccountFilter, AccountView, Reach, Who};

/// What a new account is to be.
struct New {
    currency: CurrencyCode,
    external_id: Option<ExternalId>,
    owner: Option<UserId>,
    limit: Option<Figure>,
    metadata: Option<Metadata>,
}

/// What is to become of an account.
struct Change {
    limit: Option<Figure>,
    metadata: Option<MetadataPatch>,
}

pub(super) async fn open(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let body = asked.body().await?;
    let new = body.read(New::read)?;
    let owner = owner(&asked, &who, &new)?;
    let key = asked.write_key(&service)?;
    let currency = currencies::find(&service, new.currency, "/currency").await??;
    let limit = new.limit.as_ref();
    let limit = limit.map(|limit| decimal::at(limit, currency, "/overdraft_limit"));
    let request = Request::new(&who, &asked, &body, key, &new.metadata)?;
    let salt = request.salt();
    let metadata = new.metadata.filter(|metadata| !metadata.is_empty());
    let action = Action::OpenAccount(OpenAccount {
        external_id: new.external_id,
        overdraft_limit: limit.transpose()?.unwrap_or_default(),
        details: metadata.map(|metadata| AccountDetails { metadata, salt }),
        ..OpenAccount::plain(owner, currency, Magnitude::ZERO)
    });
    let done = request.carry_out(&service, action).await?;
    let (answer, id) = answer(&service, &who, &done, StatusCode::CREATED).await?;
    Ok(answer.at(format!("/v1/accounts/{}", id.to_number())))
}

pub(super) async fn show(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    let query = asked.query(&["min_version"])?;
    let least = query.value("min_version", values::version_text)?;
    let who = who::asks(&service, &asked).await?;
    let id = path_id(&id);
    let view = service.view_account(&who, id, None).await?;
    let view = view.ok_or_else(Problem::not_found)?;
    let version = view.head.version;
    if least.is_some_and(|least| version < least) {
        let seen = Seen::of(&view.head);
        let detail = format!("The account is at version {}", version.0);
        return Err(Problem::new(Code::VersionMismatch, detail).seen(Sight {
            account: id.to_number(),
            version: version.0,
            balance: seen.balance,
            available: seen.available,
            at: values::time_text(view.head.last_entry_at),
        }));
    }
    let answer = Answer::ok(&shown::Account::of(view));
    let answer = answer.tagged(EntityTag::of_version(version));
    answer.unless_known(asked.headers())
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (query, list) = asked.list(&[
        "owner",
        "external_id",
        "external_id_prefix",
        "currency",
        "status",
        "metadata.",
    ])?;
    let who = who::asks(&service, &asked).await?;
    let filter = AccountFilter {
        reach: Reach::default(),
        owner: query.value("owner", values::user)?,
        external_id: query.value("external_id", values::external_id)?,
        external_id_prefix: query.value("external_id_prefix", |text| {
            values::external_id(text).map(|_| text.to_owned())
        })?,
        currency: query.value("currency", values::currency)?,
        status: query.value("status", status)?,
        metadata: query.metadata(),
    };
    let paging = list.paging(AccountId::parse_number)?;
    let rows = service.view_accounts(&who, filter, paging).await?;
    let place = |view: &AccountView| view.head.id.to_number();
    Ok(Answer::ok(&list.page(rows, place, shown::Account::of)))
}

pub(super) async fn change(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let account = AccountRef::Id(path_id(&id));
    let body = asked.body().await?;
    let change = body.read(Change::read)?;
    who::may_limit(&asked, change.limit.as_ref())?;
    let key = asked.key()?;
    let versions = asked.required_match(&service, &who, key.as_deref()).await?;
    let request = Request::new(&who, &asked, &body, key, &change.metadata)?;
    let amendment = Amendment::Details(DetailsChange {
        overdraft_limit: change.limit,
        metadata: change.metadata,
        salt: request.salt(),
    });
    let request = request.to(Object::Account(account.clone()), versions);
    let action = Action::Amend(account, amendment);
    let done = request.carry_out(&service, action).await?;
    Ok(answer(&service, &who, &done, StatusCode::OK).await?.0)
}

pub(super) async fn freeze(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    set_status(service, asked, id, Status::Frozen).await
}

pub(super) async fn unfreeze(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    set_status(service, asked, id, Status::Open).await
}

pub(super) async fn close(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    set_status(service, asked, id, Status::Closed).await
}

async fn set_status(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
    status: Status,
) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let account = AccountRef::Id(path_id(&id));
    let body = asked.optional_body().await?;
    body.read(|_| Some(()))?;
    let key = asked.write_key(&service)?;
    let versions = asked.required_match(&service, &who, key.as_deref()).await?;
    let request = Request::new(&who, &asked, &body, key, &())?;
    let request = request.to(Object::Account(account.clone()), versions);
    let action = Action::Amend(account, Amendment::Status(status));
    let done = request.carry_out(&service, action).await?;
    Ok(answer(&service, &who, &done, StatusCode::OK).await?.0)
}

/// Whose the account is to be. A person opens its own.
fn owner(asked: &Asked, who: &Who, new: &New) -> Result<Option<UserId>, Problem> {
    who::may_limit(asked, new.limit.as_ref())?;
    match (who.reach.owner, new.owner) {
        (Some(person), Some(other)) if person != other => {
            let detail = "A session opens accounts of its own";
            Err(Problem::new(Code::Forbidden, detail))
        }
        (person, owner) => Ok(owner.or(person)),
    }
}

/// The account as the command left it, now or when it was first asked.
async fn answer(
    service: &Service,
    who: &Who,
    done: &Done,
    status: StatusCode,
) -> Result<(Answer, AccountId), Problem> {
    let standing = done.receipt.standings.first();
    let standing = standing.ok_or(Fault::Bug)?;
    let (id, version) = (standing.account, standing.version);
    let view = service.view_account(who, id, Some(version)).await?;
    let view = view.ok_or(Fault::Bug)?;
    let answer = Answer::new(status, &shown::Account::of(view));
    Ok((done.mark(answer.tagged(EntityTag::of_version(version))), id))
}

impl New {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let currency = body.required("currency", text(values::currency));
        let external_id = body.optional("external_id", text(values::external_id));
        let owner = body.optional("owner", text(values::user));
        let limit = body.optional("overdraft_limit", text(decimal::limit));
        let metadata = metadata::read(body);
        Some(Self {
            currency: currency?,
            external_id: external_id?,
            owner: owner?,
            limit: limit?,
            metadata: metadata?,
        })
    }
}

impl Change {
    fn read(body: &mut Members<'_>) -> Option<Self> {
        let limit = body.optional("overdraft_limit", text(decimal::limit));
        let metadata = metadata::patch(body);
        Some(Self {
            limit: limit?,
            metadata: metadata?,
        })
    }
}

/// The account that a path names. One that cannot be is not there.
pub(super) fn path_id(text: &str) -> AccountId {
    AccountId::parse_number(text).unwrap_or(values::NO_ACCOUNT)
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| "must be open, frozen or closed".to_owned())
}
