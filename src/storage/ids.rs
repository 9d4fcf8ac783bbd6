//! Ids, taken from their sequences before the rows are written.

use super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, UserId};

/// Takes `count` account ids that nobody else gets.
///
/// # Errors
/// Where the database does not answer.
pub async fn reserve_accounts(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<AccountId>, StorageError> {
    const SQL: &str = "select nextval('accounts_id_seq') from generate_series(1, $1)";
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(count)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// Takes `count` user ids that nobody else gets.
///
/// # Errors
/// Where the database does not answer.
pub async fn reserve_users(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<UserId>, StorageError> {
    const SQL: &str = "select nextval('users_id_seq') from generate_series(1, $1)";
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(count)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Takes `count` book ids that nobody else gets.
///
/// # Errors
/// Where the database does not answer.
pub async fn reserve_books(
    connection: &mut Connection,
    count: i32,
) -> Result<Vec<BookId>, StorageError> {
    const SQL: &str = "select nextval('books_id_seq') from generate_series(1, $1)";
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(count)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(BookId).collect())
}
