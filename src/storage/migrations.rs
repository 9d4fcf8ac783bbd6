//! The schema: refinery's migrations over a connection of ours.

use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::embedded;
use super::error::said;
use super::schema::{self, Age};
use super::{Connection, StorageError, connection};

/// Any number; the same for every instance of the service, so that they migrate one after the other.
const LOCK: i64 = 0x7061_7373_626f_6f6b;

/// Brings the schema up to date. Several instances may do so at once, and an older binary leaves a newer schema alone.
/// Says what was applied.
///
/// # Errors
/// If the database does not answer, or a migration was changed after it had been applied. Nothing is half done.
pub async fn run(connection: &mut Connection) -> Result<Vec<String>, StorageError> {
    if !may_create(connection).await? {
        return check(connection).await;
    }
    connection::begin(connection).await?;
    // A lock of the transaction, not of the session: those leak through poolers.
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    let runner = embedded::runner()
        .set_abort_missing(false)
        .set_abort_divergent(true);
    match runner.run_async(&mut Session(connection)).await {
        Ok(report) => {
            connection::commit(connection).await?;
            Ok(report
                .applied_migrations()
                .iter()
                .map(ToString::to_string)
                .collect())
        }
        Err(error) => {
            connection::rollback(connection).await?;
            Err(StorageError::Unfit(format!(
                "the schema could not be migrated: {}",
                explain(&error)
            )))
        }
    }
}

/// What is left to do where the schema is somebody else's: nothing, if it is up to date.
async fn check(connection: &mut Connection) -> Result<Vec<String>, StorageError> {
    match schema::fetch_age(connection).await? {
        Age::Same | Age::Newer { .. } => Ok(Vec::new()),
        Age::Older { lacks } => Err(StorageError::Unfit(format!(
            "its schema lacks {lacks}, and this role may not create tables: set PASSBOOK_OWNER_URL to the role that \
             owns them, or run passbook migrate with it"
        ))),
    }
}

async fn may_create(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "select has_schema_privilege(current_schema(), 'create')";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Whether the role of the connection could take away what guards the history.
pub async fn is_owner(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str =
        "select pg_has_role(relowner, 'usage') from pg_class where oid = 'entries'::regclass";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// refinery says where it failed; what PostgreSQL said is underneath.
fn explain(error: &refinery_core::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<sqlx::Error>() {
            return format!("{text}: {}", said(cause));
        }
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A connection with an open transaction, in which refinery does all its work.
struct Session<'c>(&'c mut Connection);

impl AsyncTransaction for Session<'_> {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut count = 0;
        for query in queries {
            // The text comes from the files under migrations/ and from refinery itself.
            sqlx::raw_sql(AssertSqlSafe(query.to_owned()))
                .execute(&mut *self.0)
                .await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Session<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, sqlx::Error> {
        let rows = sqlx::raw_sql(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut *self.0)
            .await?;
        rows.iter()
            .map(|row| {
                let applied_on =
                    OffsetDateTime::parse(&row.try_get::<String, _>("applied_on")?, &Rfc3339)
                        .map_err(|error| sqlx::Error::Decode(error.into()))?;
                let checksum = row
                    .try_get::<String, _>("checksum")?
                    .parse()
                    .map_err(|error: std::num::ParseIntError| sqlx::Error::Decode(error.into()))?;
                Ok(Migration::applied(
                    row.try_get("version")?,
                    row.try_get("name")?,
                    applied_on,
                    checksum,
                ))
            })
            .collect()
    }
}

impl AsyncMigrate for Session<'_> {}
