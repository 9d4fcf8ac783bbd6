//! Users that are opened.

use super::part::{Part, each};
use crate::ledger::Email;

pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.users.is_empty(),
    sql: "new_users as (
    insert into users (id, name, email, email_typed, created_at, updated_at, password_hash)
    select unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]),
        unnest($5::timestamptz[]), unnest($5::timestamptz[]), unnest($6::text[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let users = &plan.users;
        query
            .bind(each(users, |user| user.id.0))
            .bind(each(users, |user| user.name))
            .bind(each(users, |user| user.email.map(Email::canonical)))
            .bind(each(users, |user| user.email?.typed_otherwise()))
            .bind(each(users, |user| user.created_at))
            .bind(each(users, |user| {
                user.password_hash.map(|hash| hash.0.as_str())
            }))
    },
};
