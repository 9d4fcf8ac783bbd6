-- Sessions of users who signed in. A token is shown to its user alone; what is kept is its SHA-256, so that who reads the
-- table cannot use it.
create table sessions (
    token_hash bytea       primary key check (octet_length(token_hash) = 32),
    user_id    bigint      not null references users,
    created_at timestamptz not null default now(),
    -- Noted at most once a minute.
    used_at    timestamptz not null default now(),
    expires_at timestamptz not null check (created_at < expires_at)
);

-- To find those that are past their time.
create index sessions_used_at on sessions (used_at);
