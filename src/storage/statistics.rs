//! What measurements ask of the server: what it counts by itself, how large it is, which accounts users have, what is there
//! under which key, and that its log is ready.

use std::future::poll_fn;

use super::{Connection, StorageError};
use crate::ledger::AccountId;

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

pub async fn fetch_counters(connection: &mut Connection) -> Result<Counters, StorageError> {
    // Unlike those of pg_stat_database, these two are never late.
    const SQL: &str = "select (pg_current_wal_lsn() - '0/0')::bigint as wal_bytes, \
         pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

pub async fn fetch_disk_usage(connection: &mut Connection) -> Result<DiskUsage, StorageError> {
    const SQL: &str = "select pg_database_size(current_database()) as database_bytes, \
         pg_total_relation_size('accounts') + pg_total_relation_size('transactions') \
         + pg_total_relation_size('entries') as ledger_bytes";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// Has the server make segments of its write-ahead log for so many bytes to come, as one has them that has run for a while: it
/// makes each as it comes to its end, everyone waiting, until checkpoints leave old ones to be used again. For superusers.
pub async fn lay_in_log(connection: &mut Connection, bytes: i64) -> Result<(), StorageError> {
    // A segment in which nothing stands is not left. The server waits with what it has passed until the checkpoint.
    const PASS: &str = "
        select count(pg_logical_emit_message(false, 'passbook', '')), count(pg_switch_wal())
        from generate_series(1, $1 / (select setting::bigint from pg_settings where name = 'wal_segment_size'))";
    sqlx::query(PASS)
        .bind(bytes)
        .execute(&mut *connection)
        .await?;
    sqlx::query("checkpoint").execute(connection).await?;
    Ok(())
}

/// An account of each of the users that have one, in their order.
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

/// Passes on every key under which a command was applied, with how many entries that made: one by one, in no order, so that
/// none is kept in memory. A backslash in a key comes doubled. Reads the whole journal.
pub async fn visit_keys(
    connection: &mut Connection,
    mut visit: impl FnMut(&str, u64),
) -> Result<(), StorageError> {
    // In the order in which they lie, which is about that of their entries in the index: two seconds for a million.
    const SQL: &str = "
        copy (
            select (select count(*) from entries where entries.transaction_id = transactions.id), idempotency_key
            from transactions
            where idempotency_key is not null and refusal is null
        ) to stdout";
    let mut rows = connection.copy_out_raw(SQL).await?;
    // Each row comes by itself (PostgreSQL's manual, 55.2.6).
    while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
        let row = row?;
        let odd = || StorageError::Corrupt("a row of keys that cannot be read".to_owned());
        let text = str::from_utf8(&row).map_err(|_| odd())?;
        let (entries, key) = text.trim_end().split_once('\t').ok_or_else(odd)?;
        visit(key, entries.parse().map_err(|_| odd())?);
    }
    Ok(())
}

/// The directory of the server's programs. For superusers.
///
/// # Errors
/// If the database does not answer, or does not tell.
pub async fn fetch_bin_dir(connection: &mut Connection) -> Result<String, StorageError> {
    const SQL: &str = "select setting from pg_config() where name = 'BINDIR'";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// What an account is called by the native interface.
#[must_use]
pub fn number_of(account: i64) -> String {
    AccountId(account).to_number()
}
