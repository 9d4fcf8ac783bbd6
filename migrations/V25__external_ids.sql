-- What clients call an account in a system of theirs: one account of a book, for good. Colons make groups: the one index
-- holds it unique, finds it by its beginning, and walks a group. The table is new, so nothing stands still.
create table external_ids (
    book_id     bigint not null,
    external_id text   collate "C" not null check (external_id ~ '^[A-Za-z0-9_.:-]{1,255}$'),
    account_id  bigint not null,
    constraint external_ids_pkey primary key (book_id, external_id)
)
-- As the journal (V11): it only grows.
with (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_freeze_min_age = 0
);

-- An account has one at most.
create unique index external_ids_account_id on external_ids (account_id);

create trigger external_ids_append_only before update or delete on external_ids
    for each row execute function history_is_append_only();
create trigger external_ids_no_truncate before truncate on external_ids
    for each statement execute function history_is_append_only();

alter table external_ids enable always trigger external_ids_append_only;
alter table external_ids enable always trigger external_ids_no_truncate;
