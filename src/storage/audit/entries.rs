//! Entries as they are stored, by account and version.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError, columns};
use super::heads::StoredHead;
use crate::ledger::{AccountId, Amount, Change, Currency, Entry, Seal, TransactionId, Version};

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub account: AccountId,
    pub version: Version,
    pub transaction: TransactionId,
    pub seal: Option<Seal>,
    pub created_at: DateTime<Utc>,
    /// Whether its transaction is there, and was not refused.
    pub has_transaction: bool,
    counterparty: Option<AccountId>,
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

/// The last entry before a time of each of the accounts, in their order; none where there is none.
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
pub async fn list_entries(
    connection: &mut Connection,
    spans: &[Span],
    limit: i64,
) -> Result<Vec<StoredEntry>, StorageError> {
    // The laterals, each with its limit, hold the order of the look-ups whatever the statistics say of the tables.
    const SQL: &str = "
        select entry.account_id, entry.version, entry.counterparty_id, entry.created_at, entry.transaction_id,
            entry.amount::text as amount, entry.balance::text as balance, entry.seal,
            coalesce(transaction.is_accepted, false) as has_transaction
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
    /// What its seal covers; none if an amount of it cannot be one of the account's currency.
    #[must_use]
    pub fn entry(&self, currency: Currency) -> Option<Entry> {
        let amount = |text: &str| Amount::parse_plain(text, currency.scale).ok();
        Some(Entry {
            account: self.account,
            version: self.version,
            transaction: self.transaction,
            created_at: self.created_at,
            change: Change::Money {
                amount: amount(&self.amount)?,
                counterparty: self.counterparty,
            },
            balance: amount(&self.balance)?,
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
            created_at: self.created_at,
            has_transaction: self.has_transaction,
            counterparty: self.counterparty_id.map(AccountId),
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
