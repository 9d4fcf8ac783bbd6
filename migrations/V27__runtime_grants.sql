-- What the role of the service may do with what V18 to V26 made, column by column; tests/it/roles/ holds the result.
--
-- Where the role is made by hand after the migration, this file is run by hand after V10__runtime_role.sql. It can be run
-- again at any time (docs/operations.md, "Two roles").
do $$
begin
    if not exists (select from pg_roles where rolname = 'passbook_runtime') then
        return;
    end if;
    grant select, insert on principals, callers, holds, transaction_details, account_details, external_ids, leases
        to passbook_runtime;
    grant update (held, active_holds, due_at, details_digest, state_version, floor, status) on accounts
        to passbook_runtime;
    grant update (amount, captured, status, expires_at, version) on holds to passbook_runtime;
    grant update (holder, expires_at) on leases to passbook_runtime;
    grant update (closed_through, closed_at) on books to passbook_runtime;
    grant usage on sequence principals_id_seq, callers_id_seq to passbook_runtime;
end
$$;
