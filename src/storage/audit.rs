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
    /// None where an amount of the entry cannot be one of the account's currency.
    pub sealed: Option<Sealed>,
    pub seal: Option<Seal>,
    /// Whether its transaction is there, and was not refused.
    pub has_transaction: bool,
    /// Whether the other side of a transfer is there, with the opposite amount.
    pub has_counterpart: bool,
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

/// The next heads after an account, by id.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_heads(
    connection: &mut Connection,
    after: AccountId,
    limit: i64,
) -> Result<Vec<StoredHead>, StorageError> {
    const SQL: &str = "
        select accounts.id, book_id, owner_id, currency, currencies.scale, opened_at, balance::text as balance,
            floor::text as floor, version, seal, last_entry_at
        from accounts join currencies on currencies.code = accounts.currency
        where accounts.id > $1
        order by accounts.id
        limit $2";
    let rows: Vec<HeadRow> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(HeadRow::into_head).collect()
}

/// The next entries after one, up to and including those of the last account.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_entries(
    connection: &mut Connection,
    after: (AccountId, Version),
    last: AccountId,
    limit: i64,
) -> Result<Vec<StoredEntry>, StorageError> {
    const SQL: &str = "
        select entries.account_id, entries.version, entries.counterparty_id, entries.created_at, entries.transaction_id,
            entries.amount::text as amount, entries.balance::text as balance, entries.seal, account.scale,
            exists (
                select from transactions where transactions.id = entries.transaction_id and transactions.refusal is null
            ) as has_transaction,
            entries.counterparty_id is null or exists (
                select from entries as other
                where other.transaction_id = entries.transaction_id and other.account_id = entries.counterparty_id
                    and other.counterparty_id = entries.account_id and other.amount = -entries.amount
            ) as has_counterpart
        from entries
        left join lateral (
            select scale from accounts join currencies on currencies.code = accounts.currency
            where accounts.id = entries.account_id
        ) as account on true
        where (entries.account_id, entries.version) > ($1, $2) and entries.account_id <= $3
        order by entries.account_id, entries.version
        limit $4";
    let rows: Vec<EntryRow> = sqlx::query_as(SQL)
        .bind(after.0.0)
        .bind(after.1.0)
        .bind(last.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(EntryRow::into_entry).collect())
}

/// The next transactions after one, by id.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_transactions(
    connection: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StoredTransaction>, StorageError> {
    const SQL: &str = "
        select id, refusal is null and kind in ('deposit', 'withdrawal', 'transfer') as moves_money,
            refusal is not null as refused,
            (select count(*) from entries where entries.transaction_id = transactions.id) as entries
        from transactions
        where id > $1
        order by id
        limit $2";
    Ok(sqlx::query_as(SQL)
        .bind(after)
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
    scale: Option<i16>,
    has_transaction: bool,
    has_counterpart: bool,
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
        let scale = self.scale.and_then(|scale| u8::try_from(scale).ok());
        let amount = |text: &str| scale.and_then(|scale| Amount::parse_plain(text, scale).ok());
        let sealed = amount(&self.amount)
            .zip(amount(&self.balance))
            .map(|(amount, balance)| Sealed {
                account: AccountId(self.account_id),
                version: Version(self.version),
                transaction: TransactionId(self.transaction_id),
                amount,
                balance,
                counterparty: self.counterparty_id.map(AccountId),
                created_at: self.created_at,
            });
        StoredEntry {
            account: AccountId(self.account_id),
            version: Version(self.version),
            transaction: TransactionId(self.transaction_id),
            sealed,
            seal: columns::seal(&self.seal).ok(),
            has_transaction: self.has_transaction,
            has_counterpart: self.has_counterpart,
        }
    }
}
