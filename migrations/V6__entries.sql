-- The journal: one row for each change of an account, numbered without gaps by the version that it made. The first entry
-- is version 2; version 1 is the opening.
--
-- There is no foreign key to accounts: the compare-and-swap on the head, in the same statement, already proves the account,
-- and the key would cost two thirds more per row on a busy account.
create table entries (
    account_id      bigint      not null,
    version         bigint      not null check (version > 1),
    -- The other account of a transfer; null where the money came from outside or went there.
    counterparty_id bigint      check (counterparty_id <> account_id),
    created_at      timestamptz not null,
    transaction_id  uuid        not null,
    -- Signed: what the account gained or lost. Written so that it refuses null, NaN and infinity as well.
    amount          numeric     not null check (amount <> 0 and abs(amount) < 1e28),
    -- The balance right after.
    balance         numeric     not null check (abs(balance) < 1e28),
    seal            bytea       not null check (octet_length(seal) = 32),
    constraint entries_pkey primary key (account_id, version)
);

-- Finds the two sides of a transfer, and the outcome of a transaction.
create index entries_transaction_id on entries (transaction_id);
