//! Holds that are placed, and holds of which something became.

use super::part::{Part, each};
use crate::ledger::{Hold, Magnitude};
use crate::storage::columns;

/// Each stands on the version of its account at its last change, which rises with every one.
pub(super) const SWAPS: Part = Part {
    has_rows: |plan| !plan.hold_swaps.is_empty(),
    sql: "hold as (
    select unnest($1::uuid[]) as id, unnest($2::bigint[]) as version, unnest($3::bigint[]) as new_version,
        unnest($4::numeric[]) as amount, unnest($5::numeric[]) as captured, unnest($6::text[]::hold_status[]) as status,
        unnest($7::timestamptz[]) as expires_at
), swapped_holds as (
    update holds
    set version = hold.new_version, amount = hold.amount, captured = hold.captured, status = hold.status,
        expires_at = hold.expires_at
    from hold
    where holds.id = hold.id and holds.version = hold.version and holds.status = 'active'
    returning 1
)",
    guard: Some("(select count(*) from swapped_holds) = cardinality($1)"),
    bind: |query, plan| {
        let swaps = &plan.hold_swaps;
        query
            .bind(each(swaps, |swap| swap.hold.id.0))
            .bind(each(swaps, |swap| swap.expected.0))
            .bind(each(swaps, |swap| swap.hold.version.0))
            .bind(each(swaps, |swap| decimal(&swap.hold, swap.hold.amount)))
            .bind(each(swaps, |swap| decimal(&swap.hold, swap.hold.captured)))
            .bind(each(swaps, |swap| swap.hold.status.name()))
            .bind(each(swaps, |swap| swap.hold.expires_at))
    },
};

pub(super) const NEW: Part = Part {
    has_rows: |plan| !plan.new_holds.is_empty(),
    sql: "new_holds as (
    insert into holds (id, account_id, amount, captured, status, expires_at, version, created_at)
    select unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::numeric[]), unnest($4::numeric[]),
        unnest($5::text[]::hold_status[]), unnest($6::timestamptz[]), unnest($7::bigint[]), unnest($8::timestamptz[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let holds = &plan.new_holds;
        query
            .bind(each(holds, |hold| hold.id.0))
            .bind(each(holds, |hold| hold.account.0))
            .bind(each(holds, |hold| decimal(hold, hold.amount)))
            .bind(each(holds, |hold| decimal(hold, hold.captured)))
            .bind(each(holds, |hold| hold.status.name()))
            .bind(each(holds, |hold| hold.expires_at))
            .bind(each(holds, |hold| hold.version.0))
            .bind(each(holds, |hold| hold.created_at))
    },
};

fn decimal(hold: &Hold, amount: Magnitude) -> rust_decimal::Decimal {
    columns::decimal(amount.amount(), hold.currency.scale)
}
