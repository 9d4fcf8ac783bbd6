//! The heads of accounts, by id or by name.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::{FromRow, Row as _};

use super::{Connection, StorageError, Unreadable, columns, rows};
use crate::ledger::{AccountId, AccountRef, BookId, Head, State, UserId, Version};

/// The columns of a [`HeadRow`] of a row `accounts`, but for its currency.
macro_rules! account_columns {
    () => {
        "accounts.id, accounts.book_id, accounts.owner_id, accounts.opened_at, accounts.balance, accounts.floor,
            accounts.version, accounts.seal, accounts.status::text as status, accounts.last_entry_at, accounts.held,
            accounts.active_holds, accounts.due_at, accounts.details_digest"
    };
}

/// The columns of a [`HeadRow`], of a row `accounts` beside its row `currencies`.
macro_rules! head_columns {
    () => {
        concat!(account_columns!(), ", accounts.currency, currencies.scale")
    };
}

pub(super) use account_columns;

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
    const SQL: &str = concat!(
        "select ",
        head_columns!(),
        ", owner.id is not null as owner_exists
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
        order by asked.position"
    );
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
    let found = rows.iter().map(|row| {
        Ok(Found {
            head: columns::read::<HeadRow>(row)?.into_head()?,
            owner_exists: row
                .try_get("owner_exists")
                .map_err(|error| Unreadable(error.to_string()))?,
        })
    });
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
    const SQL: &str = concat!(
        "select ",
        head_columns!(),
        "
        from accounts join currencies on currencies.code = accounts.currency
        where accounts.owner_id = $1 and accounts.id > $2
        order by accounts.id
        limit $3"
    );
    let rows = sqlx::query(SQL)
        .bind(owner.0)
        .bind(after.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let heads = rows
        .iter()
        .map(|row| columns::read::<HeadRow>(row)?.into_head());
    let heads: Result<Vec<Option<Head>>, Unreadable> = heads.collect();
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
pub(super) struct HeadRow {
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
    held: Option<Decimal>,
    active_holds: Option<i32>,
    due_at: Option<DateTime<Utc>>,
    details_digest: Option<Vec<u8>>,
}

impl HeadRow {
    /// `None` if there is no account.
    ///
    /// # Errors
    /// If a column holds what no head can have.
    pub(super) fn into_head(self) -> Result<Option<Head>, Unreadable> {
        let Some(id) = self.id else {
            return Ok(None);
        };
        let null = || Unreadable("an account with a null column".to_owned());
        let (code, scale) = self.currency.zip(self.scale).ok_or_else(null)?;
        let currency = columns::currency(&code, scale)?;
        let amount =
            |column: Option<Decimal>| columns::amount(column.ok_or_else(null)?, currency.scale);
        let active_holds = self.active_holds.ok_or_else(null)?;
        let state = State {
            balance: amount(self.balance)?,
            held: amount(self.held)?,
            floor: amount(self.floor)?,
            status: columns::parse_status(&self.status.ok_or_else(null)?)?,
            details: rows::digest(self.details_digest.as_deref())?,
        };
        Ok(Some(Head {
            id: AccountId(id),
            book: BookId(self.book_id.ok_or_else(null)?),
            owner: self.owner_id.map(UserId),
            currency,
            opened_at: self.opened_at.ok_or_else(null)?,
            version: Version(self.version.ok_or_else(null)?),
            seal: columns::seal(&self.seal.ok_or_else(null)?)?,
            last_entry_at: self.last_entry_at.ok_or_else(null)?,
            state,
            active_holds: u16::try_from(active_holds)
                .map_err(|_| Unreadable(format!("{active_holds} active holds")))?,
            due_at: self.due_at,
        }))
    }
}
