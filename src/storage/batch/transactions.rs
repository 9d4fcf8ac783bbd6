//! What was decided: transactions, and refusals under a key.

use super::part::{Part, Query, each};
use crate::ledger::Said;
use crate::ledger::plan::{NewTransaction, Plan};
use crate::storage::{columns, refusals};

/// Those of which there is no more to say than by a dialect.
pub(super) const PLAIN: Part = Part {
    has_rows: |plan| plan.transactions.iter().any(is_plain),
    sql: "new_transactions as (
    insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version, idempotency_key,
        key_hash, request_digest, refusal)
    select unnest($1::uuid[]), unnest($2::text[]::transaction_kind[]), unnest($3::text[]::scope_kind[]),
        unnest($4::bigint[]), unnest($5::timestamptz[]), unnest($6::bigint[]), unnest($7::bigint[]),
        unnest($8::text[]), unnest($9::uuid[]), unnest($10::bytea[]), unnest($11::text[]::jsonb[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| bind_outcome(query, &rows(plan, true)),
};

pub(super) const WHOLE: Part = Part {
    has_rows: |plan| plan.transactions.iter().any(|row| !is_plain(row)),
    sql: "new_whole_transactions as (
    insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version, idempotency_key,
        key_hash, request_digest, refusal, details_digest, reverses, effective_at, user_id, book_id,
        key_salt)
    select unnest($1::uuid[]), unnest($2::text[]::transaction_kind[]), unnest($3::text[]::scope_kind[]),
        unnest($4::bigint[]), unnest($5::timestamptz[]), unnest($6::bigint[]), unnest($7::bigint[]),
        unnest($8::text[]), unnest($9::uuid[]), unnest($10::bytea[]), unnest($11::text[]::jsonb[]),
        unnest($12::bytea[]), unnest($13::uuid[]), unnest($14::timestamptz[]), unnest($15::bigint[]),
        unnest($16::bigint[]), unnest($17::bytea[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = rows(plan, false);
        bind_outcome(query, &rows)
            .bind(each(&rows, |row| row.note.map(|digest| digest.0)))
            .bind(each(&rows, |row| row.reverses.map(|reversed| reversed.0)))
            .bind(each(&rows, |row| row.effective_at))
            .bind(each(&rows, |row| row.user.map(|user| user.0)))
            .bind(each(&rows, |row| row.book.map(|book| book.0)))
            .bind(each(&rows, |row| said(row).map(|said| said.salt.0)))
    },
};

fn is_plain(row: &NewTransaction<'_>) -> bool {
    row.note.is_none()
        && row.reverses.is_none()
        && row.effective_at.is_none()
        && row.user.is_none()
        && row.book.is_none()
        && said(row).is_none()
}

/// What its key's digest is over under a salt.
fn said<'r>(row: &'r NewTransaction<'_>) -> Option<&'r Said> {
    row.key?.said.as_deref()
}

fn rows<'p>(plan: &'p Plan<'p>, are_plain: bool) -> Vec<&'p NewTransaction<'p>> {
    let rows = plan.transactions.iter();
    rows.filter(|row| is_plain(row) == are_plain).collect()
}

fn bind_outcome<'q>(query: Query<'q>, rows: &[&NewTransaction<'_>]) -> Query<'q> {
    query
        .bind(each(rows, |row| row.id.0))
        .bind(each(rows, |row| row.kind.name()))
        .bind(each(rows, |row| columns::scope(row.scope).0))
        .bind(each(rows, |row| columns::scope(row.scope).1))
        .bind(each(rows, |row| row.created_at))
        .bind(each(rows, |row| row.account.map(|(account, _)| account.0)))
        .bind(each(rows, |row| row.account.map(|(_, version)| version.0)))
        .bind(each(rows, |row| row.key.map(|key| key.text.clone())))
        .bind(each(rows, |row| {
            Some(columns::key_hash(row.scope, &row.key?.text))
        }))
        .bind(each(rows, |row| row.key.map(|key| key.digest)))
        .bind(each(rows, |row| {
            let refusal = row.refusal.as_ref();
            refusal.map(|refusal| refusals::serialised(refusal, row.sight.as_ref()))
        }))
}
