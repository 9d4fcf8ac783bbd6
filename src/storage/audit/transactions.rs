//! Transactions as they are stored, each with what it left in the journal.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError, columns, refusals, rows};
use super::bytes::Bytes;
use super::details::StoredText;
use crate::ledger::{
    AccountId, BookId, DetailsDigest, EntryKind, Kind, Rejection, Scope, Sight, UserId, Version,
};

/// A transaction as it is stored. `None` stands for what this program cannot read.
#[derive(Clone, Debug)]
pub struct StoredTransaction {
    pub id: Uuid,
    pub kind: Option<Kind>,
    pub scope: Option<Scope>,
    /// Whether the account or the caller of its scope is there, as far as nothing else tells.
    pub has_scope: bool,
    pub created_at: DateTime<Utc>,
    /// The account that it says its answer spoke of.
    pub spoken_of: Option<SpokenOf>,
    pub key: StoredKey,
    pub refusal: Option<StoredRefusal>,
    pub more: StoredMore,
    /// By posting and amount, so that who gives comes first.
    pub entries: Vec<StoredPart>,
    /// All that is stored of it but its id, for whoever keeps a digest of that.
    pub columns: Vec<u8>,
}

/// What a dialect's transaction has nothing of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StoredMore {
    pub reverses: Option<Uuid>,
    part_of: Option<Uuid>,
    place: Option<i16>,
    details_digest: Option<Bytes>,
    pub effective_at: Option<DateTime<Utc>>,
    user_id: Option<i64>,
    book_id: Option<i64>,
    /// Whether a part of its key's digest is over a text under a salt.
    pub has_key_salt: bool,
    user_created_at: Option<DateTime<Utc>>,
    book_opened_at: Option<DateTime<Utc>>,
    /// What is said of it.
    pub text: Option<StoredText>,
}

/// What a transaction says that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made<I> {
    pub id: I,
    /// None if there is no such thing.
    pub at: Option<DateTime<Utc>>,
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
    Readable(Rejection, Option<Box<Sight>>),
    Unreadable,
}

/// An entry of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub account: AccountId,
    pub version: Version,
    pub counterparty: Option<AccountId>,
    pub created_at: DateTime<Utc>,
    /// -1, 0 or 1.
    pub sign: i16,
    /// None where it is none that this program knows.
    pub kind: Option<EntryKind>,
    pub posting: i16,
    pub hold: Option<Uuid>,
    pub effective_at: Option<DateTime<Utc>>,
    /// Whether the amounts of its posting add up to zero.
    pub evens_out: bool,
}

/// The next transactions after one, up to and including another, by id.
pub async fn list_transactions(
    connection: &mut Connection,
    after: Uuid,
    last: Uuid,
    limit: i64,
) -> Result<Vec<StoredTransaction>, StorageError> {
    // The laterals hold the order of the look-ups whatever the statistics say of the tables. That of accounts is
    // for the few transactions that name one besides their entries. What a dialect's have nothing of is one column, as 28
    // more columns made the audit a third slower.
    const SQL: &str = "
        select page.id, page.kind::text as kind, page.scope_kind::text as scope_kind, page.scope_id, page.created_at,
            page.account_id, page.account_version, page.idempotency_key, page.key_hash, page.request_digest,
            page.refusal::text as refusal, spoken_of.opened_at, spoken_of.version as current_version,
            case
                when page.scope_kind = 'caller'
                then (select true from callers where callers.id = page.scope_id limit 1)
                when page.scope_kind = 'account' and page.refusal is not null
                then (select true from accounts where accounts.id = page.scope_id limit 1)
                else true
            end is not null as has_scope,
            case when num_nonnulls(page.reverses, page.part_of, page.place, page.details_digest, page.effective_at,
                page.user_id, page.book_id, page.key_salt) > 0
            then json_build_object(
                'reverses', page.reverses, 'part_of', page.part_of, 'place', page.place,
                'details_digest', page.details_digest, 'effective_at', page.effective_at, 'user_id', page.user_id,
                'book_id', page.book_id, 'has_key_salt', page.key_salt is not null,
                'user_created_at', (select created_at from users where users.id = page.user_id limit 1),
                'book_opened_at', (select opened_at from books where books.id = page.book_id limit 1),
                'text', (
                    select json_build_object('reference', reference, 'metadata', metadata::text, 'salt', salt,
                        'is_erased', erased_at is not null)
                    from transaction_details where transaction_details.transaction_id = page.id limit 1
                )
            )::text end as more,
            entry.account_id as entry_account_id, entry.version as entry_version, entry.counterparty_id,
            entry.created_at as entry_created_at, sign(entry.amount)::smallint as entry_sign,
            case when num_nonnulls(entry.kind, entry.posting, entry.hold_id, entry.effective_at) > 0
            then json_build_object('kind', entry.kind, 'posting', entry.posting, 'hold_id', entry.hold_id,
                'effective_at', entry.effective_at)::text end as entry_more,
            coalesce(sum(entry.amount) over (partition by page.id, coalesce(entry.posting, 0)), 0) = 0 as evens_out
        from (
            select * from transactions where id > $1 and id <= $2 order by id limit $3
        ) as page
        left join lateral (select * from entries where entries.transaction_id = page.id) as entry on true
        left join lateral (
            select opened_at, version from accounts where accounts.id = page.account_id
        ) as spoken_of on true
        order by page.id, coalesce(entry.posting, 0), entry.amount, entry.version";
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
    has_scope: bool,
    more: Option<String>,
    entry_account_id: Option<i64>,
    entry_version: Option<i64>,
    counterparty_id: Option<i64>,
    entry_created_at: Option<DateTime<Utc>>,
    entry_sign: Option<i16>,
    entry_more: Option<String>,
    evens_out: bool,
}

/// What a plain entry says nothing of.
#[derive(Default, Deserialize)]
struct PartMore {
    kind: Option<String>,
    posting: Option<i16>,
    hold_id: Option<Uuid>,
    effective_at: Option<DateTime<Utc>>,
}

impl StoredMore {
    /// Whether it says that it is an item of another.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.part_of.is_some() || self.place.is_some()
    }

    /// Whether it says nothing but how its key is to be compared.
    #[must_use]
    pub fn is_of_key_alone(&self) -> bool {
        let rest = Self {
            has_key_salt: false,
            ..self.clone()
        };
        rest == Self::default()
    }

    /// What its text should be of.
    #[must_use]
    pub fn note(&self) -> Option<DetailsDigest> {
        let digest = self.details_digest.as_ref();
        rows::digest(digest.map(|digest| digest.0.as_slice())).ok()?
    }

    #[must_use]
    pub fn user(&self) -> Option<Made<UserId>> {
        let at = self.user_created_at;
        self.user_id.map(|id| Made { id: UserId(id), at })
    }

    #[must_use]
    pub fn book(&self) -> Option<Made<BookId>> {
        let at = self.book_opened_at;
        self.book_id.map(|id| Made { id: BookId(id), at })
    }

    /// What an erasure does not take away; nothing if there is nothing, as there was a time without.
    fn columns(&self) -> Vec<u8> {
        let more = [
            text(self.reverses),
            text(self.part_of),
            text(self.place),
            text(self.effective_at.map(|at| at.timestamp_micros())),
            text(self.user_id),
            text(self.book_id),
        ];
        if self.details_digest.is_none() && more.iter().all(String::is_empty) {
            return Vec::new();
        }
        let mut columns = format!("\0{}\0", more.join("\0")).into_bytes();
        columns.extend(self.details_digest.iter().flat_map(|digest| &digest.0));
        columns
    }
}

impl Row {
    fn part(&self) -> Option<StoredPart> {
        // An entry that cannot be read is of no kind.
        let more = self
            .entry_more
            .as_deref()
            .map(serde_json::from_str::<PartMore>);
        let more = more.unwrap_or_else(|| Ok(PartMore::default()));
        let kind = more.as_ref().ok().and_then(|more| match &more.kind {
            None => Some(EntryKind::Money),
            Some(kind) => EntryKind::parse(kind),
        });
        let more = more.unwrap_or_default();
        Some(StoredPart {
            account: AccountId(self.entry_account_id?),
            version: Version(self.entry_version?),
            counterparty: self.counterparty_id.map(AccountId),
            created_at: self.entry_created_at?,
            sign: self.entry_sign?,
            kind,
            posting: more.posting.unwrap_or_default(),
            hold: more.hold_id,
            effective_at: more.effective_at,
            evens_out: self.evens_out,
        })
    }

    fn into_transaction(self, part: Option<StoredPart>) -> StoredTransaction {
        let scope = columns::parse_scope(&self.scope_kind, self.scope_id).ok();
        let more = match &self.more {
            None => Some(StoredMore::default()),
            Some(json) => serde_json::from_str(json).ok(),
        };
        let kind = columns::parse_kind(&self.kind).ok();
        let mut columns = self.columns();
        columns.extend(more.iter().flat_map(StoredMore::columns));
        StoredTransaction {
            id: self.id,
            kind: more.as_ref().and(kind),
            scope,
            has_scope: self.has_scope,
            created_at: self.created_at,
            spoken_of: self.spoken_of(),
            key: self.key(scope),
            refusal: self.refusal.as_deref().map(parse),
            entries: part.into_iter().collect(),
            columns,
            more: more.unwrap_or_default(),
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

    /// Every column but the id and those of [`StoredMore`], one after the other, apart by a byte that no text of PostgreSQL
    /// holds.
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

fn parse(refusal: &str) -> StoredRefusal {
    match refusals::parse(refusal) {
        Ok((rejection, sight)) => StoredRefusal::Readable(rejection, sight),
        Err(_) => StoredRefusal::Unreadable,
    }
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
