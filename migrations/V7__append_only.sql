-- History is never changed or deleted. `enable always` keeps the triggers awake under `session_replication_role = replica`.
-- They fire on update, delete and truncate alone, so writing needs no procedural language.
create function history_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the history is append-only: % on % refused', lower(tg_op), tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger entries_append_only before update or delete on entries
    for each row execute function history_is_append_only();
create trigger entries_no_truncate before truncate on entries
    for each statement execute function history_is_append_only();
create trigger transactions_append_only before update or delete on transactions
    for each row execute function history_is_append_only();
create trigger transactions_no_truncate before truncate on transactions
    for each statement execute function history_is_append_only();

alter table entries enable always trigger entries_append_only;
alter table entries enable always trigger entries_no_truncate;
alter table transactions enable always trigger transactions_append_only;
alter table transactions enable always trigger transactions_no_truncate;
