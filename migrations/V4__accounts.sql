-- The head of an account: the one row that changes. Everything in it follows from the account's entries, and the verifier
-- recomputes it from them.
--
-- `version` counts the entries: 1 is the opening itself. `seal` is the last seal of the chain (docs/seal.md). A balance is
-- changed by a compare-and-swap on both, never otherwise.
create type account_status as enum ('open', 'frozen', 'closed');

create sequence accounts_id_seq as bigint;

create table accounts (
    id            bigint         primary key check (id > 0),
    book_id       bigint         not null references books,
    owner_id      bigint         constraint accounts_owner references users,
    currency      text           not null references currencies,
    version       bigint         not null check (version > 0),
    opened_at     timestamptz    not null,
    last_entry_at timestamptz    not null check (opened_at <= last_entry_at),
    status        account_status not null default 'open',
    -- No fixed scale: each value carries its currency's. `abs(x) < 1e28` also refuses NaN and infinity, which sort above
    -- every number and so would pass `balance >= floor`.
    balance       numeric        not null check (abs(balance) < 1e28),
    floor         numeric        not null default 0 check (abs(floor) < 1e28),
    seal          bytea          not null check (octet_length(seal) = 32),
    constraint accounts_balance_not_below_floor check (balance >= floor)
)
-- Room on each page for the next version of its rows: no index names a column that changes, so updates stay on the page.
with (fillfactor = 70);

alter sequence accounts_id_seq owned by accounts.id;

create index accounts_owner_id on accounts (owner_id) where owner_id is not null;

-- The one directory for every way to call an account. A name never points elsewhere later, so it may be remembered.
create table account_names (
    book_id    bigint not null,
    name       text   not null check (char_length(name) between 1 and 255),
    account_id bigint not null,
    constraint account_names_pkey primary key (book_id, name)
);
