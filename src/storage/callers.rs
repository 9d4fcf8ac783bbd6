//! Who asks by the native interface: principals, and principals in books.

use super::{Connection, StorageError};
use crate::ledger::access::PrincipalId;
use crate::ledger::{BookId, BookName, CallerId, UserId};

/// Whom keys and sessions are issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Everybody, while nobody has to say who they are.
    Anyone,
    /// Whoever shows one of its keys.
    Service(PrincipalId),
    Person(UserId),
}

/// The books of a name, the first opened first: at most the last of them is open.
///
/// # Errors
/// If the database does not answer.
pub async fn list_books(
    connection: &mut Connection,
    name: BookName,
) -> Result<Vec<BookId>, StorageError> {
    const SQL: &str = "select id from books where name = $1 order by id";
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(name.as_str())
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(BookId).collect())
}

/// The caller that a principal is in a book. Whoever asks first makes it one.
///
/// # Errors
/// If the database does not answer, or takes no writes.
pub async fn find_or_make(
    connection: &mut Connection,
    principal: Principal,
    book: BookId,
) -> Result<CallerId, StorageError> {
    if let Some(caller) = find(connection, principal, book).await? {
        return Ok(caller);
    }
    if let Principal::Person(user) = principal {
        make_person(connection, user).await?;
    }
    make(connection, principal, book).await?;
    let made = find(connection, principal, book).await?;
    made.ok_or_else(|| StorageError::Corrupt(format!("{principal:?} without a row")))
}

async fn find(
    connection: &mut Connection,
    principal: Principal,
    book: BookId,
) -> Result<Option<CallerId>, StorageError> {
    const SQL: &str = "
        select callers.id from callers join principals on principals.id = callers.principal_id
        where callers.book_id = $3 and principals.kind = $1
            and case kind when 'person' then user_id = $2 when 'service' then principals.id = $2 else true end";
    let (kind, id) = columns(principal);
    let found: Option<i64> = sqlx::query_scalar(SQL)
        .bind(kind)
        .bind(id)
        .bind(book.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.map(CallerId))
}

async fn make_person(connection: &mut Connection, user: UserId) -> Result<(), StorageError> {
    const SQL: &str =
        "insert into principals (kind, user_id) values ('person', $1) on conflict do nothing";
    sqlx::query(SQL).bind(user.0).execute(connection).await?;
    Ok(())
}

async fn make(
    connection: &mut Connection,
    principal: Principal,
    book: BookId,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into callers (principal_id, book_id)
        select id, $3 from principals
        where kind = $1 and case kind when 'person' then user_id = $2 when 'service' then id = $2 else true end
        on conflict do nothing";
    let (kind, id) = columns(principal);
    sqlx::query(SQL)
        .bind(kind)
        .bind(id)
        .bind(book.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Its kind, and which one of the kind.
fn columns(principal: Principal) -> (&'static str, Option<i64>) {
    match principal {
        Principal::Anyone => ("anyone", None),
        Principal::Service(id) => ("service", Some(id.0)),
        Principal::Person(user) => ("person", Some(user.0)),
    }
}
