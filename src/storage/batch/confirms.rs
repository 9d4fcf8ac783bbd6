//! Heads that stay as they are, and that answers were given from.

use super::heads;
use super::part::Part;

pub(super) const PART: Part = Part {
    has_rows: |plan| !plan.confirms.is_empty(),
    sql: "confirmed as (
    select 1 from (
        select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal
    ) as head
    join accounts on accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
)",
    guard: Some("(select count(*) from confirmed) = cardinality($1)"),
    bind: |query, plan| heads::bind(query, &plan.confirms),
};
