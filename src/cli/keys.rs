//! `passbook keys`: makes, rotates, lists and revokes API keys.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::books::parse_name as parse_book;
use super::once::{self, Answer};
use crate::app::AppError;
use crate::config::DatabaseArgs;
use crate::ledger::BookName;
use crate::ledger::access::{ApiKey, KeyId, Scope, ServiceName, Span};
use crate::service::access::{self, By, Draft, KeyView, Like, NotMade, Revoked};
use crate::storage::paging::Paging;
use crate::storage::{Connection, StorageError, api_keys};

/// Whose keys, and what to do with them.
#[derive(Args, Clone, Debug)]
// One database and one form of answer, wherever they are named.
#[command(mut_args(|arg| arg.global(true)))]
pub(super) struct KeysArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Answer in JSON, for a program
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Make a key for a service, which is there with its first key; the key is shown this once
    Create(CreateArgs),
    /// Make a key like the service's youngest, and end its others after an overlap
    Rotate {
        /// The service
        #[arg(value_parser = parse_name)]
        name: ServiceName,
        /// How long the other keys go on, such as 24h or 0s
        #[arg(long, default_value = "24h", value_parser = parse_span)]
        overlap: Span,
    },
    /// List all keys, those that have ended too
    List,
    /// End a key at once
    Revoke {
        /// The key's id, as `list` shows it
        id: Uuid,
    },
}

#[derive(Args, Clone, Debug)]
struct CreateArgs {
    /// What the service is called: up to 64 letters, digits, . _ and -, the first a letter or digit
    #[arg(value_parser = parse_name)]
    name: ServiceName,
    /// What the key allows: read, write, admin; each includes those before it
    #[arg(long, value_delimiter = ',', default_value = "read,write", value_parser = parse_scope)]
    scopes: Vec<Scope>,
    /// A book that the service may act in, besides those that it has; the first is its default, and main if it has none
    #[arg(long = "book", value_name = "BOOK", value_parser = parse_book)]
    books: Vec<BookName>,
    /// How long the key lives, such as 90d or 12h; for good if this is not given
    #[arg(long, value_parser = parse_lifetime)]
    expires_in: Option<Span>,
}

/// A key for a program.
#[derive(Serialize)]
struct Shown<'k> {
    id: Uuid,
    principal: &'k str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'k str>,
    prefix: &'k str,
    scopes: Vec<&'static str>,
    books: Vec<&'k str>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

pub(super) async fn run(args: &KeysArgs) -> Result<bool, AppError> {
    let json = args.json;
    once::ask(&args.database, "keys", async |connection| {
        match &args.action {
            Action::Create(args) => create(connection, args, json).await,
            Action::Rotate { name, overlap } => rotate(connection, name, *overlap, json).await,
            Action::List => list(connection, json).await,
            Action::Revoke { id } => revoke(connection, KeyId(*id), json).await,
        }
    })
    .await
}

async fn create(connection: &mut Connection, args: &CreateArgs, json: bool) -> Answer {
    let draft = Draft {
        name: args.name.clone(),
        scope: args.scopes.iter().copied().max().unwrap_or(Scope::Read),
        books: args.books.clone(),
        expires_in: args.expires_in,
    };
    let key = random_key()?;
    let by = By::command_line();
    let made = access::make(connection, access::new_id(), &key, &draft, &by).await?;
    Ok(show(made, &key, json))
}

async fn rotate(
    connection: &mut Connection,
    name: &ServiceName,
    overlap: Span,
    json: bool,
) -> Answer {
    let (key, like) = (random_key()?, Like::Of(name.clone()));
    let by = By::command_line();
    let made = access::rotate(connection, access::new_id(), &key, &like, overlap, &by).await?;
    if let Err(NotMade::NoKey) = made {
        let why = format!("{name} has no key that lives: passbook keys create {name} makes one");
        return Ok(Err(AppError::Keys(why)));
    }
    Ok(show(made, &key, json))
}

async fn list(connection: &mut Connection, json: bool) -> Answer {
    let all = Paging {
        after: None,
        is_ascending: true,
        limit: i64::MAX,
    };
    let keys = api_keys::list(connection, all).await?;
    if !json {
        return Ok(Ok(table(&keys, Utc::now())));
    }
    let shown: Vec<Shown<'_>> = keys.iter().map(|view| Shown::of(view, None)).collect();
    Ok(Ok(line(&shown)))
}

async fn revoke(connection: &mut Connection, id: KeyId, json: bool) -> Answer {
    let revoked = access::revoke(connection, id, &By::command_line()).await?;
    let said = match revoked {
        Revoked::NotFound => {
            let why = format!("there is no key {id}: passbook keys list lists them");
            return Ok(Err(AppError::Keys(why)));
        }
        Revoked::Now => format!("revoked {id}; every service knows within a second\n"),
        Revoked::Before => format!("{id} had ended before\n"),
    };
    let view = api_keys::find(connection, id).await?;
    let shown = view.as_ref().map(|view| Shown::of(view, None));
    Ok(Ok(if json { line(&shown) } else { said }))
}

fn random_key() -> Result<ApiKey, StorageError> {
    let failed = |fault| StorageError::Unfit(format!("no key could be made: {fault}"));
    access::random_key().map_err(failed)
}

fn show(made: Result<KeyView, NotMade>, key: &ApiKey, json: bool) -> Result<String, AppError> {
    let view = made.map_err(|why| AppError::Keys(why.to_string()))?;
    if json {
        return Ok(line(&Shown::of(&view, Some(key))));
    }
    let KeyView { id, name, .. } = &view;
    let (scopes, books) = (view.scope.names().join(", "), names(&view.books).join(", "));
    let expires = view.expires_at.map_or("never".to_owned(), short);
    Ok(format!(
        "made the key {id} for {name}: scopes {scopes}; books {books}; expires {expires}\n\n  {}\n\n\
         It is shown this once: keep it where you keep secrets.\n",
        key.as_str()
    ))
}

/// A line for each key, under a line that names the columns.
fn table(keys: &[KeyView], now: DateTime<Utc>) -> String {
    let widest = keys.iter().map(|view| view.name.as_str().len());
    let width = widest.fold("SERVICE".len(), usize::max);
    let mut text = format!(
        "{:<36}  {:<width$}  KEY        SCOPES             CREATED               STATE\n",
        "ID", "SERVICE"
    );
    for view in keys {
        let scopes = view.scope.names().join(",");
        writeln!(
            text,
            "{}  {:<width$}  {}…  {scopes:<17}  {}  {}",
            view.id,
            view.name.as_str(),
            view.prefix,
            short(view.created_at),
            state(view, now),
        )
        .expect("a string takes every text");
    }
    text
}

fn state(view: &KeyView, now: DateTime<Utc>) -> String {
    match (view.revoked_at, view.expires_at) {
        (Some(end), _) if end <= now => format!("revoked {}", short(end)),
        (_, Some(end)) if end <= now => format!("expired {}", short(end)),
        (Some(end), expiry) if expiry.is_none_or(|expiry| end < expiry) => {
            format!("ends {}", short(end))
        }
        (_, Some(end)) => format!("expires {}", short(end)),
        (_, None) => "lives".to_owned(),
    }
}

impl<'k> Shown<'k> {
    fn of(view: &'k KeyView, key: Option<&'k ApiKey>) -> Self {
        Self {
            id: view.id.0,
            principal: view.name.as_str(),
            key: key.map(ApiKey::as_str),
            prefix: &view.prefix,
            scopes: view.scope.names(),
            books: names(&view.books),
            created_at: exact(view.created_at),
            expires_at: view.expires_at.map(exact),
            revoked_at: view.revoked_at.map(exact),
        }
    }
}

fn line(shown: &impl Serialize) -> String {
    let json = serde_json::to_string(shown).expect("texts are JSON");
    format!("{json}\n")
}

fn names(books: &[BookName]) -> Vec<&str> {
    books.iter().map(BookName::as_str).collect()
}

fn short(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn exact(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn parse_name(name: &str) -> Result<ServiceName, String> {
    ServiceName::parse(name).ok_or_else(|| {
        let longest = ServiceName::LENGTH_MAX;
        format!("not a service's name: up to {longest} letters, digits, . _ and -, the first a letter or digit")
    })
}

fn parse_scope(name: &str) -> Result<Scope, String> {
    Scope::parse(name).ok_or_else(|| "not a scope: read, write or admin".to_owned())
}

fn parse_span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| {
        "not a span of time: a whole number with s, m, h or d after it, at most 3650d".to_owned()
    })
}

fn parse_lifetime(text: &str) -> Result<Span, String> {
    let span = parse_span(text)?;
    let lasts = Span::ZERO < span;
    lasts
        .then_some(span)
        .ok_or_else(|| "a key has to live for longer than nothing".to_owned())
}
