//! What callers say of transactions and accounts, and what they call accounts.

use super::part::{Part, each};
use crate::ledger::Metadata;

pub(super) const NOTES: Part = Part {
    has_rows: |plan| !plan.notes.is_empty(),
    sql: "new_notes as (
    insert into transaction_details (transaction_id, reference, metadata, salt)
    select unnest($1::uuid[]), unnest($2::text[]), unnest($3::text[]::jsonb[]), unnest($4::bytea[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let notes = &plan.notes;
        query
            .bind(each(notes, |new| new.transaction.0))
            .bind(each(notes, |new| new.note.reference.as_deref()))
            .bind(each(notes, |new| json(&new.note.metadata)))
            .bind(each(notes, |new| new.note.salt.0))
    },
};

pub(super) const OF_ACCOUNTS: Part = Part {
    has_rows: |plan| !plan.account_details.is_empty(),
    sql: "new_account_details as (
    insert into account_details (account_id, version, metadata, salt)
    select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::text[]::jsonb[]), unnest($4::bytea[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = &plan.account_details;
        query
            .bind(each(rows, |new| new.account.0))
            .bind(each(rows, |new| new.version.0))
            .bind(each(rows, |new| json(&new.details.metadata)))
            .bind(each(rows, |new| new.details.salt.0))
    },
};

pub(super) const EXTERNAL_IDS: Part = Part {
    has_rows: |plan| !plan.external_ids.is_empty(),
    sql: "new_external_ids as (
    insert into external_ids (book_id, external_id, account_id)
    select unnest($1::bigint[]), unnest($2::text[]), unnest($3::bigint[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let rows = &plan.external_ids;
        query
            .bind(each(rows, |new| new.book.0))
            .bind(each(rows, |new| new.external_id.as_str()))
            .bind(each(rows, |new| new.account.0))
    },
};

fn json(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("texts can be written as JSON")
}
