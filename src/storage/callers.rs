//! Who asks by the native interface: principals, and principals in books.

use sqlx::{Postgres, QueryBuilder};

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

/// Which accounts a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Those in these books,
    pub books: Vec<BookId>,
    /// and only if they are this user's.
    pub owner: Option<UserId>,
}

impl Reach {
    #[must_use]
    pub fn includes(&self, book: BookId, owner: Option<UserId>) -> bool {
        self.books.contains(&book) && self.sees(owner)
    }

    /// Whether what belongs to somebody is seen, in whichever book.
    #[must_use]
    pub fn sees(&self, owner: Option<UserId>) -> bool {
        self.owner.is_none() || self.owner == owner
    }

    /// Adds to a statement with `accounts` in it that they are such accounts.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        let books: Vec<i64> = self.books.iter().map(|book| book.0).collect();
        query
            .push("accounts.book_id = any(")
            .push_bind(books)
            .push(")");
        if let Some(owner) = self.owner {
            query.push(" and accounts.owner_id = ").push_bind(owner.0);
        }
    }
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
