-- A key is unique by 16 bytes: the first half of SHA-256 over its scope and itself. The index on them is two fifths of one on the
-- scope and the text, so that fewer of its pages are changed, and logged whole after a checkpoint, on a large ledger. To find
-- two keys of the same 16 bytes takes some 2^64 attempts, and gains a refusal.
--
-- The table is written anew, once; a column that is computed while the table is altered wakes no trigger. A program from before
-- this is refused by the constraint when it writes a key: its keys would be unique only among themselves.
alter table transactions add column key_hash uuid;
alter table transactions alter column key_hash type uuid using case when idempotency_key is not null then
    encode(substring(sha256(convert_to(format('%s %s %s', scope_kind, scope_id, idempotency_key), 'UTF8')) for 16), 'hex')::uuid
end;
alter table transactions
    add constraint transactions_key_has_hash check ((idempotency_key is null) = (key_hash is null));
drop index transactions_idempotency_key;
create unique index transactions_idempotency_key on transactions (key_hash) where key_hash is not null;
