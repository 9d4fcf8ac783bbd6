//! What guards the ledger and what the audit says once it is taken away.

/// What guards the ledger, taken away.
pub(super) const TAKEN_AWAY: [(&str, &str); 35] = [
    ("drop index transactions_idempotency_key", "index transactions_idempotency_key: is missing"),
    (
        "drop index transactions_idempotency_key;
         create index transactions_idempotency_key on transactions (key_hash) where key_hash is not null",
        "index transactions_idempotency_key: is CREATE INDEX",
    ),
    (
        "update pg_index set indisvalid = false where indexrelid = 'transactions_idempotency_key'::regclass",
        "invalid, instead of CREATE UNIQUE INDEX",
    ),
    ("drop index books_open_name", "index books_open_name: is missing"),
    (
        "create or replace function history_is_append_only() returns trigger language plpgsql as $$ begin return new; end $$",
        "function history_is_append_only: is body ",
    ),
    (
        "alter table accounts drop constraint accounts_available_not_negative",
        "constraint accounts_available_not_negative of accounts: is missing",
    ),
    (
        "alter table accounts drop constraint accounts_available_not_negative;
         alter table accounts add constraint accounts_available_not_negative check (balance - held >= floor) not valid",
        "constraint accounts_available_not_negative of accounts: is CHECK ((balance - held) >= floor) NOT VALID",
    ),
    (
        "alter table accounts drop constraint accounts_available_not_negative;
         alter table accounts add constraint accounts_available_not_negative check (balance - held >= floor or true)",
        "constraint accounts_available_not_negative of accounts: is CHECK ((balance - held) >= floor OR true)",
    ),
    (
        "alter table entries drop constraint entries_pkey",
        "constraint entries_pkey of entries: is missing",
    ),
    (
        "alter table transactions drop constraint transactions_pkey",
        "constraint transactions_pkey of transactions: is missing",
    ),
    (
        "alter table account_names drop constraint account_names_pkey",
        "constraint account_names_pkey of account_names: is missing",
    ),
    (
        "alter table users drop constraint users_email",
        "constraint users_email of users: is missing",
    ),
    (
        "alter table entries drop constraint entries_amount_check",
        "constraint entries_amount_check of entries: is missing",
    ),
    (
        "alter table accounts drop constraint accounts_owner",
        "constraint accounts_owner of accounts: is missing",
    ),
    (
        "alter table entries alter column seal drop not null",
        "column entries.seal: is bytea, instead of bytea not null",
    ),
    (
        "alter table transactions alter column idempotency_key type text collate \"POSIX\"",
        "column transactions.idempotency_key: is text collate POSIX, instead of text collate C",
    ),
    ("alter table sessions set unlogged", "table sessions: is unlogged, instead of permanent"),
    (
        "alter table entries enable row level security",
        "table entries: is permanent, with row security, instead of permanent",
    ),
    (
        "grant update, delete on entries to passbook_runtime",
        "grant on entries to passbook_runtime: is delete, insert, select, update, instead of insert, select",
    ),
    (
        "grant update (book_id) on accounts to passbook_runtime",
        "grant on accounts to passbook_runtime: is insert, select, update (active_holds), update (balance), update (book_id)",
    ),
    (
        "revoke insert on transactions from passbook_runtime",
        "grant on transactions to passbook_runtime: is select, instead of insert, select",
    ),
    (
        "alter table accounts disable trigger all",
        "constraint accounts_owner of accounts: is FOREIGN KEY (owner_id) REFERENCES users(id), disabled",
    ),
    (
        "alter function history_is_append_only() owner to passbook_runtime",
        "role passbook_runtime: is a login, can become the owner",
    ),
    (
        "alter table sessions alter column created_at set default '2030-01-01'",
        "column sessions.created_at: is timestamp with time zone not null default '2030-01-01",
    ),
    (
        "revoke usage on sequence accounts_id_seq from passbook_runtime",
        "grant on accounts_id_seq to passbook_runtime: is nothing, instead of usage",
    ),
    (
        "create rule quiet as on update to accounts do instead nothing",
        "table accounts: is permanent, with rules, instead of permanent",
    ),
    (
        "create function twice() returns trigger language plpgsql as $$ begin new.amount = 2 * new.amount; return new; end $$;
         create trigger twice before insert on entries for each row execute function twice()",
        "table entries: is permanent, with twice before its rows are written, instead of permanent",
    ),
    (
        "create table more () inherits (entries)",
        "table entries: is permanent, with tables that inherit, instead of permanent",
    ),
    (
        "alter type transaction_kind add value 'forged'",
        "type transaction_kind: is deposit, withdrawal, transfer, opening, empty, reset, ",
    ),
    ("drop index accounts_owner_id", "index accounts_owner_id: is missing"),
    ("drop index transactions_reverses", "index transactions_reverses: is missing"),
    ("alter type entry_kind add value 'forged'", "type entry_kind: is money, "),
    (
        "alter table accounts drop constraint accounts_state_is_of_version",
        "constraint accounts_state_is_of_version of accounts: is missing",
    ),
    (
        "grant delete on holds to passbook_runtime",
        "grant on holds to passbook_runtime: is delete, insert, select, ",
    ),
    (
        "revoke usage on sequence callers_id_seq from passbook_runtime",
        "grant on callers_id_seq to passbook_runtime: is nothing, instead of usage",
    ),
];

/// Triggers that are there and do nothing: not to be put back by the test itself.
pub(super) const DISABLED: [(&str, &str); 5] = [
    (
        "alter table entries disable trigger entries_append_only",
        "trigger entries_append_only of entries: is",
    ),
    (
        "alter table transactions enable trigger transactions_no_truncate",
        "not always, instead of",
    ),
    (
        "alter table currencies disable trigger all",
        "trigger currencies_append_only of currencies: is",
    ),
    (
        "drop trigger transactions_append_only on transactions",
        "trigger transactions_append_only of transactions: is missing",
    ),
    (
        "alter table holds disable trigger holds_append_only",
        "trigger holds_append_only of holds: is",
    ),
];
