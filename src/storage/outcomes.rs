//! What became of commands that were asked before: by their keys, or by their ids.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Connection, StorageError, columns};
use crate::ledger::plan::Recorded;
use crate::ledger::{
    AccountId, Amount, Receipt, Rejection, Scope, Standing, TransactionId, UserId, Version,
};

/// A stored outcome, with what it is found by.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub scope: Scope,
    /// None where the command carried no key.
    pub key: Option<String>,
    pub recorded: Recorded,
}

/// The commands that have an outcome under those keys.
///
/// # Errors
/// Where the database does not answer.
pub async fn list_ids_by_keys(
    connection: &mut Connection,
    keys: &[(Scope, &str)],
) -> Result<Vec<TransactionId>, StorageError> {
    // The lateral holds the look-up to the index whatever the statistics say of the table.
    const SQL: &str = "
        select transactions.id
        from unnest($1::uuid[]) as asked (key_hash)
        cross join lateral (
            select id from transactions where transactions.key_hash = asked.key_hash
        ) as transactions";
    let hashes = keys
        .iter()
        .map(|(scope, key)| columns::key_hash(*scope, key));
    let ids: Vec<Uuid> = sqlx::query_scalar(SQL)
        .bind(hashes.collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(TransactionId).collect())
}

/// The outcomes of those commands that were written down, each once however often its id is asked for: many commands of a batch
/// may have one key.
///
/// # Errors
/// Where the database does not answer.
pub async fn list(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<Vec<Outcome>, StorageError> {
    const SQL: &str = "
        select transactions.id, transactions.kind::text as kind, transactions.scope_kind::text as scope_kind,
            transactions.scope_id, transactions.created_at, transactions.idempotency_key, transactions.request_digest,
            transactions.refusal::text as refusal, standing.account_id, standing.amount, standing.balance,
            standing.version, account.owner_id, account.currency, account.scale
        from (select distinct unnest($1::uuid[])) as asked (id)
        cross join lateral (select * from transactions where transactions.id = asked.id) as transactions
        left join lateral (
            select account_id, amount, balance, version from entries where entries.transaction_id = transactions.id
            union all
            select transactions.account_id, 0, coalesce((
                select balance from entries
                where entries.account_id = transactions.account_id and entries.version = transactions.account_version
            ), 0), transactions.account_version
            where transactions.account_id is not null
                and not exists (select from entries where entries.transaction_id = transactions.id)
        ) as standing on true
        left join lateral (
            select owner_id, currency, scale from accounts join currencies on currencies.code = accounts.currency
            where accounts.id = standing.account_id
        ) as account on true
        order by transactions.id, standing.amount";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    gather(rows)
}

/// A transaction beside one of the accounts that its answer spoke of.
#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    scope_kind: String,
    scope_id: i64,
    created_at: DateTime<Utc>,
    idempotency_key: Option<String>,
    request_digest: Option<Vec<u8>>,
    refusal: Option<String>,
    account_id: Option<i64>,
    amount: Option<Decimal>,
    balance: Option<Decimal>,
    version: Option<i64>,
    owner_id: Option<i64>,
    currency: Option<String>,
    scale: Option<i16>,
}

/// Rows of one transaction stand together.
fn gather(rows: Vec<Row>) -> Result<Vec<Outcome>, StorageError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for row in rows {
        let standing = row.standing()?;
        let same = outcomes
            .last_mut()
            .filter(|outcome| outcome.recorded.transaction.0 == row.id);
        match (same, standing) {
            (Some(outcome), standing) => {
                if let Ok(receipt) = &mut outcome.recorded.outcome {
                    receipt.standings.extend(standing);
                }
            }
            (None, standing) => outcomes.push(row.into_outcome(standing)?),
        }
    }
    Ok(outcomes)
}

impl Row {
    fn standing(&self) -> Result<Option<Standing>, StorageError> {
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
        let currency = columns::currency(code, scale)?;
        let amount: Amount = columns::amount(amount, currency.scale)?;
        Ok(Some(Standing {
            account: AccountId(account),
            owner: self.owner_id.map(UserId),
            currency,
            amount,
            balance: columns::amount(balance, currency.scale)?,
            version: Version(version),
        }))
    }

    fn into_outcome(self, standing: Option<Standing>) -> Result<Outcome, StorageError> {
        let transaction = TransactionId(self.id);
        let outcome = match self.refusal {
            Some(refusal) => Err(parse_refusal(&refusal)?),
            None => Ok(Receipt {
                transaction,
                kind: columns::parse_kind(&self.kind)?,
                created_at: self.created_at,
                standings: standing.into_iter().collect(),
            }),
        };
        let digest = self
            .request_digest
            .unwrap_or_default()
            .try_into()
            .unwrap_or_default();
        Ok(Outcome {
            scope: columns::parse_scope(&self.scope_kind, self.scope_id)?,
            key: self.idempotency_key,
            recorded: Recorded {
                transaction,
                digest,
                outcome,
            },
        })
    }
}

fn parse_refusal(refusal: &str) -> Result<Rejection, StorageError> {
    serde_json::from_str(refusal)
        .map_err(|error| StorageError::Corrupt(format!("the refusal {refusal}: {error}")))
}
