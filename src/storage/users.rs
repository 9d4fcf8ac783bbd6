//! People.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::{Connection, Pool, StorageError, columns};
use crate::ledger::{Amount, Currency, NamedAccount, UserId};

/// A user beside their account in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserBalance {
    pub user: UserId,
    /// Zero while the account is not open yet.
    pub balance: Amount,
    pub currency: Currency,
    pub created_at: DateTime<Utc>,
    /// When the user or the account last changed.
    pub updated_at: DateTime<Utc>,
}

/// # Errors
/// Where the database does not answer.
pub async fn find_balance(
    pool: &Pool,
    user: UserId,
    currency: Currency,
) -> Result<Option<UserBalance>, StorageError> {
    const SQL: &str = "
        select users.created_at, greatest(users.updated_at, accounts.last_entry_at) as updated_at, accounts.balance
        from users
        left join account_names on account_names.book_id = $2 and account_names.name = $3
        left join accounts on accounts.id = account_names.account_id
        where users.id = $1";
    #[derive(FromRow)]
    struct Row {
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
        balance: Option<Decimal>,
    }
    let account = NamedAccount::of_user(user, currency);
    let row: Option<Row> = sqlx::query_as(SQL)
        .bind(user.0)
        .bind(account.book.0)
        .bind(account.name.as_str())
        .fetch_optional(pool)
        .await?;
    row.map(|row| {
        let balance = row.balance.map_or(Ok(Amount::ZERO), |balance| {
            columns::amount(balance, currency.scale)
        })?;
        Ok(UserBalance {
            user,
            balance,
            currency,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    })
    .transpose()
}

/// Which of the emails belong to someone.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_taken_emails(
    connection: &mut Connection,
    emails: &[&str],
) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        select users.email from unnest($1::text[]) as asked (email) join users on users.email = asked.email";
    Ok(sqlx::query_scalar(SQL)
        .bind(emails)
        .fetch_all(connection)
        .await?)
}
