//! What gives accounts their meaning, as it is stored: names, users, books, currencies.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, UserId};

/// A name beside the account that it stands for.
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
    let rows: Vec<(i64, String, i64, Option<i64>)> = sqlx::query_as(SQL)
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

/// The next users after one, by id.
pub async fn list_users(
    connection: &mut Connection,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserRow>, StorageError> {
    const SQL: &str = "
        select page.id, account.count, account.opened_with
        from (select id, created_at from users where id > $1 order by id limit $2) as page
        left join lateral (
            select count(*) as count, count(*) filter (where opened_at = page.created_at) as opened_with
            from accounts where accounts.owner_id = page.id
        ) as account on true
        order by page.id";
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, accounts, opened_with)| UserRow {
            id: UserId(id),
            accounts,
            opened_with,
        })
        .collect())
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
