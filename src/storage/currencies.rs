//! The registry of currencies.

use super::{Pool, StorageError, columns};
use crate::ledger::{Currency, CurrencyCode};

/// # Errors
/// Where the database does not answer.
pub async fn find(pool: &Pool, code: CurrencyCode) -> Result<Option<Currency>, StorageError> {
    const SQL: &str = "select code, scale from currencies where code = $1";
    let row: Option<(String, i16)> = sqlx::query_as(SQL)
        .bind(code.as_str())
        .fetch_optional(pool)
        .await?;
    row.map(|(code, scale)| columns::currency(&code, scale))
        .transpose()
}
