//! What gives accounts their meaning, as it is stored: names, users, books, currencies.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, CallerId, UserId};

/// A name, or an external id, beside the account that it stands for.
#[derive(Clone, Debug)]
pub struct NameRow {
    pub book: BookId,
    pub name: String,
    pub account: AccountId,
    /// Of the account; none where there is none.
    pub account_book: Option<BookId>,
}

/// A user beside the accounts of theirs.
#[derive(Clone, Copy, Debug)]
pub struct UserRow {
    pub id: UserId,
    pub accounts: i64,
    /// Those that were opened at the moment when the user was.
    pub opened_with: i64,
    /// Whether a transaction says that it opened the user alone.
    pub is_opened_alone: bool,
}

/// A caller beside its principal.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CallerRow {
    pub principal_id: i64,
    pub book_id: i64,
    pub kind: String,
    pub name: Option<String>,
    pub user_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct BookRow {
    pub id: i64,
    pub name: String,
    pub opened_at: DateTime<Utc>,
    pub sealed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CurrencyRow {
    pub code: String,
    pub name: String,
    pub scale: i16,
    pub crypto: bool,
    pub created_at: DateTime<Utc>,
}

/// The next names after one of a book, by book and name.
pub async fn list_names(
    connection: &mut Connection,
    after: (BookId, &str),
    limit: i64,
) -> Result<Vec<NameRow>, StorageError> {
    const SQL: &str = "
        select page.book_id, page.name, page.account_id, account.book_id
        from (
            select book_id, name, account_id from account_names
            where (book_id, name) > ($1, $2) order by book_id, name limit $3
        ) as page
        left join lateral (select book_id from accounts where accounts.id = page.account_id limit 1) as account on true
        order by page.book_id, page.name";
    list_called(connection, SQL, after, limit).await
}

/// The next users after one, by id. `entered_before_max` is how much earlier than the user a command may have entered that opened
/// it.
pub async fn list_users(
    connection: &mut Connection,
    after: UserId,
    limit: i64,
    entered_before_max: Duration,
) -> Result<Vec<UserRow>, StorageError> {
    // A transaction of a user alone is looked for from the time of the user backwards: its id is of when the command entered,
    // which is at most so much before. By a clock that was set back meanwhile, it is a little after.
    const SQL: &str = "
        select page.id, account.count, account.opened_with, coalesce(before.is_there, later.is_there, false)
        from (
            select id, created_at, extract(epoch from created_at) as seconds from users where id > $1 order by id limit $2
        ) as page
        left join lateral (
            select count(*) as count, count(*) filter (where opened_at = page.created_at) as opened_with
            from accounts where accounts.owner_id = page.id
        ) as account on true
        cross join lateral (
            select array_agg((lpad(to_hex(floor(seconds * 1000)::bigint), 12, '0') || repeat('f', 20))::uuid) as ends
            from unnest(array[page.seconds - $3, page.seconds, page.seconds + $3]) as seconds
        ) as id
        left join lateral (
            select true as is_there from transactions
            where account.opened_with = 0 and transactions.id > id.ends[1] and transactions.id <= id.ends[2]
                and kind = 'user_opened' and user_id = page.id and refusal is null
            order by transactions.id desc limit 1
        ) as before on true
        left join lateral (
            select true as is_there from transactions
            where account.opened_with = 0 and before.is_there is null
                and transactions.id > id.ends[2] and transactions.id <= id.ends[3]
                and kind = 'user_opened' and user_id = page.id and refusal is null
            order by transactions.id limit 1
        ) as later on true
        order by page.id";
    let rows: Vec<(i64, i64, i64, bool)> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(limit)
        .bind(entered_before_max.as_secs_f64())
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, accounts, opened_with, is_opened_alone)| UserRow {
            id: UserId(id),
            accounts,
            opened_with,
            is_opened_alone,
        })
        .collect())
}

/// The next external ids after one of a book, by book and id.
pub async fn list_external_ids(
    connection: &mut Connection,
    after: (BookId, &str),
    limit: i64,
) -> Result<Vec<NameRow>, StorageError> {
    const SQL: &str = "
        select page.book_id, page.external_id, page.account_id, account.book_id
        from (
            select book_id, external_id, account_id from external_ids
            where (book_id, external_id) > ($1, $2) order by book_id, external_id limit $3
        ) as page
        left join lateral (select book_id from accounts where accounts.id = page.account_id limit 1) as account on true
        order by page.book_id, page.external_id";
    list_called(connection, SQL, after, limit).await
}

async fn list_called(
    connection: &mut Connection,
    sql: &'static str,
    after: (BookId, &str),
    limit: i64,
) -> Result<Vec<NameRow>, StorageError> {
    let rows: Vec<(i64, String, i64, Option<i64>)> = sqlx::query_as(sql)
        .bind(after.0.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(book, name, account, account_book)| NameRow {
            book: BookId(book),
            name,
            account: AccountId(account),
            account_book: account_book.map(BookId),
        })
        .collect())
}

/// The caller that everybody is in the main book, if it is there.
pub async fn find_anyone(connection: &mut Connection) -> Result<Option<CallerRow>, StorageError> {
    const SQL: &str = "
        select principal_id, book_id, kind, name, user_id
        from callers join principals on principals.id = callers.principal_id
        where callers.id = $1";
    Ok(sqlx::query_as(SQL)
        .bind(CallerId::ANYONE.0)
        .fetch_optional(connection)
        .await?)
}

/// All books, those of one name together, in the order in which they were open. By one statement: a book is sealed and the next one
/// opened at once, so two statements could see one half of that each.
pub async fn list_books(connection: &mut Connection) -> Result<Vec<BookRow>, StorageError> {
    const SQL: &str = "
        select id, name, opened_at, sealed_at from books
        order by name, opened_at, sealed_at is null, sealed_at, id";
    Ok(sqlx::query_as(SQL).fetch_all(connection).await?)
}

/// The whole registry, by code. It grows by hand, a row at a time.
pub async fn list_currencies(
    connection: &mut Connection,
) -> Result<Vec<CurrencyRow>, StorageError> {
    const SQL: &str = "select code, name, scale, crypto, created_at from currencies order by code";
    Ok(sqlx::query_as(SQL).fetch_all(connection).await?)
}
