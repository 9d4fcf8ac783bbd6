//! Who asks by the native interface: principals, and principals in books.

use super::{Connection, StorageError};
use crate::ledger::{BookId, BookName, CallerId, UserId};

/// Whom keys and sessions are issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Everybody, while nobody has to say who they are.
    Anyone,
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
    const FIND: &str = "
        select callers.id from callers join principals on principals.id = callers.principal_id
        where callers.book_id = $2 and
            case when $1::bigint is null then principals.kind = 'anyone' else principals.user_id = $1 end";
    const MAKE_PERSON: &str =
        "insert into principals (kind, user_id) values ('person', $1) on conflict do nothing";
    const MAKE: &str = "
        insert into callers (principal_id, book_id)
        select id, $2 from principals
        where case when $1::bigint is null then kind = 'anyone' else user_id = $1 end
        on conflict do nothing";
    let user = match principal {
        Principal::Anyone => None,
        Principal::Person(user) => Some(user.0),
    };
    let found: Option<i64> = sqlx::query_scalar(FIND)
        .bind(user)
        .bind(book.0)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(id) = found {
        return Ok(CallerId(id));
    }
    if user.is_some() {
        sqlx::query(MAKE_PERSON)
            .bind(user)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(MAKE)
        .bind(user)
        .bind(book.0)
        .execute(&mut *connection)
        .await?;
    let id: i64 = sqlx::query_scalar(FIND)
        .bind(user)
        .bind(book.0)
        .fetch_one(connection)
        .await?;
    Ok(CallerId(id))
}
