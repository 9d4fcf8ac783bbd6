//! API keys: which there are, and how they come and go.
//!
//! Whoever makes one reads how often keys changed, then what has to hold, and then swaps the count. If the swap succeeds,
//! nothing has changed in between. The row of the count is the first that each change locks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::audit_events::By;
use super::paging::Paging;
use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::BookName;
use crate::ledger::access::{ApiKey, Digest, KeyId, PrincipalId, Scope, ServiceName, Span};

/// Keys with what there is to say of them; how to go on is up to the reader.
const KEYS: &str = "
    select api_keys.id, api_keys.principal_id, digest, principals.name, prefix, scope, api_keys.created_at, expires_at,
        revoked_at, array(select name from principal_books where principal_id = principals.id order by place) as books
    from api_keys join principals on principals.id = api_keys.principal_id ";

/// How often keys have changed, and when the database said so.
#[derive(Clone, Copy, Debug)]
pub struct Changes {
    pub count: i64,
    pub at: DateTime<Utc>,
}

/// What a key is found by, and what it stands for.
#[derive(Clone, Debug)]
pub struct Known {
    pub digest: Digest,
    pub principal: PrincipalId,
    pub view: KeyView,
}

/// A key as it is shown.
#[derive(Clone, Debug)]
pub struct KeyView {
    pub id: KeyId,
    pub name: ServiceName,
    /// The first characters of the secret.
    pub prefix: String,
    pub scope: Scope,
    /// Those of its principal, the default first.
    pub books: Vec<BookName>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    /// May be ahead.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key that is to be made.
#[derive(Debug)]
pub struct NewKey<'k> {
    pub id: KeyId,
    pub key: &'k ApiKey,
}

/// Whom a key is made for, and what it allows.
#[derive(Clone, Debug)]
pub struct Draft {
    pub name: ServiceName,
    pub scope: Scope,
    /// Come after those that the principal has.
    pub books: Vec<BookName>,
    pub expires_in: Option<Span>,
}

/// What became of a key that was to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Now,
    /// It had ended before. Nothing happened.
    Before,
    NotFound,
}

pub async fn fetch_changes(connection: &mut Connection) -> Result<Changes, StorageError> {
    const SQL: &str = "select count, clock_timestamp() from access_changes";
    let (count, at) = sqlx::query_as(SQL).fetch_one(connection).await?;
    Ok(Changes { count, at })
}

/// Keys that live and those that ended within a day, those that end last first. One that cannot be read says so for itself.
pub async fn list_known(
    connection: &mut Connection,
    limit: i64,
) -> Result<Vec<Result<Known, Unreadable>>, StorageError> {
    const RECENT: &str = "
        where now() - interval '1 day' < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)
        order by coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz) desc limit ";
    let mut query = QueryBuilder::new(KEYS);
    query.push(RECENT).push_bind(limit);
    let rows = query.build().fetch_all(connection).await?;
    let known = rows
        .iter()
        .map(|row| columns::read::<Row>(row)?.into_known());
    Ok(known.collect())
}

pub async fn count_living(connection: &mut Connection) -> Result<i64, StorageError> {
    const SQL: &str = "
        select count(*) from api_keys
        where now() < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

pub async fn find(connection: &mut Connection, id: KeyId) -> Result<Option<KeyView>, StorageError> {
    let mut query = QueryBuilder::new(KEYS);
    query.push("where api_keys.id = ").push_bind(id.0);
    let row: Option<Row> = query.build_query_as().fetch_optional(connection).await?;
    let view = row.map(|row| row.into_known().map(|known| known.view));
    Ok(view.transpose()?)
}

/// All that there ever were, by id.
pub async fn list(
    connection: &mut Connection,
    paging: Paging<Uuid>,
) -> Result<Vec<KeyView>, StorageError> {
    let mut query = QueryBuilder::new(KEYS);
    query.push("where true");
    paging.push(&mut query, "api_keys.id", |after| after);
    let rows: Vec<Row> = query.build_query_as().fetch_all(connection).await?;
    let views = rows.into_iter().map(|row| Ok(row.into_known()?.view));
    views.collect()
}

/// The youngest key of a service that lives.
pub async fn find_newest(
    connection: &mut Connection,
    name: &ServiceName,
) -> Result<Option<KeyId>, StorageError> {
    const SQL: &str = "
        select api_keys.id from api_keys join principals on principals.id = api_keys.principal_id
        where principals.kind = 'service' and principals.name = $1
            and now() < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)
        order by api_keys.created_at desc, api_keys.id desc limit 1";
    let id: Option<Uuid> = sqlx::query_scalar(SQL)
        .bind(name.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(id.map(KeyId))
}

/// Whether a key that lives has this id.
pub async fn lives(connection: &mut Connection, id: KeyId) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (
            select from api_keys
            where id = $1 and now() < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)
        )";
    Ok(sqlx::query_scalar(SQL)
        .bind(id.0)
        .fetch_one(connection)
        .await?)
}

/// The books that a service has, the default first.
pub async fn list_books(
    connection: &mut Connection,
    name: &ServiceName,
) -> Result<Vec<BookName>, StorageError> {
    const SQL: &str = "
        select principal_books.name from principal_books join principals on principals.id = principal_id
        where principals.name = $1 order by place";
    let names: Vec<String> = sqlx::query_scalar(SQL)
        .bind(name.as_str())
        .fetch_all(connection)
        .await?;
    Ok(parse_books(&names)?)
}

/// The first of these names that no book has.
pub async fn find_missing_book(
    connection: &mut Connection,
    books: &[BookName],
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select asked.name from unnest($1::text[]) with ordinality as asked (name, place)
        where not exists (select from books where books.name = asked.name) order by place limit 1";
    let names: Vec<&str> = books.iter().map(BookName::as_str).collect();
    Ok(sqlx::query_scalar(SQL)
        .bind(names)
        .fetch_optional(connection)
        .await?)
}

/// Makes a key, its service if there is none of the name, and adds books to it. Nothing happens if keys have changed since
/// they had changed so often.
///
/// # Errors
/// If the database takes no writes.
pub async fn insert(
    connection: &mut Connection,
    count: i64,
    new: &NewKey<'_>,
    draft: &Draft,
    by: &By,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        with counted as (
            update access_changes set count = count + 1 where count = $1 returning count
        ), found as (
            select id from principals, counted where kind = 'service' and name = $2
        ), made as (
            insert into principals (kind, name)
            select 'service', $2 from counted where not exists (select from found) returning id
        ), principal as (
            select id from found union all select id from made
        ), booked as (
            insert into principal_books (principal_id, place, name)
            select principal.id, (
                select coalesce(max(place), 0) from principal_books where principal_id = principal.id
            ) + asked.place, asked.name
            from principal, unnest($3::text[]) with ordinality as asked (name, place)
        ), keyed as (
            insert into api_keys (id, principal_id, digest, prefix, scope, created_at, expires_at)
            select $4, id, $5, $6, $7, now(), now() + make_interval(secs => $8) from principal returning id
        )
        insert into audit_events (actor_kind, actor, request_id, action, object, outcome, details)
        select $9, $10, $11, 'key_made', id::text, 'done', jsonb_build_object('principal', $2::text, 'scope', $7::text)
        from keyed";
    let books: Vec<&str> = draft.books.iter().map(BookName::as_str).collect();
    let done = sqlx::query(SQL)
        .bind(count)
        .bind(draft.name.as_str())
        .bind(books)
        .bind(new.id.0)
        .bind(new.key.digest().0)
        .bind(new.key.shown())
        .bind(draft.scope.name())
        .bind(draft.expires_in.map(seconds))
        .bind(by.kind())
        .bind(by.name())
        .bind(by.request())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a key like another that lives, for the same principal, and for as long as that was made for. All other keys of the
/// principal end after the overlap, if they do not end sooner. Nothing happens if keys have changed since they had changed
/// so often.
///
/// # Errors
/// If the database takes no writes.
pub async fn rotate(
    connection: &mut Connection,
    count: i64,
    new: &NewKey<'_>,
    like: KeyId,
    overlap: Span,
    by: &By,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        with counted as (
            update access_changes set count = count + 1 where count = $1 returning count
        ), pattern as (
            select principal_id, scope, expires_at - created_at as lifetime from api_keys, counted where id = $2
        ), ended as (
            update api_keys set revoked_at = greatest(created_at, now() + make_interval(secs => $6))
            from pattern
            where api_keys.principal_id = pattern.principal_id and now() + make_interval(secs => $6)
                < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)
        ), keyed as (
            insert into api_keys (id, principal_id, digest, prefix, scope, created_at, expires_at)
            select $3, principal_id, $4, $5, scope, now(), now() + lifetime from pattern returning id
        )
        insert into audit_events (actor_kind, actor, request_id, action, object, outcome, details)
        select $7, $8, $9, 'key_rotated', id::text, 'done',
            jsonb_build_object('like', $2::text, 'overlap_seconds', $6::bigint)
        from keyed";
    let done = sqlx::query(SQL)
        .bind(count)
        .bind(like.0)
        .bind(new.id.0)
        .bind(new.key.digest().0)
        .bind(new.key.shown())
        .bind(seconds(overlap))
        .bind(by.kind())
        .bind(by.name())
        .bind(by.request())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a key.
///
/// # Errors
/// If the database takes no writes.
pub async fn revoke(
    connection: &mut Connection,
    id: KeyId,
    by: &By,
) -> Result<Revoked, StorageError> {
    const SQL: &str = "
        with counted as (
            update access_changes set count = count + 1 returning count
        ), ended as (
            update api_keys set revoked_at = greatest(created_at, now()) from counted
            where id = $1 and now() < coalesce(least(expires_at, revoked_at), 'infinity'::timestamptz)
            returning id
        ), told as (
            insert into audit_events (actor_kind, actor, request_id, action, object, outcome)
            select $2, $3, $4, 'key_revoked', id::text, 'done' from ended
        )
        select exists (select from ended), exists (select from api_keys where id = $1)";
    let (is_ended, is_there) = sqlx::query_as(SQL)
        .bind(id.0)
        .bind(by.kind())
        .bind(by.name())
        .bind(by.request())
        .fetch_one(connection)
        .await?;
    Ok(match (is_ended, is_there) {
        (true, _) => Revoked::Now,
        (false, true) => Revoked::Before,
        (false, false) => Revoked::NotFound,
    })
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    principal_id: i64,
    digest: Vec<u8>,
    name: String,
    prefix: String,
    scope: String,
    books: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_known(self) -> Result<Known, Unreadable> {
        let digest = <[u8; 32]>::try_from(self.digest.as_slice());
        let digest = digest.map_err(|_| unreadable("a key's digest"))?;
        let name = ServiceName::parse(&self.name);
        let scope = Scope::parse(&self.scope);
        Ok(Known {
            digest: Digest(digest),
            principal: PrincipalId(self.principal_id),
            view: KeyView {
                id: KeyId(self.id),
                name: name.ok_or_else(|| unreadable("a service's name"))?,
                prefix: self.prefix,
                scope: scope.ok_or_else(|| unreadable("a scope"))?,
                books: parse_books(&self.books)?,
                created_at: self.created_at,
                expires_at: self.expires_at,
                revoked_at: self.revoked_at,
            },
        })
    }
}

fn parse_books(names: &[String]) -> Result<Vec<BookName>, Unreadable> {
    let books = names.iter().map(|name| BookName::parse(name));
    let books: Option<Vec<BookName>> = books.collect();
    books.ok_or_else(|| unreadable("a book's name"))
}

fn unreadable(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}

fn seconds(span: Span) -> f64 {
    Duration::as_secs_f64(&span.duration())
}
