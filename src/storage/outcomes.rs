//! What became of commands that were asked before: by their keys, or by their ids.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::plan::Recorded;
use crate::ledger::{
    AccountId, Amount, Receipt, Rejection, Scope, Standing, TransactionId, UserId, Version,
};

/// What is stored of a command, as far as this program can read it.
pub type Stored = Result<Recorded, Unreadable>;

/// Which of those keys, by their positions, have an outcome, and the command that has it.
pub async fn list_ids_by_keys(
    connection: &mut Connection,
    keys: &[(Scope, String)],
) -> Result<Vec<(usize, TransactionId)>, StorageError> {
    // The lateral holds the look-up to the index whatever the statistics say of the table.
    const SQL: &str = "
        select asked.position, transactions.id
        from unnest($1::uuid[]) with ordinality as asked (key_hash, position)
        cross join lateral (
            select id from transactions where transactions.key_hash = asked.key_hash
        ) as transactions";
    let hashes = keys
        .iter()
        .map(|(scope, key)| columns::key_hash(*scope, key));
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(SQL)
        .bind(hashes.collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
    // Positions count from one.
    let rows = rows.into_iter().filter_map(|(position, id)| {
        let position = usize::try_from(position).ok()?.checked_sub(1)?;
        Some((position, TransactionId(id)))
    });
    Ok(rows.collect())
}

/// The outcomes of those commands that were written down. One that cannot be read says so for itself alone.
pub async fn list(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Stored>, StorageError> {
    const SQL: &str = "
        select transactions.id, transactions.kind::text as kind, transactions.scope_kind::text as scope_kind,
            transactions.scope_id, transactions.created_at, transactions.request_digest,
            transactions.refusal::text as refusal, standing.account_id, standing.amount, standing.balance,
            standing.version, coalesce(standing.created_at, account.opened_at) as last_entry_at, account.owner_id,
            account.currency, account.scale
        from (select distinct unnest($1::uuid[])) as asked (id)
        cross join lateral (select * from transactions where transactions.id = asked.id) as transactions
        left join lateral (
            select account_id, amount, balance, version, created_at from entries where entries.transaction_id = transactions.id
            union all
            select transactions.account_id, 0, coalesce((
                select balance from entries
                where entries.account_id = transactions.account_id and entries.version = transactions.account_version
            ), 0), transactions.account_version, (
                select created_at from entries
                where entries.account_id = transactions.account_id and entries.version = transactions.account_version
            )
            where transactions.account_id is not null
                and not exists (select from entries where entries.transaction_id = transactions.id)
        ) as standing on true
        left join lateral (
            select owner_id, currency, scale, opened_at from accounts join currencies on currencies.code = accounts.currency
            where accounts.id = standing.account_id
        ) as account on true
        order by transactions.id, standing.amount";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(SQL).bind(ids).fetch_all(connection).await?;
    gather(&rows)
}

/// A transaction beside one of the accounts that its answer spoke of.
#[derive(FromRow)]
struct Row {
    kind: String,
    scope_kind: String,
    scope_id: i64,
    created_at: DateTime<Utc>,
    request_digest: Option<Vec<u8>>,
    refusal: Option<String>,
    account_id: Option<i64>,
    amount: Option<Decimal>,
    balance: Option<Decimal>,
    version: Option<i64>,
    last_entry_at: Option<DateTime<Utc>>,
    owner_id: Option<i64>,
    currency: Option<String>,
    scale: Option<i16>,
}

/// Rows of one transaction come in the order of its answer's accounts.
fn gather(rows: &[PgRow]) -> Result<HashMap<TransactionId, Stored>, StorageError> {
    let mut outcomes: HashMap<TransactionId, Stored> = HashMap::new();
    for row in rows {
        let transaction = TransactionId(row.try_get("id")?);
        let (recorded, standing) =
            match columns::read(row).and_then(|row: Row| row.parse(transaction)) {
                Ok(parsed) => parsed,
                Err(unreadable) => {
                    outcomes.insert(transaction, Err(unreadable));
                    continue;
                }
            };
        let stored = outcomes.entry(transaction).or_insert(Ok(recorded));
        if let Ok(Recorded {
            outcome: Ok(receipt),
            ..
        }) = stored
        {
            receipt.standings.extend(standing);
        }
    }
    Ok(outcomes)
}

impl Row {
    fn standing(&self) -> Result<Option<Standing>, Unreadable> {
        let (Some(account), Some(amount), Some(balance)) =
            (self.account_id, self.amount, self.balance)
        else {
            return Ok(None);
        };
        let (Some(version), Some(code), Some(scale)) =
            (self.version, self.currency.as_deref(), self.scale)
        else {
            return Ok(None);
        };
        let Some(last_entry_at) = self.last_entry_at else {
            return Ok(None);
        };
        let currency = columns::currency(code, scale)?;
        let amount: Amount = columns::amount(amount, currency.scale)?;
        Ok(Some(Standing {
            account: AccountId(account),
            owner: self.owner_id.map(UserId),
            currency,
            amount,
            balance: columns::amount(balance, currency.scale)?,
            version: Version(version),
            last_entry_at,
        }))
    }

    /// The transaction, without an account, and the account.
    fn parse(self, transaction: TransactionId) -> Result<(Recorded, Option<Standing>), Unreadable> {
        let standing = self.standing()?;
        // It was found by its key's hash or its id; a key of a scope that is not known may mean something else.
        columns::parse_scope(&self.scope_kind, self.scope_id)?;
        let outcome = match self.refusal {
            Some(refusal) => Err(parse_refusal(&refusal)?),
            None => Ok(Receipt {
                transaction,
                kind: columns::parse_kind(&self.kind)?,
                created_at: self.created_at,
                standings: Vec::new(),
            }),
        };
        let digest = self
            .request_digest
            .unwrap_or_default()
            .try_into()
            .unwrap_or_default();
        let recorded = Recorded {
            transaction,
            digest,
            outcome,
        };
        Ok((recorded, standing))
    }
}

fn parse_refusal(refusal: &str) -> Result<Rejection, Unreadable> {
    serde_json::from_str(refusal)
        .map_err(|error| Unreadable(format!("the refusal {refusal}: {error}")))
}
