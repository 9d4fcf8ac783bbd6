//! What became of commands that were asked before: by their keys, or by their ids.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::{Connection, StorageError, Unreadable, columns, refusals, rows};
use crate::ledger::plan::Recorded;
use crate::ledger::{
    AccountId, Amount, BookId, HoldId, More, Posted, Receipt, Scope, Standing, State, Status,
    TransactionId, UserId, Version,
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
    read(connection, ids, false).await
}

/// The same, with all that a caller is told, whoever asked.
pub async fn list_whole(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Stored>, StorageError> {
    read(connection, ids, true).await
}

async fn read(
    connection: &mut Connection,
    ids: &[TransactionId],
    is_whole: bool,
) -> Result<HashMap<TransactionId, Stored>, StorageError> {
    const SQL: &str = "
        select transactions.id, transactions.kind::text as kind, transactions.scope_kind::text as scope_kind,
            transactions.scope_id, transactions.created_at, transactions.request_digest,
            transactions.refusal::text as refusal, transactions.reverses, transactions.effective_at, transactions.user_id,
            transactions.book_id, transactions.key_salt, standing.account_id, standing.amount, standing.balance, standing.version, standing.held,
            standing.floor, standing.status::text as status, standing.details_digest, standing.counterparty_id,
            standing.hold_id, coalesce(standing.created_at, account.opened_at) as last_entry_at, account.owner_id,
            account.currency, account.scale
        from (select distinct unnest($1::uuid[])) as asked (id)
        cross join lateral (select * from transactions where transactions.id = asked.id) as transactions
        left join lateral (
            select account_id, amount, balance, version, created_at, held, floor, status, details_digest,
                coalesce(posting, 0) as posting, counterparty_id, hold_id
            from entries where entries.transaction_id = transactions.id
            union all
            select transactions.account_id, 0, coalesce(entry.balance, 0), transactions.account_version, entry.created_at,
                entry.held, entry.floor, entry.status, entry.details_digest, 0, null, null
            from (select) as nothing
            left join lateral (
                select * from entries
                where entries.account_id = transactions.account_id and entries.version = transactions.account_version
            ) as entry on true
            where transactions.account_id is not null
                and not exists (select from entries where entries.transaction_id = transactions.id)
        ) as standing on true
        left join lateral (
            select owner_id, currency, scale, opened_at from accounts join currencies on currencies.code = accounts.currency
            where accounts.id = standing.account_id
        ) as account on true
        order by transactions.id, standing.posting, standing.amount, standing.version";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(SQL).bind(ids).fetch_all(connection).await?;
    gather(&rows, is_whole)
}

/// A transaction beside one of its entries, or beside the account that its answer spoke of.
#[derive(FromRow)]
struct Row {
    kind: String,
    scope_kind: String,
    scope_id: i64,
    created_at: DateTime<Utc>,
    request_digest: Option<Vec<u8>>,
    refusal: Option<String>,
    reverses: Option<Uuid>,
    effective_at: Option<DateTime<Utc>>,
    user_id: Option<i64>,
    book_id: Option<i64>,
    key_salt: Option<Vec<u8>>,
    account_id: Option<i64>,
    amount: Option<Decimal>,
    balance: Option<Decimal>,
    version: Option<i64>,
    held: Option<Decimal>,
    floor: Option<Decimal>,
    status: Option<String>,
    details_digest: Option<Vec<u8>>,
    counterparty_id: Option<i64>,
    hold_id: Option<Uuid>,
    last_entry_at: Option<DateTime<Utc>>,
    owner_id: Option<i64>,
    currency: Option<String>,
    scale: Option<i16>,
}

/// What one entry says.
struct Said {
    standing: Standing,
    posted: Option<Posted>,
}

/// Rows of one transaction come in the order of its steps.
fn gather(rows: &[PgRow], is_whole: bool) -> Result<HashMap<TransactionId, Stored>, StorageError> {
    let mut outcomes: HashMap<TransactionId, Stored> = HashMap::new();
    for row in rows {
        let transaction = TransactionId(row.try_get("id")?);
        let (recorded, said) =
            match columns::read(row).and_then(|row: Row| row.parse(transaction, is_whole)) {
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
            && let Some(said) = said
        {
            add(receipt, said);
        }
    }
    Ok(outcomes)
}

/// Each account stands in a receipt once, as its last entry left it.
fn add(receipt: &mut Receipt, Said { standing, posted }: Said) {
    let mut standings = receipt.standings.iter_mut();
    match standings.find(|known| known.account == standing.account) {
        None => receipt.standings.push(standing),
        Some(known) => {
            let sum = known.amount.checked_add(standing.amount);
            let amount = sum.unwrap_or(known.amount);
            if known.version < standing.version {
                *known = standing;
            }
            known.amount = amount;
        }
    }
    if let Some(more) = &mut receipt.more {
        more.postings.extend(posted);
    }
}

impl Row {
    fn said(&self) -> Result<Option<Said>, Unreadable> {
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
        let in_currency = |value| columns::amount(value, currency.scale);
        let amount: Amount = in_currency(amount)?;
        let state = State {
            balance: in_currency(balance)?,
            held: self.held.map_or(Ok(Amount::ZERO), in_currency)?,
            floor: self.floor.map_or(Ok(Amount::ZERO), in_currency)?,
            status: self
                .status
                .as_deref()
                .map_or(Ok(Status::Open), columns::parse_status)?,
            details: rows::digest(self.details_digest.as_deref())?,
        };
        let account = AccountId(account);
        let standing = Standing {
            account,
            owner: self.owner_id.map(UserId),
            currency,
            amount,
            state,
            version: Version(version),
            last_entry_at,
        };
        let posted = Posted::of_entry(
            account,
            amount,
            self.counterparty_id.map(AccountId),
            self.hold_id.map(HoldId),
            currency,
        );
        Ok(Some(Said { standing, posted }))
    }

    /// The transaction, without an entry, and the entry.
    fn parse(
        self,
        transaction: TransactionId,
        is_whole: bool,
    ) -> Result<(Recorded, Option<Said>), Unreadable> {
        let said = self.said()?;
        // It was found by its key's hash or its id; a key of a scope that is not known may mean something else.
        let scope = columns::parse_scope(&self.scope_kind, self.scope_id)?;
        let (outcome, sight) = if let Some(refusal) = self.refusal {
            let (rejection, sight) = refusals::parse(&refusal)?;
            (Err(rejection), sight)
        } else {
            let more = More {
                effective_at: self.effective_at,
                reverses: self.reverses.map(TransactionId),
                user: self.user_id.map(UserId),
                book: self.book_id.map(BookId),
                ..More::default()
            };
            let receipt = Receipt {
                transaction,
                kind: columns::parse_kind(&self.kind)?,
                created_at: self.created_at,
                standings: Vec::new(),
                more: (is_whole || matches!(scope, Scope::Caller(_))).then(|| Box::new(more)),
            };
            (Ok(receipt), None)
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
            sight,
            salt: self.key_salt.as_deref().map(rows::salt).transpose()?,
        };
        Ok((recorded, said))
    }
}
