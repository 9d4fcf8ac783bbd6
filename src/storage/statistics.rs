//! What the server counts by itself, for measurements.

use super::{Connection, StorageError};

/// How far the server has come. Only differences mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counters {
    /// Position in the write-ahead log, in bytes.
    pub wal_bytes: i64,
    /// Transactions that wrote, whether committed or not: each takes the next id.
    pub transactions: i64,
}

/// # Errors
/// Where the database does not answer.
pub async fn fetch_counters(connection: &mut Connection) -> Result<Counters, StorageError> {
    // Unlike those of pg_stat_database, these two are never late.
    const SQL: &str = "select (pg_current_wal_lsn() - '0/0')::bigint as wal_bytes, \
         pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// All entries of the journal. Reads every one of them.
///
/// # Errors
/// Where the database does not answer.
pub async fn count_entries(connection: &mut Connection) -> Result<i64, StorageError> {
    const SQL: &str = "select count(*) from entries";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// The directory of the server's programs. For superusers.
///
/// # Errors
/// Where the database does not answer, or does not tell.
pub async fn fetch_bin_dir(connection: &mut Connection) -> Result<String, StorageError> {
    const SQL: &str = "select setting from pg_config() where name = 'BINDIR'";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}
