//! Rows of the journal.

use super::part::{Part, each};
use crate::storage::columns;

pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.entries.is_empty(),
    sql: "new_entries as (
    insert into entries (account_id, version, counterparty_id, created_at, transaction_id, amount, balance, seal)
    select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[]),
        unnest($5::uuid[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::bytea[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = &plan.entries;
        query
            .bind(each(rows, |row| row.sealed.entry.account.0))
            .bind(each(rows, |row| row.sealed.entry.version.0))
            .bind(each(rows, |row| {
                row.sealed.entry.change.counterparty().map(|account| account.0)
            }))
            .bind(each(rows, |row| row.sealed.entry.created_at))
            .bind(each(rows, |row| row.sealed.entry.transaction.0))
            .bind(each(rows, |row| {
                columns::decimal(row.sealed.entry.change.amount(), row.currency.scale)
            }))
            .bind(each(rows, |row| {
                columns::decimal(row.sealed.entry.balance, row.currency.scale)
            }))
            .bind(each(rows, |row| row.sealed.seal.0))
    },
};
