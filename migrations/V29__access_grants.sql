-- What the role of the service may do with what V28 made, column by column; tests/it/roles/ holds the result. It makes keys
-- for whoever administers the service over HTTP, and ends them. What it wrote down of that, it can never take back.
--
-- Where the role is made by hand after the migration, this file is run by hand after V27__runtime_grants.sql. It can be run
-- again at any time (docs/operations.md, "Two roles").
do $$
begin
    if not exists (select from pg_roles where rolname = 'passbook_runtime') then
        return;
    end if;
    grant select, insert on api_keys, principal_books, audit_events to passbook_runtime;
    grant update (revoked_at) on api_keys to passbook_runtime;
    grant select, update (count) on access_changes to passbook_runtime;
    grant usage on sequence audit_events_id_seq to passbook_runtime;
end
$$;
