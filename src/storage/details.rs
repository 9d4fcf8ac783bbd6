//! What is said of accounts, and what they are called.

use std::collections::HashMap;

use sqlx::types::Json;

use super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, ExternalId, Metadata, UserId};

/// What is said of accounts now; nothing of those of which nothing ever was, or of which it was erased.
pub async fn list_of_accounts(
    connection: &mut Connection,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, Metadata>, StorageError> {
    const SQL: &str = "
        select asked.id, details.metadata
        from unnest($1::bigint[]) as asked (id)
        cross join lateral (
            select metadata from account_details where account_details.account_id = asked.id order by version desc limit 1
        ) as details
        where details.metadata is not null";
    let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
    let rows: Vec<(i64, Json<Metadata>)> =
        sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, metadata)| (AccountId(id), metadata.0))
        .collect())
}

/// Which of those external ids some account has.
pub async fn list_taken_external_ids(
    connection: &mut Connection,
    ids: &[(BookId, ExternalId)],
) -> Result<Vec<(BookId, ExternalId)>, StorageError> {
    const SQL: &str = "
        select asked.position
        from unnest($1::bigint[], $2::text[]) with ordinality as asked (book_id, external_id, position)
        cross join lateral (
            select from external_ids
            where external_ids.book_id = asked.book_id and external_ids.external_id = asked.external_id
        ) as taken";
    let books: Vec<i64> = ids.iter().map(|(book, _)| book.0).collect();
    let texts: Vec<&str> = ids.iter().map(|(_, text)| text.as_str()).collect();
    let positions: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(books)
        .bind(texts)
        .fetch_all(connection)
        .await?;
    let positions = positions.into_iter().filter_map(|position| {
        let position = usize::try_from(position).ok()?.checked_sub(1)?;
        ids.get(position).cloned()
    });
    Ok(positions.collect())
}

/// Which of those users exist.
pub async fn list_users(
    connection: &mut Connection,
    users: &[UserId],
) -> Result<Vec<UserId>, StorageError> {
    const SQL: &str = "select id from users where id = any($1)";
    let ids: Vec<i64> = users.iter().map(|user| user.0).collect();
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(UserId).collect())
}
