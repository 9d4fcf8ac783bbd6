//! What a head is expected to be, as the first three parameters of a part.

use super::part::{Query, each};
use crate::ledger::plan::Expected;

pub(super) fn bind<'q>(query: Query<'q>, heads: &[Expected]) -> Query<'q> {
    query
        .bind(each(heads, |head| head.id.0))
        .bind(each(heads, |head| head.version.0))
        .bind(each(heads, |head| head.seal.0))
}
