//! Accounts as the native interface shows them: with what they are called and what is said of them, now or as of a version.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};

use super::callers::Reach;
use super::heads::{HeadRow, account_columns};
use super::paging::Paging;
use super::{Connection, StorageError, Unreadable, columns};
use crate::ledger::{AccountId, CurrencyCode, ExternalId, Head, Metadata, Status, UserId, Version};

/// An account with all that is said of it.
#[derive(Clone, Debug)]
pub struct AccountView {
    pub head: Head,
    pub external_id: Option<String>,
    /// None if it was erased.
    pub metadata: Option<Metadata>,
    pub erased_at: Option<DateTime<Utc>>,
}

/// Which accounts are listed. All that is said must be so.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    pub reach: Reach,
    pub owner: Option<UserId>,
    pub external_id: Option<ExternalId>,
    pub external_id_prefix: Option<String>,
    pub currency: Option<CurrencyCode>,
    pub status: Option<Status>,
    pub metadata: Metadata,
}

/// What goes before and behind rows of accounts, to have with each what is said of it at the version that it has.
const WITH_DETAILS_BEFORE: &str = "select shown.*, currencies.scale, external.external_id, details.metadata, details.erased_at from (";
const WITH_DETAILS_BEHIND: &str = ") as shown
    join currencies on currencies.code = shown.currency
    left join lateral (
        select external_id from external_ids where external_ids.account_id = shown.id
    ) as external on true
    left join lateral (
        select metadata, erased_at from account_details
        where account_details.account_id = shown.id and account_details.version <= shown.version
        order by account_details.version desc limit 1
    ) as details on true";

/// An account as it is, or as it was at a version.
///
/// # Errors
/// If the database does not answer, or the account cannot be read.
pub async fn find(
    connection: &mut Connection,
    account: AccountId,
    at: Option<Version>,
) -> Result<Option<AccountView>, StorageError> {
    let mut query = QueryBuilder::new(WITH_DETAILS_BEFORE);
    match at {
        None => query.push(
            concat!(
                "select ",
                account_columns!(),
                ", accounts.currency from accounts where id = "
            ),
        ),
        // How many holds were active then, and what was due, is told by no entry, and shown to nobody.
        Some(version) => query
            .push(
                "select accounts.id, book_id, owner_id, currency, opened_at, coalesce(entry.balance, 0) as balance,
            coalesce(entry.floor, 0) as floor, asked.version, accounts.seal,
            coalesce(entry.status, 'open')::text as status, coalesce(entry.created_at, opened_at) as last_entry_at,
            coalesce(entry.held, 0) as held, 0 as active_holds, null::timestamptz as due_at, entry.details_digest
        from accounts cross join (select ",
            )
            .push_bind(version.0)
            .push(
                "::bigint as version) as asked
        left join lateral (
            select * from entries where entries.account_id = accounts.id and entries.version = asked.version
        ) as entry on true
        where (entry.version is not null or asked.version = 1) and accounts.id = ",
            ),
    };
    query.push_bind(account.0).push(WITH_DETAILS_BEHIND);
    let query = query.build();
    let row = query.fetch_optional(connection).await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// The accounts that fit a filter, by id.
///
/// # Errors
/// If the database does not answer, or one of the accounts cannot be read.
pub async fn list(
    connection: &mut Connection,
    filter: &AccountFilter,
    paging: Paging<AccountId>,
) -> Result<Vec<AccountView>, StorageError> {
    let mut query = QueryBuilder::new(WITH_DETAILS_BEFORE);
    query.push(concat!(
        "select ",
        account_columns!(),
        ", accounts.currency from accounts where "
    ));
    filter.reach.push(&mut query);
    if let Some(owner) = filter.owner {
        query.push(" and owner_id = ").push_bind(owner.0);
    }
    if let Some(currency) = filter.currency {
        query
            .push(" and currency = ")
            .push_bind(currency.as_str().to_owned());
    }
    if let Some(status) = filter.status {
        query
            .push(" and status = ")
            .push_bind(status.name())
            .push("::account_status");
    }
    if let Some(id) = &filter.external_id {
        query
            .push(" and id in (select account_id from external_ids where external_id = ")
            .push_bind(id.as_str().to_owned())
            .push(")");
    }
    if let Some(prefix) = &filter.external_id_prefix {
        query
            .push(" and id in (select account_id from external_ids where starts_with(external_id, ")
            .push_bind(prefix.clone())
            .push("))");
    }
    if !filter.metadata.is_empty() {
        // What was said once leads to what is said now.
        query
            .push(
                " and id in (select account_id from account_details as details where metadata @> ",
            )
            .push_bind(Json(filter.metadata.clone()))
            .push(
                " and not exists (
                select from account_details as later
                where later.account_id = details.account_id and later.version > details.version
            ))",
            );
    }
    paging.push(&mut query, "id", |after| after.0);
    query.push(WITH_DETAILS_BEHIND);
    query.push(if paging.is_ascending {
        " order by shown.id"
    } else {
        " order by shown.id desc"
    });
    let rows = query.build().fetch_all(connection).await?;
    let views: Result<Vec<AccountView>, Unreadable> = rows.iter().map(read).collect();
    Ok(views?)
}

fn read(row: &PgRow) -> Result<AccountView, Unreadable> {
    #[derive(FromRow)]
    struct Said {
        external_id: Option<String>,
        metadata: Option<Json<Metadata>>,
        erased_at: Option<DateTime<Utc>>,
    }
    let head = columns::read::<HeadRow>(row)?.into_head()?;
    let head = head.ok_or_else(|| Unreadable("an account without an id".to_owned()))?;
    let said: Said = columns::read(row)?;
    let metadata = said.metadata.map(|metadata| metadata.0);
    Ok(AccountView {
        head,
        external_id: said.external_id,
        metadata: metadata.or_else(|| said.erased_at.is_none().then(Metadata::default)),
        erased_at: said.erased_at,
    })
}
