//! Sessions that begin with their users.

use super::part::{Part, each};
use crate::ledger::NewSession;

pub(super) const PART: Part = Part {
    has_rows: |plan| plan.users.iter().any(|user| user.session.is_some()),
    sql: "new_sessions as (
    insert into sessions (token_hash, user_id, expires_at)
    select unnest($1::bytea[]), unnest($2::bigint[]), now() + make_interval(secs => unnest($3::float8[]))
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        let begun = plan.users.iter();
        let begun: Vec<(i64, &NewSession)> = begun
            .filter_map(|user| Some((user.id.0, user.session?)))
            .collect();
        query
            .bind(each(&begun, |(_, session)| session.token_hash))
            .bind(each(&begun, |(user, _)| *user))
            .bind(each(&begun, |(_, session)| session.lifetime.as_secs_f64()))
    },
};
