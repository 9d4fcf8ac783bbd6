-- The last day whose period is closed in a book, and when it was closed: no transaction says later that it counts for that
-- day or for one before. A book has a handful of rows, so this takes no time.
alter table books
    add column closed_through date,
    add column closed_at timestamptz,
    add constraint books_closing_has_moment check ((closed_through is null) = (closed_at is null));
