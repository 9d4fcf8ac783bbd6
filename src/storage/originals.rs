//! Transactions as far as they can be reversed: which postings they had, and whether they were reversed.

use std::collections::HashMap;

use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::plan::Original;
use crate::ledger::{AccountId, HoldId, Posted, TransactionId};

/// A transaction beside one of its entries; by posting, the side that gives first.
#[derive(FromRow)]
struct Row {
    id: Uuid,
    reversed_by: Option<Uuid>,
    account_id: Option<i64>,
    amount: Option<Decimal>,
    counterparty_id: Option<i64>,
    hold_id: Option<Uuid>,
    currency: Option<String>,
    scale: Option<i16>,
    spoken_of: Option<i64>,
}

/// Those of the transactions that were accepted.
///
/// # Errors
/// If the database does not answer, or an entry cannot be read.
pub async fn list(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Original>, StorageError> {
    const SQL: &str = "
        select transactions.id, reversal.id as reversed_by, entry.account_id, entry.amount, entry.counterparty_id,
            entry.hold_id, currencies.code as currency, currencies.scale,
            transactions.account_id as spoken_of
        from unnest($1::uuid[]) as asked (id)
        cross join lateral (
            select * from transactions where transactions.id = asked.id and refusal is null
        ) as transactions
        left join lateral (select id from transactions as other where other.reverses = asked.id) as reversal on true
        left join lateral (select * from entries where entries.transaction_id = asked.id) as entry on true
        left join lateral (select currency from accounts where accounts.id = entry.account_id) as accounts on true
        left join lateral (select code, scale from currencies where code = accounts.currency) as currencies on true
        order by transactions.id, coalesce(entry.posting, 0), entry.amount, entry.account_id, entry.version";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    let mut originals: HashMap<TransactionId, Original> = HashMap::new();
    for row in rows {
        let id = TransactionId(row.id);
        let original = originals.entry(id).or_insert_with(|| Original {
            accounts: Vec::new(),
            postings: Vec::new(),
            reversed_by: row.reversed_by.map(TransactionId),
        });
        let accounts = row.account_id.or(row.spoken_of).map(AccountId);
        original.accounts.extend(accounts);
        original.postings.extend(row.posted()?);
    }
    for original in originals.values_mut() {
        original.accounts.sort_unstable();
        original.accounts.dedup();
    }
    Ok(originals)
}

impl Row {
    /// The posting that the entry is the first side of; none if it is the other, or moved no money.
    fn posted(&self) -> Result<Option<Posted>, Unreadable> {
        let parts = self.account_id.zip(self.amount);
        let currency = self.currency.as_deref().zip(self.scale);
        let Some(((account, amount), (code, scale))) = parts.zip(currency) else {
            return Ok(None);
        };
        let currency = columns::currency(code, scale)?;
        Ok(Posted::of_entry(
            AccountId(account),
            columns::amount(amount, currency.scale)?,
            self.counterparty_id.map(AccountId),
            self.hold_id.map(HoldId),
            currency,
        ))
    }
}
