-- Tables shaped like ours, with :accounts accounts. They are in a schema of their own, so that the ledger's stay as they are.
create schema bench;
create table bench.accounts (like public.accounts including all) with (fillfactor = 70);
create table bench.transactions (like public.transactions including all);
create table bench.entries (like public.entries including all);
insert into bench.accounts (id, book_id, currency, version, opened_at, last_entry_at, balance, seal)
select id, 1, 'USD', 1, now(), now(), 1000000000, sha256('bench') from generate_series(1, :accounts) as id;
vacuum analyze bench.accounts;
