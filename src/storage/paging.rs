//! Pages of lists, in SQL that is put together.

use sqlx::{Encode, Postgres, QueryBuilder, Type};

/// Where a page of a list begins, and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct Paging<K> {
    /// The last of the page before.
    pub after: Option<K>,
    pub is_ascending: bool,
    pub limit: i64,
}

impl<K: Copy> Paging<K> {
    /// One row more than the page has says that there is another page.
    pub(super) fn push<V: for<'q> Encode<'q, Postgres> + Type<Postgres> + 'static>(
        &self,
        query: &mut QueryBuilder<Postgres>,
        column: &'static str,
        value: impl Fn(K) -> V,
    ) {
        let (comparison, order) = if self.is_ascending {
            (" > ", "")
        } else {
            (" < ", " desc")
        };
        if let Some(after) = self.after {
            query
                .push(" and ")
                .push(column)
                .push(comparison)
                .push_bind(value(after));
        }
        query
            .push(" order by ")
            .push(column)
            .push(order)
            .push(" limit ")
            .push_bind(self.limit);
    }
}
