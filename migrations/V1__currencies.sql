-- The registry of currencies. A currency is a row, never a release.
--
-- `scale` is the number of decimals of the minor unit: an amount of the currency is a whole number of those. It can never
-- change once an account holds the currency, so nothing updates it. 18 is the most that keeps every amount of the ledger
-- (at most 10^27 minor units) exact in a 28-digit decimal.
create table currencies (
    code       text        primary key check (code ~ '^[A-Z][A-Z0-9]{2,11}$'),
    name       text        not null constraint currencies_name unique check (name ~ '^[a-z][a-z0-9 _-]{0,63}$'),
    scale      smallint    not null check (scale between 0 and 18),
    crypto     boolean     not null default false,
    created_at timestamptz not null default now()
);

insert into currencies (code, name, scale, crypto) values
    ('USD', 'us dollar', 2, false),
    ('EUR', 'euro', 2, false),
    ('JPY', 'yen', 0, false),
    ('BTC', 'bitcoin', 8, true),
    ('ETH', 'ethereum', 18, true),
    ('MATIC', 'matic', 18, true);
