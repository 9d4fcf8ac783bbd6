//! Transactions as they are stored, each with what it left in the journal.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError, columns};
use crate::ledger::{AccountId, Kind, Rejection, Scope, Version};

/// A transaction as it is stored. `None` stands for what this program cannot read.
#[derive(Clone, Debug)]
pub struct StoredTransaction {
    pub id: Uuid,
    pub kind: Option<Kind>,
    pub scope: Option<Scope>,
    pub created_at: DateTime<Utc>,
    /// The account that it says its answer spoke of.
    pub spoken_of: Option<SpokenOf>,
    pub key: StoredKey,
    pub refusal: Option<StoredRefusal>,
    /// By amount, so that who gives comes first.
    pub entries: Vec<StoredPart>,
    /// Whether the amounts of its entries add up to zero.
    pub evens_out: bool,
    /// All that is stored of it but its id, for whoever keeps a digest of that.
    pub columns: Vec<u8>,
}

/// An account that a transaction names besides its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpokenOf {
    pub account: AccountId,
    pub version: Version,
    /// None where there is no such account.
    pub now: Option<Opened>,
}

/// An account as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub at: DateTime<Utc>,
    pub version: Version,
}

/// What the columns of a key say, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredKey {
    None,
    /// With its digest, and the hash that follows from scope and key.
    Whole,
    /// One of the three is missing, or the hash is another's.
    Broken,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredRefusal {
    Readable {
        rejection: Rejection,
        /// Whether the account of its scope is there.
        has_scope: bool,
    },
    Unreadable,
}

/// An entry of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub account: AccountId,
    pub version: Version,
    pub counterparty: Option<AccountId>,
    pub created_at: DateTime<Utc>,
    /// -1 or 1.
    pub sign: i16,
}

/// The next transactions after one, up to and including another, by id.
pub async fn list_transactions(
    connection: &mut Connection,
    after: Uuid,
    last: Uuid,
    limit: i64,
) -> Result<Vec<StoredTransaction>, StorageError> {
    // The laterals hold the order of the look-ups whatever the statistics say of the tables. Those of accounts are for the few
    // transactions that name one besides their entries.
    const SQL: &str = "
        select page.id, page.kind::text as kind, page.scope_kind::text as scope_kind, page.scope_id, page.created_at,
            page.account_id, page.account_version, page.idempotency_key, page.key_hash, page.request_digest,
            page.refusal::text as refusal, spoken_of.opened_at, spoken_of.version as current_version,
            refused.is_there as has_scope, entry.account_id as entry_account_id, entry.version as entry_version,
            entry.counterparty_id, entry.created_at as entry_created_at, sign(entry.amount)::smallint as entry_sign,
            coalesce(sum(entry.amount) over (partition by page.id), 0) = 0 as evens_out
        from (
            select * from transactions where id > $1 and id <= $2 order by id limit $3
        ) as page
        left join lateral (select * from entries where entries.transaction_id = page.id) as entry on true
        left join lateral (
            select opened_at, version from accounts where accounts.id = page.account_id
        ) as spoken_of on true
        left join lateral (
            select true as is_there from accounts
            where page.refusal is not null and page.scope_kind = 'account' and accounts.id = page.scope_id
        ) as refused on true
        order by page.id, entry.amount";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(after)
        .bind(last)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let mut transactions: Vec<StoredTransaction> = Vec::new();
    for row in rows {
        let part = row.part();
        match transactions.last_mut().filter(|last| last.id == row.id) {
            Some(transaction) => transaction.entries.extend(part),
            None => transactions.push(row.into_transaction(part)),
        }
    }
    Ok(transactions)
}

/// A transaction beside one of its entries.
#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    scope_kind: String,
    scope_id: i64,
    created_at: DateTime<Utc>,
    account_id: Option<i64>,
    account_version: Option<i64>,
    idempotency_key: Option<String>,
    key_hash: Option<Uuid>,
    request_digest: Option<Vec<u8>>,
    refusal: Option<String>,
    opened_at: Option<DateTime<Utc>>,
    current_version: Option<i64>,
    has_scope: Option<bool>,
    entry_account_id: Option<i64>,
    entry_version: Option<i64>,
    counterparty_id: Option<i64>,
    entry_created_at: Option<DateTime<Utc>>,
    entry_sign: Option<i16>,
    evens_out: bool,
}

impl Row {
    fn part(&self) -> Option<StoredPart> {
        Some(StoredPart {
            account: AccountId(self.entry_account_id?),
            version: Version(self.entry_version?),
            counterparty: self.counterparty_id.map(AccountId),
            created_at: self.entry_created_at?,
            sign: self.entry_sign?,
        })
    }

    fn into_transaction(self, part: Option<StoredPart>) -> StoredTransaction {
        let scope = columns::parse_scope(&self.scope_kind, self.scope_id).ok();
        StoredTransaction {
            id: self.id,
            kind: columns::parse_kind(&self.kind).ok(),
            scope,
            created_at: self.created_at,
            spoken_of: self.spoken_of(),
            key: self.key(scope),
            refusal: self.refusal.as_deref().map(|refusal| self.parse(refusal)),
            entries: part.into_iter().collect(),
            evens_out: self.evens_out,
            columns: self.columns(),
        }
    }

    fn spoken_of(&self) -> Option<SpokenOf> {
        let now = self.opened_at.zip(self.current_version);
        Some(SpokenOf {
            account: AccountId(self.account_id?),
            version: Version(self.account_version?),
            now: now.map(|(at, version)| Opened {
                at,
                version: Version(version),
            }),
        })
    }

    fn key(&self, scope: Option<Scope>) -> StoredKey {
        match (&self.idempotency_key, self.key_hash, &self.request_digest) {
            (None, None, None) => StoredKey::None,
            (Some(key), Some(hash), Some(digest)) if digest.len() == 32 => match scope {
                Some(scope) if columns::key_hash(scope, key) == hash => StoredKey::Whole,
                Some(_) | None => StoredKey::Broken,
            },
            _ => StoredKey::Broken,
        }
    }

    fn parse(&self, refusal: &str) -> StoredRefusal {
        match serde_json::from_str(refusal) {
            Ok(rejection) => StoredRefusal::Readable {
                rejection,
                has_scope: self.scope_kind != "account" || self.has_scope == Some(true),
            },
            Err(_) => StoredRefusal::Unreadable,
        }
    }

    /// Every column but the id, one after the other, apart by a byte that no text of PostgreSQL holds.
    fn columns(&self) -> Vec<u8> {
        let texts = [
            self.kind.as_str(),
            &self.scope_kind,
            &self.scope_id.to_string(),
            &self.created_at.timestamp_micros().to_string(),
            &text(self.account_id),
            &text(self.account_version),
            self.idempotency_key.as_deref().unwrap_or_default(),
            &text(self.key_hash),
            self.refusal.as_deref().unwrap_or_default(),
            "",
        ];
        let mut columns = texts.join("\0").into_bytes();
        columns.extend(self.request_digest.iter().flatten());
        columns
    }
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
