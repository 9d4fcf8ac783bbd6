//! Accounts that are opened, with the names that lead to them.

use super::part::{Part, each};
use crate::ledger::Head;
use crate::storage::columns;

pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.accounts.is_empty(),
    sql: "new_accounts as (
    insert into accounts (id, book_id, owner_id, currency, opened_at, balance, floor, version, seal, status, last_entry_at,
        held, details_digest, active_holds, due_at, state_version)
    select unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]),
        unnest($5::timestamptz[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::bigint[]),
        unnest($9::bytea[]), unnest($10::text[]::account_status[]), unnest($11::timestamptz[]),
        unnest($12::numeric[]), unnest($13::bytea[]), unnest($14::integer[]), unnest($15::timestamptz[]),
        unnest($16::bigint[])
    where (select one from sure) = 1
), new_names as (
    insert into account_names (book_id, name, account_id)
    select book_id, name, account_id from (
        select unnest($2::bigint[]) as book_id, unnest($17::text[]) as name, unnest($1::bigint[]) as account_id
    ) as new
    where name is not null and (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let heads: Vec<&Head> = each(&plan.accounts, |account| &account.head);
        query
            .bind(each(&heads, |head| head.id.0))
            .bind(each(&heads, |head| head.book.0))
            .bind(each(&heads, |head| head.owner.map(|owner| owner.0)))
            .bind(each(&heads, |head| head.currency.code.to_string()))
            .bind(each(&heads, |head| head.opened_at))
            .bind(each(&heads, |head| {
                columns::decimal(head.state.balance, head.currency.scale)
            }))
            .bind(each(&heads, |head| {
                columns::decimal(head.state.floor, head.currency.scale)
            }))
            .bind(each(&heads, |head| head.version.0))
            .bind(each(&heads, |head| head.seal.0))
            .bind(each(&heads, |head| head.state.status.name()))
            .bind(each(&heads, |head| head.last_entry_at))
            .bind(each(&heads, |head| {
                columns::decimal(head.state.held, head.currency.scale)
            }))
            .bind(each(&heads, |head| head.state.details.map(|it| it.0)))
            .bind(each(&heads, |head| i32::from(head.active_holds)))
            .bind(each(&heads, |head| head.due_at))
            .bind(each(&heads, |head| columns::state_version(head)))
            .bind(each(&plan.accounts, |account| {
                Some(account.name.as_ref()?.name.as_str())
            }))
    },
};
