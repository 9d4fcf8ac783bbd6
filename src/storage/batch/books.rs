//! Books that can be reset: those that must still be open, those that are sealed, and those that take their place.

use super::part::{Part, each};

/// Locked against a reset until the commit.
pub(super) const OPEN: Part = Part {
    has_rows: |plan| !plan.books.is_empty(),
    sql: "open_books as (
    select 1 from books where id = any($1::bigint[]) and sealed_at is null order by id for share
)",
    guard: Some("(select count(*) from open_books) = cardinality($1)"),
    bind: |query, plan| query.bind(each(&plan.books, |book| book.0)),
};

/// As [`OPEN`], where nothing is written, so nothing is locked.
pub(super) const SEEN_OPEN: Part = Part {
    sql: "open_books as (
    select 1 from books where id = any($1::bigint[]) and sealed_at is null
)",
    ..OPEN
};

pub(super) const SEALED: Part = Part {
    has_rows: |plan| !plan.sealed_books.is_empty(),
    sql: "sealed_books as (
    update books set sealed_at = sealed.at
    from (select unnest($1::bigint[]) as id, unnest($2::timestamptz[]) as at) as sealed
    where books.id = sealed.id and books.sealed_at is null
    returning 1
)",
    guard: Some("(select count(*) from sealed_books) = cardinality($1)"),
    bind: |query, plan| {
        query
            .bind(each(&plan.sealed_books, |(book, _)| book.0))
            .bind(each(&plan.sealed_books, |(_, at)| *at))
    },
};

pub(super) const NEW: Part = Part {
    has_rows: |plan| !plan.new_books.is_empty(),
    sql: "new_books as (
    insert into books (id, name, opened_at, sealed_at)
    select unnest($1::bigint[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::timestamptz[])
    where (select one from sure) = 1
)",
    guard: None,
    bind: |query, plan| {
        query
            .bind(each(&plan.new_books, |book| book.id.0))
            .bind(each(&plan.new_books, |book| book.name.as_str()))
            .bind(each(&plan.new_books, |book| book.opened_at))
            .bind(each(&plan.new_books, |book| book.sealed_at))
    },
};
