//! What the audit reads: accounts, entries, transactions and registers as they stand, in pages, also where they are not what they
//! should be.
//!
//! Amounts come as text, because a column that was tampered with may hold what no [`Amount`](crate::ledger::Amount) can be.

mod bytes;
mod details;
mod entries;
mod heads;
mod holds;
mod registry;
mod reversals;
mod state;
mod transactions;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Connection, StorageError, columns};
use crate::ledger::{AccountId, Seal, Version};

pub use self::bytes::Bytes;
pub use self::details::{StoredText, Unsealed, list_account_details, list_notes};
pub use self::entries::{Span, StoredEntry, StoredStart, list_entries, list_starts};
pub use self::heads::{
    StoredHead, StoredHolds, StoredName, Unregistered, find_version, list_heads,
};
pub use self::holds::{HoldAt, PlacedHold, StoredHold, list_holds, list_holds_at, list_placed};
pub use self::registry::{
    BookRow, CallerRow, CurrencyRow, NameRow, UserRow, find_anyone, list_books, list_currencies,
    list_external_ids, list_names, list_users,
};
pub use self::reversals::{Move, Moves, list_moves};
pub use self::transactions::{
    Made, Opened, SpokenOf, StoredKey, StoredMore, StoredPart, StoredRefusal, StoredTransaction,
    list_transactions,
};

/// Which database it is, what its clock says, and how far it reaches.
#[derive(Clone, Debug, FromRow)]
pub struct Reach {
    /// Another for each cluster and each database in it; the same after a restart, a fail-over or a file-level restore.
    pub database: String,
    pub now: DateTime<Utc>,
    /// The largest id of an account; 0 where there is none.
    pub last_account: i64,
    /// The smallest id of a transaction; nil where there is none.
    pub first_transaction: Uuid,
    /// Since when nobody writes in a sealed book: a day after a program that lets nobody do so migrated the ledger, as programs of
    /// before may go on beside it for a while.
    pub sealed_books_since: DateTime<Utc>,
}

pub async fn fetch_reach(connection: &mut Connection) -> Result<Reach, StorageError> {
    const SQL: &str = "
        select control.system_identifier || '/' || pg_database.oid as database, clock_timestamp() as now,
            coalesce((select id from accounts order by id desc limit 1), 0) as last_account,
            coalesce((select id from transactions order by id limit 1), '00000000-0000-0000-0000-000000000000') as first_transaction,
            coalesce((select applied_on::timestamptz + interval '1 day' from refinery_schema_history where version = 15), clock_timestamp())
                as sealed_books_since
        from pg_control_system() as control, pg_database
        where datname = current_database()";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// About how many entries there are, as far as the server's statistics know.
pub async fn fetch_entries_estimate(connection: &mut Connection) -> Result<u64, StorageError> {
    const SQL: &str = "
        select greatest(reltuples::bigint, pg_stat_get_live_tuples(oid), 0) from pg_class where oid = 'entries'::regclass";
    let estimate: i64 = sqlx::query_scalar(SQL).fetch_one(connection).await?;
    Ok(u64::try_from(estimate).unwrap_or_default())
}

/// The seal of an entry, if the entry is there and has one.
pub async fn find_seal(
    connection: &mut Connection,
    account: AccountId,
    version: Version,
) -> Result<Option<Seal>, StorageError> {
    const SQL: &str = "select seal from entries where account_id = $1 and version = $2";
    let seal: Option<Vec<u8>> = sqlx::query_scalar(SQL)
        .bind(account.0)
        .bind(version.0)
        .fetch_optional(connection)
        .await?;
    Ok(seal.and_then(|seal| columns::seal(&seal).ok()))
}

/// The account so many places after another, by id; none where there are fewer.
pub async fn find_account_after(
    connection: &mut Connection,
    after: AccountId,
    places: i64,
) -> Result<Option<AccountId>, StorageError> {
    const SQL: &str =
        "select id from accounts where id > $1 order by id offset greatest($2 - 1, 0) limit 1";
    let id: Option<i64> = sqlx::query_scalar(SQL)
        .bind(after.0)
        .bind(places)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(AccountId))
}

/// The transaction so many places after another, by id; none where there are fewer.
pub async fn find_transaction_after(
    connection: &mut Connection,
    after: Uuid,
    places: i64,
) -> Result<Option<Uuid>, StorageError> {
    const SQL: &str =
        "select id from transactions where id > $1 order by id offset greatest($2 - 1, 0) limit 1";
    Ok(sqlx::query_scalar(SQL)
        .bind(after)
        .bind(places)
        .fetch_optional(connection)
        .await?)
}
