//! Rows of the journal.

use super::part::{Part, Query, each};
use crate::ledger::plan::{NewEntry, Plan};
use crate::ledger::{Amount, Entry};
use crate::storage::columns;

/// Of money alone: what has no more columns stays as long as it is.
pub(super) const PLAIN: Part = Part {
    has_rows: |plan| plan.entries.iter().any(|row| row.sealed.entry.is_plain()),
    sql: "new_entries as (
    insert into entries (account_id, version, counterparty_id, created_at, transaction_id, amount, balance, seal)
    select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[]),
        unnest($5::uuid[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::bytea[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| bind_money(query, &rows(plan, true)),
};

/// Of whatever else happened, each with the whole state after it.
pub(super) const WHOLE: Part = Part {
    has_rows: |plan| plan.entries.iter().any(|row| !row.sealed.entry.is_plain()),
    sql: "new_whole_entries as (
    insert into entries (account_id, version, counterparty_id, created_at, transaction_id, amount, balance, seal, kind,
        posting, hold_id, hold_remaining, hold_expires_at, held, floor, status, details_digest, effective_at)
    select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[]),
        unnest($5::uuid[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::bytea[]),
        unnest($9::text[]::entry_kind[]), unnest($10::smallint[]), unnest($11::uuid[]), unnest($12::numeric[]),
        unnest($13::timestamptz[]), unnest($14::numeric[]), unnest($15::numeric[]),
        unnest($16::text[]::account_status[]), unnest($17::bytea[]), unnest($18::timestamptz[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = rows(plan, false);
        let query = bind_money(query, &rows);
        let decimal = |row: &NewEntry, amount: Amount| columns::decimal(amount, row.currency.scale);
        let hold = |row: &NewEntry| row.sealed.entry.change.hold();
        query
            .bind(each(&rows, |row| entry(row).change.kind().name()))
            .bind(each(&rows, |row| i16::from(entry(row).posting)))
            .bind(each(&rows, |row| hold(row).map(|hold| hold.id.0)))
            .bind(each(&rows, |row| {
                hold(row).map(|hold| decimal(row, hold.remaining.amount()))
            }))
            .bind(each(&rows, |row| hold(row).map(|hold| hold.expires_at)))
            .bind(each(&rows, |row| decimal(row, entry(row).after.held)))
            .bind(each(&rows, |row| decimal(row, entry(row).after.floor)))
            .bind(each(&rows, |row| entry(row).after.status.name()))
            .bind(each(&rows, |row| {
                entry(row).after.details.map(|details| details.0)
            }))
            .bind(each(&rows, |row| entry(row).effective_at))
    },
};

fn entry(row: &NewEntry) -> &Entry {
    &row.sealed.entry
}

fn rows<'p>(plan: &'p Plan<'_>, are_plain: bool) -> Vec<&'p NewEntry> {
    let rows = plan.entries.iter();
    rows.filter(|row| row.sealed.entry.is_plain() == are_plain)
        .collect()
}

fn bind_money<'q>(query: Query<'q>, rows: &[&NewEntry]) -> Query<'q> {
    query
        .bind(each(rows, |row| entry(row).account.0))
        .bind(each(rows, |row| entry(row).version.0))
        .bind(each(rows, |row| {
            entry(row).change.counterparty().map(|account| account.0)
        }))
        .bind(each(rows, |row| entry(row).created_at))
        .bind(each(rows, |row| entry(row).transaction.0))
        .bind(each(rows, |row| {
            columns::decimal(entry(row).change.amount(), row.currency.scale)
        }))
        .bind(each(rows, |row| {
            columns::decimal(entry(row).after.balance, row.currency.scale)
        }))
        .bind(each(rows, |row| row.sealed.seal.0))
}
