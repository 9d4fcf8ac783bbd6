-- Entries and transactions only grow, so a vacuum has nothing to reclaim in them. What it does there is to freeze rows, before the
-- numbers of transactions run round, and to mark pages as visible to all. By default it comes when a fifth of a table is new
-- and leaves most rows unfrozen: a large ledger then has all of it to do at once. A million rows at a time, frozen when
-- they are seen first, is work of the same size whatever the size of the table.
--
-- Accounts have the defaults: their updates stay on the page, where the next one clears away what the last left behind.
alter table entries set (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_freeze_min_age = 0
);
alter table transactions set (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_freeze_min_age = 0
);
