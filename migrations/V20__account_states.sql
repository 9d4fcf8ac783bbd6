-- What an account is besides its balance. Money that is held stays in `balance` and cannot be spent, so the rule is over both.
--
-- `held` is the sum of what remains of the account's active holds, `active_holds` how many there are: a bound on them keeps
-- every command short. `due_at` is not later than the first expiry among them. `details_digest` is of the newest row in
-- `account_details`.
--
-- `state_version` is null while the account is plain: every entry of it says an amount, a balance and nothing else. From the
-- first entry that says more, it is the version, set with every entry. A program of before moves the version alone. So it
-- goes on with plain accounts and is refused on all others, where it would seal less than there is.
--
-- The columns cost nothing. The checks read the table once, and no account can be read or written meanwhile: 8 to 24 s for
-- 20 million accounts in memory (1 million took 0.4 to 1.2 s on two busy cores).
alter table accounts
    add column held numeric not null default 0 check (held >= 0 and held < 1e28),
    add column active_holds integer not null default 0 check (active_holds between 0 and 1000),
    add column due_at timestamptz,
    add column details_digest bytea check (octet_length(details_digest) = 32),
    add column state_version bigint,
    drop constraint accounts_balance_not_below_floor,
    add constraint accounts_available_not_negative check (balance - held >= floor),
    add constraint accounts_holds_have_money check ((active_holds = 0) = (held = 0)),
    add constraint accounts_state_is_of_version check (state_version is null or state_version = version);
