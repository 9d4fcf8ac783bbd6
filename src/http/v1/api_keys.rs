//! `/v1/keys`: API keys, for those who administer the service.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use serde::Serialize;
use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::codes::Code;
use super::json::Json;
use super::object::text;
use super::problem::{Flaw, Problem};
use super::{values, who};
use crate::ledger::access::{KeyId, Scope, ServiceName, Span};
use crate::ledger::{BookName, Fault};
use crate::service::Service;
use crate::service::access::{Actor, By, Draft, KeyView, Like, Made, NotMade, Revoked};

/// What a key allows if nobody says.
const SCOPE: Scope = Scope::Write;
/// How long a key that is rotated goes on if nobody says.
const OVERLAP: Span = Span::of_hours(24);
/// Books that are named at a time.
const BOOKS_MAX: usize = 100;

#[derive(Serialize)]
struct Shown {
    id: Uuid,
    principal: String,
    /// Once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    prefix: String,
    scopes: Vec<&'static str>,
    books: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

pub(super) async fn make(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write_once()?;
    let actor = who::administers(&service, &asked).await?;
    let body = asked.body().await?;
    let draft = body.read(|body| {
        let name = body.required("name", text(name));
        let scopes = body.optional("scopes", |json| several(json, Scope::ALL.len(), scope));
        let books = body.optional("books", |json| several(json, BOOKS_MAX, book));
        let expires_in = body.optional("expires_in", text(lifetime));
        Some(Draft {
            name: name?,
            scope: scopes?
                .and_then(|scopes| scopes.into_iter().max())
                .unwrap_or(SCOPE),
            books: books?.unwrap_or_default(),
            expires_in: expires_in?,
        })
    })?;
    let by = by(actor);
    let made = service.make_key(&draft, &by).await?;
    Ok(shown_once(made.map_err(|why| problem(&why))?))
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (_, list) = asked.list(&[])?;
    who::administers(&service, &asked).await?;
    let paging = list.paging(|text| text.parse().ok())?;
    let rows = service.list_keys(paging).await?;
    let place = |view: &KeyView| view.id.to_string();
    Ok(Answer::ok(&list.page(rows, place, Shown::of)))
}

pub(super) async fn rotate(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write_once()?;
    let actor = who::administers(&service, &asked).await?;
    let body = asked.optional_body().await?;
    let overlap = body.read(|body| body.optional("overlap", text(span)))?;
    let like = Like::Key(key_id(&id)?);
    let (overlap, by) = (overlap.unwrap_or(OVERLAP), by(actor));
    let rotated = service.rotate_key(&like, overlap, &by);
    Ok(shown_once(rotated.await?.map_err(|why| problem(&why))?))
}

pub(super) async fn revoke(
    service: Data<Service>,
    mut asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.begin_write_once()?;
    let actor = who::administers(&service, &asked).await?;
    asked.optional_body().await?.read(|_| Some(()))?;
    match service.revoke_key(key_id(&id)?, &by(actor)).await? {
        Revoked::Now | Revoked::Before => Ok(Answer::nothing()),
        Revoked::NotFound => Err(Problem::not_found()),
    }
}

/// The audit has a request by an id, as a problem has.
fn by(actor: Actor) -> By {
    By {
        actor,
        request_id: Some(Uuid::now_v7()),
    }
}

fn key_id(text: &str) -> Result<KeyId, Problem> {
    let id = values::uuid(text).map_err(|_| Problem::not_found())?;
    Ok(KeyId(id))
}

fn shown_once(made: Made) -> Answer {
    let shown = Shown {
        key: Some(made.key.as_str().to_owned()),
        ..Shown::of(made.view)
    };
    Answer::new(StatusCode::CREATED, &shown)
}

fn problem(not_made: &NotMade) -> Problem {
    let detail = not_made.to_string();
    match not_made {
        NotMade::TooMany => Problem::new(Code::TooManyKeys, detail),
        NotMade::NoBook(_) | NotMade::TooManyBooks => Flaw::new("/books", detail).into(),
        NotMade::NoKey => Problem::not_found(),
        NotMade::Busy => Fault::Overloaded.into(),
    }
}

impl Shown {
    fn of(view: KeyView) -> Self {
        Self {
            id: view.id.0,
            principal: view.name.to_string(),
            key: None,
            prefix: view.prefix,
            scopes: view.scope.names(),
            books: view.books.iter().map(BookName::to_string).collect(),
            created_at: values::time_text(view.created_at),
            expires_at: view.expires_at.map(values::time_text),
            revoked_at: view.revoked_at.map(values::time_text),
        }
    }
}

/// An array of texts, one at least.
fn several<T>(
    json: &Json,
    most: usize,
    reader: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items = match json {
        Json::Array(items) => items,
        other => return Err(format!("must be an array, not {}", other.kind())),
    };
    if !(1..=most).contains(&items.len()) {
        return Err(format!("must have 1 to {most} items"));
    }
    items.iter().map(text(reader)).collect()
}

fn name(text: &str) -> Result<ServiceName, String> {
    let longest = ServiceName::LENGTH_MAX;
    ServiceName::parse(text).ok_or_else(|| {
        format!("must be letters, digits, \".\", \"_\" and \"-\", the first a letter or digit, at most {longest} in all")
    })
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| "must be \"read\", \"write\" and \"admin\"".to_owned())
}

fn book(text: &str) -> Result<BookName, String> {
    BookName::parse(text).ok_or_else(|| "must be names of books".to_owned())
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| {
        "must be a whole number with s, m, h or d after it, at most 3650d".to_owned()
    })
}

fn lifetime(text: &str) -> Result<Span, String> {
    let span = span(text)?;
    let lasts = Span::ZERO < span;
    lasts
        .then_some(span)
        .ok_or_else(|| "must be longer than nothing".to_owned())
}
