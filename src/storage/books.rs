//! Books: which one of a name is open.

use chrono::{DateTime, Utc};

use super::{Connection, StorageError};
use crate::ledger::{BookId, BookName, Books, OpenBook};

/// The open book of each name.
///
/// # Errors
/// If the database does not answer, or has no open book of a name.
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
        let missing = || StorageError::Corrupt(format!("no open book {}", name.as_str()));
        let id = BookId(id.ok_or_else(missing)?);
        let opened_at = opened_at.ok_or_else(missing)?;
        books.insert(*name, OpenBook { id, opened_at });
    }
    Ok(books)
}
