-- What was asked, and what became of it: a row for every command that was applied, and for every refused or empty one that
-- carries a key. Accepted, refused and empty outcomes meet in the one constraint on keys, so that a key has one outcome.
create type transaction_kind as enum ('deposit', 'withdrawal', 'transfer', 'opening', 'empty');
create type scope_kind as enum ('account', 'book', 'caller');

create table transactions (
    -- UUIDv7, given to a command when it enters and kept through every retry: the same command is never applied twice.
    id              uuid             not null,
    kind            transaction_kind not null,
    -- Whose key it is: the account that the money leaves (for a deposit, the one it reaches), the book for an opening, or
    -- the caller.
    scope_kind      scope_kind       not null,
    scope_id        bigint           not null,
    created_at      timestamptz      not null,
    -- The account that the answer spoke of and its version then, where no entry tells: an opening, an empty command.
    account_id      bigint,
    account_version bigint           check (account_version > 0),
    idempotency_key text             check (octet_length(idempotency_key) between 1 and 255),
    -- SHA-256 over all that was asked, the interface and the caller.
    request_digest  bytea            check (octet_length(request_digest) = 32),
    -- The rule that said no, as JSON; null where nothing did.
    refusal         jsonb,
    constraint transactions_pkey primary key (id),
    constraint transactions_key_has_digest check ((idempotency_key is null) = (request_digest is null)),
    constraint transactions_refusal_has_key check (refusal is null or idempotency_key is not null),
    constraint transactions_account_has_version check ((account_id is null) = (account_version is null))
);

create unique index transactions_idempotency_key
    on transactions (scope_kind, scope_id, idempotency_key) where idempotency_key is not null;
