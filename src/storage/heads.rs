//! The heads of accounts, by id or by name.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{AccountId, AccountRef, BookId, Head, UserId, Version};

/// What is behind a reference to an account.
#[derive(Clone, Debug)]
pub struct Found {
    /// None where no account is behind it.
    pub head: Option<Head>,
    /// Whether the owner that the reference names exists.
    pub owner_exists: bool,
}

/// How to treat rows that somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    Wait,
    Skip,
}

/// What is behind each reference, in their order. One that cannot be read says so for itself alone.
pub async fn list(
    connection: &mut Connection,
    references: &[AccountRef],
) -> Result<Vec<Result<Found, Unreadable>>, StorageError> {
    // The laterals hold the order of the look-ups whatever the statistics say of the tables.
    const SQL: &str = "
        select accounts.id, accounts.book_id, accounts.owner_id, accounts.currency, currencies.scale, accounts.opened_at,
            accounts.balance, accounts.floor, accounts.version, accounts.seal, accounts.status::text as status,
            accounts.last_entry_at, owner.id is not null as owner_exists
        from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) with ordinality
            as asked (id, book, name, owner_id, position)
        left join lateral (
            select account_id from account_names
            where account_names.name = asked.name and account_names.book_id = (
                select books.id from books where books.name = asked.book and books.sealed_at is null
            )
        ) as named on true
        left join lateral (
            select * from accounts where accounts.id = coalesce(asked.id, named.account_id)
        ) as accounts on true
        left join lateral (select scale from currencies where code = accounts.currency) as currencies on true
        left join lateral (select id from users where users.id = asked.owner_id) as owner on true
        order by asked.position";
    let (mut ids, mut books, mut names, mut owners) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for reference in references {
        match reference {
            AccountRef::Id(id) | AccountRef::Owned(id, _) => {
                ids.push(Some(id.0));
                books.push(None);
                names.push(None);
                owners.push(None);
            }
            AccountRef::Named(account) => {
                ids.push(None);
                books.push(Some(account.book.as_str()));
                names.push(Some(account.name.as_str()));
                owners.push(account.owner.map(|owner| owner.0));
            }
        }
    }
    let rows = sqlx::query(SQL)
        .bind(ids)
        .bind(books)
        .bind(names)
        .bind(owners)
        .fetch_all(connection)
        .await?;
    let found = rows
        .iter()
        .map(|row| columns::read::<Row>(row)?.into_found());
    Ok(found.collect())
}

/// The account behind a reference, if there is one.
///
/// # Errors
/// If the database does not answer, or the account cannot be read.
pub async fn find(
    connection: &mut Connection,
    reference: &AccountRef,
) -> Result<Option<Head>, StorageError> {
    let found = list(connection, std::slice::from_ref(reference)).await?;
    let found = found.into_iter().next().transpose()?;
    Ok(found.and_then(|found| found.head))
}

/// The accounts of a user, by id, after one of them.
///
/// # Errors
/// If the database does not answer, or one of the accounts cannot be read: a page without it would be wrong.
pub async fn list_by_owner(
    connection: &mut Connection,
    owner: UserId,
    after: AccountId,
    limit: i64,
) -> Result<Vec<Head>, StorageError> {
    const SQL: &str = "
        select accounts.id, accounts.book_id, accounts.owner_id, accounts.currency, currencies.scale, accounts.opened_at,
            accounts.balance, accounts.floor, accounts.version, accounts.seal, accounts.status::text as status,
            accounts.last_entry_at, true as owner_exists
        from accounts join currencies on currencies.code = accounts.currency
        where accounts.owner_id = $1 and accounts.id > $2
        order by accounts.id
        limit $3";
    let rows = sqlx::query(SQL)
        .bind(owner.0)
        .bind(after.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let found = rows
        .iter()
        .map(|row| columns::read::<Row>(row)?.into_found());
    let heads: Result<Vec<Option<Head>>, Unreadable> = found.map(|found| Ok(found?.head)).collect();
    Ok(heads?.into_iter().flatten().collect())
}

/// Locks the heads of the accounts, in the order of their ids, until the transaction ends. Says which it got.
///
/// # Errors
/// If the database does not answer, or a row stays locked by someone else.
pub async fn lock(
    connection: &mut Connection,
    accounts: impl Iterator<Item = AccountId>,
    locked: Locked,
) -> Result<Vec<AccountId>, StorageError> {
    const WAIT: &str = "select id from accounts where id = any($1) order by id for no key update";
    const SKIP: &str =
        "select id from accounts where id = any($1) order by id for no key update skip locked";
    let ids: Vec<i64> = accounts.map(|account| account.0).collect();
    let sql = match locked {
        Locked::Wait => WAIT,
        Locked::Skip => SKIP,
    };
    let ids: Vec<i64> = sqlx::query_scalar(sql)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// An account with its currency's scale; all null where there is none.
#[derive(FromRow)]
struct Row {
    id: Option<i64>,
    book_id: Option<i64>,
    owner_id: Option<i64>,
    currency: Option<String>,
    scale: Option<i16>,
    opened_at: Option<DateTime<Utc>>,
    balance: Option<Decimal>,
    floor: Option<Decimal>,
    version: Option<i64>,
    seal: Option<Vec<u8>>,
    status: Option<String>,
    last_entry_at: Option<DateTime<Utc>>,
    owner_exists: bool,
}

impl Row {
    fn into_found(self) -> Result<Found, Unreadable> {
        let owner_exists = self.owner_exists;
        let head =
            if self.id.is_some() {
                let head = self.into_head().transpose();
                Some(head.unwrap_or_else(|| {
                    Err(Unreadable("an account with a null column".to_owned()))
                })?)
            } else {
                None
            };
        Ok(Found { head, owner_exists })
    }

    /// `None` where a column that is never null is.
    fn into_head(self) -> Result<Option<Head>, Unreadable> {
        let (Some(id), Some(book), Some(code), Some(scale)) =
            (self.id, self.book_id, self.currency, self.scale)
        else {
            return Ok(None);
        };
        let (Some(balance), Some(floor), Some(version), Some(seal)) =
            (self.balance, self.floor, self.version, self.seal)
        else {
            return Ok(None);
        };
        let (Some(opened_at), Some(last_entry_at), Some(status)) =
            (self.opened_at, self.last_entry_at, self.status)
        else {
            return Ok(None);
        };
        let currency = columns::currency(&code, scale)?;
        Ok(Some(Head {
            id: AccountId(id),
            book: BookId(book),
            owner: self.owner_id.map(UserId),
            currency,
            opened_at,
            balance: columns::amount(balance, currency.scale)?,
            floor: columns::amount(floor, currency.scale)?,
            version: Version(version),
            seal: columns::seal(&seal)?,
            status: columns::parse_status(&status)?,
            last_entry_at,
        }))
    }
}
