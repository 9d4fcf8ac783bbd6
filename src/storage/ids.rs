//! Ids, taken from their sequences before the rows are written.

use super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, UserId};

/// Takes `count` account ids that nobody else gets.
pub async fn reserve_accounts(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<AccountId>, StorageError> {
    let ids = reserve(connection, "accounts_id_seq", count).await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// Takes `count` user ids that nobody else gets.
pub async fn reserve_users(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<UserId>, StorageError> {
    let ids = reserve(connection, "users_id_seq", count).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Takes `count` book ids that nobody else gets.
pub async fn reserve_books(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<BookId>, StorageError> {
    let ids = reserve(connection, "books_id_seq", count).await?;
    Ok(ids.into_iter().map(BookId).collect())
}

async fn reserve(
    connection: &mut Connection,
    sequence: &'static str,
    count: i32,
) -> Result<Vec<i64>, StorageError> {
    const SQL: &str = "select nextval($1::text::regclass) from generate_series(1, $2)";
    Ok(sqlx::query_scalar(SQL)
        .bind(sequence)
        .bind(count)
        .fetch_all(connection)
        .await?)
}
