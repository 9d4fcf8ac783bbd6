//! Texts that seals cover by their digests, as they are stored.

use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError};
use super::bytes::Bytes;
use crate::ledger::{AccountId, DetailsDigest, Note, Salt, Version};

/// What somebody said of a transaction or of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StoredText {
    pub reference: Option<String>,
    pub metadata: Option<String>,
    pub salt: Option<Bytes>,
    /// Whether it was taken away for good, with its salt.
    pub is_erased: bool,
}

/// A text of a transaction that has no digest of it, or is not there; or of an account that no entry seals.
#[derive(Clone, Debug)]
pub enum Unsealed {
    Transaction(Uuid),
    Account(AccountId, Version),
}

/// A page of texts.
#[derive(Clone, Debug)]
pub struct TextPage<P> {
    /// The last of it; none once there are no more.
    pub last: Option<P>,
    pub unsealed: Vec<Unsealed>,
}

/// The next texts of transactions after one, by id.
pub async fn list_notes(
    connection: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<TextPage<Uuid>, StorageError> {
    const SQL: &str = "
        select page.transaction_id, coalesce(transaction.is_sealed, false) as is_sealed
        from (
            select transaction_id from transaction_details where transaction_id > $1 order by transaction_id limit $2
        ) as page
        left join lateral (
            select details_digest is not null as is_sealed from transactions
            where transactions.id = page.transaction_id limit 1
        ) as transaction on true
        order by page.transaction_id";
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(SQL)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let unsealed = rows.iter().filter(|(_, is_sealed)| !is_sealed);
    Ok(TextPage {
        last: rows.last().map(|(id, _)| *id),
        unsealed: unsealed.map(|(id, _)| Unsealed::Transaction(*id)).collect(),
    })
}

/// The next texts of accounts after one, by account and version.
pub async fn list_account_details(
    connection: &mut Connection,
    after: (AccountId, Version),
    limit: i64,
) -> Result<TextPage<(AccountId, Version)>, StorageError> {
    const SQL: &str = "
        select page.account_id, page.version, coalesce(entry.is_sealed, false) as is_sealed
        from (
            select account_id, version from account_details where (account_id, version) > ($1, $2)
            order by account_id, version limit $3
        ) as page
        left join lateral (
            select kind is not distinct from 'details' and details_digest is not null as is_sealed from entries
            where entries.account_id = page.account_id and entries.version = page.version limit 1
        ) as entry on true
        order by page.account_id, page.version";
    let rows: Vec<DetailsRow> = sqlx::query_as(SQL)
        .bind(after.0.0)
        .bind(after.1.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let place = |row: &DetailsRow| (AccountId(row.account_id), Version(row.version));
    let unsealed = rows.iter().filter(|row| !row.is_sealed).map(place);
    Ok(TextPage {
        last: rows.last().map(place),
        unsealed: unsealed
            .map(|(account, version)| Unsealed::Account(account, version))
            .collect(),
    })
}

#[derive(FromRow)]
struct DetailsRow {
    account_id: i64,
    version: i64,
    is_sealed: bool,
}

impl StoredText {
    /// Whether a digest is of it. What was erased cannot be looked at any more.
    #[must_use]
    pub fn fits(&self, digest: DetailsDigest) -> bool {
        if self.is_erased {
            return self.reference.is_none() && self.metadata.is_none() && self.salt.is_none();
        }
        self.note().is_some_and(|note| note.digest() == digest)
    }

    fn note(&self) -> Option<Note> {
        Some(Note {
            reference: self.reference.clone(),
            metadata: serde_json::from_str(self.metadata.as_deref()?).ok()?,
            salt: Salt(self.salt.as_ref()?.0.as_slice().try_into().ok()?),
        })
    }
}
