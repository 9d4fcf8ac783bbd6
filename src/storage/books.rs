//! Books: which one of a name is open, and what they are called.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};

use super::paging::Paging;
use super::{Connection, StorageError};
use crate::ledger::{BookId, BookName, Books, OpenBook, TransactionId};

/// The open book of each name that has one.
///
/// # Errors
/// If the database does not answer.
pub async fn fetch_open(
    connection: &mut Connection,
    names: &[BookName],
) -> Result<Books, StorageError> {
    const SQL: &str = "
        select books.id, books.opened_at from unnest($1::text[]) with ordinality as asked (name, position)
        left join lateral (
            select id, opened_at from books where books.name = asked.name and books.sealed_at is null
        ) as books on true
        order by asked.position";
    let texts: Vec<&str> = names.iter().map(BookName::as_str).collect();
    let rows: Vec<(Option<i64>, Option<DateTime<Utc>>)> = sqlx::query_as(SQL)
        .bind(texts)
        .fetch_all(connection)
        .await?;
    let mut books = Books::default();
    for (name, (id, opened_at)) in names.iter().zip(rows) {
        if let Some((id, opened_at)) = id.zip(opened_at) {
            let id = BookId(id);
            books.insert(*name, OpenBook { id, opened_at });
        }
    }
    Ok(books)
}

/// What books are called.
pub async fn list_names(
    connection: &mut Connection,
    books: &[BookId],
) -> Result<Vec<(BookId, BookName)>, StorageError> {
    const SQL: &str = "select id, name from books where id = any($1)";
    let ids: Vec<i64> = books.iter().map(|book| book.0).collect();
    let rows: Vec<(i64, String)> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    let named = rows.into_iter().map(|(id, name)| {
        let parsed = BookName::parse(&name);
        let parsed = parsed.ok_or_else(|| StorageError::Corrupt(format!("the book name {name}")));
        Ok((BookId(id), parsed?))
    });
    named.collect()
}

/// A book as it is shown.
#[derive(Clone, Debug, FromRow)]
pub struct Book {
    pub name: String,
    pub opened_at: DateTime<Utc>,
}

/// # Errors
/// If the database does not answer.
pub async fn find(connection: &mut Connection, book: BookId) -> Result<Option<Book>, StorageError> {
    const SQL: &str = "select name, opened_at from books where id = $1";
    Ok(sqlx::query_as(SQL)
        .bind(book.0)
        .fetch_optional(connection)
        .await?)
}

/// The open books, by name.
///
/// # Errors
/// If the database does not answer.
pub async fn list_open(
    connection: &mut Connection,
    paging: Paging<BookName>,
) -> Result<Vec<Book>, StorageError> {
    let mut query = QueryBuilder::new("select name, opened_at from books where sealed_at is null");
    paging.push(&mut query, "name", |after| after.as_str().to_owned());
    Ok(query.build_query_as().fetch_all(connection).await?)
}

/// Opens a book, with the transaction that says so. Whether there was none of the name.
///
/// # Errors
/// If the database does not answer, or takes no writes.
pub async fn open(
    connection: &mut Connection,
    name: BookName,
    transaction: TransactionId,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        with opened as (
            insert into books (name, opened_at) values ($1, clock_timestamp()) on conflict do nothing
            returning id, opened_at
        )
        insert into transactions (id, kind, scope_kind, scope_id, created_at, book_id)
        select $2, 'book_opened', 'book', $3, opened_at, id from opened";
    let opened = sqlx::query(SQL)
        .bind(name.as_str())
        .bind(transaction.0)
        .bind(BookId::MAIN.0)
        .execute(connection)
        .await?;
    Ok(opened.rows_affected() == 1)
}
