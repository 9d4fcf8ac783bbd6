//! What the audit reads: heads, entries and transactions as they stand, in pages, also where they are not what they should be.
//!
//! Amounts come as text, because a column that was tampered with may hold what no [`Amount`] can be.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Connection, StorageError, columns};
use crate::ledger::seal::Sealed;
use crate::ledger::{AccountId, Amount, BookId, Currency, Seal, TransactionId, UserId, Version};

/// A head as it is stored. `None` stands for a value that cannot be.
#[derive(Clone, Debug)]
pub struct StoredHead {
    pub id: AccountId,
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub opened_at: DateTime<Utc>,
    pub balance: Option<Amount>,
    pub floor: Option<Amount>,
    pub version: Version,
    pub seal: Option<Seal>,
    pub last_entry_at: DateTime<Utc>,
}

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub account: AccountId,
    pub version: Version,
    pub transaction: TransactionId,
    pub seal: Option<Seal>,
    /// Whether its transaction is there, and was not refused.
    pub has_transaction: bool,
    /// Whether the other side of a transfer is there, with the opposite amount.
    pub has_counterpart: bool,
    counterparty: Option<AccountId>,
    created_at: DateTime<Utc>,
    amount: String,
    balance: String,
}

/// Entries of a journal, by account and version: all after the one position, up to and including the other.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub after: (AccountId, Version),
    pub last: (AccountId, Version),
}

/// The entry of an account that an audit goes on from. `None` stands for a value that cannot be.
#[derive(Clone, Copy, Debug)]
pub struct StoredStart {
    pub version: Version,
    pub balance: Option<Amount>,
    pub seal: Option<Seal>,
    pub created_at: DateTime<Utc>,
}

/// Which database it is, and what its clock says.
#[derive(Clone, Debug, FromRow)]
pub struct Standing {
    /// Another for each cluster and each database in it; the same after a restart, a fail-over or a file-level restore.
    pub database: String,
    pub now: DateTime<Utc>,
}

/// A transaction beside what it left in the journal.
#[derive(Clone, Debug, FromRow)]
pub struct StoredTransaction {
    pub id: Uuid,
    /// Whether it should have entries: money moved, and nothing was refused.
    pub moves_money: bool,
    pub refused: bool,
    pub entries: i64,
}

/// # Errors
/// Where the database does not answer.
pub async fn fetch_standing(connection: &mut Connection) -> Result<Standing, StorageError> {
    const SQL: &str = "
        select control.system_identifier || '/' || pg_database.oid as database, clock_timestamp() as now
        from pg_control_system() as control, pg_database
        where datname = current_database()";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// About how many entries there are, as far as the server's statistics know.
///
/// # Errors
/// Where the database does not answer.
pub async fn fetch_entries_estimate(connection: &mut Connection) -> Result<u64, StorageError> {
    const SQL: &str = "
        select greatest(reltuples::bigint, pg_stat_get_live_tuples(oid), 0) from pg_class where oid = 'entries'::regclass";
    let estimate: i64 = sqlx::query_scalar(SQL).fetch_one(connection).await?;
    Ok(u64::try_from(estimate).unwrap_or_default())
}

/// The seal of an entry, if the entry is there and has one.
///
/// # Errors
/// Where the database does not answer.
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
///
/// # Errors
/// Where the database does not answer.
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
///
/// # Errors
/// Where the database does not answer.
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

/// The heads after an account, up to and including another, by id: all of them, or those that have changed since.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_heads(
    connection: &mut Connection,
    after: AccountId,
    last: AccountId,
    changed_since: Option<DateTime<Utc>>,
) -> Result<Vec<StoredHead>, StorageError> {
    const SQL: &str = "
        select accounts.id, book_id, owner_id, currency, currency.scale, opened_at, balance::text as balance,
            floor::text as floor, version, seal, last_entry_at
        from accounts
        cross join lateral (select scale from currencies where code = accounts.currency limit 1) as currency
        where accounts.id > $1 and accounts.id <= $2 and ($3::timestamptz is null or $3 <= last_entry_at)
        order by accounts.id";
    let rows: Vec<HeadRow> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(last.0)
        .bind(changed_since)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(HeadRow::into_head).collect()
}

/// The last entry before a time of each of the accounts, in their order; none where there is none.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_starts(
    connection: &mut Connection,
    heads: &[StoredHead],
    before: DateTime<Utc>,
) -> Result<Vec<Option<StoredStart>>, StorageError> {
    // Backwards along the primary key: over the entries that are to be read anyway, to the first that is not.
    const SQL: &str = "
        select start.version, start.balance::text as balance, start.seal, start.created_at
        from unnest($1::bigint[]) with ordinality as asked (account_id, position)
        left join lateral (
            select * from entries
            where entries.account_id = asked.account_id and entries.created_at < $2
            order by entries.version desc
            limit 1
        ) as start on true
        order by asked.position";
    let ids: Vec<i64> = heads.iter().map(|head| head.id.0).collect();
    let rows: Vec<StartRow> = sqlx::query_as(SQL)
        .bind(ids)
        .bind(before)
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter().zip(heads);
    Ok(rows
        .map(|(row, head)| row.into_start(head.currency))
        .collect())
}

/// The entries of the spans, by account and version; of each span not more than a limit.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_entries(
    connection: &mut Connection,
    spans: &[Span],
    limit: i64,
) -> Result<Vec<StoredEntry>, StorageError> {
    // The laterals, each with its limit, hold the order of the look-ups whatever the statistics say of the tables.
    const SQL: &str = "
        select entry.account_id, entry.version, entry.counterparty_id, entry.created_at, entry.transaction_id,
            entry.amount::text as amount, entry.balance::text as balance, entry.seal,
            coalesce(transaction.is_accepted, false) as has_transaction,
            entry.counterparty_id is null or other.is_there is not null as has_counterpart
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
            as span (after_account, after_version, last_account, last_version)
        cross join lateral (
            select * from entries
            where (account_id, version) > (span.after_account, span.after_version)
                and (account_id, version) <= (span.last_account, span.last_version)
            order by account_id, version
            limit $5
        ) as entry
        left join lateral (
            select refusal is null as is_accepted from transactions where transactions.id = entry.transaction_id limit 1
        ) as transaction on true
        left join lateral (
            select true as is_there from entries as other
            where entry.counterparty_id is not null and other.transaction_id = entry.transaction_id
                and other.account_id = entry.counterparty_id and other.counterparty_id = entry.account_id
                and other.amount = -entry.amount
            limit 1
        ) as other on true
        order by entry.account_id, entry.version";
    let column = |of: fn(&Span) -> i64| spans.iter().map(of).collect::<Vec<i64>>();
    let rows: Vec<EntryRow> = sqlx::query_as(SQL)
        .bind(column(|span| span.after.0.0))
        .bind(column(|span| span.after.1.0))
        .bind(column(|span| span.last.0.0))
        .bind(column(|span| span.last.1.0))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(EntryRow::into_entry).collect())
}

/// The next transactions after one, up to and including another, by id.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_transactions(
    connection: &mut Connection,
    after: Uuid,
    last: Uuid,
    limit: i64,
) -> Result<Vec<StoredTransaction>, StorageError> {
    const SQL: &str = "
        select id, refusal is null and kind in ('deposit', 'withdrawal', 'transfer') as moves_money,
            refusal is not null as refused,
            (select count(*) from entries where entries.transaction_id = transactions.id) as entries
        from transactions
        where id > $1 and id <= $2
        order by id
        limit $3";
    Ok(sqlx::query_as(SQL)
        .bind(after)
        .bind(last)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

#[derive(FromRow)]
struct HeadRow {
    id: i64,
    book_id: i64,
    owner_id: Option<i64>,
    currency: String,
    scale: i16,
    opened_at: DateTime<Utc>,
    balance: String,
    floor: String,
    version: i64,
    seal: Vec<u8>,
    last_entry_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct EntryRow {
    account_id: i64,
    version: i64,
    counterparty_id: Option<i64>,
    created_at: DateTime<Utc>,
    transaction_id: Uuid,
    amount: String,
    balance: String,
    seal: Vec<u8>,
    has_transaction: bool,
    has_counterpart: bool,
}

/// All null where there is no such entry.
#[derive(FromRow)]
struct StartRow {
    version: Option<i64>,
    balance: Option<String>,
    seal: Option<Vec<u8>>,
    created_at: Option<DateTime<Utc>>,
}

impl Span {
    /// How many entries it can hold at most.
    #[must_use]
    pub fn size_max(&self) -> i64 {
        let (from, to) = (self.after, self.last);
        if from.0 == to.0 {
            to.1.0.saturating_sub(from.1.0)
        } else {
            i64::MAX
        }
    }
}

impl StoredEntry {
    /// What its seal covers; none where an amount of it cannot be one of the account's currency.
    #[must_use]
    pub fn sealed(&self, currency: Currency) -> Option<Sealed> {
        let amount = |text: &str| Amount::parse_plain(text, currency.scale).ok();
        Some(Sealed {
            account: self.account,
            version: self.version,
            transaction: self.transaction,
            amount: amount(&self.amount)?,
            balance: amount(&self.balance)?,
            counterparty: self.counterparty,
            created_at: self.created_at,
        })
    }
}

impl HeadRow {
    fn into_head(self) -> Result<StoredHead, StorageError> {
        let currency = columns::currency(&self.currency, self.scale)?;
        Ok(StoredHead {
            id: AccountId(self.id),
            book: BookId(self.book_id),
            owner: self.owner_id.map(UserId),
            currency,
            opened_at: self.opened_at,
            balance: Amount::parse_plain(&self.balance, currency.scale).ok(),
            floor: Amount::parse_plain(&self.floor, currency.scale).ok(),
            version: Version(self.version),
            seal: columns::seal(&self.seal).ok(),
            last_entry_at: self.last_entry_at,
        })
    }
}

impl EntryRow {
    fn into_entry(self) -> StoredEntry {
        StoredEntry {
            account: AccountId(self.account_id),
            version: Version(self.version),
            transaction: TransactionId(self.transaction_id),
            seal: columns::seal(&self.seal).ok(),
            has_transaction: self.has_transaction,
            has_counterpart: self.has_counterpart,
            counterparty: self.counterparty_id.map(AccountId),
            created_at: self.created_at,
            amount: self.amount,
            balance: self.balance,
        }
    }
}

impl StartRow {
    fn into_start(self, currency: Currency) -> Option<StoredStart> {
        let (version, created_at) = self.version.zip(self.created_at)?;
        let balance = self.balance.as_deref();
        let seal = self.seal.as_deref();
        Some(StoredStart {
            version: Version(version),
            balance: balance.and_then(|text| Amount::parse_plain(text, currency.scale).ok()),
            seal: seal.and_then(|seal| columns::seal(seal).ok()),
            created_at,
        })
    }
}
