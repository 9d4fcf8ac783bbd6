//! The journal of an account, in pages by version.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{AccountId, Change, Entry, Head, Kind, Sealed, TransactionId, Version};

/// An entry as an account's holder sees it.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    pub sealed: Sealed,
    pub kind: Kind,
    /// What the other account of a transfer is called in the same book.
    pub counterparty_name: Option<String>,
}

/// The entries after a version, oldest first, up to and including another.
///
/// # Errors
/// If the database does not answer, or one of the entries cannot be read: a page without it would be wrong.
pub async fn list(
    connection: &mut Connection,
    head: &Head,
    after: Version,
    last: Version,
) -> Result<Vec<JournalEntry>, StorageError> {
    // The laterals hold the order of the look-ups whatever the statistics say of the tables.
    const SQL: &str = "
        select entry.account_id, entry.version, entry.transaction_id, entry.amount, entry.balance, entry.counterparty_id,
            entry.created_at, entry.seal, transaction.kind, counterparty.name as counterparty_name
        from (
            select * from entries where account_id = $1 and version > $2 and version <= $3 order by version
        ) as entry
        left join lateral (
            select kind::text as kind from transactions where transactions.id = entry.transaction_id
        ) as transaction on true
        left join lateral (
            select min(name) as name from account_names
            where account_names.account_id = entry.counterparty_id and account_names.book_id = $4
        ) as counterparty on true
        order by entry.version";
    let rows = sqlx::query(SQL)
        .bind(head.id.0)
        .bind(after.0)
        .bind(last.0)
        .bind(head.book.0)
        .fetch_all(connection)
        .await?;
    let entries = rows
        .iter()
        .map(|row| columns::read::<Row>(row)?.into_entry(head));
    Ok(entries.collect::<Result<_, Unreadable>>()?)
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    version: i64,
    transaction_id: Uuid,
    amount: Decimal,
    balance: Decimal,
    counterparty_id: Option<i64>,
    created_at: DateTime<Utc>,
    seal: Vec<u8>,
    kind: Option<String>,
    counterparty_name: Option<String>,
}

impl Row {
    fn into_entry(self, head: &Head) -> Result<JournalEntry, Unreadable> {
        let scale = head.currency.scale;
        let kind = self.kind.ok_or_else(|| {
            Unreadable(format!(
                "no transaction {}, but an entry of it",
                self.transaction_id
            ))
        })?;
        Ok(JournalEntry {
            sealed: Sealed {
                entry: Entry {
                    account: AccountId(self.account_id),
                    version: Version(self.version),
                    transaction: TransactionId(self.transaction_id),
                    created_at: self.created_at,
                    change: Change::Money {
                        amount: columns::amount(self.amount, scale)?,
                        counterparty: self.counterparty_id.map(AccountId),
                    },
                    balance: columns::amount(self.balance, scale)?,
                },
                seal: columns::seal(&self.seal)?,
            },
            kind: columns::parse_kind(&kind)?,
            counterparty_name: self.counterparty_name,
        })
    }
}
