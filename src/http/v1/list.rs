//! Lists in pages: how many, in which order, and from where on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::codes::Code;
use super::problem::Problem;
use super::query::{Names, Query};
use crate::service::native::Paging;

/// What a page has if nobody says, and at most.
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 100;
/// Parameters that every list has.
const PARAMETERS: [&str; 3] = ["limit", "cursor", "order"];
/// The first byte of a cursor: another composition would have another.
const FORMAT: u8 = 1;
/// How much of the digest of the filters a cursor has.
const FILTERS_BYTES: usize = 8;

/// Which page of which list is asked for.
#[derive(Debug)]
pub(in crate::http) struct List {
    pub limit: usize,
    pub order: Order,
    /// Where the page before ended, in the words of whoever makes the list.
    pub after: Option<String>,
    filters: [u8; FILTERS_BYTES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Order {
    Descending,
    Ascending,
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

impl List {
    /// The query of a list at a path that has these filters.
    ///
    /// # Errors
    /// If the query has something else, or a cursor that this list did not give.
    pub(in crate::http) fn parse(
        path: &str,
        query: &str,
        filters: Names<'_>,
    ) -> Result<(Query, Self), Problem> {
        let query = Query::parse(query, &[filters, &PARAMETERS].concat())?;
        let limit = query.value("limit", limit)?.unwrap_or(LIMIT);
        let order = query.value("order", order)?.unwrap_or(Order::Descending);
        let filters = digest(path, order, &query);
        let after = query.text("cursor").map(|cursor| place(cursor, filters));
        let list = Self {
            limit,
            order,
            after: after.transpose()?,
            filters,
        };
        Ok((query, list))
    }

    /// How many rows to look for: one more than are shown tells whether there is another page.
    pub(in crate::http) fn rows_max(&self) -> usize {
        self.limit + 1
    }

    /// The page for whoever looks for its rows.
    ///
    /// # Errors
    /// As [`List::after`].
    pub(in crate::http) fn paging<K>(
        &self,
        reader: impl Fn(&str) -> Option<K>,
    ) -> Result<Paging<K>, Problem> {
        Ok(Paging {
            after: self.after(reader)?,
            is_ascending: self.order == Order::Ascending,
            limit: i64::try_from(self.rows_max()).unwrap_or(i64::MAX),
        })
    }

    /// The page of the rows that were found, at most [`List::rows_max`] of them. `place` says where a row is in the list.
    pub(in crate::http) fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Page<T> {
        let goes_on = self.limit < rows.len();
        rows.truncate(self.limit);
        let last = rows.last().filter(|_| goes_on);
        Page {
            next_cursor: last.map(|row| self.cursor(&place(row))),
            data: rows.into_iter().map(show).collect(),
        }
    }

    /// The place as it was handed out, if a page is to begin after it, was read by `reader`.
    ///
    /// # Errors
    /// If it is none of this list's places.
    pub(in crate::http) fn after<T>(
        &self,
        reader: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let place = self.after.as_deref();
        place
            .map(|place| reader(place).ok_or_else(invalid_cursor))
            .transpose()
    }

    fn cursor(&self, place: &str) -> String {
        let bytes = [&[FORMAT], &self.filters[..], place.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The place in a cursor that the list of these filters gave.
fn place(cursor: &str, filters: [u8; FILTERS_BYTES]) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.as_deref().and_then(|bytes| {
        let (given, place) = bytes
            .strip_prefix(&[FORMAT])?
            .split_at_checked(FILTERS_BYTES)?;
        let place = str::from_utf8(place).ok()?;
        (given == filters).then(|| place.to_owned())
    });
    place.ok_or_else(invalid_cursor)
}

fn invalid_cursor() -> Problem {
    Problem::new(
        Code::InvalidCursor,
        "The cursor is none that this list gave",
    )
}

/// Which list it is. Pages of one list may have different limits.
fn digest(path: &str, order: Order, query: &Query) -> [u8; FILTERS_BYTES] {
    let filters = query.pairs().filter(|(name, _)| !PARAMETERS.contains(name));
    let mut filters: Vec<(&str, &str)> = filters.collect();
    filters.sort_unstable();
    let is_ascending = order == Order::Ascending;
    let text = serde_json::json!([path, is_ascending, filters]).to_string();
    let mut short = [0; FILTERS_BYTES];
    short.copy_from_slice(&Sha256::digest(text)[..FILTERS_BYTES]);
    short
}

fn limit(text: &str) -> Result<usize, String> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| is_plain);
    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
}

fn order(text: &str) -> Result<Order, String> {
    match text {
        "desc" => Ok(Order::Descending),
        "asc" => Ok(Order::Ascending),
        _ => Err("must be desc or asc".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<List, Code> {
        let parsed = List::parse("/v1/holds", query, &["account", "status"]);
        parsed.map(|(_, list)| list).map_err(|problem| problem.code)
    }

    #[test]
    fn a_page_has_20_rows_newest_first_if_nobody_says() {
        let list = parse("").expect("a list");
        assert_eq!(list.rows_max(), 21);
        assert_eq!(
            (list.limit, list.order, list.after),
            (20, Order::Descending, None)
        );
        for (query, limit) in [("limit=1", 1), ("limit=100&order=asc", 100)] {
            assert_eq!(parse(query).map(|list| list.limit), Ok(limit));
        }
        for query in [
            "limit=0",
            "limit=101",
            "limit=",
            "limit=+1",
            "limit=01",
            "limit=1.0",
            "limit=a",
            "order=up",
            "order=",
            "order=ASC",
            "before=1",
            "limit=1&limit=1",
        ] {
            assert_eq!(parse(query).err(), Some(Code::ValidationFailed), "{query}");
        }
    }

    #[test]
    fn a_cursor_leads_on_in_its_own_list_alone() {
        let first = parse("account=1&status=active&limit=2").expect("a list");
        let page = first.page(vec![9, 8, 7], ToString::to_string, |row| row * 10);
        assert_eq!(page.data, [90, 80]);
        let cursor = page.next_cursor.expect("there is more");
        let next = parse(&format!("limit=50&cursor={cursor}&status=active&account=1"));
        let next = next.expect("the same list");
        assert_eq!(next.after(|place| place.parse().ok()).ok(), Some(Some(8)));
        let odd = next.after(|_| None::<u8>).map_err(|problem| problem.code);
        assert_eq!(odd, Err(Code::InvalidCursor));
        for query in [
            format!("account=2&status=active&cursor={cursor}"),
            format!("account=1&cursor={cursor}"),
            format!("account=1&status=active&order=asc&cursor={cursor}"),
            format!("account=1&status=active&cursor={cursor}="),
            format!("account=1&status=active&cursor={}", &cursor[1..]),
            "cursor=".to_owned(),
            "cursor=AQ".to_owned(),
        ] {
            assert_eq!(parse(&query).err(), Some(Code::InvalidCursor), "{query}");
        }
        let elsewhere = format!("account=1&status=active&cursor={cursor}");
        assert!(List::parse("/v1/accounts", &elsewhere, &["account", "status"]).is_err());
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let list = parse("limit=2").expect("a list");
        for rows in [vec![], vec![1], vec![1, 2]] {
            let page = list.page(rows.clone(), ToString::to_string, |row| row);
            assert_eq!((page.data, page.next_cursor), (rows, None));
        }
        let page = list.page(Vec::<u8>::new(), ToString::to_string, |row| row);
        let text = serde_json::to_string(&page).expect("JSON");
        assert_eq!(text, r#"{"data":[],"next_cursor":null}"#);
    }

    proptest! {
        #[test]
        fn no_cursor_panics(cursor in "[A-Za-z0-9_-]{0,40}") {
            let parsed = parse(&format!("cursor={cursor}"));
            prop_assert_eq!(parsed.err(), Some(Code::InvalidCursor));
        }
    }
}
