//! Books: which one of a name is open.

use super::{Connection, StorageError};
use crate::ledger::{BookId, BookName, Books};

/// The open book of each name.
///
/// # Errors
/// Where the database does not answer, or has no open book of a name.
pub async fn fetch_open(
    connection: &mut Connection,
    names: &[BookName],
) -> Result<Books, StorageError> {
    const SQL: &str = "
        select books.id from unnest($1::text[]) with ordinality as asked (name, position)
        left join lateral (
            select id from books where books.name = asked.name and books.sealed_at is null
        ) as books on true
        order by asked.position";
    let texts: Vec<&str> = names.iter().map(BookName::as_str).collect();
    let ids: Vec<Option<i64>> = sqlx::query_scalar(SQL)
        .bind(texts)
        .fetch_all(connection)
        .await?;
    let mut books = Books::default();
    for (name, id) in names.iter().zip(ids) {
        let missing = || StorageError::Corrupt(format!("no open book {}", name.as_str()));
        books.insert(*name, BookId(id.ok_or_else(missing)?));
    }
    Ok(books)
}
