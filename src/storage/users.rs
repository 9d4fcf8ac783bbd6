//! People.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::{FromRow, QueryBuilder};

use super::paging::Paging;
use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{AccountName, Amount, BookId, Currency, Email, PasswordHash, UserId};

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

/// Users beside their accounts in a currency each, in the order that they are asked for. One that cannot be read says so for
/// itself alone.
pub async fn list_balances(
    connection: &mut Connection,
    asked: &[(UserId, Currency)],
) -> Result<Vec<Result<Option<UserBalance>, Unreadable>>, StorageError> {
    // The laterals hold the look-ups to the indexes whatever the statistics say of the tables.
    const SQL: &str = "
        select users.created_at, greatest(users.updated_at, accounts.last_entry_at) as updated_at, accounts.balance
        from unnest($2::bigint[], $3::text[]) with ordinality as asked (user_id, name, position)
        left join lateral (select created_at, updated_at from users where users.id = asked.user_id) as users on true
        left join lateral (
            select account_id from account_names where account_names.book_id = $1 and account_names.name = asked.name
        ) as named on true
        left join lateral (
            select balance, last_entry_at from accounts where accounts.id = named.account_id
        ) as accounts on true
        order by asked.position";
    #[derive(FromRow)]
    struct Row {
        created_at: Option<DateTime<Utc>>,
        updated_at: Option<DateTime<Utc>>,
        balance: Option<Decimal>,
    }
    let names = asked
        .iter()
        .map(|(user, currency)| AccountName::of_user(*user, currency.code));
    let rows = sqlx::query(SQL)
        .bind(BookId::MAIN.0)
        .bind(asked.iter().map(|(user, _)| user.0).collect::<Vec<i64>>())
        .bind(
            names
                .map(|name| name.as_str().to_owned())
                .collect::<Vec<String>>(),
        )
        .fetch_all(connection)
        .await?;
    let found = asked.iter().zip(&rows).map(|((user, currency), row)| {
        let row: Row = columns::read(row)?;
        let Some((created_at, updated_at)) = row.created_at.zip(row.updated_at) else {
            return Ok(None);
        };
        let balance = row.balance.map_or(Ok(Amount::ZERO), |balance| {
            columns::amount(balance, currency.scale)
        })?;
        Ok(Some(UserBalance {
            user: *user,
            balance,
            currency: *currency,
            created_at,
            updated_at,
        }))
    });
    Ok(found.collect())
}

/// Which of the emails belong to someone, as they are stored.
pub async fn list_taken_emails(
    connection: &mut Connection,
    emails: &[String],
) -> Result<Vec<String>, StorageError> {
    // The lateral holds the look-up to the index whatever the statistics say of the table.
    const SQL: &str = "
        select users.email
        from unnest($1::text[]) as asked (email)
        cross join lateral (select email from users where users.email = asked.email offset 0) as users";
    Ok(sqlx::query_scalar(SQL)
        .bind(emails)
        .fetch_all(connection)
        .await?)
}

/// The email of a user as they typed it, or as it was stored before that was kept.
pub async fn find_email(
    connection: &mut Connection,
    user: UserId,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "select coalesce(email_typed, email) from users where id = $1";
    let found: Option<Option<String>> = sqlx::query_scalar(SQL)
        .bind(user.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.flatten())
}

/// A user's balance in each of the currencies, in their order; zero where there is no account. None where there is no user.
pub async fn find_balances(
    connection: &mut Connection,
    user: UserId,
    currencies: &[Currency],
) -> Result<Option<Vec<Amount>>, StorageError> {
    const SQL: &str = "
        select asked.position, coalesce(accounts.balance, 0) as balance
        from users
        left join unnest($2::text[]) with ordinality as asked (name, position) on true
        left join lateral (
            select account_id from account_names where account_names.book_id = $3 and account_names.name = asked.name
        ) as named on true
        left join lateral (select balance from accounts where accounts.id = named.account_id) as accounts on true
        where users.id = $1
        order by asked.position";
    let names = currencies
        .iter()
        .map(|currency| AccountName::of_user(user, currency.code));
    let names: Vec<String> = names.map(|name| name.as_str().to_owned()).collect();
    let rows: Vec<(Option<i64>, Decimal)> = sqlx::query_as(SQL)
        .bind(user.0)
        .bind(names)
        .bind(BookId::MAIN.0)
        .fetch_all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    // One row without a position stands for no currency at all.
    let balances = rows.into_iter().filter(|(position, _)| position.is_some());
    let balances = currencies.iter().zip(balances);
    let balances =
        balances.map(|(currency, (_, balance))| columns::amount(balance, currency.scale));
    let balances: Result<_, Unreadable> = balances.collect();
    Ok(Some(balances?))
}

/// What the first of the emails that somebody has signs in with; none where nobody has one and a password.
pub async fn find_password(
    connection: &mut Connection,
    emails: &[String],
) -> Result<Option<(UserId, PasswordHash)>, StorageError> {
    // The lateral holds the look-up to the index whatever the statistics say of the table.
    const SQL: &str = "
        select users.id, users.password_hash
        from unnest($1::text[]) with ordinality as asked (email, position)
        cross join lateral (
            select id, password_hash from users where users.email = asked.email and password_hash is not null
        ) as users
        order by asked.position limit 1";
    let row: Option<(i64, String)> = sqlx::query_as(SQL)
        .bind(emails)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(user, hash)| (UserId(user), PasswordHash(hash))))
}

/// Somebody, without what they own.
#[derive(Clone, Debug, FromRow)]
pub struct Person {
    pub id: i64,
    pub name: Option<String>,
    /// As they typed it.
    pub email: Option<String>,
    pub created_at: DateTime<Utc>,
}

const PERSON: &str =
    "select id, name, coalesce(email_typed, email) as email, created_at from users where true";

/// # Errors
/// If the database does not answer.
pub async fn find_person(
    connection: &mut Connection,
    user: UserId,
) -> Result<Option<Person>, StorageError> {
    let mut query = QueryBuilder::new(PERSON);
    query.push(" and id = ").push_bind(user.0);
    Ok(query.build_query_as().fetch_optional(connection).await?)
}

/// Users by id: all of them, or whoever has one of the forms of an email.
///
/// # Errors
/// If the database does not answer.
pub async fn list_persons(
    connection: &mut Connection,
    email: Option<&Email>,
    paging: Paging<UserId>,
) -> Result<Vec<Person>, StorageError> {
    let mut query = QueryBuilder::new(PERSON);
    if let Some(email) = email {
        query
            .push(" and email = any(")
            .push_bind(email.stored_as())
            .push(")");
    }
    paging.push(&mut query, "id", |after| after.0);
    Ok(query.build_query_as().fetch_all(connection).await?)
}
