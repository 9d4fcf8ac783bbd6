//! Poolers between the service and `PostgreSQL`: what they have to let through, and whether prepared statements survive them.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};
use tokio::time::timeout;

use super::connection::close;
use super::{Connection, Database, StorageError};

/// How often it is looked whether two connections lead to one server.
const LOOKS: u32 = 3;
/// How long a prepared statement may take that another server should answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

const HANDED_OVER: &str = "a pooler in between hands prepared statements to other servers, which do not know them and may answer \
    with the rows of another client: PgBouncer needs version 1.21 or newer with max_prepared_statements = 200, or \
    pool_mode = session (docs/pgbouncer.md)";

/// All that has to be set where a pooler does not pass on what a connection says of itself, ready to paste.
pub(super) fn dropped(role: &str, settings: &[(&str, &str)]) -> StorageError {
    let role = role.replace('"', "\"\"");
    let lines = settings
        .iter()
        .map(|(name, value)| format!("alter role \"{role}\" set {name} = '{value}';\n"));
    let lines: String = lines.collect();
    StorageError::Unfit(format!(
        "a pooler in between does not pass on how the connection is to be set. Run once on PostgreSQL itself, and let the pooler \
         connect anew:\n\n{lines}\nand if it is PgBouncer, with this in pgbouncer.ini (docs/pgbouncer.md):\n\n\
         ignore_startup_parameters = extra_float_digits, options\n"
    ))
}

/// What a pooler's own errors mean for whoever set it up. `settings` are those that a lane needs.
pub(super) fn explain(
    error: StorageError,
    role: &str,
    settings: impl FnOnce() -> Vec<(&'static str, &'static str)>,
) -> StorageError {
    let (code, message) = match &error {
        StorageError::Database(sqlx::Error::Database(error)) => {
            (error.code().unwrap_or_default(), error.message())
        }
        StorageError::Database(_)
        | StorageError::Corrupt(_)
        | StorageError::Unfit(_)
        | StorageError::Lost(_) => {
            return error;
        }
    };
    match code.as_ref() {
        // "unsupported startup parameter: options", "unsupported startup parameter in options: jit"
        "08P01" if message.contains("startup parameter") => dropped(role, &settings()),
        // A statement is not there, or another client's is there under its name.
        "26000" | "42P05" => StorageError::Unfit(HANDED_OVER.to_owned()),
        _ => error,
    }
}

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
