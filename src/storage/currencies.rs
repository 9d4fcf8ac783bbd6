//! The registry of currencies.

use sqlx::FromRow;

use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{Currency, CurrencyCode};

/// A currency as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub currency: Currency,
    /// 1 to 64 lower-case letters, digits, blanks, `_` and `-`, the first a letter; no other currency has the same.
    pub name: String,
    pub crypto: bool,
}

/// What became of a currency that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Added,
    /// There is a currency of that code, whatever its name. Nothing happened.
    CodeTaken,
    /// There is a currency of that name under another code. Nothing happened.
    NameTaken,
}

pub async fn find(
    connection: &mut Connection,
    code: CurrencyCode,
) -> Result<Option<Currency>, StorageError> {
    const SQL: &str = "select code, scale from currencies where code = $1";
    let row: Option<(String, i16)> = sqlx::query_as(SQL)
        .bind(code.as_str())
        .fetch_optional(connection)
        .await?;
    let currency = row.map(|(code, scale)| columns::currency(&code, scale));
    Ok(currency.transpose()?)
}

pub async fn find_by_name(
    connection: &mut Connection,
    name: &str,
) -> Result<Option<Registered>, StorageError> {
    const SQL: &str = "select code, name, scale, crypto from currencies where name = $1";
    let row: Option<Row> = sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Row::into_registered).transpose()?)
}

/// The whole registry, by code. It grows by hand, a row at a time, so that it is one page. One that cannot be read says so for
/// itself alone.
pub async fn list(
    connection: &mut Connection,
) -> Result<Vec<Result<Registered, Unreadable>>, StorageError> {
    const SQL: &str = "select code, name, scale, crypto from currencies order by code";
    let rows = sqlx::query(SQL).fetch_all(connection).await?;
    let registry = rows
        .iter()
        .map(|row| columns::read::<Row>(row)?.into_registered());
    Ok(registry.collect())
}

/// Adds a currency, unless its code or its name is there already.
pub async fn insert(
    connection: &mut Connection,
    registered: &Registered,
) -> Result<Inserted, StorageError> {
    const SQL: &str = "insert into currencies (code, name, scale, crypto) values ($1, $2, $3, $4)";
    let Registered {
        currency,
        name,
        crypto,
    } = registered;
    let inserted = sqlx::query(SQL)
        .bind(currency.code.as_str())
        .bind(name)
        .bind(i16::from(currency.scale))
        .bind(crypto)
        .execute(connection)
        .await;
    let Err(error) = inserted else {
        return Ok(Inserted::Added);
    };
    match error
        .as_database_error()
        .and_then(|error| error.constraint())
    {
        Some("currencies_pkey") => Ok(Inserted::CodeTaken),
        Some("currencies_name") => Ok(Inserted::NameTaken),
        _ => Err(error.into()),
    }
}

#[derive(FromRow)]
struct Row {
    code: String,
    name: String,
    scale: i16,
    crypto: bool,
}

impl Row {
    fn into_registered(self) -> Result<Registered, Unreadable> {
        Ok(Registered {
            currency: columns::currency(&self.code, self.scale)?,
            name: self.name,
            crypto: self.crypto,
        })
    }
}
