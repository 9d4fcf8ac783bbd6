//! Holds: by id, or by when they are due.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::callers::Reach;
use super::heads::{HeadRow, account_columns};
use super::paging::Paging;
use super::rows::{EntryRow, HoldRow, SaidRow, entry_columns, hold_columns};
use super::transactions::Said;
use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::plan::Due;
use crate::ledger::{AccountId, BookId, Head, Hold, HoldId, HoldStatus, UserId, Version};

/// Those of the holds that are there beside their accounts, both as they are at one moment. One that cannot be read says so for
/// itself alone.
pub async fn list_with_heads(
    connection: &mut Connection,
    ids: &[HoldId],
) -> Result<HashMap<HoldId, Result<(Hold, Head), Unreadable>>, StorageError> {
    const SQL: &str = concat!(
        "select ",
        hold_columns!(),
        ", ",
        account_columns!(),
        "
        from unnest($1::uuid[]) as asked (id)
        cross join lateral (select * from holds where holds.id = asked.id) as hold
        cross join lateral (select * from accounts where accounts.id = hold.account_id) as accounts
        join currencies on currencies.code = accounts.currency"
    );
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(SQL).bind(ids).fetch_all(connection).await?;
    let read = |row| {
        let hold = columns::read::<HoldRow>(row)?.into_hold()?;
        let head = columns::read::<HeadRow>(row)?.into_head()?;
        let head = head.ok_or_else(|| Unreadable("a hold of no account".to_owned()))?;
        Ok((hold, head))
    };
    let mut found = HashMap::new();
    for row in &rows {
        found.insert(HoldId(row.try_get("hold_id")?), read(row));
    }
    Ok(found)
}

/// What is due of accounts until a moment, and when the next of their holds is after it.
///
/// # Errors
/// If the database does not answer, or one of the holds cannot be read.
pub async fn list_due(
    connection: &mut Connection,
    accounts: &[AccountId],
    until: DateTime<Utc>,
) -> Result<HashMap<AccountId, Due>, StorageError> {
    const SQL: &str = concat!(
        "select ",
        hold_columns!(),
        "
        from unnest($1::bigint[]) as asked (id)
        cross join lateral (
            select * from holds
            where holds.account_id = asked.id and holds.status = 'active' and holds.expires_at <= $2
        ) as hold
        join accounts on accounts.id = hold.account_id
        join currencies on currencies.code = accounts.currency
        order by hold.expires_at, hold.id"
    );
    let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
    let rows = sqlx::query(SQL)
        .bind(&ids)
        .bind(until)
        .fetch_all(&mut *connection)
        .await?;
    let mut due: HashMap<AccountId, Due> = accounts
        .iter()
        .map(|account| (*account, Due::default()))
        .collect();
    for row in &rows {
        let hold = columns::read::<HoldRow>(row)?.into_hold()?;
        due.entry(hold.account).or_default().holds.push(hold);
    }
    for (account, next) in list_next(connection, &ids, until).await? {
        due.entry(account).or_default().next = Some(next);
    }
    Ok(due)
}

async fn list_next(
    connection: &mut Connection,
    accounts: &[i64],
    after: DateTime<Utc>,
) -> Result<Vec<(AccountId, DateTime<Utc>)>, StorageError> {
    const SQL: &str = "
        select asked.id, next.expires_at
        from unnest($1::bigint[]) as asked (id)
        cross join lateral (
            select expires_at from holds
            where holds.account_id = asked.id and holds.status = 'active' and holds.expires_at > $2
            order by expires_at limit 1
        ) as next";
    let rows = sqlx::query(SQL)
        .bind(accounts)
        .bind(after)
        .fetch_all(connection)
        .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let next = row.try_get("expires_at")?;
        Ok((AccountId(row.try_get("id")?), next))
    };
    rows.iter().map(read).collect()
}

/// Accounts that have something due, the longest due first. An account comes whole, so the last one may bring more
/// holds than are asked for.
///
/// # Errors
/// If the database does not answer.
pub async fn list_due_accounts(
    connection: &mut Connection,
    now: DateTime<Utc>,
    holds_max: i64,
) -> Result<Vec<AccountId>, StorageError> {
    const SQL: &str = "
        select account_id from (
            select first.account_id, first.since,
                sum(whole.holds) over (order by first.since, first.account_id) - whole.holds as before
            from (
                select account_id, min(expires_at) as since from (
                    select account_id, expires_at from holds where status = 'active' and expires_at <= $1
                    order by expires_at limit $2
                ) as due
                group by account_id
            ) as first
            cross join lateral (
                select count(*) as holds from holds
                where holds.account_id = first.account_id and status = 'active' and expires_at <= $1
            ) as whole
        ) as counted
        where before < $2 order by since, account_id";
    let ids: Vec<i64> = sqlx::query_scalar(SQL)
        .bind(now)
        .bind(holds_max)
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// A hold with what was said when it was placed.
#[derive(Clone, Debug)]
pub struct HoldView {
    pub hold: Hold,
    pub book: BookId,
    /// Of the account.
    pub owner: Option<UserId>,
    pub said: Said,
}

/// Which holds are listed. All that is said must be so.
#[derive(Clone, Debug, Default)]
pub struct HoldFilter {
    pub reach: Reach,
    pub account: Option<AccountId>,
    pub status: Option<HoldStatus>,
    pub expires_before: Option<DateTime<Utc>>,
}

/// A hold as it is.
///
/// # Errors
/// If the database does not answer, or the hold cannot be read.
pub async fn find(
    connection: &mut Connection,
    id: HoldId,
) -> Result<Option<HoldView>, StorageError> {
    let mut query = QueryBuilder::new(VIEW_BEFORE);
    query
        .push("select * from holds where id = ")
        .push_bind(id.0)
        .push(VIEW_BEHIND);
    let row = query.build().fetch_optional(connection).await?;
    Ok(row.as_ref().map(read_view).transpose()?)
}

/// A hold as the entries of it made it, up to a version of its account.
///
/// # Errors
/// If the database does not answer, or the hold or an entry of it cannot be read.
pub async fn find_at(
    connection: &mut Connection,
    id: HoldId,
    version: Version,
) -> Result<Option<HoldView>, StorageError> {
    const SQL: &str = concat!(
        "select ",
        entry_columns!(),
        " from entries as entry
        left join lateral (
            select details_digest as note from transactions where transactions.id = entry.transaction_id
        ) as transaction on true
        where entry.hold_id = $1 and entry.version <= $2 order by entry.version"
    );
    let Some(view) = find(connection, id).await? else {
        return Ok(None);
    };
    if view.hold.version == version {
        return Ok(Some(view));
    }
    let currency = view.hold.currency;
    let rows = sqlx::query(SQL)
        .bind(id.0)
        .bind(version.0)
        .fetch_all(connection)
        .await?;
    let mut hold = None;
    for row in &rows {
        let entry = columns::read::<EntryRow>(row)?.into_sealed(currency.scale)?;
        hold = Hold::follow(hold.as_ref(), &entry.entry, currency);
    }
    Ok(hold.map(|hold| HoldView { hold, ..view }))
}

/// The holds that fit a filter, by id.
///
/// # Errors
/// If the database does not answer, or one of the holds cannot be read.
pub async fn list(
    connection: &mut Connection,
    filter: &HoldFilter,
    paging: Paging<HoldId>,
) -> Result<Vec<HoldView>, StorageError> {
    let mut query = QueryBuilder::new(VIEW_BEFORE);
    query.push(
        "select * from holds where exists (
            select from accounts where accounts.id = holds.account_id and ",
    );
    filter.reach.push(&mut query);
    query.push(")");
    if let Some(account) = filter.account {
        query.push(" and account_id = ").push_bind(account.0);
    }
    if let Some(status) = filter.status {
        query
            .push(" and status = ")
            .push_bind(status.name())
            .push("::hold_status");
    }
    if let Some(before) = filter.expires_before {
        query.push(" and expires_at < ").push_bind(before);
    }
    paging.push(&mut query, "id", |after| after.0);
    query.push(VIEW_BEHIND).push(if paging.is_ascending {
        " order by hold.id"
    } else {
        " order by hold.id desc"
    });
    let rows = query.build().fetch_all(connection).await?;
    let views: Result<Vec<HoldView>, Unreadable> = rows.iter().map(read_view).collect();
    Ok(views?)
}

/// What goes before and behind rows of holds, to have with each its currency, its book and what was said.
const VIEW_BEFORE: &str = concat!(
    "select ",
    hold_columns!(),
    ", accounts.book_id, accounts.owner_id, details.reference, details.metadata, details.erased_at from ("
);
const VIEW_BEHIND: &str = ") as hold
    join accounts on accounts.id = hold.account_id
    join currencies on currencies.code = accounts.currency
    left join transaction_details as details on details.transaction_id = hold.id";

fn read_view(row: &PgRow) -> Result<HoldView, Unreadable> {
    let unreadable = |error: sqlx::Error| Unreadable(error.to_string());
    let book: i64 = row.try_get("book_id").map_err(unreadable)?;
    let owner: Option<i64> = row.try_get("owner_id").map_err(unreadable)?;
    Ok(HoldView {
        hold: columns::read::<HoldRow>(row)?.into_hold()?,
        book: BookId(book),
        owner: owner.map(UserId),
        said: columns::read::<SaidRow>(row)?.into_said(),
    })
}
