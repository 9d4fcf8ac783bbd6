-- People. One table behind every interface.
--
-- Ids are taken from the sequence by the service before the row is written, so that the row, the account that it opens
-- and the key that guards both are one statement.
create sequence users_id_seq as bigint;

create table users (
    id            bigint      constraint users_pkey primary key check (id > 0),
    name          text        check (char_length(name) between 1 and 255),
    -- Kept in lower case, so that an email belongs to one user whatever its case.
    email         text        constraint users_email unique check (char_length(email) between 3 and 254 and email !~ '[A-Z]'),
    password_hash text,
    created_at    timestamptz not null,
    updated_at    timestamptz not null check (created_at <= updated_at)
);

alter sequence users_id_seq owned by users.id;
