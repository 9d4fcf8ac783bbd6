//! What was decided: transactions, and refusals under a key.

use super::part::{Part, each};
use crate::ledger::Rejection;
use crate::storage::columns;

pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.transactions.is_empty(),
    sql: "new_transactions as (
    insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version, idempotency_key,
        key_hash, request_digest, refusal)
    select unnest($1::uuid[]), unnest($2::text[]::transaction_kind[]), unnest($3::text[]::scope_kind[]),
        unnest($4::bigint[]), unnest($5::timestamptz[]), unnest($6::bigint[]), unnest($7::bigint[]),
        unnest($8::text[]), unnest($9::uuid[]), unnest($10::bytea[]), unnest($11::text[]::jsonb[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = &plan.transactions;
        query
            .bind(each(rows, |row| row.id.0))
            .bind(each(rows, |row| columns::kind(row.kind)))
            .bind(each(rows, |row| columns::scope(row.scope).0))
            .bind(each(rows, |row| columns::scope(row.scope).1))
            .bind(each(rows, |row| row.created_at))
            .bind(each(rows, |row| row.account.map(|(account, _)| account.0)))
            .bind(each(rows, |row| row.account.map(|(_, version)| version.0)))
            .bind(each(rows, |row| row.key.map(|key| key.text.as_str())))
            .bind(each(rows, |row| {
                Some(columns::key_hash(row.scope, &row.key?.text))
            }))
            .bind(each(rows, |row| row.key.map(|key| key.digest)))
            .bind(each(rows, |row| row.refusal.as_ref().map(serialised)))
    },
};

fn serialised(refusal: &Rejection) -> String {
    serde_json::to_string(refusal).expect("a rejection is made of words and numbers")
}
