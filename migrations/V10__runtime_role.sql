-- The role that the service runs as: it owns nothing, so it can neither edit the history nor take away what guards it. What it
-- may do is listed here, column by column; tests/it/privileges/ holds the result.
--
-- Roles belong to the whole server. Where the owner of the tables may not create one, somebody who may runs this file once, by
-- hand, after the migration: it can be run again at any time (README, "Two roles").
do $$
begin
    if not exists (select from pg_roles where rolname = 'passbook_runtime') then
        -- Without a password: on the embedded PostgreSQL the socket lets nobody else in, elsewhere its owner gives it one.
        create role passbook_runtime login;
    end if;
exception
    -- Another database of the server was migrated at the same time.
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
        raise notice 'the role passbook_runtime could not be created: %', sqlerrm;
end
$$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'passbook_runtime') then
        return;
    end if;
    execute format('grant usage on schema %I to passbook_runtime', current_schema());
    grant select on currencies, books, users, accounts, account_names, transactions, entries, sessions,
        refinery_schema_history to passbook_runtime;
    grant insert on currencies, books, users, accounts, account_names, transactions, entries, sessions to passbook_runtime;
    grant update (version, seal, balance, last_entry_at) on accounts to passbook_runtime;
    grant update (sealed_at) on books to passbook_runtime;
    grant update (used_at), delete on sessions to passbook_runtime;
    grant usage on sequence accounts_id_seq, users_id_seq, books_id_seq to passbook_runtime;
end
$$;
