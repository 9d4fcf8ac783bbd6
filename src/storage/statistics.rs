//! What measurements ask of the server: what it counts by itself, how large it is, and which accounts users have.

use super::{Connection, StorageError};

/// How far the server has come. Only differences mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counters {
    /// Position in the write-ahead log, in bytes.
    pub wal_bytes: i64,
    /// Transactions that wrote, whether committed or not: each takes the next id.
    pub transactions: i64,
}

/// What takes room on the disk, in bytes, without the write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DiskUsage {
    /// All of the database.
    pub database_bytes: i64,
    /// Accounts, transactions and entries, with their indexes.
    pub ledger_bytes: i64,
}

/// # Errors
/// Where the database does not answer.
pub async fn fetch_counters(connection: &mut Connection) -> Result<Counters, StorageError> {
    // Unlike those of pg_stat_database, these two are never late.
    const SQL: &str = "select (pg_current_wal_lsn() - '0/0')::bigint as wal_bytes, \
         pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// # Errors
/// Where the database does not answer.
pub async fn fetch_disk_usage(connection: &mut Connection) -> Result<DiskUsage, StorageError> {
    const SQL: &str = "select pg_database_size(current_database()) as database_bytes, \
         pg_total_relation_size('accounts') + pg_total_relation_size('transactions') \
         + pg_total_relation_size('entries') as ledger_bytes";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// An account of each of the users that have one, in their order.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_accounts_of(
    connection: &mut Connection,
    users: &[i64],
) -> Result<Vec<i64>, StorageError> {
    // Any plan for a plain join is fit for tables that were filled just now; an order within each look-up was planned as a
    // walk over all accounts for each user.
    const SQL: &str = "
        select distinct on (asked.position) accounts.id
        from unnest($1::bigint[]) with ordinality as asked (user_id, position)
        join accounts on accounts.owner_id = asked.user_id
        order by asked.position, accounts.id";
    Ok(sqlx::query_scalar(SQL)
        .bind(users)
        .fetch_all(connection)
        .await?)
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
