//! Heads that change, by compare-and-swap: the first part of the statement.
//!
//! The heads come sorted by id and are joined by an index nested loop in that order, which the lanes' settings make the only
//! plan there is. So they are one update, in which all have as many columns as the one that needs most.

use super::heads;
use super::part::{Part, Query, each};
use crate::ledger::plan::{Expected, Plan};
use crate::storage::columns;

/// Accounts of which there is nothing but money, before and after.
pub(super) const PLAIN: Part = Part {
    has_rows: |plan| !plan.swaps.is_empty() && is_plain(plan),
    sql: "head as (
    select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal,
        unnest($4::bigint[]) as new_version, unnest($5::bytea[]) as new_seal, unnest($6::numeric[]) as balance,
        unnest($7::timestamptz[]) as last_entry_at
), swapped as (
    update accounts
    set version = head.new_version, seal = head.new_seal, balance = head.balance, last_entry_at = head.last_entry_at
    from head
    where accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
    returning 1
)",
    guard: Some("(select count(*) from swapped) = cardinality($1)"),
    bind: bind_money,
};

/// Accounts some of which have more than money.
pub(super) const WHOLE: Part = Part {
    has_rows: |plan| !plan.swaps.is_empty() && !is_plain(plan),
    sql: "whole_head as (
    select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal,
        unnest($4::bigint[]) as new_version, unnest($5::bytea[]) as new_seal, unnest($6::numeric[]) as balance,
        unnest($7::timestamptz[]) as last_entry_at, unnest($8::numeric[]) as held, unnest($9::numeric[]) as floor,
        unnest($10::text[]::account_status[]) as status, unnest($11::bytea[]) as details_digest,
        unnest($12::integer[]) as active_holds, unnest($13::timestamptz[]) as due_at,
        unnest($14::bigint[]) as state_version
), whole_swapped as (
    update accounts
    set version = head.new_version, seal = head.new_seal, balance = head.balance, last_entry_at = head.last_entry_at,
        held = head.held, floor = head.floor, status = head.status, details_digest = head.details_digest,
        active_holds = head.active_holds, due_at = head.due_at, state_version = head.state_version
    from whole_head as head
    where accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
    returning 1
)",
    guard: Some("(select count(*) from whole_swapped) = cardinality($1)"),
    bind: |query, plan| {
        let query = bind_money(query, plan);
        let swaps = &plan.swaps;
        let states: Vec<_> = each(swaps, |swap| (swap.head.state, swap.head.currency.scale));
        query
            .bind(each(&states, |(state, scale)| {
                columns::decimal(state.held, *scale)
            }))
            .bind(each(&states, |(state, scale)| {
                columns::decimal(state.floor, *scale)
            }))
            .bind(each(&states, |(state, _)| state.status.name()))
            .bind(each(&states, |(state, _)| state.details.map(|it| it.0)))
            .bind(each(swaps, |swap| i32::from(swap.head.active_holds)))
            .bind(each(swaps, |swap| swap.head.due_at))
            .bind(each(swaps, |swap| columns::state_version(&swap.head)))
    },
};

fn is_plain(plan: &Plan<'_>) -> bool {
    let mut swaps = plan.swaps.iter();
    swaps.all(|swap| swap.expected.is_plain && swap.head.is_plain())
}

fn bind_money<'q>(query: Query<'q>, plan: &'q Plan<'q>) -> Query<'q> {
    let expected: Vec<Expected> = each(&plan.swaps, |swap| swap.expected);
    heads::bind(query, &expected)
        .bind(each(&plan.swaps, |swap| swap.head.version.0))
        .bind(each(&plan.swaps, |swap| swap.head.seal.0))
        .bind(each(&plan.swaps, |swap| {
            columns::decimal(swap.head.state.balance, swap.head.currency.scale)
        }))
        .bind(each(&plan.swaps, |swap| swap.head.last_entry_at))
}
