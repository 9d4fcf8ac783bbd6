-- What can be asked besides one movement of money: several postings at once, holds, states, details, users and books. No
-- migration that may run together with this one uses a new kind, as PostgreSQL refuses that (55P04).
--
-- `reverses` is the transaction that this one turns round: the unique index lets that happen once. `part_of` and `place` say
-- which item of an atomic bulk it was. `details_digest` is of the row in `transaction_details`, `effective_at` when it counts
-- for the books. `user_id` and `book_id` are what it opened. `key_salt` is what the second half of the digest of a caller's key is
-- over beside the text of the request, so that erasing it leaves nothing to guess that text by.
--
-- The checks and the index read the table once each, and no transaction can be read or written meanwhile: 8 to 20 s for
-- 20 million transactions in memory (2 million took 0.8 to 2 s on two busy cores).
alter type transaction_kind add value 'transaction';
alter type transaction_kind add value 'hold_placed';
alter type transaction_kind add value 'hold_changed';
alter type transaction_kind add value 'hold_voided';
alter type transaction_kind add value 'hold_expired';
alter type transaction_kind add value 'amended';
alter type transaction_kind add value 'frozen';
alter type transaction_kind add value 'unfrozen';
alter type transaction_kind add value 'closed';
alter type transaction_kind add value 'user_opened';
alter type transaction_kind add value 'book_opened';

alter table transactions
    add column reverses uuid,
    add column part_of uuid,
    add column place smallint check (place >= 0),
    add column details_digest bytea check (octet_length(details_digest) = 32),
    add column effective_at timestamptz,
    add column user_id bigint,
    add column book_id bigint,
    add column key_salt bytea check (octet_length(key_salt) = 16),
    add constraint transactions_part_has_place check ((part_of is null) = (place is null));

create unique index transactions_reverses on transactions (reverses) where reverses is not null;
