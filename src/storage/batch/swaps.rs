//! Heads that change, by compare-and-swap: the first part of the statement.

use super::heads;
use super::part::{Part, each};
use crate::ledger::plan::Expected;
use crate::storage::columns;

/// The heads come sorted by id and are joined by an index nested loop in that order, which the lanes' settings make the only
/// plan there is.
pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.swaps.is_empty(),
    sql: "head as (
    select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal,
        unnest($4::text[]::account_status[]) as status, unnest($5::numeric[]) as floor,
        unnest($6::bigint[]) as new_version, unnest($7::bytea[]) as new_seal, unnest($8::numeric[]) as balance,
        unnest($9::timestamptz[]) as last_entry_at
), swapped as (
    update accounts
    set version = head.new_version, seal = head.new_seal, balance = head.balance, last_entry_at = head.last_entry_at
    from head
    where accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
        and accounts.status = head.status and accounts.floor = head.floor
    returning 1
)",
    guard: Some("(select count(*) from swapped) = cardinality($1)"),
    bind: |query, plan| {
        let expected: Vec<Expected> = each(&plan.swaps, |swap| swap.expected);
        heads::bind(query, &expected)
            .bind(each(&plan.swaps, |swap| swap.head.version.0))
            .bind(each(&plan.swaps, |swap| swap.head.seal.0))
            .bind(each(&plan.swaps, |swap| {
                columns::decimal(swap.head.balance, swap.head.currency.scale)
            }))
            .bind(each(&plan.swaps, |swap| swap.head.last_entry_at))
    },
};
