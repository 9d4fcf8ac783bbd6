//! What must hold of a database before a ledger is restored into it.

use sqlx::FromRow;
use sqlx::error::DatabaseError;

use super::{Connection, StorageError};

/// `PostgreSQL`'s SQLSTATEs where a role is there already, and where this one may not create any.
const DUPLICATE_OBJECT: &str = "42710";
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// What is in a database.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Contents {
    /// Whether it was migrated.
    pub has_schema: bool,
    /// Passbooks that are connected to it, this one not counted.
    pub others: i64,
}

pub async fn fetch_contents(connection: &mut Connection) -> Result<Contents, StorageError> {
    const SQL: &str = "
        select to_regclass('refinery_schema_history') is not null as has_schema,
            (select count(*) from pg_stat_activity where datname = current_database()
                and application_name = 'passbook' and pid <> pg_backend_pid()) as others";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// Whether anything was ever written to the ledger of a database that was migrated.
pub async fn holds_ledger(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select from accounts) or exists (select from entries) or exists (select from transactions)
            or exists (select from users)";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// The versions of the schema of a database that was migrated.
pub async fn list_schema_versions(connection: &mut Connection) -> Result<Vec<i32>, StorageError> {
    const SQL: &str = "select version from refinery_schema_history order by version";
    Ok(sqlx::query_scalar(SQL).fetch_all(connection).await?)
}

/// Whether the role of the service is there. Roles belong to the whole server, so no dump of a database has them.
pub async fn has_runtime_role(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "select exists (select from pg_roles where rolname = 'passbook_runtime')";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Creates the role of the service, as `V10__runtime_role.sql` does. False where the owner may not.
pub async fn create_runtime_role(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "create role passbook_runtime login";
    let Err(error) = sqlx::raw_sql(SQL).execute(connection).await else {
        return Ok(true);
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    match code.as_deref() {
        Some(DUPLICATE_OBJECT) => Ok(true),
        Some(INSUFFICIENT_PRIVILEGE) => Ok(false),
        _ => Err(error.into()),
    }
}
