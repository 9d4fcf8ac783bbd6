//! A part of the statement that writes: what it does about one kind of a plan's rows.

use crate::ledger::plan::Plan;

pub(super) type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Its parameters are `$1`, `$2`, … in its own text. They are moved up if it stands behind others.
pub(super) struct Part {
    /// Whether a plan has rows for it. If not, it is left out.
    pub has_rows: fn(&Plan<'_>) -> bool,
    /// One or more queries of a `with`.
    pub sql: &'static str,
    /// What is true if its rows are what the plan stands on. A part without a guard adds rows, and waits for `sure`.
    pub guard: Option<&'static str>,
    /// Binds its parameters, in their order.
    pub bind: for<'q> fn(Query<'q>, &'q Plan<'q>) -> Query<'q>,
}

/// A value of each row.
pub(super) fn each<'r, R, V>(rows: &'r [R], value: impl FnMut(&'r R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}
