-- Money of an account that is set aside for a while: the head of a hold, as `accounts` has heads. It follows from the entries
-- about it, changes in the statement that writes one of them, and is swapped on status, captured and version.
--
-- `amount` is all that was ever set aside, `captured` what was taken of it, `version` the account's at the last change. There
-- is no foreign key to accounts, for the reason that entries have none. The table is new, so nothing stands still.
create type hold_status as enum ('active', 'captured', 'voided', 'expired');

create table holds (
    -- That of the transaction that placed it.
    id         uuid        primary key,
    account_id bigint      not null,
    amount     numeric     not null check (amount > 0 and amount < 1e28),
    captured   numeric     not null check (captured >= 0 and captured < 1e28),
    status     hold_status not null,
    expires_at timestamptz not null,
    version    bigint      not null check (version > 1),
    created_at timestamptz not null,
    constraint holds_active_has_remaining check (status <> 'active' or captured < amount)
)
-- Room on each page for the next version of its rows. What stays active is changed on its page without a new index entry. A
-- hold that ends takes one in each index, which vacuum clears away: after each million, as on the journal (V11), and not
-- after a fifth of the table.
with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 1000000
);

-- What a command finds due on its accounts, what the sweeper finds due on all, and the holds of an account in pages.
create index holds_active_by_account on holds (account_id, expires_at) where status = 'active';
create index holds_active_by_expiry on holds (expires_at) where status = 'active';
create index holds_account_id on holds (account_id, id);

-- A hold is never deleted, and stays the hold that was placed.
create trigger holds_append_only before delete or update of id, account_id, created_at on holds
    for each row execute function history_is_append_only();
create trigger holds_no_truncate before truncate on holds
    for each statement execute function history_is_append_only();

alter table holds enable always trigger holds_append_only;
alter table holds enable always trigger holds_no_truncate;
