//! The journal of an account, in pages by version.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::rows::{EntryRow, entry_columns};
use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{Head, Kind, Sealed, Version};

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
    const SQL: &str = concat!(
        "select ",
        entry_columns!(),
        ", transaction.kind as transaction_kind, counterparty.name as counterparty_name
        from (
            select * from entries where account_id = $1 and version > $2 and version <= $3 order by version
        ) as entry
        left join lateral (
            select kind::text as kind, details_digest as note from transactions where transactions.id = entry.transaction_id
        ) as transaction on true
        left join lateral (
            select min(name) as name from account_names
            where account_names.account_id = entry.counterparty_id and account_names.book_id = $4
        ) as counterparty on true
        order by entry.version"
    );
    let rows = sqlx::query(SQL)
        .bind(head.id.0)
        .bind(after.0)
        .bind(last.0)
        .bind(head.book.0)
        .fetch_all(connection)
        .await?;
    let entries = rows.iter().map(|row| read(row, head));
    Ok(entries.collect::<Result<_, Unreadable>>()?)
}

#[derive(FromRow)]
struct Row {
    transaction_id: Uuid,
    transaction_kind: Option<String>,
    counterparty_name: Option<String>,
}

fn read(row: &PgRow, head: &Head) -> Result<JournalEntry, Unreadable> {
    let entry: EntryRow = columns::read(row)?;
    let row: Row = columns::read(row)?;
    let missing = || {
        Unreadable(format!(
            "no transaction {}, but an entry of it",
            row.transaction_id
        ))
    };
    let kind = row.transaction_kind.ok_or_else(missing)?;
    Ok(JournalEntry {
        sealed: entry.into_sealed(head.currency.scale)?,
        kind: columns::parse_kind(&kind)?,
        counterparty_name: row.counterparty_name,
    })
}
