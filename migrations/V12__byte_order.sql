-- Keys and names are compared byte by byte, whatever the locale of the database: an order that comes from the operating system
-- can change with an upgrade of it, and a unique index in the old order then lets a second row of the same key in.
alter table transactions alter column idempotency_key type text collate "C";
alter table account_names alter column name type text collate "C";
alter table books alter column name type text collate "C";
