//! Heads of accounts as they are stored, beside what else is said of each account.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::super::{Connection, StorageError, columns};
use crate::ledger::{AccountId, Amount, BookId, Currency, Head, Seal, Status, UserId, Version};

/// A head as it is stored. `None` stands for a value that cannot be.
#[derive(Clone, Debug)]
pub struct StoredHead {
    pub id: AccountId,
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub opened_at: DateTime<Utc>,
    pub balance: Option<Amount>,
    pub held: Option<Amount>,
    pub floor: Option<Amount>,
    pub status: Option<Status>,
    pub details_digest: Option<Vec<u8>>,
    pub version: Version,
    pub seal: Option<Seal>,
    pub last_entry_at: DateTime<Utc>,
    pub active_holds: i32,
    pub due_at: Option<DateTime<Utc>>,
    /// What refuses programs of before there was more than money.
    pub state_version: Option<i64>,
    /// What is stored of its active holds, at the same moment.
    pub holds: StoredHolds,
    /// What names call it, in whichever book.
    pub names: i64,
    /// One of them.
    pub name: Option<StoredName>,
    pub has_book: bool,
    pub book_sealed_at: Option<DateTime<Utc>>,
    /// None where it has no owner, or one that does not exist.
    pub owner_created_at: Option<DateTime<Utc>>,
    /// What the database's clock said then.
    pub read_at: DateTime<Utc>,
    /// Accepted openings that say they opened it.
    pub openings: i64,
}

/// The active holds of an account, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredHolds {
    pub count: i64,
    pub remaining: Option<Amount>,
    /// When the first of them expires.
    pub first_expiry: Option<DateTime<Utc>>,
}

/// What an account is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredName {
    pub book: BookId,
    pub name: String,
}

/// An account whose currency is in no row of the registry, so that nothing else of it can be told.
#[derive(Clone, Debug)]
pub struct Unregistered {
    pub id: AccountId,
    pub currency: String,
}

impl StoredHead {
    /// The account as it was opened.
    #[must_use]
    pub fn opening(&self) -> Head {
        Head::open(
            self.id,
            self.book,
            self.owner,
            self.currency,
            self.opened_at,
        )
    }
}

/// The heads after an account, up to and including another, by id: all of them, or those that have changed since.
pub async fn list_heads(
    connection: &mut Connection,
    after: AccountId,
    last: AccountId,
    changed_since: Option<DateTime<Utc>>,
) -> Result<Vec<Result<StoredHead, Unregistered>>, StorageError> {
    // The laterals hold the order of the look-ups whatever the statistics say of the tables.
    const SQL: &str = "
        select accounts.id, accounts.book_id, owner_id, currency, registered.scale, accounts.opened_at,
            balance::text as balance, held::text as held, floor::text as floor, status::text as status, details_digest,
            version, seal, last_entry_at, active_holds, due_at, state_version, active.count as holds_count,
            active.remaining as holds_remaining, active.first_expiry as holds_first_expiry, named.names, named.book_id as name_book_id, named.name, book.id is not null as has_book,
            book.sealed_at as book_sealed_at, owner.created_at as owner_created_at, opened.openings,
            clock_timestamp() as read_at
        from accounts
        left join lateral (select scale from currencies where code = accounts.currency limit 1) as registered on true
        left join lateral (
            select count(*) as names, min(name) as name, min(account_names.book_id) as book_id
            from account_names where account_names.account_id = accounts.id
        ) as named on true
        left join lateral (select id, sealed_at from books where books.id = accounts.book_id limit 1) as book on true
        left join lateral (select created_at from users where users.id = accounts.owner_id limit 1) as owner on true
        left join lateral (
            select count(*) as openings from transactions
            where transactions.account_id = accounts.id and kind = 'opening' and refusal is null
        ) as opened on true
        left join lateral (
            select count(*) as count, coalesce(sum(amount - captured), 0)::text as remaining, min(expires_at) as first_expiry
            from holds where holds.account_id = accounts.id and holds.status = 'active'
        ) as active on true
        where accounts.id > $1 and accounts.id <= $2 and ($3::timestamptz is null or $3 <= last_entry_at)
        order by accounts.id";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(last.0)
        .bind(changed_since)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Row::into_head).collect()
}

/// The version of the head of an account as it is now, if the account is there.
pub async fn find_version(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Option<Version>, StorageError> {
    const SQL: &str = "select version from accounts where id = $1";
    let version: Option<i64> = sqlx::query_scalar(SQL)
        .bind(account.0)
        .fetch_optional(connection)
        .await?;
    Ok(version.map(Version))
}

#[derive(FromRow)]
struct Row {
    id: i64,
    book_id: i64,
    owner_id: Option<i64>,
    currency: String,
    scale: Option<i16>,
    opened_at: DateTime<Utc>,
    balance: String,
    held: String,
    floor: String,
    status: String,
    details_digest: Option<Vec<u8>>,
    version: i64,
    seal: Vec<u8>,
    last_entry_at: DateTime<Utc>,
    active_holds: i32,
    due_at: Option<DateTime<Utc>>,
    state_version: Option<i64>,
    holds_count: i64,
    holds_remaining: String,
    holds_first_expiry: Option<DateTime<Utc>>,
    names: i64,
    name_book_id: Option<i64>,
    name: Option<String>,
    has_book: bool,
    book_sealed_at: Option<DateTime<Utc>>,
    owner_created_at: Option<DateTime<Utc>>,
    openings: i64,
    read_at: DateTime<Utc>,
}

impl Row {
    fn into_head(self) -> Result<Result<StoredHead, Unregistered>, StorageError> {
        let Some(scale) = self.scale else {
            return Ok(Err(Unregistered {
                id: AccountId(self.id),
                currency: self.currency,
            }));
        };
        let currency = columns::currency(&self.currency, scale)?;
        let name = self.name_book_id.zip(self.name);
        let amount = |text: &str| Amount::parse_plain(text, currency.scale).ok();
        Ok(Ok(StoredHead {
            id: AccountId(self.id),
            book: BookId(self.book_id),
            owner: self.owner_id.map(UserId),
            currency,
            opened_at: self.opened_at,
            balance: amount(&self.balance),
            held: amount(&self.held),
            floor: amount(&self.floor),
            status: columns::parse_status(&self.status).ok(),
            details_digest: self.details_digest,
            version: Version(self.version),
            seal: columns::seal(&self.seal).ok(),
            last_entry_at: self.last_entry_at,
            active_holds: self.active_holds,
            due_at: self.due_at,
            state_version: self.state_version,
            holds: StoredHolds {
                count: self.holds_count,
                remaining: amount(&self.holds_remaining),
                first_expiry: self.holds_first_expiry,
            },
            names: self.names,
            name: name.map(|(book, name)| StoredName {
                book: BookId(book),
                name,
            }),
            has_book: self.has_book,
            book_sealed_at: self.book_sealed_at,
            owner_created_at: self.owner_created_at,
            read_at: self.read_at,
            openings: self.openings,
        }))
    }
}
