//! Transactions as the native interface shows them: with what was said of them, and what became of them later.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::callers::Reach;
use super::outcomes;
use super::paging::Paging;
use super::rows::SaidRow;
use super::{Connection, StorageError};
use crate::ledger::{AccountId, BookId, Metadata, Receipt, TransactionId, UserId};

/// What was said of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub reference: Option<String>,
    /// None if it was erased.
    pub metadata: Option<Metadata>,
    pub erased_at: Option<DateTime<Utc>>,
}

/// An accepted command.
#[derive(Clone, Debug)]
pub struct TransactionView {
    pub receipt: Receipt,
    pub said: Said,
    pub reversed_by: Option<TransactionId>,
}

/// Which transactions are listed. All that is said must be so.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter {
    pub reach: Reach,
    pub account: Option<AccountId>,
    pub reference: Option<String>,
    pub metadata: Metadata,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub effective_from: Option<DateTime<Utc>>,
    pub effective_to: Option<DateTime<Utc>>,
}

/// What is said of some of the transactions, and by what they were reversed.
///
/// # Errors
/// If the database does not answer.
async fn list_said(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, (Said, Option<TransactionId>)>, StorageError> {
    const SQL: &str = "
        select asked.id, details.reference, details.metadata, details.erased_at, reversal.id as reversed_by
        from unnest($1::uuid[]) as asked (id)
        left join lateral (
            select * from transaction_details where transaction_details.transaction_id = asked.id
        ) as details on true
        left join lateral (select id from transactions where transactions.reverses = asked.id) as reversal on true";
    #[derive(FromRow)]
    struct Row {
        id: Uuid,
        reversed_by: Option<Uuid>,
        #[sqlx(flatten)]
        said: SaidRow,
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    let rows = rows.into_iter().map(|row| {
        let reversed_by = row.reversed_by.map(TransactionId);
        (TransactionId(row.id), (row.said.into_said(), reversed_by))
    });
    Ok(rows.collect())
}

/// Those of the transactions that were accepted and can be read, in the order of their ids as they are given.
///
/// # Errors
/// If the database does not answer, or one of them cannot be read.
pub async fn list_by_ids(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> Result<Vec<TransactionView>, StorageError> {
    let mut outcomes = outcomes::list_whole(&mut *connection, ids).await?;
    let mut said = list_said(connection, ids).await?;
    let mut views = Vec::new();
    for id in ids {
        let Some(outcome) = outcomes.remove(id) else {
            continue;
        };
        if let Ok(receipt) = outcome?.outcome {
            let (said, reversed_by) = said.remove(id).unwrap_or_default();
            views.push(TransactionView {
                receipt,
                said,
                reversed_by,
            });
        }
    }
    Ok(views)
}

/// Of a transaction, the books and the owners of the accounts that it is about.
///
/// # Errors
/// If the database does not answer.
pub async fn list_touched(
    connection: &mut Connection,
    id: TransactionId,
) -> Result<Vec<(BookId, Option<UserId>)>, StorageError> {
    const SQL: &str = "
        select accounts.book_id, accounts.owner_id from entries join accounts on accounts.id = entries.account_id
        where entries.transaction_id = $1
        union
        select accounts.book_id, accounts.owner_id from transactions join accounts on accounts.id = transactions.account_id
        where transactions.id = $1";
    let touched: Vec<(i64, Option<i64>)> =
        sqlx::query_as(SQL).bind(id.0).fetch_all(connection).await?;
    let touched = touched.into_iter();
    Ok(touched
        .map(|(book, owner)| (BookId(book), owner.map(UserId)))
        .collect())
}

/// The ids of the transactions that fit a filter, in their order.
///
/// # Errors
/// If the database does not answer.
pub async fn list_ids(
    connection: &mut Connection,
    filter: &TransactionFilter,
    paging: Paging<TransactionId>,
) -> Result<Vec<TransactionId>, StorageError> {
    let mut query = QueryBuilder::new("select id from transactions where refusal is null");
    if let Some(account) = filter.account {
        query
            .push(" and id in (select transaction_id from entries where account_id = ")
            .push_bind(account.0)
            .push(" union all select id from transactions as naming where naming.account_id = ")
            .push_bind(account.0)
            .push(")");
    } else {
        query.push(
            " and exists (
                select from (
                    select entries.account_id from entries where entries.transaction_id = transactions.id
                    union all select transactions.account_id
                ) as touched join accounts on accounts.id = touched.account_id where ",
        );
        filter.reach.push(&mut query);
        query.push(")");
    }
    if filter.reference.is_some() || !filter.metadata.is_empty() {
        query.push(" and id in (select transaction_id from transaction_details where metadata @> ");
        query.push_bind(Json(filter.metadata.clone()));
        if let Some(reference) = &filter.reference {
            query.push(" and reference = ").push_bind(reference.clone());
        }
        query.push(")");
    }
    for (moment, comparison) in [
        (filter.from, " and created_at >= "),
        (filter.to, " and created_at < "),
        (
            filter.effective_from,
            " and coalesce(effective_at, created_at) >= ",
        ),
        (
            filter.effective_to,
            " and coalesce(effective_at, created_at) < ",
        ),
    ] {
        if let Some(moment) = moment {
            query.push(comparison).push_bind(moment);
        }
    }
    paging.push(&mut query, "id", |after| after.0);
    let ids: Vec<Uuid> = query.build_query_scalar().fetch_all(connection).await?;
    Ok(ids.into_iter().map(TransactionId).collect())
}
