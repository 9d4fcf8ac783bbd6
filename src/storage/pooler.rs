//! Whether prepared statements survive a pooler between the service and `PostgreSQL`.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};
use tokio::time::timeout;

use super::connection::close;
use super::pooler_setup::HANDED_OVER;
use super::{Connection, Database, StorageError};

/// How often it is looked whether two connections lead to one server.
const LOOKS: u32 = 3;
/// How long a prepared statement may take that another server should answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Whether a statement that was prepared is still there when the pooler, if there is one, hands it to another server. Another
/// connection gets hold of the server on which it was prepared; without a pooler none can.
///
/// # Errors
/// If it is not, or the database does not answer.
pub async fn check(database: &Database) -> Result<(), StorageError> {
    let mut one = database.connect().await?;
    let mut other = database.connect().await?;
    let mut checked = Ok(());
    for _ in 0..LOOKS {
        checked = look(&mut one, &mut other).await;
        if checked.is_err() {
            break;
        }
    }
    close(one).await;
    close(other).await;
    checked
}

async fn look(one: &mut Connection, other: &mut Connection) -> Result<(), StorageError> {
    // Another client's rows are as much of a sign as that there is no such statement.
    let handed_over = |error| match error {
        StorageError::Database(sqlx::Error::Io(_)) | StorageError::Lost(_) => error,
        StorageError::Database(_) | StorageError::Corrupt(_) | StorageError::Unfit(_) => {
            StorageError::Unfit(HANDED_OVER.to_owned())
        }
    };
    let prepared = prepared_pid(one).await.map_err(handed_over)?;
    // Not prepared, so that it finds the server that is free whatever that knows.
    let held = unprepared_pid(other, "begin; select pg_backend_pid()").await?;
    let again = if held == prepared {
        let again = timeout(ANSWER_MAX, prepared_pid(one)).await;
        // A pooler with one server lets it wait, and nothing is handed over.
        again.unwrap_or(Ok(held)).map_err(handed_over)
    } else {
        Ok(prepared)
    };
    unprepared_pid(other, "rollback; select pg_backend_pid()").await?;
    again.map(drop)
}

async fn prepared_pid(connection: &mut Connection) -> Result<i32, StorageError> {
    const SQL: &str = "select pg_backend_pid()";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

async fn unprepared_pid(connection: &mut Connection, sql: &str) -> Result<i32, StorageError> {
    // One of the two constants above.
    let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}
